"""What a request's headers tell of a visit: device, language, place. Pure functions over header bytes.

What lives here: the tables of browsers and of CDN headers, and who may send the latter. What may not: the body.

1. Device: the user agent by a small table; where that sees a desktop, the client hint `Sec-CH-UA-Mobile` may say no.
2. Language: the first tag of `Accept-Language`, as written, without its weight.
3. Place: the CDN's headers, only from a peer that `--trusted-proxies` names; others are not believed.
4. Header values are Latin-1 on the wire; CDNs write cities in UTF-8 or percent-encoded. What cannot be read is absent.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import unquote

from engine.web.request import Headers

_BOTS = (
    "bot",
    "crawl",
    "spider",
    "slurp",
    "headless",
    "lighthouse",
    "facebookexternalhit",
    "python-",
    "curl/",
    "preview",
)
_TABLETS = ("ipad", "tablet", "kindle", "silk/", "playbook")
_MOBILES = ("mobi", "iphone", "ipod", "windows phone", "opera mini")
_AGENT_CHARS = 512  # what tells devices apart stands before this; the rest would only fill the memo

# Cloudflare, CloudFront, Vercel, App Engine, Fastly (by its usual VCL), and plain names for other proxies.
_PLACES: dict[str, tuple[bytes, ...]] = {
    "country": (
        b"cf-ipcountry",
        b"cloudfront-viewer-country",
        b"x-vercel-ip-country",
        b"x-appengine-country",
        b"fastly-geo-country",
        b"x-geo-country",
    ),
    "region": (
        b"cf-region-code",
        b"cloudfront-viewer-country-region",
        b"x-vercel-ip-country-region",
        b"x-appengine-region",
        b"fastly-geo-region",
        b"x-geo-region",
    ),
    "city": (
        b"cf-ipcity",
        b"cloudfront-viewer-city",
        b"x-vercel-ip-city",
        b"x-appengine-city",
        b"fastly-geo-city",
        b"x-geo-city",
    ),
}
_UNKNOWN_PLACES = {"", "XX", "ZZ", "?"}  # how CDNs write "we do not know"


class Proxies:
    """Peers whose geo headers count: addresses, networks, or `*` for any."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        """Raises `ValueError` for what is neither an address nor a network."""
        self._any = "*" in trusted
        self._networks: list[IPv4Network | IPv6Network] = [
            ip_network(entry, strict=False) for entry in trusted if entry != "*"
        ]
        self.none = not trusted
        self._memo: dict[str, bool] = {}

    def trust(self, peer: str | None) -> bool:
        """Is this peer one of ours?"""
        if self._any or self.none or peer is None:
            return self._any
        if peer not in self._memo:
            if len(self._memo) > 1_000:  # proxies are few; whoever else connects must not fill the memory
                self._memo.clear()
            self._memo[peer] = self._within(peer)
        return self._memo[peer]

    def _within(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def device(headers: Headers) -> dict[str, str]:
    """`type` (desktop, mobile, tablet, bot) and `language`, as far as the headers tell."""
    found: dict[str, str] = {}
    agent = headers.get(b"user-agent")
    if agent:
        kind = _device_type(agent[:_AGENT_CHARS])
        found["type"] = "mobile" if kind == "desktop" and headers.get(b"sec-ch-ua-mobile") == b"?1" else kind
    language = headers.get(b"accept-language", b"").split(b",", 1)[0].split(b";", 1)[0].strip()
    if language != b"*" and (tag := _readable(language)):
        found["language"] = tag
    return found


@lru_cache(maxsize=1024)
def _device_type(agent: bytes) -> str:
    text = agent.decode("latin-1").lower().replace("cubot", "")  # a maker of phones, no robot
    if any(word in text for word in _BOTS):
        return "bot"
    if any(word in text for word in _TABLETS) or ("android" in text and "mobi" not in text):
        return "tablet"
    return "mobile" if any(word in text for word in _MOBILES) else "desktop"


def place(headers: Headers) -> dict[str, str]:
    """`country`, `region`, `city`, as far as the CDN's headers tell."""
    found: dict[str, str] = {}
    for name, sources in _PLACES.items():
        for source in sources:
            text = _readable(headers.get(source, b""))
            if text.upper() not in _UNKNOWN_PLACES:
                found[name] = text if name == "city" else text.upper()
                break
    return found


def _readable(value: bytes) -> str:
    try:
        text = unquote(value.decode("utf-8"), errors="strict")
    except UnicodeDecodeError:
        return ""
    return text.strip() if text.isprintable() else ""

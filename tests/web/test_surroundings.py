"""Device, language and place from headers; and whose headers count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.web.surroundings import Proxies, device, place

AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36": "desktop",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.0 Safari/605.1.15": "desktop",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1": "mobile",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36": "mobile",
    "Mozilla/5.0 (Linux; Android 11; CUBOT X50) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36": "mobile",
    "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36": "tablet",
    "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1": "tablet",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "bot",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) Mobile Safari/537.36 (compatible; Googlebot/2.1)": "bot",
    "facebookexternalhit/1.1": "bot",
}


@pytest.mark.parametrize(("agent", "kind"), AGENTS.items())
def test_the_user_agent_tells_the_type(agent: str, kind: str) -> None:
    """Real ones, of each kind."""
    assert device({b"user-agent": agent.encode()}) == {"type": kind}


def test_the_client_hint_corrects_a_desktop() -> None:
    """Browsers that hide behind a desktop's user agent say so in the hint."""
    assert device({b"user-agent": b"Mozilla/5.0 (X11; Linux x86_64)", b"sec-ch-ua-mobile": b"?1"}) == {"type": "mobile"}


@pytest.mark.parametrize(
    ("header", "language"), [(b"de-AT,de;q=0.9,en;q=0.8", "de-AT"), (b"en;q=0.5", "en"), (b"*", None), (b"", None)]
)
def test_the_first_language_counts(header: bytes, language: str | None) -> None:
    """Without its weight; `*` is no language."""
    assert device({b"accept-language": header}).get("language") == language


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({b"cf-ipcountry": b"DE", b"cf-region-code": b"BY", b"cf-ipcity": "München".encode()}, ("DE", "BY", "München")),
        ({b"cloudfront-viewer-country": b"us", b"cloudfront-viewer-city": b"San Jose"}, ("US", None, "San Jose")),
        ({b"x-vercel-ip-country": b"BR", b"x-vercel-ip-city": b"S%C3%A3o%20Paulo"}, ("BR", None, "São Paulo")),
        ({b"cf-ipcountry": b"XX", b"x-geo-country": b"FR"}, ("FR", None, None)),
        ({b"cf-ipcity": b"\xff\xfe", b"x-geo-city": b"a%00b"}, (None, None, None)),
    ],
)
def test_cdn_headers_tell_the_place(headers: dict[bytes, bytes], found: tuple[str | None, ...]) -> None:
    """The CDNs' own names and ways of writing; what is unknown or unreadable is absent."""
    names = ("country", "region", "city")
    assert place(headers) == {name: value for name, value in zip(names, found, strict=True) if value is not None}


@pytest.mark.parametrize(
    ("trusted", "peer", "counts"),
    [
        ((), "10.0.0.1", False),
        (("10.0.0.0/8",), "10.0.0.1", True),
        (("10.0.0.0/8",), "11.0.0.1", False),
        (("127.0.0.1", "fd00::/8"), "fd00::1", True),
        (("10.0.0.0/8",), None, False),
        (("10.0.0.0/8",), "testclient", False),
        (("*",), None, True),
    ],
)
def test_only_trusted_peers_count(trusted: tuple[str, ...], peer: str | None, counts: bool) -> None:
    """Addresses, networks, or any; asked twice, the answer is the same."""
    proxies = Proxies(trusted)
    assert [proxies.trust(peer), proxies.trust(peer)] == [counts, counts]


def test_a_proxy_that_is_none_is_refused() -> None:
    """A typing error must not mean that nobody, or everybody, is trusted."""
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/99"):
        Proxies(["10.0.0.0/99"])


NAMES = [b"user-agent", b"accept-language", b"sec-ch-ua-mobile", b"cf-ipcountry", b"cf-ipcity", b"x-geo-region"]


@given(st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=100)))
def test_any_header_bytes_are_read_without_error(headers: dict[bytes, bytes]) -> None:
    """Headers come from anybody; what is found can be encoded and shown."""
    for text in (*device(headers).values(), *place(headers).values()):
        assert text
        assert text.encode().decode().isprintable()

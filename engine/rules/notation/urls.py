"""An absolute URL of a page, taken apart and made comparable. Pure.

What lives here: `parse_url` and the normal form that both pages and page patterns are brought into. What may
not: patterns, fetching anything.

1. A page URL is `http` or `https`, has a host, at most `limits.URL_CHARS` characters, no white space, control
   character or backslash. Anything else is no URL: `None`, never an exception.
2. Host: lower case, IDNA (`bücher.de` is `xn--bcher-kva.de`), no trailing dot, user name and password dropped.
   Port: always a number, 80 or 443 where none is written.
3. Path: every segment is percent-decoded and encoded again in one way, so that `%7Ejo`, `~jo` and `%7ejo` are one
   path; `.` and `..` are resolved. `path` keeps a trailing slash, the comparable `address` has none:
   `/pricing` and `/pricing/` are the same page.
4. Query: pairs in their order, decoded as forms are (`+` is a space). The fragment is dropped.
"""

import string
import unicodedata
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote_to_bytes

import re2
from msgspec import Struct

from engine import limits

HOST_CHARS = 253  # RFC 1035
DEFAULT_PORTS = {"http": 80, "https": 443}

_HOST = re2.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_IPV6 = re2.compile(r"\[[0-9a-f:.]{2,45}\]")

# What stands unescaped in a path segment (RFC 3986 pchar) but for `*`, which patterns use: a page's `*` becomes `%2A`.
_KEPT = "!$&'()+,;=:@-._~"
_PLAIN = frozenset(string.ascii_letters + string.digits + _KEPT + "/")


class Url(Struct, frozen=True):
    """One page. `text` is the URL as given; `address` the normal form `scheme://host:port/path` that patterns look at.

    `query` holds the first value of each name, `pairs` all of them in their order.
    """

    text: str
    scheme: str
    host: str
    port: int
    path: str
    query: dict[str, str]
    pairs: tuple[tuple[str, str], ...]
    address: str


def parse_url(text: str) -> Url | None:
    """The page that an absolute http(s) URL names, or `None` where the text is none."""
    if len(text) > limits.URL_CHARS or not is_clean(text):
        return None
    scheme, colon, rest = text.partition("://")
    scheme = scheme.lower()
    rest, _, _ = rest.partition("#")
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    if not colon or scheme not in DEFAULT_PORTS or "\\" in rest:
        return None
    host, port = _host_and_port(authority, DEFAULT_PORTS[scheme])
    if not host or not 0 < port < 65_536:
        return None
    path = path_form(slash + path) or "/"
    pairs = tuple(parse_qsl(query, keep_blank_values=True)) if query else ()
    return Url(
        text=text,
        scheme=scheme,
        host=host,
        port=port,
        path=path,
        query=dict(reversed(pairs)),
        pairs=pairs,
        address=f"{scheme}://{host}:{port}{without_slash(path)}",
    )


def is_clean(text: str) -> bool:
    """Holds no white space, control character, lone surrogate or invisible formatting character."""
    if text.isascii():
        return text.isprintable() and " " not in text
    return not any(c.isspace() or unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in text)


@lru_cache(maxsize=1_024)
def _host_and_port(authority: str, default: int) -> tuple[str | None, int]:
    """`user@host:port`, taken apart; remembered, since a site has few hosts."""
    name = authority.rpartition("@")[2]
    host, colon, port = name.rpartition(":")
    if not colon or name.endswith("]"):
        return host_form(name), default
    return host_form(host), int(port) if _is_number(port) else 0 if port else default


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6


def host_form(text: str) -> str | None:
    """A host in its one form, or `None` where the text is no host."""
    host = text.lower().removesuffix(".")
    if host.startswith("["):
        return host if _IPV6.fullmatch(host) else None
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return None
    return host if len(host) <= HOST_CHARS and _HOST.fullmatch(host) else None


def path_form(path: str) -> str:
    """A path (from `/` on) in its one form, trailing slash kept."""
    if not _PLAIN.issuperset(path):
        path = "/".join(segment_form(segment) for segment in path.split("/"))
    return _resolved(path) if "/." in path else path


def segment_form(segment: str) -> str:
    """One path segment, percent-encoded in the one way."""
    return quote(unquote_to_bytes(segment), safe=_KEPT)


def without_slash(path: str) -> str:
    """The path as pages are compared: `/` is nothing, `/pricing/` is `/pricing`."""
    return path.removesuffix("/")


def _resolved(path: str) -> str:
    """`.` and `..` segments taken out, as browsers do (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    *folders, last = path.split("/")[1:]
    for segment in folders:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if last == "..":
        del kept[-1:]
    return "/".join(["", *kept, "" if last in {".", ".."} else last])

"""What a visitor's value has to become so that it cannot leave its place in a page (words.Slot's spots).

What lives here: one escape a spot, from text to text, or None where the value is refused. What may not: knowing
templates, JSON or traits; trying to repair a bad URL. A value that needs repair is refused.

1. text, attribute: the client sets these with `textContent` and `setAttribute`, which parse nothing: as they are.
2. html, html-attribute: the five characters that mean something in HTML become character references (and the
   backquote, an attribute quote for old browsers); NUL, which HTML parsers drop or replace, is dropped here.
3. url-start: the value may bring scheme and host, so it is a URL with `http://`, `https://`, `mailto:` or `tel:`, or
   a relative one, written plainly. Refused: control and format characters, white space and backslashes anywhere
   (browsers remove or turn them, so a scheme hides behind them); anything but letters, digits and
   `-._~%!$()*+,;=@` before a relative URL's first `/`, `?` or `#` (there a colon ends a scheme, and `&` may spell
   one); `//host`, a host disguised as a path; `https:host` without its slashes, which browsers read in two ways.
4. url-part: one component, everything but letters, digits and `-._~` percent-encoded. `.` and `..` are refused:
   as a path segment they climb, and browsers read `%2e` there as a dot.
5. html-url-start, html-url-part: the URL rule, then the HTML rule.
"""

from collections.abc import Callable
from html import escape as _html_escape
from typing import Final, TypeAlias
from urllib.parse import quote

import re2

Escape: TypeAlias = Callable[[str], str | None]

_HIDING = r"\\\p{Z}\p{Cc}\p{Cf}"
_PLAIN = r"[\pL\pM\pN._~%!$()*+,;=@-]*"
_ABSOLUTE: Final = re2.compile(rf"(?i)(?:https?://[^/?#{_HIDING}]|(?:mailto|tel):)[^{_HIDING}]*")
_ROOTED: Final = re2.compile(rf"{_PLAIN}[/?#][^{_HIDING}]*")
_BARE: Final = re2.compile(_PLAIN)


def as_it_is(text: str) -> str:
    """Text that nothing parses."""
    return text


def html(text: str) -> str:
    """Text between tags, or within a quoted attribute, of an HTML fragment."""
    return _html_escape(text.replace("\0", "")).replace("`", "&#96;")


def url_start(text: str) -> str | None:
    """A whole URL, or the start of one; what follows holds no colon before its first `/`, `?` or `#`."""
    return text if url_start_settled(text) is not None or _BARE.fullmatch(text) else None


def url_start_settled(text: str) -> str | None:
    """The start of a URL that settles the scheme (or that there is none) by itself, whatever follows."""
    if text.startswith("//"):
        return None
    return text if _ABSOLUTE.fullmatch(text) or _ROOTED.fullmatch(text) else None


def url_part(text: str) -> str | None:
    """One component of a URL, after its start."""
    return None if text in (".", "..") else quote(text, safe="")


def before_slash(escape: Escape) -> Escape:
    """The same, where the URL goes on with a slash: a lone `/` would make that a host."""

    def escaped(text: str) -> str | None:
        return None if text == "/" else escape(text)

    return escaped


def nothing(text: str) -> None:  # noqa: ARG001  (an escape)
    """Where no value can stand."""
    return


def in_html(escape: Escape) -> Escape:
    """The same, where the URL stands in an attribute of an HTML fragment."""

    def escaped(text: str) -> str | None:
        url = escape(text)
        return None if url is None else html(url)

    return escaped


ESCAPES: Final[dict[str, Escape]] = {
    "text": as_it_is,
    "attribute": as_it_is,
    "html": html,
    "html-attribute": html,
    "url-start": url_start,
    "url-part": url_part,
    "html-url-start": in_html(url_start),
    "html-url-part": in_html(url_part),
}

"""A page's address as a browser would send it, made of one as programs hold it: decoded, or without end. Pure.

What lives here: what browsers do to an address before they send it (https://url.spec.whatwg.org). What may not: whether
it is one (`engine.rules.notation.urls`). It is asked only for addresses that cannot be decided on as they are.

1. White space around it, tabs and line breaks anywhere are dropped, a backslash in the path is a slash.
2. White space, control characters, quotes, `<>` and their like, and whatever is not ASCII, are percent-encoded as
   UTF-8, half a character as U+FFFD. What is encoded already stays.
3. What is too long loses its fragment, then whatever of its query does not fit, parameter by parameter; a path that is
   too long by itself ends where it must, which is the address of no other page.
4. Scheme and host stay as they are: nobody can guess them.
"""

from typing import Final
from urllib.parse import quote

from engine.limits import URL_CHARS

_DROPPED: Final = str.maketrans("", "", "\t\n\r")
_AROUND: Final = "".join(map(chr, range(0x21)))
_PATH: Final = "!$%&'()*+,-./:;=@[]_~|"
_QUERY: Final = _PATH.replace("'", "") + "?\\^`{}"
_ESCAPE: Final = 3  # characters of `%2F`


def as_browsers_send(address: str) -> str:
    """The same page's address in the form that browsers send, at most `limits.URL_CHARS` long."""
    whole = address.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    address, hash_, fragment = whole.strip(_AROUND).translate(_DROPPED).partition("#")
    address, mark, query = address.partition("?")
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.replace("\\", "/").partition("/")
    sent = scheme + separator + host + slash + quote(path, _PATH)
    if len(sent) > URL_CHARS:
        return _whole_escapes(sent[:URL_CHARS])
    if mark:
        sent = _with_query(sent, quote(query, _QUERY))
    whole = sent + hash_ + quote(fragment, _QUERY)
    return whole if len(whole) <= URL_CHARS else sent


def _with_query(page: str, query: str) -> str:
    """With as many of its parameters as there is room for."""
    whole = f"{page}?{query}"
    if len(whole) <= URL_CHARS:
        return whole
    return page + whole[len(page) : URL_CHARS + 1].rpartition("&")[0]


def _whole_escapes(text: str) -> str:
    """Without the piece of an escape at its end."""
    at = text.rfind("%", 1 - _ESCAPE)
    return text if at < 0 else text[:at]

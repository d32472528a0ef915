"""URLs that a rule file sets, with or without slots: where a slot may stand, and which schemes may. Pure.

What lives here: one rule a place (an attribute, a frame, a redirect), over a URL whose slots are `HOLE`s. What may
not: HTML, the grammar of slots, filling slots in.

A slot's value is percent-encoded as one component, unless it begins the URL: then it may bring scheme and host, and
whoever fills it in lets only `https http mailto tel` and relative ones through. So:

1. No `javascript:` or `vbscript:`, neither as written nor after taking out what browsers ignore (white space and
   control characters) or what may be empty (slots).
2. A slot that begins a URL is all of it, or `/`, `?` or `#` follows: else its value and what follows could become a
   scheme together.
3. Any other slot stands behind a `/`, `?`, `#` or a whole scheme (`mailto:{{ … }}`).
4. In a redirect, in a frame and where a form is sent no slot chooses the host: each stands behind the host's `/`, `?`
   or `#`, and a path that could begin with `//` once its slots are empty is refused.
"""

from collections.abc import Callable
from typing import TypeAlias

import re2
from msgspec import Struct

from engine.rules.notation.markup import HOLE


class Fault(Struct, frozen=True):
    """What is wrong with a URL; `hole` is the number of the slot that is to blame, `None` the URL itself."""

    message: str
    hint: str
    hole: int | None = None


Rule: TypeAlias = Callable[[str], list[Fault]]

_CODE_SCHEMES = frozenset({"javascript", "vbscript", "livescript"})
_FRAME_CODE = _CODE_SCHEMES | {"data"}  # `data:text/html,<script>…`
_IGNORED = re2.compile(r"^[\x00-\x20]+|[\t\r\n]")
_SCHEME = re2.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HOST_PART = re2.compile(r"(?i)(?:https?:)?[/\\]{2}[^/\\?#]*")


def in_attribute(url: str) -> list[Fault]:
    """`href`, `src` and their like."""
    code = _code(url)
    if code:
        return code
    faults: list[Fault] = []
    for number, at in enumerate(_holes(url)):
        before = url[:at].strip()
        if not before:
            # Slots in a row count as one: the first may be empty.
            behind = url[at:].lstrip(HOLE)[:1]
            if behind.strip(" /?#\n"):
                message = f"behind a slot that begins a URL comes `/`, not `{behind}`"
                faults.append(Fault(message, "`{{ … }}/pricing`", number))
        elif before.strip(HOLE) and not any(c in before for c in "/?#:" + HOLE):
            faults.append(Fault("a slot may not be a part of a URL's scheme", f"`/{before}{{{{ … }}}}`", number))
    return faults


def in_frame(url: str) -> list[Fault]:
    """`src` of a frame: another site's page there would be a page of ours to the visitor."""
    return _code(url, _FRAME_CODE) or _host(url, "what a frame shows")


def in_form(url: str) -> list[Fault]:
    """`action` and `formaction`: whoever chooses the host reads what the visitor types."""
    return _code(url) or _host(url, "where a form is sent")


def in_redirect(url: str) -> list[Fault]:
    """Where a redirect leads: http or https, or a path from the root on."""
    bare = url.replace(HOLE, "x")
    if any(c.isspace() or not c.isprintable() for c in bare):
        return [Fault("a URL has no white space or control characters", "a space is `%20`")]
    scheme = _SCHEME.match(url)
    if scheme and "." in scheme.group(1):
        scheme = None  # `localhost.test:8080/x` is a host and its port
    if scheme and scheme.group(1).lower() not in {"http", "https"}:
        return [Fault(f"a redirect leads to `https://` or `http://`, not `{scheme.group(1)}:`", "`/small-teams`")]
    if not scheme and url[:1] not in {"/", "?", HOLE}:
        return [Fault("a redirect begins with `https://`, `http://` or `/`", f"`https://{bare}` or `/{bare}`")]
    return _host(url, "where a visitor is sent")


def _holes(url: str) -> list[int]:
    return [at for at, c in enumerate(url) if c == HOLE]


def _code(url: str, schemes: frozenset[str] = _CODE_SCHEMES) -> list[Fault]:
    seen = _IGNORED.sub("", url.replace(HOLE, ""))
    scheme = _SCHEME.match(seen)
    if scheme and scheme.group(1).lower() in schemes:
        return [Fault(f"a `{scheme.group(1).lower()}:` URL would run code", "a link leads to a page: `/small-teams`")]
    return []


def _host(url: str, what: str) -> list[Fault]:
    """Slots that could choose the host, and with it `what`."""
    host = _HOST_PART.match(url)
    begin = host.end() if host else 0
    faults = [
        Fault(
            f"no slot may choose {what}: it stands behind the host's `/`",
            "`https://www.example.com/{{ … }}`",
            number,
        )
        for number, at in enumerate(_holes(url))
        if not any(c in "/\\?#" for c in url[begin:at])
    ]
    empty = url.replace(HOLE, "")
    if not faults and not host and _HOST_PART.match(empty):
        return [Fault(f"with empty slots this is `{empty}`: another host", "`/pages/{{ … }}`", 0)]
    return faults

"""Page patterns: which pages an experience applies to (DESIGN 2). Pure.

What lives here: reading a pattern, matching it, and whether two patterns can meet. What may not: experiences, files.

    pattern = [scheme "://"] [host [":" port]] path ["?" pair *("&" pair)]
            | scheme "://" host [":" port]            the root page of that host
            | "**"                                     every page

1. Left out means any: `/pricing` is that path on every host, `www.example.com/pricing` under http and https. A
   host without a port has its scheme's default port; `localhost:*` is any port.
2. In a path `*` stands for characters of one segment (as a whole segment for at least one), `**` for any
   characters; `**` as a whole segment for any number of segments, none too. So `/blog/*` has the posts,
   `/blog/**` the blog's own page and everything under it, `/**` everything.
3. In a host `*` stands for characters of one label, `**` for any (`*.example.com`, `**.example.com`); a host
   that is only `*` is any host.
4. Both sides are compared in one normal form (urls.py): host without case, `/pricing/` is `/pricing`, `%7E` is `~`.
   The case of a path counts.
5. A query is looked at only where the pattern has one: each of its pairs must be in the page's query, in any
   order, beside any others; `*` in a value stands for any characters, and a name without `=` for any value.
6. Matching is one RE2 match (or one comparison of texts) over `Url.address`: linear time.
   `overlap` walks both patterns as automata in step; it is exact.
"""

from typing import Any
from urllib.parse import unquote_plus

import re2
from msgspec import Struct

from engine import limits
from engine.rules.notation import glob
from engine.rules.notation.glob import Glob
from engine.rules.notation.mistake import Mistake
from engine.rules.notation.urls import (
    DEFAULT_PORTS,
    Url,
    host_form,
    is_clean,
    parse_url,
    segment_form,
    without_slash,
)

__all__ = ["Pattern", "Url", "compile", "overlap", "parse_url"]

_SCHEME = re2.compile(r"([A-Za-z*][A-Za-z0-9+.*-]*):/")
_ANY_PORT = -1
_DEFAULT_PORT = 0


class Pattern(Struct, frozen=True):
    """A pattern that was read. `regex` matches whole `Url.address`es, for those who match many patterns at once
    (`re2.Set`); `pairs` are the query's names and values, a value cut at its `*`s (`None`: any value).
    """

    text: str
    schemes: tuple[str, ...]
    host: Glob | None
    port: int
    path: Glob
    pairs: tuple[tuple[str, tuple[str, ...] | None], ...]
    regex: str
    matcher: Any

    def matches(self, url: Url) -> bool:
        """Is the page one of the pattern's?"""
        if self.matcher.fullmatch(url.address) is None:
            return False
        return all(any(name == key and _fits(value, held) for key, held in url.pairs) for name, value in self.pairs)


def compile(text: str) -> Pattern:  # noqa: A001  (`patterns.compile`, as in re2)
    """Read a pattern; raises `Mistake` where the text is none."""
    _refuse_odd(text)
    rest, mark, query = text.partition("?")
    schemes, rest = _schemes(rest)
    if rest == "**" and len(schemes) == 2:
        rest = "/**"
    authority, slash, path = rest.partition("/")
    host, port = _authority(text, authority, schemes)
    if not slash and host is None:
        raise Mistake(
            "the pattern has neither host nor path",
            f"`/**{text}`" if mark else "`/**` is every page, `/pricing` one page on every host",
        )
    tree = _path(slash + path)
    pairs = _pairs(query) if mark else ()
    regex = _regex(schemes, host, port, tree)
    return Pattern(text, schemes, host, port, tree, pairs, regex, re2.compile(regex))


def overlap(a: Pattern, b: Pattern) -> bool:
    """Can one page be matched by both? Exact: queries never keep two patterns apart, since a page may hold both."""
    schemes = [scheme for scheme in a.schemes if scheme in b.schemes and _ports_meet(a, b, scheme)]
    if not schemes or not glob.overlap(a.path, b.path):
        return False
    return a.host is None or b.host is None or glob.overlap(a.host, b.host)


def _ports_meet(a: Pattern, b: Pattern, scheme: str) -> bool:
    ports = {p.port or DEFAULT_PORTS[scheme] for p in (a, b) if p.port != _ANY_PORT}
    return len(ports) < 2


def _refuse_odd(text: str) -> None:
    """What no URL holds, or what regular expressions look like."""
    if len(text) > limits.PATTERN_CHARS:
        raise Mistake(f"the pattern has {len(text)} characters", f"a pattern has at most {limits.PATTERN_CHARS}")
    if not text:
        raise Mistake("the pattern is empty", "`/**` is every page, `/` the root page of every host")
    if not is_clean(text):
        at = next(i for i, c in enumerate(text) if not is_clean(c))
        raise Mistake("a page pattern has no white space or control characters", "in a URL a space is `%20`", at, 1)
    if text[0] == "^" or text.endswith("$") or ".*" in text or "(.+)" in text:
        raise Mistake(
            "a page pattern is no regular expression",
            f"`*` stands for anything within a segment, `**` for anything: `{_from_regex(text)}`",
        )
    for at, c in enumerate(text):
        if c in '{}<>"`^|\\':
            raise Mistake(f"`{c}` cannot stand in a page pattern", "only `*` and `**` have a meaning", at, 1)
    at = text.find("#")
    if at >= 0:
        raise Mistake(
            "a pattern has no fragment: `#…` never leaves the browser", f"`{text[:at] or '/'}`", at, len(text) - at
        )
    at = text.find("***")
    if at >= 0:
        raise Mistake("`***` has no meaning", "`*` stands for anything within a segment, `**` for anything", at, 3)


def _from_regex(text: str) -> str:
    for old, new in (("(.*)", "**"), ("(.+)", "**"), (".*", "**"), ("\\", ""), ("^", ""), ("$", ""), ("?", "")):
        text = text.replace(old, new)
    return text.replace("***", "**") or "/**"


def _schemes(rest: str) -> tuple[tuple[str, ...], str]:
    """The scheme names, and what follows `://`."""
    both = tuple(DEFAULT_PORTS)
    if rest.startswith("//"):
        return both, rest[2:]
    found = _SCHEME.match(rest)
    if found is None:
        return both, rest
    scheme = found.group(1).lower()
    end = found.end() + 1
    if rest[found.end() : end] != "/":
        raise Mistake(
            f"after `{found.group(1)}:` comes `//`", f"`{found.group(1)}://{rest[found.end() :]}`", 0, found.end()
        )
    if scheme == "*":
        return both, rest[end:]
    if scheme not in DEFAULT_PORTS:
        raise Mistake(f"pages are `http` or `https`, not `{found.group(1)}`", f"`https://{rest[end:]}`", 0, len(scheme))
    return (scheme,), rest[end:]


def _authority(text: str, authority: str, schemes: tuple[str, ...]) -> tuple[Glob | None, int]:
    """The host glob (`None`: any) and the port; nothing at all where the pattern begins with its path."""
    if not authority:
        if len(schemes) == 1 or text.startswith("//"):
            raise Mistake("the host is missing", f"`{schemes[0]}://*/…` is any host")
        return None, _ANY_PORT
    start = text.find(authority)
    if "@" in authority:
        raise Mistake("a pattern has no user name", f"`{authority.rpartition('@')[2]}`", start, len(authority))
    name, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        name, port = authority, ""
    number = _port(port, start + len(name) + 1)
    if name in {"*", "**"}:
        return None, number if colon else _ANY_PORT
    if (
        not colon
        and "." not in name
        and name.strip("*")
        and name != "localhost"
        and len(schemes) == 2
        and "//" not in text
    ):
        raise Mistake(f"`{name}` is no host", f"a path begins with `/`: `/{text}`", start, len(name))
    return _host(name, start), number


def _port(text: str, at: int) -> int:
    if not text:
        return _DEFAULT_PORT
    if text == "*":
        return _ANY_PORT
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65_536):
        raise Mistake(f"`{text}` is no port", "a port is a number, or `*` for any", at, len(text))
    return int(text)


def _host(name: str, at: int) -> Glob:
    """A host glob; the labels without a `*` brought into their one form."""
    # `x` stands in for every `*`: whether the rest can be a host does not depend on what replaces it.
    form = host_form(name.replace("*", "x")) if name.isascii() or "*" not in name else _mixed(name)
    if form is None:
        raise Mistake(f"`{name}` is no host", "a host is such as `www.example.com` or `*.example.com`", at, len(name))
    return glob.host(form if "*" not in name else name.lower().removesuffix("."))


def _mixed(name: str) -> str | None:
    labels = [label if "*" in label else host_form(label) for label in name.split(".")]
    if any(label is None or not label.isascii() for label in labels):
        return None
    return ".".join(str(label) for label in labels)


def _path(path: str) -> Glob:
    segments = ["*".join(segment_form(part) for part in segment.split("*")) for segment in path.split("/")]
    for dots in {".", ".."}.intersection(segments):
        raise Mistake(
            f"`{dots}` is no segment of a page's path", "a path is written from the root on, as the browser shows it"
        )
    return glob.path(without_slash("/".join(segments)))


def _pairs(query: str) -> tuple[tuple[str, tuple[str, ...] | None], ...]:
    if not query:
        raise Mistake("after `?` comes a query", "`?plan=pro`, or nothing: without `?` the query is ignored")
    pairs: list[tuple[str, tuple[str, ...] | None]] = []
    for piece in query.split("&"):
        name, equals, value = piece.partition("=")
        if not name or "*" in name:
            raise Mistake(f"`{piece}` is no pair of a query", "a pair is such as `plan=pro`, `plan=*` or just `plan`")
        pairs.append((unquote_plus(name), tuple(unquote_plus(part) for part in value.split("*")) if equals else None))
    return tuple(pairs)


def _fits(parts: tuple[str, ...] | None, held: str) -> bool:
    """Is it the parts in this order, with anything between them?"""
    if parts is None:
        return True
    first, *between = parts
    if not between:
        return held == first
    last = between.pop()
    if not (held.startswith(first) and held.endswith(last) and len(held) >= len(first) + len(last)):
        return False
    at, end = len(first), len(held) - len(last)
    for part in between:
        # The earliest place leaves most room for what follows.
        at = held.find(part, at, end) + len(part)
        if at < len(part):
            return False
    return True


def _regex(schemes: tuple[str, ...], host: Glob | None, port: int, path: Glob) -> str:
    name = host.regex if host is not None else r"(?:\[[^/\]]*\]|[^/:]*)"
    ends = [f"{scheme}://{name}:{_port_regex(scheme, port)}" for scheme in schemes]
    return f"(?:{'|'.join(ends)}){path.regex}"


def _port_regex(scheme: str, port: int) -> str:
    return "[0-9]+" if port == _ANY_PORT else str(port or DEFAULT_PORTS[scheme])

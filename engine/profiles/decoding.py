"""JSON from outside, decoded: the one decode function of pages and imports, and what was wrong, in a client's words.

What lives here: all that a JSON decoder raises, mended or told. What may not: shapes, and what values mean. Pure.

1. A good body costs one call more than the decoder's own. Everything else is on the road of errors.
2. Browsers send `"\\ud83d"`, half a character, when a title was cut in the middle of an emoji. No decoder takes it, and
   nobody may go without an answer for it: such halves become U+FFFD, and what is left is decoded.
3. msgspec raises its own error, UnicodeDecodeError and RecursionError; here they are `NotJson`, or `WrongType` for JSON
   of another shape.
4. Of a number that is too large msgspec says not in which trait it stands (`$.traits[...]`); that is looked for.
5. msgspec speaks of Python's types (`Expected str | null, got int - at $.visitorId`), clients of JSON's: "Expected
   text, got a number - at visitorId". A message of msgspec's that is not known here goes out as it is.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import isinf
from typing import Any, Final, TypeVar

import msgspec
import re2

from engine.profiles.values import shown

T = TypeVar("T")

_FIRST_HALVES: Final = frozenset(b"%04x" % code for code in range(0xD800, 0xDC00))
_SECOND_HALVES: Final = frozenset(b"%04x" % code for code in range(0xDC00, 0xE000))
_REPLACED: Final = b"fffd"

_EXPECTED: Final = re2.compile(r"^Expected `([^`]+)`(?:, got `([^`]+)`| (>=|<=) (-?\d+)| with a timezone component)?$")
_WANTED: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "datetime": "a time with its zone, such as 2026-11-23T12:00:00Z",
}
_GOT: Final = {**_WANTED, "int": "a number", "null": "null"}
_BOUNDS: Final = {">=": "of at least", "<=": "of at most"}
_TOO_LARGE: Final = "Number out of range"
_SOMEWHERE: Final = "[...]"  # so msgspec writes a member of what has members of any name
_OTHERS: Final = {
    "Invalid RFC3339 encoded datetime": f"Expected {_WANTED['datetime']}",
    _TOO_LARGE: "Expected a number that 64 bits can hold",
    "Input data was truncated": "The JSON ends too early",
}
_any_number: Final = msgspec.json.Decoder(float_hook=float).decode  # infinity for what is too large


class NotJson(ValueError):
    """The text is no JSON. The message says what is wrong, and holds nothing of it."""


class WrongType(ValueError):
    """JSON of another shape. The message says where and what was expected; it never shows a value."""


def decoded(decode: Callable[[bytes], T], raw: bytes) -> T:
    """What `raw` says by msgspec's `decode`, half characters as U+FFFD. Raises `NotJson`, `WrongType`."""
    try:
        return decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if type(error) is msgspec.DecodeError and (whole := _without_halves(raw)) != raw:
            return decoded(decode, whole)  # once: it has no halves any more
        raise _told(error, raw) from None


def _without_halves(raw: bytes) -> bytes:
    """The same text with halves that stand alone as U+FFFD. Its cost is that of its `\\u`, not of its other escapes."""
    if b"\0" in raw:
        return raw  # no JSON; in any other text it can stand for an escaped backslash meanwhile
    first, *pieces = raw.replace(rb"\\", b"\0\0").split(rb"\u")
    codes = [piece[:4].lower() for piece in pieces]
    paired = False
    for at, (code, following) in enumerate(pairwise([*codes, b""])):
        if paired:
            paired = False
        elif code in _FIRST_HALVES and len(pieces[at]) == 4 and following in _SECOND_HALVES:
            paired = True
        elif code in _FIRST_HALVES or code in _SECOND_HALVES:
            pieces[at] = _REPLACED + pieces[at][4:]
    return rb"\u".join([first, *pieces]).replace(b"\0\0", rb"\\")


def _told(error: Exception, raw: bytes) -> NotJson | WrongType:
    if isinstance(error, UnicodeDecodeError):
        return NotJson(f"Expected UTF-8, got other bytes: {error.reason}")
    if isinstance(error, RecursionError):
        return NotJson("The JSON is nested too deeply")
    what, _, place = str(error).partition(" - at ")
    said = _in_words(what)
    if not isinstance(error, msgspec.ValidationError):
        return NotJson(said)
    where, somewhere, _ = place.strip("`").removeprefix("$").removeprefix(".").partition(_SOMEWHERE)
    if somewhere and what == _TOO_LARGE:
        where = _too_large(raw, where)
    return WrongType(f"{said} - at {where}" if where else said)


def _too_large(raw: bytes, within: str) -> str:
    """The place of the first number within this one that is too large; this one where that cannot be said."""
    try:
        places = (shown(path) for path in _infinite(_any_number(raw), ()))
        return next((place for place in places if place.startswith(within)), within)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return within


def _infinite(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if type(value) is float and isinf(value):
        yield path
    members = value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()
    for step, inner in members:
        yield from _infinite(inner, (*path, step))


def _in_words(what: str) -> str:
    found = _EXPECTED.match(what)
    if found is None:
        return _OTHERS.get(what, what)
    kinds = [kind for kind in found[1].split(" | ") if kind != "null"]
    wanted = " or ".join(_WANTED.get(kind, kind) for kind in kinds)
    if found[3]:
        return f"Expected {wanted} {_BOUNDS[found[3]]} {found[4]}"
    if not found[2]:
        return f"Expected {wanted}"
    got = "a number with a point or an exponent" if kinds == ["int"] and found[2] == "float" else _GOT.get(found[2])
    return f"Expected {wanted}, got {got or found[2]}"

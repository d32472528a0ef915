"""Any JSON value made into one that can be stored, or refused. Pure.

What lives here: the one answer to "what may a trait hold". Who takes traits from outside (an import, Segment, a
decide body) sends them through here once; whatever is behind this line need not ask again.

1. Stored are `bool int float str list dict` and UTC-aware `datetime`.
2. Null is absent: members of maps that are null are left out, at any depth. Elements of lists keep their place,
   so a null in a list stays. A *trait* that is null is kept as None: it says that the trait is removed.
3. Whole numbers beyond 64 bits signed become floats, as in CEL and JavaScript; NaN and infinity are refused.
4. A lone surrogate (half a character, from text cut by UTF-16 units) becomes U+FFFD; it could not be stored.
5. What Python programs have beside is what it stands for: a tuple a list, text, numbers and the like of a class of
   their own (Django's `SafeString`, an enumeration) the plain ones. The name of a member is text, and nothing else is.
6. Depth and number of members are bounded (`limits.VALUE_DEPTH`, `limits.VALUE_MEMBERS`), for all traits of one
   message together.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

from engine.limits import VALUE_DEPTH, VALUE_MEMBERS

_INT_LEAST: Final = -(2**63)
_INT_MOST: Final = 2**63 - 1
_NAME_SHOWN_CHARS: Final = 64  # of a member's name in a message; names come from outside
_STEPS_SHOWN: Final = 6  # of a path in a message
_PUNCTUATION: Final = frozenset('.[]"` ')  # in a name they would make a path of it that reads otherwise

_PLAIN: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (dict, dict),
    (list, list),
    (tuple, tuple),
)


class BadValue(ValueError):
    """A value that cannot be stored. The message says where (`address.city`) and why; it never shows the value."""

    def __init__(self, why: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(f"{shown(path)}: {why}" if path else why)
        self.why = why
        self.path = path

    def within(self, root: str) -> str:
        """The message for values that lie in `root`: `traits.address.city: …`."""
        return f"{shown((root, *self.path))}: {self.why}"


def normalise(value: Any) -> Any:
    """The stored form of a JSON value. Raises BadValue."""
    return _Reading().value(value, 1)


def normalise_traits(traits: Mapping[str, Any]) -> dict[str, Any]:
    """The stored form of all traits of one message; a null trait stays, as None. Raises BadValue."""
    reading = _Reading()
    reading.count(len(traits))
    return {_name(name): reading.member(name, value, 1) for name, value in traits.items()}


class _Reading:
    """One pass over the values of one message: counts their members, and knows the path to where it stands."""

    def __init__(self) -> None:
        self._left = VALUE_MEMBERS

    def count(self, members: int) -> None:
        self._left -= members
        if self._left < 0:
            raise BadValue(f"more than {VALUE_MEMBERS} members in all")

    def member(self, name: str | int, value: Any, depth: int) -> Any:
        """The stored form of `value`; `name` is put before the path of whatever is wrong in it."""
        try:
            return self.value(value, depth)
        except BadValue as bad:
            raise BadValue(bad.why, (name, *bad.path)) from None

    def value(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            return value if value.isascii() else _text(value)
        if kind is bool or value is None:
            return value
        if kind is int:
            return value if _INT_LEAST <= value <= _INT_MOST else _as_float(value)
        if kind is float:
            if isfinite(value):
                return value
            raise BadValue("expected a number, got NaN or infinity")
        if kind is datetime:
            return _moment(value)
        if kind is dict or kind is list or kind is tuple:
            return self._container(value, depth)
        for of, plain in _PLAIN:
            if isinstance(value, of):
                return self.value(plain(value), depth)
        raise BadValue(f"expected a JSON value, got {kind.__name__}")

    def _container(self, value: dict[Any, Any] | list[Any] | tuple[Any, ...], depth: int) -> Any:
        if depth > VALUE_DEPTH:
            raise BadValue(f"nested deeper than {VALUE_DEPTH}")
        if type(value) is dict:
            self.count(len(value))
            items = value.items()
            return {_name(name): self.member(name, inner, depth + 1) for name, inner in items if inner is not None}
        self.count(len(value))
        return [self.member(index, inner, depth + 1) for index, inner in enumerate(value)]


def shown(path: tuple[str | int, ...]) -> str:
    """`lines[0].city`; the head of a long one, for what is nested deeply is found by its beginning."""
    parts = [_step(step) for step in path[:_STEPS_SHOWN]]
    return "".join(parts).removeprefix(".") + ("…" if len(path) > _STEPS_SHOWN else "")


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    step = _text(step[:_NAME_SHOWN_CHARS])
    return f".{step}" if step.isprintable() and not set(step) & _PUNCTUATION else f"[{json.dumps(step)}]"


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        # Through UTF-16, so that two halves that do belong together become the character they were.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise BadValue(f"expected text as the name of a member, got {type(name).__name__}")
    return _text(name if type(name) is str else str.__str__(name))


def _as_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        raise BadValue("the number is too large") from None


def _moment(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise BadValue("expected a time with a time zone")
    return moment.astimezone(UTC)

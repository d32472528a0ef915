"""Declared traits get their type once, losslessly, before any rule sees them (DESIGN section 2, `traits:`).

What lives here: what each type accepts, defaults, folding. What may not: guessing. A value either means exactly one
value of the declared type or it is *unusable*.

1. number: whole numbers within 64 bits signed, finite fractions, and text that is one JSON number without anything
   around it (`45`, `45.5`, `1e3`; not `007`, `+4`, `45 people`, `1e400`, ` 45`).
   string: text; numbers and booleans as JSON writes them (45.0 is `45`), timestamps as RFC 3339.
   boolean: true and false, and exactly these two words. timestamp: RFC 3339 text with a zone, becomes UTC.
2. `fold: lower` lowers text (`str.lower`, what CEL's `lowerAscii` is for ASCII), after the type.
3. A default stands in for a trait that is absent. An unusable value counts as absent, so the default stands in for
   it too; and its name is returned, because it is counted.
4. The traits that came are never changed, and copied only where one of them does.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from engine.words import TraitDeclaration, Traits, TraitType

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1
WHOLE_FLOAT: Final = 2.0**53  # from here on a float no longer holds every whole number

Coerced: TypeAlias = bool | int | float | str | datetime | list[Any] | dict[str, Any] | None
Coercion: TypeAlias = Callable[[Any], Coerced]  # None: unusable; the very same object where nothing changes


class _Declared(Struct, frozen=True):
    name: str
    coercion: Coercion
    default: Coerced


class Coercions:
    """The `traits:` declarations of a ruleset, prepared."""

    __slots__ = ("_declared", "_folded", "some")

    def __init__(self, declarations: Iterable[TraitDeclaration]) -> None:
        """Raises ValueError for a default that is not of its own declared type."""
        known = list(declarations)
        self._declared = tuple(_prepare(declaration) for declaration in known)
        self._folded = tuple(declaration.name for declaration in known if declaration.fold)
        self.some = bool(known)  # are there any?

    def only(self, names: frozenset[str] | None) -> "Coercions":
        """The declarations of these traits alone; None: all of them."""
        if names is None:
            return self
        some = Coercions(())
        some._declared = tuple(declared for declared in self._declared if declared.name in names)
        some._folded = tuple(name for name in self._folded if name in names)
        some.some = bool(some._declared)
        return some

    def apply(self, traits: Traits) -> tuple[Traits, tuple[str, ...]]:
        """The traits as rules see them, and the names of those that were unusable."""
        changed: Traits | None = None
        unusable: list[str] = []
        for declared in self._declared:
            name = declared.name
            value = traits.get(name)
            new = declared.default if value is None else declared.coercion(value)
            if new is None and value is not None:
                unusable.append(name)
                new = declared.default
            if new is not value:
                changed = dict(traits) if changed is None else changed
                changed[name] = new
                if new is None:
                    del changed[name]
        return traits if changed is None else changed, tuple(unusable)

    def as_written(self, traits: Traits, coerced: Traits) -> Traits:
        """The coerced traits, with folded text as it came: `Acme` is compared as `acme` and shown as `Acme`."""
        came = {name: traits[name] for name in self._folded if type(traits.get(name)) is str}
        return {**coerced, **came} if came else coerced


def in_words(value: Any) -> str | None:
    """A single value as text, as JSON writes it (45.0 is `45`; timestamps RFC 3339); None for lists and maps."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        whole = value.is_integer() and abs(value) < WHOLE_FLOAT
        return (str(int(value)) if whole else repr(value)) if isfinite(value) else None
    if kind is datetime:
        return str(msgspec.to_builtins(value))
    return None


def _prepare(declaration: TraitDeclaration) -> _Declared:
    coercion = _COERCIONS[declaration.type]
    if declaration.fold == "lower":
        coercion = _lowered(coercion)
    default = None
    if declaration.default is not None:
        default = coercion(declaration.default)
        if default is None:
            raise ValueError(
                f"expected a default of type {declaration.type}, got {declaration.default!r} - trait {declaration.name}"
            )
    return _Declared(declaration.name, coercion, default)


def _lowered(coercion: Coercion) -> Coercion:
    def lowered(value: Any) -> Coerced:
        new = coercion(value)
        if type(new) is not str:
            return new
        low = new.lower()
        return new if low == new else low

    return lowered


def _as_it_is(value: Any) -> Coerced:
    return value  # type: ignore[no-any-return]


_json_number = msgspec.json.Decoder(int | float)


def _number(value: Any) -> int | float | None:
    kind = type(value)
    if kind is str:
        # The decoder allows white space around a number; a number itself begins and ends like this.
        if not (value[-1:].isdigit() and (value[0] == "-" or value[0].isdigit())):
            return None
        try:
            return _number(_json_number.decode(value))
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return None
    if kind is int:
        return value if INT64_MIN <= value <= INT64_MAX else None
    if kind is float:
        return value if isfinite(value) else None
    return None


def _boolean(value: Any) -> bool | None:
    if type(value) is bool:
        return value
    if type(value) is str:
        return {"true": True, "false": False}.get(value)
    return None


def _timestamp(value: Any) -> datetime | None:
    if type(value) is str:
        try:
            value = msgspec.convert(value, datetime)
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return None
    if type(value) is not datetime or value.tzinfo is None:
        return None
    try:
        return value if value.tzinfo is UTC else value.astimezone(UTC)
    except OverflowError:  # within a day of the years 1 and 9999
        return None


_COERCIONS: Final[dict[TraitType | None, Coercion]] = {
    None: _as_it_is,
    "string": in_words,
    "number": _number,
    "boolean": _boolean,
    "timestamp": _timestamp,
}

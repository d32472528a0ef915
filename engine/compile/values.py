"""Which values of one term a row lets through, as plain data. Equal means the same.

What lives here: sets of values of every kind, and how two of them meet or join. What may not: tests, formulas, masks.

1. A value is of one kind: a text, a number, a time, a span, or of one that is let through whole or not (`Kind`).
2. Texts are a finite set (`inside`), or all but a finite set that also stand the `atoms`: prefixes, patterns. A finite
   set has no atoms; they are tried when it is made.
3. Containers of the kinds that are let through hold one of `held`, or none of them; None is any container.
4. Not every meeting or joining of two sets is such a set. Then the answer is a larger one, and said to be not exact.
"""

from enum import IntEnum
from typing import Any, Final, NamedTuple

from engine.compile.form import Fixed
from engine.compile.ranges import EVERY, NONE, Ranges
from engine.compile.ranges import join as join_ranges
from engine.compile.ranges import meet as meet_ranges


class Kind(IntEnum):
    """What is let through whole or not at all; containers but for what they hold."""

    ABSENT = 0
    TRUE = 1
    FALSE = 2
    NAN = 3
    LIST = 4
    MAP = 5
    OTHER = 6


KINDS: Final = frozenset(Kind)
CONTAINERS: Final = frozenset({Kind.LIST, Kind.MAP})


class Atom(NamedTuple):
    """A question about a text: `starts_with`, `contains`, `ends_with` or `matches`, and its constant."""

    name: str
    constant: Fixed
    holds: bool

    def stands(self, text: str) -> bool:
        """Does the text let through?"""
        return _ATOMS[self.name](text, self.constant.value) is self.holds


_ATOMS: Final[dict[str, Any]] = {
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": str.__contains__,
    "matches": lambda text, search: search(text) is not None,
}


class Texts(NamedTuple):
    """A set of texts: those named (`inside`), or all but those named that stand every atom."""

    names: frozenset[str]
    inside: bool
    atoms: frozenset[Atom] = frozenset()


class Held(NamedTuple):
    """Texts of which a container holds one (`some`), or none."""

    names: frozenset[str]
    some: bool


NO_TEXT: Final = Texts(frozenset(), inside=True)
ANY_TEXT: Final = Texts(frozenset(), inside=False)


class Values(NamedTuple):
    """A set of values; the default is none."""

    kinds: frozenset[Kind] = frozenset()
    numbers: Ranges = NONE
    texts: Texts = NO_TEXT
    times: Ranges = NONE
    spans: Ranges = NONE
    held: Held | None = None

    @property
    def holds_any(self) -> bool:
        """Is there a value that is let through?"""
        return self != NOTHING and self._replace(held=None) != NOTHING


NOTHING: Final = Values()
EVERYTHING: Final = Values(KINDS, EVERY, ANY_TEXT, EVERY, EVERY)


class Found(NamedTuple):
    """A set of values; where it is not exact, it may hold more than was meant."""

    values: Values
    exact: bool


def but(values: Values) -> Values:
    """All other values; only for the values of one test, of which there is at most one atom and no names beside it."""
    texts, held = values.texts, values.held
    kinds = KINDS - values.kinds
    if texts.atoms:
        texts = Texts(texts.names, inside=False, atoms=frozenset(a._replace(holds=not a.holds) for a in texts.atoms))
    else:
        texts = Texts(texts.names, inside=not texts.inside)
    if held is not None:
        kinds |= CONTAINERS
        held = held._replace(some=not held.some)
    return Values(kinds, values.numbers.but(), texts, values.times.but(), values.spans.but(), held)


def meet(a: Values, b: Values) -> Found:
    """What both let through."""
    kinds = a.kinds & b.kinds
    held, exact = _meet_held(a.held, b.held) if kinds & CONTAINERS else (None, True)
    met = Values(
        kinds,
        meet_ranges(a.numbers, b.numbers),
        _meet_texts(a.texts, b.texts),
        meet_ranges(a.times, b.times),
        meet_ranges(a.spans, b.spans),
        held,
    )
    return Found(met, exact)


def join(a: Values, b: Values) -> Found:
    """What one of the two lets through."""
    texts, exact_texts = _join_texts(a.texts, b.texts)
    held, exact_held = _join_held(a, b)
    joined = Values(
        a.kinds | b.kinds,
        join_ranges(a.numbers, b.numbers),
        texts,
        join_ranges(a.times, b.times),
        join_ranges(a.spans, b.spans),
        held,
    )
    return Found(joined, exact_texts and exact_held)


def _meet_texts(a: Texts, b: Texts) -> Texts:
    if not a.inside and not b.inside:
        return Texts(a.names | b.names, inside=False, atoms=a.atoms | b.atoms)
    if not a.inside:
        a, b = b, a
    names = a.names & b.names if b.inside else a.names - b.names
    return Texts(frozenset(name for name in names if all(atom.stands(name) for atom in b.atoms)), inside=True)


def _join_texts(a: Texts, b: Texts) -> tuple[Texts, bool]:
    if a.inside and b.inside:
        return Texts(a.names | b.names, inside=True), True
    if not a.inside and not b.inside:
        exact = a.atoms == b.atoms
        names = a.names & b.names if exact else frozenset()
        return Texts(names, inside=False, atoms=a.atoms & b.atoms), exact
    if not a.inside:
        a, b = b, a
    if all(atom.stands(name) for atom in b.atoms for name in a.names):
        return b._replace(names=b.names - a.names), True
    return ANY_TEXT, False


def _meet_held(a: Held | None, b: Held | None) -> tuple[Held | None, bool]:
    if a is None or b is None or a == b:
        return b if a is None else a, True
    if a.some or b.some:
        return (a if a.some else b), False
    return Held(a.names | b.names, some=False), True


def _join_held(a: Values, b: Values) -> tuple[Held | None, bool]:
    """Of the containers that either lets through."""
    if not a.kinds & CONTAINERS:
        return b.held, True
    if not b.kinds & CONTAINERS or (a.held == b.held and a.kinds & CONTAINERS == b.kinds & CONTAINERS):
        return a.held, True
    if a.held is not None and b.held is not None and a.kinds & CONTAINERS == b.kinds & CONTAINERS:
        if a.held.some and b.held.some:
            return Held(a.held.names | b.held.names, some=True), True
        return None, False
    return None, a.held is None and b.held is None

"""The ways to look a term's value up: by its class, its longest prefix, its patterns, what it holds.

What lives here: `Look`, which of them the terms of a page need, which terms are looked up together. What may not: rows
as such, generated code.

1. A look finds something for a value, once a visit (`find`), and something for a block (`masks`), once for ever; the
   second at the first, or called with it, is the mask of the rows that let the value through.
2. Every term that is asked has a look by class. Prefixes, patterns and what containers hold are looks of their own
   beside it, only where they are asked; a value of another kind passes them.
3. Where rows ask very many members of one map, the map is one look (`wide`). What can be odd, and what finds more than
   a class, stays by itself.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from engine.compile.classes import Classes, Held, Prefixes
from engine.compile.columns import Asking, Bits, Column, column, held_marks, pattern_marks, prefix_column
from engine.compile.form import Applied, Fixed, Member, Term
from engine.compile.functions import Value
from engine.compile.patterns import Patterns
from engine.compile.terms import FUNCTIONS, odd_terms
from engine.compile.values import Atom, Values
from engine.compile.wide import Members, Slot, Stretches, chained, member_of

MOST_ALONE = 64  # members of one map; each of a visitor's own ten or thirty takes as long as four that are absent
_PREFIX = "starts_with"

Bind = Callable[[str, Any], str]
AskingByTerm = Mapping[Term, Asking]


class Look(NamedTuple):
    """One look at a term.

    `find` writes Python for what is found of the term's value; `open` is Python for what every row lets through.
    `masks` gives, for what the rows of a block ask, a list by what was found, or a function of it where `called`.
    """

    term: Term
    find: Callable[[Bind, str], str]
    open: str
    masks: Callable[[AskingByTerm, int], Any]
    called: bool


class _ByClass(NamedTuple):
    """A look that finds a class, before it is known whether it stands alone."""

    term: Term
    of: Callable[[Value], int]
    find: Callable[[Bind, str], str]
    open: int
    column: Callable[[Asking, int], Column]

    def alone(self) -> Look:
        """As a look of its own."""
        return Look(self.term, self.find, str(self.open), self._masks, called=False)

    def _masks(self, asking: AskingByTerm, bits: int) -> Column:
        return self.column(asking.get(self.term, {}), bits)


def looks(asked: Mapping[Term, Sequence[Values]]) -> Iterator[Look]:
    """The looks that these terms need, given what is asked of each."""
    maps = _wide_maps(asked)
    together: dict[Term, list[_ByClass]] = {}
    for term, different in asked.items():
        entry = next((member.of for member in _members(term) if member.of in maps), None)
        for one in _by_class(term, different):
            if entry is None or odd_terms(term):
                yield one.alone()
            else:
                together.setdefault(entry, []).append(one)
        yield from _by_mark(term, different)
    for map_term, some in together.items():
        yield _of_members(map_term, some)


def _by_class(term: Term, different: Sequence[Values]) -> Iterator[_ByClass]:
    classes = Classes(different)
    yield _ByClass(term, classes.of, classes.expression, classes.open, partial(column, classes))
    texts = [atom.constant.value for values in different for atom in values.texts.atoms if atom.name == _PREFIX]
    if texts:
        prefixes = Prefixes(texts)

        def of_prefixes(asking: Asking, bits: int) -> Column:
            return prefix_column(prefixes, _atoms(asking, prefix=True), bits)

        yield _ByClass(term, prefixes.of, _called(prefixes.of), prefixes.open, of_prefixes)


def _by_mark(term: Term, different: Sequence[Values]) -> Iterator[Look]:
    atoms = [atom for values in different for atom in values.texts.atoms if atom.name != _PREFIX]
    if atoms:
        patterns = Patterns(atoms)

        def of_patterns(asking: AskingByTerm, bits: int) -> Callable[..., int]:
            return pattern_marks(patterns, _atoms(asking.get(term, {}), prefix=False), bits).of

        yield Look(term, _called(patterns.of), "None", of_patterns, called=True)
    names = [name for values in different if values.held is not None for name in values.held.names]
    if names:
        held = Held(names)

        def of_held(asking: AskingByTerm, bits: int) -> Callable[..., int]:
            return held_marks(held, asking.get(term, {}), bits).of

        yield Look(term, _called(held.of), "None", of_held, called=True)


def _atoms(asking: Asking, *, prefix: bool) -> Iterator[tuple[Atom, Bits]]:
    for values, bits in asking.items():
        for atom in values.texts.atoms:
            if (atom.name == _PREFIX) is prefix:
                yield atom, bits


def _called(function: Callable[[Any], Any]) -> Callable[[Bind, str], str]:
    return lambda bind, term: f"{bind('find', function)}({term})"


def _wide_maps(terms: Iterable[Term]) -> set[Term]:
    """The maps of which very many members are asked."""
    asked = {member for term in terms for member in _members(term)}
    return {of for of, count in Counter(member.of for member in asked).items() if count > MOST_ALONE}


def _members(term: Term) -> list[Member]:
    """The members on the way to a term that is made of one member alone, the outermost map's first."""
    found: list[Member] = []
    while isinstance(term, Member | Applied):
        if isinstance(term, Member):
            found.append(term)
            term = term.of
        elif all(isinstance(arg, Fixed) for arg in term.args[1:]):
            term = term.args[0]
        else:
            return []
    return found[::-1]


def _of_members(map_term: Term, some: Sequence[_ByClass]) -> Look:
    slots: dict[str, list[Slot]] = {}
    absent = []
    for place, one in enumerate(some):
        key, steps = _steps(one.term, map_term)
        find = chained(steps, one.of)
        slots.setdefault(key, []).append(Slot(place, find))
        absent.append(find(None))

    def masks(asking: AskingByTerm, bits: int) -> Callable[..., int]:
        columns = [one.column(asking.get(one.term, {}), bits) for one in some]
        where_absent = [masks[number] for masks, number in zip(columns, absent, strict=True)]
        return Stretches(columns, where_absent, (1 << bits) - 1).of

    return Look(map_term, _called(Members(slots).of), "[]", masks, called=True)


def _steps(term: Term, map_term: Term) -> tuple[str, list[Callable[[Value], Value]]]:
    """The map's member on the way to the term, and the way from there."""
    steps: list[Callable[[Value], Value]] = []
    while isinstance(term, Member | Applied):
        if isinstance(term, Member):
            if term.of == map_term:
                return term.key, steps[::-1]
            steps.append(member_of(term.key))
            term = term.of
        else:
            steps.append(
                partial(
                    _applied,
                    FUNCTIONS[term.function].run,
                    [arg.value for arg in term.args[1:] if isinstance(arg, Fixed)],
                )
            )
            term = term.args[0]
    raise AssertionError(term)


def _applied(function: Callable[..., Value], more: Sequence[Value], value: Value) -> Value:
    return function(value, *more)

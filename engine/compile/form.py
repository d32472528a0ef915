"""The normal form of a condition: terms, tests over them, formulas of tests. Plain data; equal means the same.

What lives here: the node types and the few ways to combine formulas. What may not: CEL trees (`normal`),
Python source (`source`), costs (`order`).

1. A *term* is a value that a visitor brings or that is made of such: a root, a member of a map, a loop's
   element, a constant, a function of terms, a view. Its value is None where it is absent or an error.
2. A *view* shows a term as one kind, with a stand-in where it is of another (text: "", number: NaN …), so that
   a test over a view can be asked in any order and never raises.
3. A *test* is two-valued: it holds or not. `Asked` has the reference implementation answer, `Loop` goes
   through a container, `Unless` asks it only where a term is odd.
4. A *formula* is a test, `All` or `Any` of formulas. `All(())` always holds, `Any(())` never.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any as AnyValue
from typing import Final, Literal, NamedTuple, TypeAlias

Answer: TypeAlias = bool | None
Kind: TypeAlias = Literal["any", "text", "number", "bool", "time", "span", "map", "list", "container"]


@dataclass(frozen=True, slots=True)
class Root:
    """An argument of the generated function: a map that is always there, or `now`."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Member:
    """What a map holds under a key; an error where `of` is no map."""

    of: "Term"
    key: str


@dataclass(frozen=True, slots=True)
class Element:
    """The element that a loop is at; `depth` counts the loops around it."""

    depth: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """A constant. `shown` tells `1`, `1.0` and `True` apart, which are equal in Python."""

    kind: Kind
    shown: str
    value: AnyValue = field(compare=False)


@dataclass(frozen=True, slots=True)
class Applied:
    """A function of terms, by its name in `terms.FUNCTIONS`."""

    function: str
    args: "tuple[Term, ...]"


@dataclass(frozen=True, slots=True)
class View:
    """A term as one kind, with that kind's stand-in where it is none."""

    kind: Kind
    of: "Term"


Term: TypeAlias = Root | Member | Element | Fixed | Applied | View


@dataclass(frozen=True, slots=True)
class Test:
    """A two-valued question about terms; `name` is one of `source.TESTS`. `holds` False asks for the contrary."""

    name: str
    terms: tuple[Term, ...]
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """Does the reference implementation say `answer` of an expression? `function` takes the roots in order."""

    function: Callable[..., bool | None]
    answer: bool
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Loop:
    """Is there an element of the container for which `body` holds?"""

    over: Term
    element: Element
    body: "Formula"
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Unless:
    """`formula`, except where one of the `odd` terms is `ODD`: then `asked`."""

    odd: tuple[Term, ...]
    formula: "Formula"
    asked: Asked


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: "tuple[Formula, ...]"


@dataclass(frozen=True, slots=True)
class Any:
    """Some part holds."""

    parts: "tuple[Formula, ...]"


Formula: TypeAlias = Test | Asked | Loop | Unless | All | Any


class Truth(NamedTuple):
    """Where an expression is true and where it is false; elsewhere it is an error."""

    true: Formula
    false: Formula


ALWAYS: Final = All(())
NEVER: Final = Any(())


def fixed(kind: Kind, value: AnyValue) -> Fixed:
    """A constant as a term."""
    return Fixed(kind, repr(value), value)


def both(*formulas: Formula) -> Formula:
    """All of them, flat, each once."""
    parts: dict[Formula, None] = {}
    for formula in formulas:
        if formula == NEVER:
            return NEVER
        parts.update(dict.fromkeys(formula.parts if isinstance(formula, All) else (formula,)))
    return next(iter(parts)) if len(parts) == 1 else All(tuple(parts))


def either(*formulas: Formula) -> Formula:
    """Any of them, flat, each once."""
    parts: dict[Formula, None] = {}
    for formula in formulas:
        if formula == ALWAYS:
            return ALWAYS
        parts.update(dict.fromkeys(formula.parts if isinstance(formula, Any) else (formula,)))
    return next(iter(parts)) if len(parts) == 1 else Any(tuple(parts))


def contrary(formula: Formula) -> Formula:
    """Holds where `formula` does not."""
    match formula:
        case All(parts):
            return either(*map(contrary, parts))
        case Any(parts):
            return both(*map(contrary, parts))
        case Unless(odd, inner, asked):
            return Unless(odd, contrary(inner), replace(asked, holds=not asked.holds))
    return replace(formula, holds=not formula.holds)


def known(answer: Answer) -> Truth:
    """The truth of what is known already."""
    return Truth(ALWAYS if answer is True else NEVER, ALWAYS if answer is False else NEVER)


def parts_of(term: Term) -> Iterator[Term]:
    """The terms that have to be known before this one, nearest first."""
    match term:
        case Applied(_, args):
            yield from args
        case Member(of) | View(_, of):
            yield of


def terms_of(formula: Formula) -> Iterator[Term]:
    """Every term that the formula's tests name, as they stand; what is in a loop's body not counted."""
    match formula:
        case All(parts) | Any(parts):
            for part in parts:
                yield from terms_of(part)
        case Test(_, terms):
            yield from terms
        case Loop(over):
            yield over
            yield from free_terms(formula)
        case Unless(odd, inner):
            yield from odd
            yield from terms_of(inner)


def free_terms(loop: Loop) -> Iterator[Term]:
    """The roots' terms that a loop's body needs: they are read before the loop, once."""
    seen: set[Term] = set()
    waiting = list(terms_of(loop.body))
    while waiting:
        term = waiting.pop()
        if term in seen or isinstance(term, Fixed):
            continue
        seen.add(term)
        if not hangs_on(term, loop.element):
            yield term
        else:
            waiting += parts_of(term)


def hangs_on(term: Term, element: Element) -> bool:
    """Does the term's value change from one element of the loop to the next?"""
    return term == element or any(hangs_on(part, element) for part in parts_of(term))


def asked_of(formula: Formula) -> set[Callable[..., bool | None]]:
    """What the formula always leaves to the reference implementation (odd values not counted)."""
    match formula:
        case All(parts) | Any(parts):
            return set().union(*map(asked_of, parts))
        case Asked(function):
            return {function}
    return set()


def extent(formula: Formula) -> int:
    """How many tests stand in the formula."""
    match formula:
        case All(parts) | Any(parts):
            return sum(map(extent, parts)) + 1
        case Unless(_, inner):
            return extent(inner) + 1
        case Loop(_, _, body):
            return extent(body) + 1
    return 1


def depth(formula: Formula) -> int:
    """How deep all-of and any-of are nested."""
    match formula:
        case All(parts) | Any(parts):
            return 1 + max(map(depth, parts), default=0)
        case Unless(_, inner):
            return 1 + depth(inner)
    return 1

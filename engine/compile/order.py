"""In which order tests are asked: cheap and selective first.

What lives here: what a test costs and how often it holds, as rough figures, and the sorting by them. What may
not: anything that changes an answer. Any order is right, since tests are two-valued and never raise.

1. Costs are in tens of nanoseconds, measured on CPython 3.11; likelihoods are guesses for a B2B website's visitors.
2. Of an all-of the next test is the one that fails most per cost, of an any-of the one that holds most per cost.
3. A term that no test before has read adds its own cost to the test that reads it first.
"""

from collections.abc import Container, Iterable

from engine.compile.form import (
    All,
    Any,
    Applied,
    Asked,
    Formula,
    Loop,
    Member,
    Term,
    Test,
    Unless,
    View,
    contrary,
    parts_of,
    terms_of,
)
from engine.compile.terms import FUNCTIONS

MOST_WEIGHED = 24  # choosing one by one takes the square of their number
_ASKED = 400.0
_LOOP = 20.0  # a handful of elements
_TESTS: dict[str, tuple[float, float]] = {
    "present": (1, 0.7),
    "is_true": (1, 0.3),
    "is_false": (1, 0.5),
    "equals": (1.2, 0.15),
    "among": (2, 0.25),
    "holds": (3.5, 0.2),
    "contains": (2, 0.2),
    "starts_with": (4, 0.2),
    "ends_with": (4, 0.2),
    "matches": (50, 0.2),
    "same": (12, 0.2),
    "_<_": (1.5, 0.4),
    "_<=_": (1.5, 0.4),
    "_>_": (1.5, 0.4),
    "_>=_": (1.5, 0.4),
    "is_text": (2.5, 0.8),
    "is_number": (3, 0.8),
    "is_map": (2.5, 0.8),
    "is_container": (3, 0.8),
}
_RELATION = (15.0, 0.4)


def cost(formula: Formula) -> float:
    """What it costs to ask, once all terms are read."""
    match formula:
        case All(parts):
            return _chain((cost(part), likelihood(part)) for part in parts)
        case Any(parts):
            return _chain((cost(part), 1 - likelihood(part)) for part in parts)
        case Test(name):
            return _TESTS.get(name, _RELATION)[0]
        case Loop(_, _, body):
            return _LOOP + 5 * cost(body)
        case Unless(odd, inner):
            return cost(inner) + len(odd)
        case Asked():
            return _ASKED


def likelihood(formula: Formula) -> float:
    """How often it holds."""
    share = 0.3
    match formula:
        case All(parts):
            share = 1.0
            for part in parts:
                share *= likelihood(part)
            return share
        case Any():
            return 1 - likelihood(contrary(formula))
        case Unless(_, inner):
            return likelihood(inner)
        case Test(name):
            share = _TESTS.get(name, _RELATION)[1]
    return share if formula.holds else 1 - share


def in_order(formula: All | Any, read: Iterable[Term] = ()) -> list[Formula]:
    """The parts in the order in which they are best asked, given the terms that are read already."""
    known, waiting, ordered = set(read), list(formula.parts), []
    going_on = isinstance(formula, All)
    if len(waiting) > MOST_WEIGHED:
        return sorted(waiting, key=lambda part: _price(part, known, goes_on_if=going_on))
    while waiting:
        best = min(waiting, key=lambda part: _price(part, known, goes_on_if=going_on))
        waiting.remove(best)
        ordered.append(best)
        known.update(needed(best))
    return ordered


def needed(formula: Formula, read: Container[Term] = ()) -> list[Term]:
    """Every term that has still to be read for the formula, each after those it is made of."""
    found: dict[Term, None] = {}
    for term in terms_of(formula):
        _need(term, read, found)
    return list(found)


def _need(term: Term, read: Container[Term], found: dict[Term, None]) -> None:
    # No closure that calls itself: it would be a cycle, hundreds of thousands a ruleset, left to the garbage collector.
    if term not in found and term not in read:
        for part in parts_of(term):
            _need(part, read, found)
        found[term] = None


def reading_cost(term: Term) -> float:
    """What it costs to read a term, once those it is made of are read."""
    match term:
        case Member():
            return 3
        case View():
            return 2.5
        case Applied(function):
            return FUNCTIONS[function].cost
    return 0


def _price(part: Formula, known: set[Term], *, goes_on_if: bool) -> float:
    spent = cost(part) + sum(map(reading_cost, needed(part, known)))
    ends = 1 - likelihood(part) if goes_on_if else likelihood(part)
    return spent / max(ends, 0.01)


def _chain(steps: Iterable[tuple[float, float]]) -> float:
    """The cost of asking one after the other, each only with the chance that the one before goes on."""
    total, reached = 0.0, 1.0
    for price, goes_on in steps:
        total += reached * price
        reached *= goes_on
    return total

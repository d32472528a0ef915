"""From one test to the term it is about and the values that pass it.

What lives here: what each test of `source.TESTS` lets through. What may not: formulas (`rows`), masks.

1. A test is about one term where all else in it is constant; views are taken off. Any other test has no values here.
2. A test over a view lets all values of other kinds through or none, as it does with the view's stand-in.
3. Of some values nobody knows here whether they pass (`unsure`): they do, and the answer is not exact.
4. Loops that ask whether a container holds one of some texts are such tests too.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from engine.compile import form
from engine.compile.form import All, Element, Fixed, Formula, Loop, Term, Test, View
from engine.compile.ranges import EVERY, NONE, Ranges, after, below, join, one
from engine.compile.values import (
    ANY_TEXT,
    CONTAINERS,
    KINDS,
    NOTHING,
    Atom,
    Found,
    Held,
    Kind,
    Texts,
    Values,
    but,
)
from engine.compile.values import join as join_values


class Constraint(NamedTuple):
    """The term, and the values that are let through."""

    term: Term
    found: Found


class _Passing(NamedTuple):
    """What passes, and what may pass or not."""

    values: Values
    unsure: Values = NOTHING


_WHOLE: dict[str, Values] = {
    "present": but(Values(frozenset({Kind.ABSENT}))),
    "is_true": Values(frozenset({Kind.TRUE})),
    "is_false": Values(frozenset({Kind.FALSE})),
    "is_text": Values(texts=ANY_TEXT),
    "is_number": Values(frozenset({Kind.NAN}), numbers=EVERY),
    "is_map": Values(frozenset({Kind.MAP})),
    "is_container": Values(CONTAINERS),
}
"""Tests without a constant."""

_ORDERS: dict[str, tuple[Callable[[Any], Ranges], Callable[[str, str], bool]]] = {
    "_<_": (below, lambda a, b: a < b),
    "_<=_": (lambda c: below(after(c)), lambda a, b: a <= b),
    "_>_": (lambda c: below(after(c)).but(), lambda a, b: a > b),
    "_>=_": (lambda c: below(c).but(), lambda a, b: a >= b),
}
"""What of numbers passes, and the same question of texts."""

_EXACT_ORDERS: dict[tuple[str, bool], Callable[[Any], Ranges]] = {
    ("less", True): _ORDERS["_<_"][0],
    ("less_or_equal", True): _ORDERS["_<=_"][0],
    ("less", False): _ORDERS["_>_"][0],
    ("less_or_equal", False): _ORDERS["_>=_"][0],
}
"""By function, and whether the term comes first."""

_ATOMS = frozenset({"starts_with", "ends_with", "contains", "matches"})


def constraint(formula: Test | Loop) -> Constraint | None:
    """What the test asks of its one term, or None where it is not about one, or nobody could say."""
    passing = _of_loop(formula) if isinstance(formula, Loop) else _of_test(formula)
    if passing is None:
        return None
    term = formula.over if isinstance(formula, Loop) else _term(formula)
    values = passing.values if formula.holds else but(passing.values)
    if passing.unsure == NOTHING:
        return Constraint(term, Found(values, exact=True))
    return Constraint(term, Found(join_values(values, passing.unsure).values, exact=False))


def _term(test: Test) -> Term:
    term = next(term for term in test.terms if not isinstance(term, Fixed))
    return term.of if isinstance(term, View) else term


def _of_test(test: Test) -> _Passing | None:
    match test:
        case Test(name, (View() | Fixed(),)):
            return None
        case Test(name, (_,)):
            return _Passing(_WHOLE[name])
        case Test(name, (View(kind), Fixed() as constant)):
            return _of_number(name, constant) if kind == "number" else _of_text(name, constant)
        case Test("equals", (View() | Fixed(), _)):
            return None
        case Test("equals", (_, Fixed(kind, _, value))):
            return _equal_to(kind, value)
        case Test("holds", (Fixed(), _)):
            return None
        case Test("holds", (_, Fixed(_, _, str() as text))):
            return _Passing(Values(CONTAINERS, held=Held(frozenset({text}), some=True)))
        case Test(name, (Fixed() as constant, term)) if not isinstance(term, Fixed):
            return _of_moments(name, constant, term_first=False)
        case Test(name, (_, Fixed() as constant)):
            return _of_moments(name, constant, term_first=True)
    return None


def _of_number(name: str, constant: Fixed) -> _Passing:
    try:
        if name == "equals":
            return _Passing(Values(numbers=one(constant.value)))
        if name == "among":
            ranges = NONE
            for value in constant.value:
                ranges = join(ranges, one(value))
            return _Passing(Values(numbers=ranges))
        return _Passing(Values(numbers=_ORDERS[name][0](constant.value)))
    except OverflowError:
        return _Passing(NOTHING, unsure=Values(numbers=EVERY))


def _of_text(name: str, constant: Fixed) -> _Passing:
    if name == "among":
        names, stand_in = frozenset(constant.value), "" in constant.value
        return _Passing(_others(Values(texts=Texts(names, inside=True)), pass_too=stand_in))
    if name in _ATOMS:
        atom = Atom(name, constant, holds=True)
        texts = Texts(frozenset(), inside=False, atoms=frozenset({atom}))
        return _Passing(_others(Values(texts=texts), pass_too=atom.stands("")))
    stand_in = _ORDERS[name][1]("", constant.value)
    return _Passing(_others(NOTHING, pass_too=stand_in), unsure=Values(texts=ANY_TEXT))


def _others(texts: Values, *, pass_too: bool) -> Values:
    return Values(KINDS, EVERY, texts.texts, EVERY, EVERY) if pass_too else texts


def _equal_to(kind: str, value: Any) -> _Passing:
    if kind == "text":
        return _Passing(Values(texts=Texts(frozenset({value}), inside=True)))
    try:
        if kind == "time":
            return _Passing(Values(times=one(value)))
        if kind == "span":
            return _Passing(Values(spans=one(value)))
    except OverflowError:
        pass
    return _Passing(NOTHING, unsure=but(NOTHING))


def _of_moments(name: str, constant: Fixed, *, term_first: bool) -> _Passing | None:
    function, _, answer = name.rpartition("_")
    order = _EXACT_ORDERS.get((function, term_first))
    if order is None or constant.kind not in ("time", "span"):
        return None
    try:
        ranges = order(constant.value) if answer == "true" else order(constant.value).but()
    except OverflowError:
        return None
    return _Passing(Values(times=ranges) if isinstance(constant.value, datetime) else Values(spans=ranges))


def _of_loop(loop: Loop) -> _Passing | None:
    names = _texts_of(loop.body, loop.element)
    return None if names is None else _Passing(Values(CONTAINERS, held=Held(names, some=True)))


def _texts_of(body: Formula, element: Element) -> frozenset[str] | None:
    """The texts of which the element is asked to be one, if that is all that it is asked."""
    match body:
        case Test("equals", (term, Fixed(_, _, str() as text)), True) if term == element:
            return frozenset({text})
        case Test("among", (View("text", of), Fixed(_, _, texts)), True) if of == element and "" not in texts:
            return frozenset(texts)
        case All((Test("is_text", (term,), True), Test("among", (View("text", of), Fixed(_, _, texts)), True))):
            return frozenset(texts) if term == of == element else None
        case form.Any(parts):
            found = [_texts_of(part, element) for part in parts]
            return None if None in found or not found else frozenset().union(*(names for names in found if names))
    return None

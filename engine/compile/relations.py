"""Where a comparison of terms is true and where it is false.

What lives here: `==`, `<`, `in`, the text questions, `has`, and a bare boolean, each as two formulas over
terms. What may not: CEL trees, Python source, odd values (`normal` guards whole formulas against those).

1. The general way to test a relation is its exact three-valued function (`functions`). Constants have a
   shorter one: one Python operator over a view, which the formula guards so that the stand-in never counts.
2. A guard that the test implies (the stand-in fails it anyway) is left out: `n < 3` is false of NaN.
3. Never is "is false" made by turning an operator round: `!(x < 3)` is true of NaN, `x >= 3` is not.
4. A constant that a float cannot hold goes the general way: an int meets a float as a float.
"""

from collections.abc import Callable
from typing import Any

import re2

from engine.compile import functions as f
from engine.compile.form import (
    ALWAYS,
    NEVER,
    All,
    Element,
    Fixed,
    Formula,
    Kind,
    Member,
    Term,
    Test,
    Truth,
    View,
    both,
    contrary,
    either,
    fixed,
    known,
)
from engine.compile.terms import Unknown, is_there, kind_of, plain

STAND_INS: dict[Kind, Any] = {"text": "", "number": float("nan")}
"""What a view shows where the term is of another kind."""

_ORDERS: dict[str, tuple[str, bool, Callable[[Any, Any], bool]]] = {
    "_<_": ("less", False, lambda a, b: a < b),
    "_<=_": ("less_or_equal", False, lambda a, b: a <= b),
    "_>_": ("less", True, lambda a, b: a > b),
    "_>=_": ("less_or_equal", True, lambda a, b: a >= b),
}
"""By operator: the exact function, whether its operands are swapped for it, and Python's own operator."""

QUIET = re2.Options()
QUIET.log_errors = False  # RE2 would write to stderr what `check` says better

_MIRRORED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_"}

_TEXT_TESTS: dict[str, tuple[str, Callable[[str, str], bool]]] = {
    "contains": ("contains", lambda text, part: part in text),
    "startsWith": ("starts_with", str.startswith),
    "endsWith": ("ends_with", str.endswith),
}


def is_kind(term: Term, kind: Kind) -> Formula:
    """Is the term there, and of this kind?"""
    own = kind_of(term)
    if own == "any":
        return Test(f"is_{kind}", (term,))
    return present(term) if own == kind or (kind == "container" and own in ("map", "list")) else NEVER


def present(term: Term) -> Formula:
    """Is the term there?"""
    return ALWAYS if is_there(term) else Test("present", (term,))


def boolean(term: Term) -> Truth:
    """A term by itself, as a condition."""
    if isinstance(term, Fixed):
        return known(term.value if type(term.value) is bool else None)
    return Truth(Test("is_true", (term,)), Test("is_false", (term,)))


def equal(a: Term, b: Term) -> Truth:
    """`a == b`."""
    a, b = plain(a), plain(b)
    if isinstance(a, Fixed):
        if isinstance(b, Fixed):
            return known(f.same(a.value, b.value))
        a, b = b, a
    true = _equal_to(a, b) if isinstance(b, Fixed) else both(present(a), present(b), Test("same", (a, b)))
    return Truth(true, _there_but_not(true, a, b))


def unequal(a: Term, b: Term) -> Truth:
    """`a != b`."""
    return Truth(*reversed(equal(a, b)))


def _equal_to(term: Term, constant: Fixed) -> Formula:
    """Is a term, which may be absent, this constant?"""
    if constant.kind == "bool":
        return boolean(term).true if constant.value else boolean(term).false
    if constant.kind == "number":
        if not f.safe_number(constant.value):
            return both(present(term), Test("same", (term, constant)))
        return Test("equals", (View("number", term), constant))
    if constant.kind == "list" and not all(type(value) is str for value in constant.value):
        return both(present(term), Test("same", (term, constant)))
    return Test("equals", (term, constant))


def order(operator: str, a: Term, b: Term) -> Truth:
    """`a < b` and its like."""
    a, b = plain(a), plain(b)
    function, swapped, python = _ORDERS[operator]
    if isinstance(a, Fixed) and not isinstance(b, Fixed):
        return order(_MIRRORED[operator], b, a)
    if isinstance(b, Fixed) and (b.kind == "text" or f.safe_number(b.value)) and not isinstance(a, Fixed):
        test = Test(operator, (View(b.kind, a), b))
        return _guarded(is_kind(a, b.kind), test, stand_in_holds=python(STAND_INS[b.kind], b.value))
    return relation(function, *((b, a) if swapped else (a, b)))


def relation(function: str, a: Term, b: Term) -> Truth:
    """A relation by its exact function."""
    if isinstance(a, Fixed) and isinstance(b, Fixed):
        return known(getattr(f, function)(a.value, b.value))
    return Truth(Test(f"{function}_true", (a, b)), Test(f"{function}_false", (a, b)))


def among(a: Term, b: Term) -> Truth:
    """`a in b`."""
    a, b = plain(a), plain(b)
    if isinstance(b, Fixed):
        if b.kind != "list" or isinstance(a, Fixed):
            return relation("is_in", a, b)
        true = _one_of(a, b.value)
        return Truth(true, _there_but_not(true, a))
    if isinstance(a, Fixed) and a.kind == "text":
        true = Test("holds", (b, a))
        return Truth(true, both(is_kind(b, "container"), contrary(true)))
    if isinstance(a, Element):
        raise Unknown  # an element may be null, which `is_in` takes for absent
    return relation("is_in", a, b)


def _one_of(term: Term, values: list[Any]) -> Formula:
    """Is the term one of these constants? Those that Python compares as CEL does share one frozen set."""
    texts = {value for value in values if type(value) is str}
    numbers = {value for value in values if f.safe_number(value)}
    tests: list[Formula] = []
    if len(texts) > 1:
        tests.append(Test("among", (View("text", term), _set("text", texts))))
        if "" in texts:
            tests[-1] = both(is_kind(term, "text"), tests[-1])
    if len(numbers) > 1:
        tests.append(Test("among", (View("number", term), _set("number", numbers))))
    for value in values:
        in_set = len(texts) > 1 if type(value) is str else len(numbers) > 1 and f.safe_number(value)
        if not in_set:
            tests.append(equal(term, _fixed(value)).true)
    return either(*tests)


def _set(kind: Kind, values: set[Any]) -> Fixed:
    return Fixed(kind, f"among {sorted(values)!r}", frozenset(values))


def _fixed(value: Any) -> Fixed:
    return fixed("bool" if type(value) is bool else "text" if type(value) is str else "number", value)


def text_test(function: str, text: Term, part: Term) -> Truth:
    """`text.contains(part)` and its like."""
    name, python = _TEXT_TESTS[function]
    if not isinstance(part, Fixed) or isinstance(text, Fixed):
        return relation(name, text, part)
    if part.kind != "text":
        raise Unknown
    test = Test(name, (View("text", text), part))
    return _guarded(is_kind(text, "text"), test, stand_in_holds=python("", part.value))


def matches(text: Term, pattern: Term) -> Truth:
    """`text.matches(pattern)`: RE2, anywhere in the text; raises `Unknown` for what is no constant pattern."""
    if not isinstance(pattern, Fixed) or pattern.kind != "text":
        raise Unknown
    try:
        compiled = re2.compile(pattern.value, QUIET)
    except re2.error:
        raise Unknown from None
    if isinstance(text, Fixed):
        return known(compiled.search(text.value) is not None if text.kind == "text" else None)
    test = Test("matches", (View("text", text), Fixed("any", f"re2 {pattern.value!r}", compiled.search)))
    return _guarded(is_kind(text, "text"), test, stand_in_holds=compiled.search("") is not None)


def has(operand: Term, key: str) -> Truth:
    """`has(operand.key)`: an error where the operand is no map."""
    true = present(Member(operand, key))
    return Truth(true, both(is_kind(operand, "map"), contrary(true)))


def _there_but_not(formula: Formula, *terms: Term) -> Formula:
    """The terms are there, and the formula, which says so too, does not hold."""
    guards = tuple(present(term) for term in terms)
    return both(*guards, contrary(_without(formula, guards)))


def _without(formula: Formula, guards: tuple[Formula, ...]) -> Formula:
    return both(*(p for p in formula.parts if p not in guards)) if isinstance(formula, All) else formula


def _guarded(guard: Formula, test: Formula, *, stand_in_holds: bool) -> Truth:
    return Truth(both(guard, test) if stand_in_holds else test, both(guard, contrary(test)))

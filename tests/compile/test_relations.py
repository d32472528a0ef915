"""Comparisons as formulas: guarded where a stand-in would count, bare where it would not."""

import pytest

from engine.compile import form
from engine.compile.form import ALWAYS, NEVER, Member, Root, Term, Truth, View, both, contrary, fixed
from engine.compile.relations import among, boolean, equal, has, is_kind, matches, order, text_test, unequal
from engine.compile.terms import Unknown

A, B = (Member(Root("traits", "map"), key) for key in "ab")
THERE = form.Test("present", (A,))


def text(value: str) -> Term:
    """A constant text."""
    return fixed("text", value)


def test_equal_to_a_constant() -> None:
    """True says that the term is there; false has to ask."""
    same = form.Test("equals", (A, text("x")))
    assert equal(A, text("x")) == equal(text("x"), A) == Truth(same, both(THERE, contrary(same)))
    assert unequal(A, text("x")) == Truth(both(THERE, contrary(same)), same)


def test_bools_are_no_numbers() -> None:
    """`== true` asks for the bool, `== 1` for a number."""
    assert equal(A, fixed("bool", True)).true == boolean(A).true
    assert equal(A, fixed("number", 1)).true == form.Test("equals", (View("number", A), fixed("number", 1)))


@pytest.mark.parametrize("number", [2**53 + 1, -(2**63), 2.0**53, 1e300])
def test_numbers_that_a_float_cannot_hold(number: float) -> None:
    """They go the exact way, since an int meets a float as a float."""
    assert "same" in {part.name for part in equal(A, fixed("number", number)).true.parts}
    assert order("_<_", A, fixed("number", number)).true.name == "less_true"


@pytest.mark.parametrize(
    ("operator", "constant", "guarded"),
    [("_<_", "b", True), ("_>_", "b", False), ("_>=_", "", True), ("_<_", "", False)],
)
def test_guards_that_the_test_implies(operator: str, constant: str, guarded: bool) -> None:
    """The stand-in "" is less than "b" and not greater: the guard is needed once."""
    truth = order(operator, A, text(constant))
    assert isinstance(truth.true, form.All) is guarded
    assert is_kind(A, "text") in truth.false.parts


def test_numbers_need_no_guard_to_be_true() -> None:
    """NaN, the stand-in, fails every comparison; and it is no reason to be false."""
    truth = order("_<_", A, fixed("number", 3))
    test = form.Test("_<_", (View("number", A), fixed("number", 3)))
    assert truth == Truth(test, both(is_kind(A, "number"), contrary(test)))
    assert order("_>_", fixed("number", 3), A) == truth


def test_one_of_constants() -> None:
    """Texts share a set, numbers share another, the rest stands alone."""
    truth = among(A, fixed("list", ["a", "b", 1, 2.0, True, 2**60]))
    assert [part.name for part in truth.true.parts if isinstance(part, form.Test)] == ["among", "among", "is_true"]
    assert among(A, fixed("list", ["a"])).true == equal(A, text("a")).true
    assert among(A, fixed("list", [])) == Truth(NEVER, THERE)
    assert is_kind(A, "text") in among(A, fixed("list", ["", "b"])).true.parts


def test_constants_meet_constants() -> None:
    """No visitor is needed; unlike types are neither less nor not less."""
    assert order("_<_", fixed("number", 1), text("a")) == Truth(NEVER, NEVER)
    assert equal(fixed("number", 1), fixed("bool", True)) == Truth(NEVER, ALWAYS)
    assert boolean(fixed("number", 1)) == Truth(NEVER, NEVER)


def test_text_questions() -> None:
    """The empty text contains "" and nothing else."""
    assert isinstance(text_test("contains", A, text("")).true, form.All)
    assert text_test("contains", A, text("x")).true.name == "contains"
    assert text_test("startsWith", A, B).true.name == "starts_with_true"


@pytest.mark.parametrize("pattern", [text("("), fixed("number", 1), B])
def test_patterns_that_are_asked(pattern: Term) -> None:
    """A pattern that RE2 refuses, or that is only known now, is no test."""
    with pytest.raises(Unknown):
        matches(A, pattern)


def test_has() -> None:
    """Of a root's member, absent is false; further down the parent has to be a map."""
    assert has(Root("traits", "map"), "a") == Truth(THERE, contrary(THERE))
    below = form.Test("present", (Member(A, "k"),))
    assert has(A, "k") == Truth(below, both(is_kind(A, "map"), contrary(below)))


def test_two_terms() -> None:
    """Absent is not equal to absent."""
    there = form.Test("present", (B,))
    same = form.Test("same", (A, B))
    assert equal(A, B) == Truth(both(THERE, there, same), both(THERE, there, contrary(same)))

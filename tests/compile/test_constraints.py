"""What one test asks of its one term."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.compile import form
from engine.compile.constraints import constraint
from engine.compile.form import All, Fixed, Formula, Loop, Member, Truth, Unless
from engine.compile.ranges import EVERY, NONE, below, one
from engine.compile.values import CONTAINERS, KINDS, Held, Kind, Texts, Values

ALL = Values(KINDS, EVERY, Texts(frozenset(), inside=False), EVERY, EVERY)


def only(formula: Formula) -> form.Test | Loop:
    """The test that the formula is, or its last where guards stand before it."""
    if isinstance(formula, Unless):
        return only(formula.formula)
    if isinstance(formula, All):
        return only(formula.parts[-1])
    assert isinstance(formula, form.Test | Loop)
    return formula


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("has(traits.a)", ALL._replace(kinds=KINDS - {Kind.ABSENT})),
        ("traits.a", Values(frozenset({Kind.TRUE}))),
        ("traits.a == false", Values(frozenset({Kind.FALSE}))),
        ("traits.a == 3", Values(numbers=one(3))),
        ("traits.a < 3", Values(numbers=below(3))),
        ("traits.a >= 3", Values(numbers=below(3).but())),
        ('traits.a == "x"', Values(texts=Texts(frozenset({"x"}), inside=True))),
        ('traits.a in ["x", "y"]', Values(texts=Texts(frozenset({"x", "y"}), inside=True))),
        ('"x" in traits.a', Values(CONTAINERS, held=Held(frozenset({"x"}), some=True))),
        (
            'traits.a.exists(e, e == "x" || e in ["y", ""])',
            Values(CONTAINERS, held=Held(frozenset({"x", "y", ""}), some=True)),
        ),
        (
            'timestamp(traits.a) < timestamp("2026-01-01T00:00:00Z")',
            Values(times=below(datetime(2026, 1, 1, tzinfo=UTC))),
        ),
        ('now - timestamp(traits.a) >= duration("1h")', Values(spans=below(timedelta(hours=1)).but())),
    ],
)
def test_values(normal: Callable[[str], Truth], text: str, values: Values) -> None:
    """Of each kind of test: these values pass, exactly."""
    found = constraint(only(normal(text).true))
    assert found is not None
    assert found.found == (values, True)


@pytest.mark.parametrize(
    "text", ['traits.a < "x"', "traits.a == 9007199254740993.0", "traits.a == [1]", "traits.a <= 9007199254740992"]
)
def test_what_nobody_knows(normal: Callable[[str], Truth], text: str) -> None:
    """More than what is meant passes, and that is said."""
    found = constraint(only(normal(text).true))
    assert found is None or not found.found.exact


@pytest.mark.parametrize(
    "text",
    ["traits.a == traits.b", "traits.a in traits.b", "traits.a.exists(e, e == 1)", "traits.a.exists(e, e == traits.b)"],
)
def test_what_is_not_about_one_term(normal: Callable[[str], Truth], text: str) -> None:
    """Nothing is asked by what compares two terms, or looks deeper into a container."""
    assert constraint(only(normal(text).true)) is None


def test_the_term_without_its_view(normal: Callable[[str], Truth]) -> None:
    """A view is not what is looked up, the term is."""
    found: Any = constraint(only(normal("traits.a < 3").true))
    assert isinstance(found.term, Member)
    assert not isinstance(found.term, Fixed)
    assert found.found.values.numbers != NONE


@pytest.mark.parametrize(
    ("name", "text", "others"),
    [("_<_", "b", True), ("_>_", "b", False), ("contains", "", True), ("contains", "b", False)],
)
def test_values_of_other_kinds(name: str, text: str, others: bool) -> None:
    """A view that nobody guards shows its stand-in, so they pass where the empty text does."""
    term = Member(form.Root("traits", "map"), "a")
    found = constraint(form.Test(name, (form.View("text", term), form.fixed("text", text))))
    assert found is not None
    assert (found.found.values.numbers == EVERY) is others
    assert (found.found.values.kinds == KINDS) is others


@pytest.mark.parametrize("others", [True, False])
def test_a_set_with_the_empty_text(others: bool) -> None:
    """The stand-in may be in it too."""
    term = Member(form.Root("traits", "map"), "a")
    names = frozenset({"a", "" if others else "b"})
    found = constraint(form.Test("among", (form.View("text", term), form.fixed("text", names))))
    assert found is not None
    assert (found.found.values.kinds == KINDS) is others
    assert found.found.values.texts.names == names

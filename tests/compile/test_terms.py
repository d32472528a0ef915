"""Which expressions are terms."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.cel.parse import expression
from engine.cel.scope import CONVERSION, VISIT, Scope
from engine.cel.tree import Node
from engine.cel.wire import read
from engine.compile.form import ALWAYS, Applied, Member, Root, Term, fixed
from engine.compile.normal import _Normal
from engine.compile.terms import Operands, Unknown, is_there, kind_of, odd_terms, parameters, roots_of

TRAITS = Root("traits", "map")
NOW = Root("now", "time")


@pytest.fixture
def term() -> Callable[[str], Term]:
    """The term of an operand's text."""

    def of(text: str) -> Term:
        checked = expression(text)
        node: Node = read(checked)
        return Operands(roots_of(VISIT), _Normal(checked, VISIT).truth).term(node, {})

    return of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("traits.plan", Member(TRAITS, "plan")),
        ('traits["plan"]', Member(TRAITS, "plan")),
        ("dyn(traits.a.b)", Member(Member(TRAITS, "a"), "b")),
        ("traits.plan.lowerAscii()", Applied("lowerAscii", (Member(TRAITS, "plan"),))),
        ("size(traits.a)", Applied("size", (Member(TRAITS, "a"),))),
        ("traits.a.size()", Applied("size", (Member(TRAITS, "a"),))),
        ('traits.?a.orValue("x")', Applied("orElse", (Member(TRAITS, "a"), fixed("text", "x")))),
        (
            "traits.?a.?b.orValue(1)",
            Applied("orValue", (TRAITS, fixed("number", 1), fixed("text", "a"), fixed("text", "b"))),
        ),
        ('"a" + "b"', fixed("text", "ab")),
        ("24 * 60", fixed("number", 1440)),
        ('timestamp("2026-01-01T00:00:00Z")', fixed("time", datetime(2026, 1, 1, tzinfo=UTC))),
        ("now", NOW),
    ],
)
def test_terms(term: Callable[[str], Term], text: str, expected: Term) -> None:
    """Paths, functions of them, and constants worked out."""
    assert term(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "null",
        'b"a"',
        "traits.a + 1u",
        "traits.?a.orValue(1u)",
        "traits.?a.orValue(traits.b)",
        "[traits.a]",
        "{1: 2}",
        'now.getHours("Europe/Berlin")',
        "1 / 0",
        'timestamp("soon")',
        "traits.a.map(x, x)",
        "traits.a ? traits.b : traits.c",
    ],
)
def test_unknown(term: Callable[[str], Term], text: str) -> None:
    """What is no single term, or not exactly known, is left to others."""
    with pytest.raises(Unknown):
        term(text)


def test_cases() -> None:
    """A ternary is its branches, a boolean the two constants; too many cases are none."""

    def cases(text: str) -> list[Any]:
        checked = expression(text)
        return Operands(roots_of(VISIT), _Normal(checked, VISIT).truth).of(read(checked), {})

    assert [case for _, case in cases("traits.a ? traits.b : traits.c")] == [Member(TRAITS, "b"), Member(TRAITS, "c")]
    assert [case for _, case in cases("traits.a == 1")] == [fixed("bool", True), fixed("bool", False)]
    assert cases("traits.a")[0][0] == ALWAYS
    with pytest.raises(Unknown):
        cases(
            "(a ? b : a ? b : a ? b : a ? b : a ? b : a ? b : a ? b : a ? b : b)".replace("a", "traits.a").replace(
                " b", " traits.b"
            )
        )


def test_odd_terms_are_found_below(term: Callable[[str], Term]) -> None:
    """A function of something odd has to be guarded as well."""
    inner = Applied("timestamp", (Member(TRAITS, "a"),))
    assert odd_terms(term("now - timestamp(traits.a)")) == (inner, Applied("_-_", (NOW, inner)))
    assert odd_terms(term("traits.a.lowerAscii()")) == ()


def test_what_is_known_of_terms(term: Callable[[str], Term]) -> None:
    """Kinds and presence that need no visitor."""
    texts = ("traits", "now", "traits.a", "traits.a.trim()", "size(traits.a)", "traits.?a.orValue(1)", "1")
    assert [kind_of(term(text)) for text in texts] == ["map", "time", "any", "text", "number", "any", "number"]
    assert [is_there(term(text)) for text in texts] == [True, True, False, False, False, True, True]


def test_parameters() -> None:
    """Our own roots by name; a name of somebody else's never becomes an identifier."""
    assert parameters(CONVERSION) == ("properties",)
    assert parameters(Scope(names=(("a.b", "int"), ("traits", "dyn"), ("class", "int")))) == ("r0", "traits", "r2")

"""Conditions as connectives over atoms: what is taken apart, what stays whole, what a leaf needs."""

import pytest

from engine.cel.parse import parse
from engine.cel.wire import read
from engine.rules.doubts.matchers import constant
from engine.rules.doubts.statements import Choice, Contrary, Fixed, Formula, Junction, Leaf, leaves, statement


def formula(text: str) -> Formula:
    """The text as a formula."""
    checked = parse(text)
    return statement(read(checked), constant(checked))


def needs(text: str) -> list[tuple[str, bool]]:
    """What the one leaf of the text needs."""
    (leaf,) = leaves(formula(text))
    return [(need.term, need.as_map) for need in leaf.needs]


def test_connectives_are_taken_apart() -> None:
    """`&&` and `||` flat, `!` and `?:` as they are."""
    whole = formula("traits.a && traits.b && !(traits.c || traits.d) && (traits.e ? traits.f : true)")
    assert isinstance(whole, Junction)
    assert whole.every
    assert [type(part) for part in whole.parts] == [Leaf, Leaf, Contrary, Choice]
    assert [leaf.atom.term for leaf in leaves(whole)] == [f"traits.{name}" for name in "abcdef"]


@pytest.mark.parametrize(("text", "truth"), [("1 < 2", True), ("false", False), ("1 / 0 == 1", None)])
def test_what_asks_for_nothing_is_evaluated(text: str, truth: bool | None) -> None:
    """A part without a visitor is true, false or an error for good."""
    fixed = formula(text)
    assert isinstance(fixed, Fixed)
    assert fixed.truth is truth


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("traits.a == 1", [("traits.a", False)]),
        ("traits.a.b == 1", [("traits.a.b", False), ("traits.a", True)]),
        ("has(traits.a.b)", [("traits.a", False), ("traits.a", True)]),
        ("size(traits.a) < account.b", [("traits.a", False), ("account.b", False)]),
        ("traits.a.exists(x, x == 1)", []),
        ("(traits.a || traits.b) == true", []),
        ("traits.?a.orValue(1) == 1", []),
        ("[traits.a] == [1]", []),
    ],
)
def test_what_a_leaf_needs(text: str, needed: list[tuple[str, bool]]) -> None:
    """Strict operators cannot do without any operand; what may do without one needs nothing."""
    assert needs(text) == needed

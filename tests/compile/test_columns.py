"""Law: a row's bit stands in the mask of a class where the row lets the class through, or does not ask."""

from typing import Any

import pytest

from engine.compile.classes import Classes, Held, Prefixes
from engine.compile.columns import column, held_marks, pattern_marks, prefix_column
from engine.compile.form import fixed
from engine.compile.patterns import Patterns
from engine.compile.ranges import EVERY, below
from engine.compile.values import KINDS, Atom, Kind, Texts, Values
from engine.compile.values import Held as HeldTexts

SMALL = Values(numbers=below(3), texts=Texts(frozenset({"a"}), inside=True))
LARGE = Values(numbers=below(3).but(), texts=Texts(frozenset({"a", "b"}), inside=False))
THERE = Values(KINDS - {Kind.ABSENT}, EVERY, Texts(frozenset(), inside=False), EVERY, EVERY)


@pytest.mark.parametrize(
    ("value", "rows"),
    [(2, "0134"), (3, "234"), ("a", "0134"), ("b", "34"), ("c", "234"), (None, "3"), (True, "34"), ([], "34")],
)
def test_column(value: Any, rows: str) -> None:
    """Rows 0 and 1 ask for small, 2 for large, 4 for any; 3 asks nothing."""
    classes = Classes([SMALL, LARGE, THERE])
    masks = column(classes, {SMALL: [0, 1], LARGE: [2], THERE: [4]}, 5)
    assert masks[classes.of(value)] == sum(1 << int(row) for row in rows)
    assert masks[classes.open] == 0b11111
    assert len(masks) == classes.open + 1
    assert set(column(classes, {}, 5)) == {0b11111}


def test_equal_masks_are_one() -> None:
    """A long list of texts that one row asks for is one mask, not as many as texts."""
    values = Values(texts=Texts(frozenset(f"domain {n}" for n in range(1_000)), inside=True))
    masks = column(Classes([values]), {values: [100]}, 4_096)
    assert len({id(mask) for mask in masks if mask.bit_count() == 4_096 and mask}) <= 3


def atom(name: str, text: str, *, holds: bool = True) -> Atom:
    """A question."""
    return Atom(name, fixed("text", text), holds)


@pytest.mark.parametrize(("text", "rows"), [("abc", "023"), ("ab", "023"), ("a", "03"), ("x", "13"), ("", "13")])
def test_prefix_column(text: str, rows: str) -> None:
    """Row 0 wants `a`, 1 does not, 2 wants `ab`, 3 asks nothing."""
    prefixes = Prefixes(["a", "ab"])
    asking = [
        (atom("starts_with", "a"), [0]),
        (atom("starts_with", "a", holds=False), [1]),
        (atom("starts_with", "ab"), [2]),
    ]
    assert prefix_column(prefixes, asking, 4)[prefixes.of(text)] == sum(1 << int(row) for row in rows)
    assert prefix_column(prefixes, asking, 4)[prefixes.of(None)] == 0b1111


@pytest.mark.parametrize(("text", "rows"), [("xa", "03"), ("ab", "0123"), ("b", "123"), ("", "13"), (None, "0123")])
def test_pattern_marks(text: str | None, rows: str) -> None:
    """Row 0 wants an `a` in it, 1 no `a` at its end, 2 a `b`, 3 asks nothing; what is no text is not asked."""
    asking = [(atom("contains", "a"), [0]), (atom("ends_with", "a", holds=False), [1]), (atom("contains", "b"), [2])]
    patterns = Patterns(one for one, _ in asking)
    assert pattern_marks(patterns, asking, 4).of(patterns.of(text)) == sum(1 << int(row) for row in rows)


@pytest.mark.parametrize(
    ("value", "rows"), [(["a"], "0"), (["a", "b", "a"], "02"), (["c"], "1"), ({"b": 1}, "02"), (1, "012")]
)
def test_held_marks(value: Any, rows: str) -> None:
    """Row 0 wants one of two texts, 1 none of them, 2 one of them alone; what is no container is not asked."""
    wanted = {
        Values(held=HeldTexts(frozenset("ab"), some=True)): [0],
        Values(held=HeldTexts(frozenset("ab"), some=False)): [1],
        Values(held=HeldTexts(frozenset("b"), some=True)): [2],
    }
    held = Held("ab")
    assert held_marks(held, wanted, 3).of(held.of(value)) == sum(1 << int(row) for row in rows)

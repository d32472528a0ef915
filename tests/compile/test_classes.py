"""Law: values of one class are let through by the same rows, and generated code finds the same class."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compile.classes import Classes, Held, Prefixes, points_of
from engine.compile.functions import NUMBERS
from engine.compile.ranges import Ranges, below, one
from engine.compile.values import Texts, Values

MOMENT = datetime(2026, 11, 25, tzinfo=UTC)
ASKED = [
    Values(numbers=below(3), texts=Texts(frozenset({"a"}), inside=True)),
    Values(numbers=one(1), texts=Texts(frozenset({"b"}), inside=False)),
    Values(times=below(MOMENT), spans=below(timedelta(1))),
]


@pytest.mark.parametrize(
    "same",
    [
        *((0, 0.5, -1, float("-inf")), (1, 1.0), (2, 1.5), (3, 4, float("inf"), 10**400), ("a",), ("b",), ("", "c")),
        *((None,), (True,), (False,), (float("nan"),), ([], ["a"]), ({},), (b"", ()), (MOMENT,), (timedelta(1),)),
        *((MOMENT - timedelta(1),), (timedelta(),)),
    ],
    ids=repr,
)
def test_classes(same: tuple[Any, ...]) -> None:
    """These are one class, and no other value is in it; in line too."""
    classes = Classes(ASKED)
    found = {classes.of(value) for value in same}
    assert len(found) == 1
    assert found.isdisjoint({classes.open})
    bound: dict[str, Any] = {"NUMBERS": NUMBERS}
    source = classes.expression(lambda name, value: bound.setdefault(name, value) and name, "value")
    assert {eval(source, {**bound, "value": value}) for value in same} == found


def test_points_of_many_rows() -> None:
    """However many, ascending, each once."""
    many = [Ranges(first=False, points=(n % 6_000, n % 6_000 + 0.5)) for n in range(7_000, 0, -1)]
    points = points_of(many)
    assert points == sorted(set(points))
    assert len(points) == 12_000
    assert points_of([]) == []


@given(st.lists(st.text("ab", max_size=4), max_size=8), st.text("abc", max_size=6))
def test_prefixes(texts: list[str], text: str) -> None:
    """The class of a text is its longest prefix, which has all its others."""
    prefixes = Prefixes(texts)
    held = [prefix for prefix in set(texts) if text.startswith(prefix)]
    number = prefixes.of(text)
    assert (number == prefixes.none) is (not held)
    assert {prefixes.numbers[prefix] for prefix in held} == set(prefixes.all_of(number))
    assert prefixes.of(1) == prefixes.open


def test_held() -> None:
    """Texts of a list and keys of a map; anything else holds nothing, and is not asked."""
    held = Held(["a", "b", "a"])
    assert held.of(["b", None, 1, ["a"], "c"]) == [held.numbers["b"]]
    assert held.of({"a": None}) == [held.numbers["a"]]
    assert held.of("a") is None

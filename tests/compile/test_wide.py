"""Law: going through the visitor's own members finds the mask that going through all would find."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compile.wide import Members, Slot, Stretches, chained, member_of


@given(st.integers(1, 20), st.sets(st.integers(0, 19)))
def test_stretches(count: int, some: set[int]) -> None:
    """Whatever members are there, their masks and those of the absent ones are all that is ANDed, and each is."""
    there, whole = {place for place in some if place < count}, (1 << 40) - 1
    columns = [[whole ^ 1 << place, whole ^ 1 << 20 + place] for place in range(count)]
    stretches = Stretches(columns, [absent for absent, _ in columns], whole)
    wanted = reduce(int.__and__, (columns[place][place in there] for place in range(count)), whole)
    assert stretches.of([(place, 1) for place in sorted(there)]) == wanted


@pytest.mark.parametrize(
    ("value", "found"), [({"b": 2, "x": 3, "a": 1}, [(0, 1), (1, 2), (2, -2)]), ({}, []), (None, []), ([1], [])]
)
def test_members(value: object, found: list[tuple[int, int]]) -> None:
    """In the order of their places; of what is no map, nothing."""
    members = Members({"a": [Slot(0, int)], "b": [Slot(1, int), Slot(2, lambda value: -value)]})
    assert members.of(value) == found


def test_steps() -> None:
    """From a member's value to what is looked up."""
    find = chained([member_of("k"), lambda value: value and value * 2], lambda value: -1 if value is None else value)
    assert [find(value) for value in ({"k": 2}, {}, None, "k")] == [4, -1, -1, -1]
    assert chained([], int) is int

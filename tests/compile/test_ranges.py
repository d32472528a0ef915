"""Law: a set of values holds what it says it holds, at its rims too."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compile.ranges import EVERY, NONE, Ranges, after, below, join, meet, one

PROBES = (-inf, -2.5, -1, -0.0, 0, 5e-324, 0.5, 1, 1.0, 1.5, 2, 3, 2**53, 2**63, 10**400, inf)
sets = st.builds(
    Ranges, st.booleans(), st.lists(st.sampled_from([-1, 0, 0.5, 1, 2, 3]), unique=True).map(lambda p: tuple(sorted(p)))
)


def holds(ranges: Ranges, value: Any) -> bool:
    """Is the value in the set?"""
    return ranges.first ^ (bisect_right(ranges.points, value) % 2 == 1)


@given(sets, sets, st.sampled_from(PROBES))
def test_the_algebra_of_sets(a: Ranges, b: Ranges, value: Any) -> None:
    """Meeting is and, joining is or, the rest is not; and no point is one where nothing turns."""
    assert holds(meet(a, b), value) is (holds(a, value) and holds(b, value))
    assert holds(join(a, b), value) is (holds(a, value) or holds(b, value))
    assert holds(a.but(), value) is not holds(a, value)
    assert meet(a, a.but()) == NONE
    assert join(a, a.but()) == EVERY


@pytest.mark.parametrize("point", [-2.5, -0.0, 0, 1, 1.0, 2**53 - 1, -(2**53) + 1])
def test_orders(point: float) -> None:
    """Each order lets through what Python's own does, whole numbers and floats."""
    for value in (*PROBES, point, after(point), point - 1, point + 1):
        assert holds(below(point), value) is (value < point)
        assert holds(below(after(point)), value) is (value <= point)
        assert holds(one(point), value) is (value == point)


@pytest.mark.parametrize("value", [2**53, -(2**53), inf, "a", datetime.max.replace(tzinfo=UTC), timedelta.max])
def test_what_has_no_next(value: Any) -> None:
    """Where the next value cannot be told, it is not guessed."""
    with pytest.raises(OverflowError):
        after(value)


def test_moments() -> None:
    """Times and spans go by microseconds."""
    moment = datetime(2026, 11, 25, tzinfo=UTC)
    assert after(moment) - moment == after(timedelta()) == timedelta(microseconds=1)

"""Demands: what a part asks of a term, and which exclude each other."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.cel.oracle import truth
from engine.cel.parse import parse
from engine.cel.wire import read
from engine.rules.doubts.demands import Demand, demand, excludes


def asked(text: str, *, odd: bool = False) -> Demand:
    """The demand of a text that is one."""
    found = demand(read(parse(text)), odd=odd)
    assert found is not None
    return found


CONSTANTS = ['"a"', '"ab"', '"b"', "1", "2", "1.0", "2.5", "true", "false", 'timestamp("2026-01-01T00:00:00Z")']
PARTS = st.one_of(
    st.tuples(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.sampled_from(CONSTANTS)).map(
        lambda t: f"traits.x {t[0]} {t[1]}"
    ),
    st.tuples(st.sampled_from(["<", ">="]), st.sampled_from(CONSTANTS)).map(lambda t: f"{t[1]} {t[0]} traits.x"),
    st.lists(st.sampled_from(CONSTANTS), max_size=3).map(lambda t: f"traits.x in [{', '.join(t)}]"),
    st.sampled_from(
        ["has(traits.x)", "traits.x", 'traits.x.startsWith("a")', 'traits.x.startsWith("b")', 'traits.x.contains("a")']
    ),
)
VALUES = st.sampled_from(["a", "ab", "b", "", 1, 2, 0, 1.0, 2.5, float("nan"), True, False, [], {}])


@given(PARTS, st.booleans(), PARTS, st.booleans(), VALUES)
def test_demands_that_exclude_each_other_are_never_both_met(
    one: str, one_odd: bool, other: str, other_odd: bool, value: object
) -> None:
    """The law: for no value at all is the reference implementation's answer true of both."""
    try:
        first, second = parse(f"!({one})" if one_odd else one), parse(f"!({other})" if other_odd else other)
    except ValueError:
        return  # not every constant goes with every operator
    a, b = demand(read(parse(one)), odd=one_odd), demand(read(parse(other)), odd=other_odd)
    assume(a is not None and b is not None and excludes(a, b))
    assert not (truth(first, {"traits": {"x": value}}) is True and truth(second, {"traits": {"x": value}}) is True)
    assert not (truth(first, {"traits": {}}) is True and truth(second, {"traits": {}}) is True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('traits.x == "a"', 'traits.x == "b"'),
        ("traits.x > 5", "traits.x < 3"),
        ("traits.x > 3", "traits.x <= 3"),
        ('traits.x == "a"', "traits.x < 3"),
        ('traits.x.startsWith("a")', 'traits.x == "b"'),
        ('traits.x.startsWith("a")', 'traits.x.startsWith("b")'),
        ("traits.x", "traits.x == 1"),
        ("traits.x in [1, 2]", "traits.x in [3]"),
        ("3 < traits.x", "traits.x < 2"),
        ('now > timestamp("2026-01-02T00:00:00Z")', 'now < timestamp("2026-01-01T00:00:00Z")'),
        ("size(traits.x) > 3", "size(traits.x) == 2"),
    ],
)
def test_what_excludes(one: str, other: str) -> None:
    """Values, bounds, kinds and beginnings that do not go together."""
    assert excludes(asked(one), asked(other))
    assert excludes(asked(other), asked(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("traits.x > 1", "traits.x < 2"),
        ("traits.x >= 3", "traits.x <= 3"),
        ("traits.x == 1", "traits.x == 1.0"),
        ('traits.x.startsWith("a")', 'traits.x.startsWith("ab")'),
    ],
)
def test_what_does_not_exclude(one: str, other: str) -> None:
    """What goes together, narrowly."""
    assert not excludes(asked(one), asked(other))


def test_absence() -> None:
    """Nothing is asked of what is absent."""
    assert excludes(asked("has(traits.x)", odd=True), asked("traits.x == 1"))
    assert not excludes(asked("has(traits.x)"), asked("traits.x == 1"))


@pytest.mark.parametrize(
    "text",
    ["traits.x == traits.y", "traits.x.exists(y, y == 1)", "traits.x in traits.y", "traits.x in [traits.y]", "1 == 1"],
)
def test_what_is_no_demand(text: str) -> None:
    """A part that compares with no constant demands nothing that could be compared."""
    assert demand(read(parse(text)), odd=False) is None

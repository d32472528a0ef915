"""Law: whatever a visitor's value is, the oracle sees it as it is, or it is absent."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cel.literal import is_carried
from engine.cel.oracle import Failure, prepare, truth
from engine.cel.parse import expression, parse
from engine.limits import VALUE_DEPTH

MOMENTS = st.datetimes(timezones=st.just(UTC))
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from(["a\0b", "\0"])
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXTS | MOMENTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
WHOLE = prepare(expression("traits"))


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down: True is not 1, and 1 is not 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_values_arrive(traits: dict[str, Any]) -> None:
    """Moments, texts with NUL and everything else arrive at any depth, in the same types."""
    assert same(WHOLE.value({"traits": traits}), traits)


@pytest.mark.parametrize(
    "value",
    [
        "\ud800",
        ["a", "\ud800"],
        2**63,
        -(2**63) - 1,
        (1, 2),
        {1, 2},
        object,
        timedelta(1),
        [[object]],
    ],
    ids=repr,
)
def test_what_cel_cannot_hold_is_absent(value: Any) -> None:
    """A value that is none of CEL's does not exist, and hurts no other value."""
    traits = {"bad": value, "plan": "free", "in": {"bad": value, "good": 1}}
    assert not is_carried(value)
    assert truth(parse("!has(traits.bad) && traits.plan == 'free'"), {"traits": traits}) is True
    assert truth(parse("!has(traits['in'].bad) && traits['in'].good == 1"), {"traits": traits}) is True


def test_moments_in_other_zones() -> None:
    """A moment is the same whatever zone it is told in; one without a zone is UTC."""
    moment = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert truth(parse("traits.t == now"), {"traits": {"t": moment}, "now": moment.astimezone(UTC)}) is True
    naive = datetime(2026, 1, 1, 10)  # noqa: DTZ001 - that is the point
    assert truth(parse("traits.t == now"), {"traits": {"t": naive}, "now": moment}) is True


def test_names_that_a_macro_binds_stay_bound() -> None:
    """A rebuilt root does not hide a macro's variable of the same name."""
    bindings = {"traits": {"t": datetime(2026, 1, 1, tzinfo=UTC), "l": [{"x": 1}]}}
    assert truth(parse("traits.l.exists(traits, traits.x == 1)"), bindings) is True


def test_nesting_beyond_the_limit() -> None:
    """Values nested too deeply, endlessly even, are absent and crash nothing."""
    deep: Any = 1
    for _ in range(VALUE_DEPTH + 10):
        deep = [deep]
    endless: list[Any] = []
    endless.append(endless)
    for value in (deep, endless):
        assert truth(parse("!has(traits.deep)"), {"traits": {"deep": value}}) is True


def test_literals_nested_beyond_protobuf() -> None:
    """A moment that lies too deep for the wire format is a failure and no crash."""
    value: Any = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(VALUE_DEPTH - 1):
        value = {"a": value}
    assert isinstance(prepare(expression("traits.v")).value({"traits": {"v": value}}), Failure)

"""What a trait may hold."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from http import HTTPStatus
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.profiles.values import BadValue, normalise, normalise_traits

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)


def nested(depth: int) -> Any:
    """Lists within lists."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def nulls_in_maps(value: Any) -> int:
    """How many members of maps are null, at any depth."""
    if isinstance(value, dict):
        return sum(inner is None for inner in value.values()) + sum(map(nulls_in_maps, value.values()))
    return sum(map(nulls_in_maps, value)) if isinstance(value, list) else 0


@settings(deadline=None)
@given(JSON)
def test_whatever_is_taken_can_be_stored_and_is_taken_again_as_it_is(value: Any) -> None:
    """Normalising twice is normalising once, and the stored form survives its encoding."""
    try:
        stored = normalise(value)
    except BadValue:
        return
    assert msgspec.msgpack.encode(normalise(stored)) == msgspec.msgpack.encode(stored)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(stored)) == stored
    assert nulls_in_maps(stored) == 0


@settings(deadline=None)
@given(JSON)
def test_only_numbers_without_a_place_on_the_line_are_refused(value: Any) -> None:
    """Of small JSON values, those with NaN or infinity are refused, and no other."""
    refused = not_finite(value)
    try:
        normalise(value)
    except BadValue:
        assert refused
    else:
        assert not refused


class Plan(str, Enum):  # noqa: UP042 - as older programs have it
    """A choice that is text."""

    PRO = "pro"


def not_finite(value: Any) -> bool:
    """Whether NaN or infinity stands anywhere in it."""
    if isinstance(value, dict):
        return any(map(not_finite, value.values()))
    if isinstance(value, list):
        return any(map(not_finite, value))
    return isinstance(value, float) and not math.isfinite(value)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"a": None, "b": {"c": None, "d": [{"e": None}]}}, {"b": {"d": [{}]}}),
        ([1, None, 2], [1, None, 2]),
        (2**63 - 1, 2**63 - 1),
        (2**63, float(2**63)),
        (-(2**63) - 1, -float(2**63)),
        ("\ud83d\ude00", "😀"),
        ("cut \ud83d", "cut \ufffd"),
        ({"\udc00": 1}, {"\ufffd": 1}),
        ((1, (2, None)), [1, [2, None]]),
        (HTTPStatus.OK, 200),
        (Plan.PRO, "pro"),
        ({Plan.PRO: 1}, {"pro": 1}),
        (Counter("aab"), {"a": 2, "b": 1}),
    ],
)
def test_odd_values_are_stored_as_the_law_says(value: Any, stored: Any) -> None:
    """Null members, null elements, numbers beyond 64 bits, half characters, what only Python has."""
    result = normalise(value)
    assert result == stored
    assert type(result) is type(stored)


def test_a_time_is_stored_as_the_same_moment_in_utc() -> None:
    """Zones are for people; the moment is what is compared."""
    local = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert normalise(local).isoformat() == datetime(2026, 1, 1, 10, tzinfo=UTC).isoformat()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (math.nan, "NaN or infinity"),
        (-math.inf, "NaN or infinity"),
        (10**400, "too large"),
        (nested(33), "nested deeper than 32"),
        ([0] * 1001, "more than 1000 members"),
        ([[0] * 500, [0] * 499], "more than 1000 members"),
        (datetime(2026, 1, 1), "time zone"),  # noqa: DTZ001 - that is what is refused
        (b"bytes", "expected a JSON value, got bytes"),
        ({1: 2}, "expected text as the name of a member, got int"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_the_reason(value: Any, why: str) -> None:
    """No place on the number line, too deep, too many, without a zone, no JSON."""
    with pytest.raises(BadValue, match=why):
        normalise(value)


def test_the_limits_themselves_are_taken() -> None:
    """32 levels and 1,000 members are within the limits."""
    assert normalise(nested(32)) == nested(32)
    assert normalise([0] * 1000) == [0] * 1000


def test_a_null_trait_stays_for_it_removes() -> None:
    """At the top null means "take it away", and must not get lost; below it is absent."""
    assert normalise_traits({"plan": None, "address": {"zip": None}}) == {"plan": None, "address": {}}


def test_members_are_counted_over_all_traits() -> None:
    """Many traits of a few members each are as many members."""
    normalise_traits({str(n): [0] for n in range(500)})
    with pytest.raises(BadValue, match="more than 1000 members"):
        normalise_traits({str(n): [0, 0] for n in range(500)})


def test_the_message_says_where_and_never_what() -> None:
    """The path of names and indexes stands before the reason; a name from outside is cut."""
    with pytest.raises(BadValue, match=r"^address\.lines\[1\]: expected a number, got NaN or infinity$"):
        normalise_traits({"address": {"lines": ["secret", math.nan]}})
    with pytest.raises(BadValue) as caught:
        normalise_traits({"n" * 10_000: math.nan})
    assert len(str(caught.value)) < 200


def test_a_path_reads_as_one() -> None:
    """Names that are no words are quoted, a long path shows its head, and its root is the reader's word."""
    with pytest.raises(BadValue) as caught:
        normalise_traits({"a.b": {"c\n": math.nan}})
    assert caught.value.within("traits") == r'traits["a.b"]["c\n"]: expected a number, got NaN or infinity'
    with pytest.raises(BadValue) as caught:
        normalise_traits({"a": nested(40)})
    assert caught.value.within("traits") == "traits.a[0][0][0][0]…: nested deeper than 32"
    with pytest.raises(BadValue) as caught:
        normalise_traits({str(n): n for n in range(1_001)})
    assert caught.value.within("traits") == "traits: more than 1000 members in all"

"""Law: any value of a visitor goes out as JSON, and a plain one as itself."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decide.explanation import Cause, Explanation, Fact, Reasons, Step, Tried, plain, to_json
from engine.words import Place

PLACE = Place("rules/s.yaml", 3, 5)
scalars = st.one_of(
    st.text(st.characters(exclude_categories=[])), st.integers(), st.floats(), st.booleans(), st.just(None)
)
texts = st.text(st.characters(exclude_categories=[]))
values = st.recursive(scalars, lambda inner: st.one_of(st.lists(inner), st.dictionaries(texts, inner)))


def explanation(value: Any) -> Explanation:
    """One with a value in it."""
    step = Step("test", "unknown", "traits.a", PLACE, facts=(Fact("traits.a", "known", plain(value)),))
    tried = Tried("s", "S", PLACE, "does-not-match", "why", (step,), (step,))
    reasons = Reasons(
        experience="e",
        name="E",
        place=PLACE,
        outcome="no-match",
        because="why",
        status="live",
        pages=("/",),
        fitting=("/",),
        start=None,
        end=None,
        priority=0,
        exclusion_group=None,
        decided_by=None,
        segment=None,
        audiences=(tried,),
    )
    now = datetime(2026, 6, 1, tzinfo=UTC)
    return Explanation(
        verdict="v",
        visitor_id="a",
        url="u",
        now=now,
        ruleset="0badcafe",
        degraded=False,
        agrees=True,
        unusable=(),
        experiences=(reasons,),
    )


@given(values)
def test_any_value_is_json(value: Any) -> None:
    """Half characters, numbers without end, whole numbers beyond 64 bits, any nesting."""
    decoded = msgspec.json.decode(to_json(explanation(value)))
    [audience] = decoded["experiences"][0]["audiences"]
    assert audience["when"][0]["facts"][0]["value"] == plain(value)


@pytest.mark.parametrize("value", [1, -(2**63), 1.5, "Ä\n", True, None, [1, {"a": None}]])
def test_plain_values_stay(value: Any) -> None:
    """What JSON holds is itself."""
    assert plain(value) == value
    assert type(plain(value)) is type(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (datetime(2026, 6, 1, tzinfo=UTC), "2026-06-01T00:00:00Z"),
        (float("inf"), "inf"),
        (2**63, "9223372036854775808"),
        ("a\ud83d", "a\ufffd"),
        (b"x", "b'x'"),
    ],
)
def test_other_values_come_near(value: Any, shown: str) -> None:
    """What JSON does not hold is text that can be read."""
    assert plain(value) == shown


def test_names_are_those_of_the_wire() -> None:
    """Keys in camel case; `except` is called as in the rule files; a place is file, line, column."""
    decoded = msgspec.json.decode(to_json(explanation(1)))
    assert {"visitorId", "verdict", "agrees", "experiences"} <= decoded.keys()
    [audience] = decoded["experiences"][0]["audiences"]
    assert {"when", "except", "outcome"} <= audience.keys()
    assert audience["place"] == {"file": "rules/s.yaml", "line": 3, "column": 5}
    assert Cause("absent", "traits.a", "w").kind == "absent"

"""What an event of the log says: as a message, and as a row whose columns are that message's."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.events.line import Entry
from engine.events.row import Row
from engine.profiles.store import Store
from engine.segment.logged import message, row

NOON_MS = 1_795_608_000_000
TRACK = {
    "type": "track", "event": "Signed Up", "messageId": "m1", "timestamp": "2026-11-25T11:59:00.000Z", "userId": "u1",
    "anonymousId": "a1", "properties": {"plan": "pro", "n": 1.50}, "context": {"groupId": "g1"},
}  # fmt: skip


def entry(body: Any, received_ms: int = NOON_MS) -> Entry:
    """An event of the log."""
    return Entry(1, received_ms, "www", body if isinstance(body, bytes) else json.dumps(body).encode())


def test_a_track_has_all_its_columns() -> None:
    """Time is the event's own; properties are JSON."""
    raw = json.dumps(TRACK)
    made = row(entry(TRACK))
    assert made == Row(
        NOON_MS, "www", NOON_MS - 60_000, "track", "m1", raw, anonymous_id="a1", user_id="u1", group_id="g1",
        event="Signed Up", properties='{"plan": "pro", "n": 1.5}',
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{", b'{"a":"\xff"}', {"type": "levitate"}, {**TRACK, "event": None}, b"[" * 5_000],
)
def test_what_cannot_be_understood_is_no_row(body: Any) -> None:
    """And no message."""
    assert row(entry(body)) is None
    assert message(entry(body)) is None


def test_nothing_is_no_row() -> None:
    """An event that is gone; and one of a year that no calendar has."""
    assert row(Entry(1, NOON_MS, "www", None)) is None
    assert message(Entry(1, NOON_MS, "www", None)) is None
    assert row(entry(TRACK, -1)) is None
    assert row(entry(TRACK, 10**15)) is None


@pytest.mark.parametrize("properties", [None, {}, []])
def test_properties_are_those_of_a_track(properties: Any) -> None:
    """A page has none there; null is none."""
    assert (made := row(entry({**TRACK, "properties": properties}))) is not None
    assert made.properties == (None if properties is None else json.dumps(properties))
    assert (made := row(entry({**TRACK, "type": "page", "event": None}))) is not None
    assert (made.properties, made.event) == (None, None)


@settings(max_examples=300)
@given(st.integers(0, 9_999))
def test_every_column_is_what_the_message_says(
    strategies: ModuleType, memory: Callable[[], Store], number: int
) -> None:
    """Of whatever was accepted, of every type."""
    said = strategies.message_of(number)
    if said is None:
        return
    made = row(Entry(1, said.received_ms, said.source, said.body))
    assert made is not None
    assert made.message.encode() == said.body
    assert (made.time, made.type, made.event) == (said.time_ms, said.type, said.event)
    assert made.previous_id == (said.previous_id if said.type == "alias" else None)
    same = ("message_id", "anonymous_id", "user_id", "group_id", "visitor_id", "source")
    assert [getattr(made, name) for name in same] == [getattr(said, name) for name in same]

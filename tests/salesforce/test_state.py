"""What the mirror keeps of an object and of a sync can be read again."""

from datetime import UTC, datetime

import msgspec

from engine.salesforce.state import Job, Outcome, Part, State

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_it_comes_back_as_it_was() -> None:
    """A job before its first page, between two, and behind its last."""
    for locator in ("", "x-1", None):
        state = State(mark=AT, job=Job("everything", "750", AT, 3, locator, 7))
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=State) == state
    outcome = Outcome(AT, (Part("Lead", 1, unusable={"x": 2}),), 1, 2, 3, 4, "why")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(outcome), type=Outcome) == outcome

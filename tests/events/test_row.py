"""The columns of the archive, and its days."""

import msgspec

from engine.events.row import Row, day_of

NOON_MS = 1_795_608_000_000
DAY_MS = 86_400_000


def test_a_day_is_one_of_utc() -> None:
    """From its first millisecond to its last."""
    midnight = NOON_MS + DAY_MS // 2
    assert [day_of(moment) for moment in (midnight - 1, midnight, 0)] == ["2026-11-25", "2026-11-26", "1970-01-01"]


def test_what_is_not_there_is_not_written() -> None:
    """Most events have few of the columns."""
    written = msgspec.json.decode(msgspec.json.encode(Row(1, "www", 2, "page", "m", "{}", user_id="u1")))
    assert written == {
        "received": 1, "source": "www", "time": 2, "type": "page", "message_id": "m", "message": "{}", "user_id": "u1",
    }  # fmt: skip

"""Times as real libraries write them, and Segment's rule for clocks that are wrong."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.limits import EVENT_AHEAD_S
from engine.segment.moments import happened_ms, moment_ms, within, written

NOON = 1_764_072_000_000  # 2025-11-25T12:00:00Z


@pytest.mark.parametrize(
    "text",
    [
        "2025-11-25T12:00:00.000Z",  # browsers, Node
        "2025-11-25T12:00:00Z",  # Java, Swift
        "2025-11-25T12:00:00.000000+00:00",  # Python
        "2025-11-25T12:00:00+00:00",  # PHP
        "2025-11-25T13:00:00.000+01:00",  # Ruby, in its zone
        "2025-11-25T12:00:00.000000000Z",  # Go
        "2025-11-25T12:00:00.0000000Z",  # .NET
        "2025-11-25T07:00:00-0500",  # Objective-C
        "2025-11-25 12:00:00",  # SQL
        "2025-11-25T12:00:00",
        "2025-11-25t12:00:00z",
        " 2025-11-25T12:00:00Z ",
        "1764072000000",
        NOON,
        float(NOON),
        NOON // 1000,
        NOON / 1000,
    ],
)
def test_times_as_libraries_write_them(text: Any) -> None:
    """All are one moment."""
    assert moment_ms(text) == NOON


@pytest.mark.parametrize(
    "value",
    [None, "", "yesterday", "12:00", True, [], {}, "2025-13-01T00:00:00Z", "17640720000001", "20251125", "17640720T"],
)
def test_what_is_no_time(value: Any) -> None:
    """There is no guessing."""
    assert moment_ms(value) is None


def test_a_date_alone_is_its_midnight() -> None:
    """In UTC."""
    assert moment_ms("2025-11-25") == NOON - 12 * 3_600_000


def test_decimals_are_cut() -> None:
    """To milliseconds, never rounded into the next one."""
    assert moment_ms("2025-11-25T12:00:00.123999Z") == NOON + 123
    assert moment_ms("2025-11-25T12:00:00.123999999Z") == NOON + 123


@pytest.mark.parametrize("wrong_by_ms", [0, 1, -86_400_000, 10 * 365 * 86_400_000, -NOON])
def test_a_wrong_clock_is_corrected(wrong_by_ms: int) -> None:
    """By whatever it is wrong: the event happened two seconds before it was sent."""
    said, sent = written(NOON - 2000 + wrong_by_ms), written(NOON + wrong_by_ms)
    assert happened_ms(said, sent, NOON + 50) == NOON - 1950


def test_without_a_time_of_sending_nothing_is_corrected() -> None:
    """Nor with one that cannot be read."""
    assert happened_ms(written(NOON - 5), None, NOON) == happened_ms(written(NOON - 5), "soon", NOON) == NOON - 5


def test_a_time_that_cannot_be() -> None:
    """Too far ahead is held to what may be; before 1970, or unreadable, is when it came."""
    assert happened_ms("2999-01-01T00:00:00Z", None, NOON) == NOON + EVENT_AHEAD_S * 1000
    assert happened_ms("0001-01-01T00:00:00Z", None, NOON) == NOON
    assert happened_ms("0001-01-01T00:00:00+14:00", None, NOON) == NOON
    assert happened_ms("nonsense", written(NOON), NOON) == NOON
    assert happened_ms(1e300, None, NOON) == NOON + EVENT_AHEAD_S * 1000


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year >= 1970))
def test_what_is_written_is_read(moment: datetime) -> None:
    """To the millisecond."""
    ms = moment_ms(moment.isoformat())
    assert ms is not None
    assert moment_ms(written(ms)) == ms


@given(
    st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.none(), st.text() | st.integers()
)
def test_whatever_is_sent_there_is_a_time(said: Any, sent: Any) -> None:
    """One that can be written, and that stays what it is when it is held to what can be again."""
    event = happened_ms(said, sent, NOON)
    assert 0 <= event <= NOON + EVENT_AHEAD_S * 1000
    assert moment_ms(written(event)) == within(event, NOON) == event

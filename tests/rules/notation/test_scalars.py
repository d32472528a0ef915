"""Shares, windows, timestamps and keys: what they mean, and what is said of what is none."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.notation import scalars
from engine.rules.notation.mistake import Mistake


def refusal(reader: Callable[[str], object], text: str) -> str:
    """Message and hint of the mistake that the text is."""
    with pytest.raises(Mistake) as found:
        reader(text)
    return f"{found.value.message} | {found.value.hint}"


@pytest.mark.parametrize(
    ("text", "ppm"),
    [("0%", 0), ("50%", 500_000), ("12.5%", 125_000), ("0.0001%", 1), ("100%", 1_000_000), ("99.9999 %", 999_999)],
)
def test_shares_are_parts_per_million(text: str, ppm: int) -> None:
    """A percentage with up to four decimals is a whole number of parts per million."""
    assert scalars.share(text) == ppm


@given(st.integers(0, 1_000_000))
def test_every_ppm_can_be_written(ppm: int) -> None:
    """Each of the million and one shares has a text that means exactly it."""
    assert scalars.share(f"{ppm // 10_000}.{ppm % 10_000:04d}%") == ppm


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("50", "`50%`"),
        ("0.5", "`50%`"),
        ("1", "`100%`"),
        ("150", "between"),
        ("100.0001%", "more than everybody"),
        ("101%", "more than everybody"),
        ("-1%", "less than nobody"),
        ("1.23456%", "four decimals"),
        (".5%", "`.5%` is no share | write `0.5%`"),
        ("+5%", "`+5%` is no share | write `5%`"),
        ("+.25 %", "write `0.25%`"),
        ("0000000000005%", "write `5%`"),
        ("+.00001%", "four decimals"),
        ("+150%", "more than everybody"),
        ("1000000000000%", "more than everybody"),
        ("half", "`half` is no share"),
        ("50 percent", "no share"),
        ("५०%", "no share"),
        ("", "no share"),
    ],
)
def test_what_is_no_share(text: str, part: str) -> None:
    """What is no share is told so, with the share that was probably meant."""
    assert part in refusal(scalars.share, text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600), ("7 d", 604_800)],
)
def test_windows_are_seconds(text: str, seconds: int) -> None:
    """A whole number and a unit are so many seconds."""
    assert scalars.window_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("7", "`7d`"),
        ("7 days", "`7d`"),
        ("12H", "`12h`"),
        ("2 months", "s, m, h, d, w"),
        ("0d", "no length"),
        ("-1d", "no window"),
        ("1.5d", "no window"),
        ("9999w", "too long"),
    ],
)
def test_what_is_no_window(text: str, part: str) -> None:
    """What is no window is told so; months, which have no length, are not taken for minutes."""
    assert part in refusal(scalars.window_s, text)


def test_timestamps_are_utc() -> None:
    """Zones are resolved, so that two spellings of one moment are equal."""
    there = scalars.timestamp("2026-11-01T09:30:00.25+01:00")
    assert there == datetime(2026, 11, 1, 8, 30, 0, 250_000, tzinfo=UTC)
    assert there.tzinfo is UTC
    assert scalars.timestamp("2026-11-01t08:30:00.250000z") == there


@given(st.integers(-2_000_000_000, 4_000_000_000_000_000), st.integers(-23 * 60, 23 * 60))
def test_every_moment_can_be_written(micros: int, minutes: int) -> None:
    """What Python writes in RFC 3339, from 1970 to 2096 and in any zone, is read back as the same moment."""
    zone = timezone(timedelta(minutes=minutes))
    moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).astimezone(zone)
    assert scalars.timestamp(moment.isoformat()) == moment


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("2026-11-01", "`2026-11-01T00:00:00Z`"),
        ("2026-11-01T00:00:00", "`2026-11-01T00:00:00Z`"),
        ("2026-11-01 09:30", "`2026-11-01T09:30:00Z`"),
        ("2026-02-30T00:00:00Z", "does not exist"),
        ("2026-01-01T25:00:00Z", "does not exist"),
        ("2026-01-01T00:00:00+24:00", "does not exist"),
        ("0001-01-01T00:00:00+10:00", "does not exist"),
        ("2026-12-31T23:59:60Z", "does not exist"),
        ("2026-13-45", "does not exist"),
        ("2026-11-01 24:00", "does not exist"),
        ("1.11.2026", "no timestamp"),
        ("tomorrow", "no timestamp"),
    ],
)
def test_what_is_no_timestamp(text: str, part: str) -> None:
    """What is no timestamp is told so, with the timestamp that was probably meant."""
    assert part in refusal(scalars.timestamp, text)


def test_no_variant_is_called_control() -> None:
    """The word is taken; others that begin so are not, and nothing else need avoid it."""
    assert "`original`" in refusal(scalars.variant_key, "control")
    assert [scalars.variant_key(text) for text in ("control-2", "Control")] == ["control-2", "Control"]
    assert scalars.key("control", "segment") == "control"
    assert "`a-b`" in refusal(scalars.variant_key, "a:b")


@pytest.mark.parametrize("text", ["a", "small-company", "v1.2_b", "Hero", "2026", "a" * 128])
def test_keys(text: str) -> None:
    """Letters, digits, `-`, `_` and `.` make a key."""
    assert scalars.key(text, "segment") == text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Small company", "`Small-company`"),
        ("a:b", "`a-b`"),
        ("-a", "`a`"),
        ("größe", "`gr-e`"),
        ("日本", "begins with"),
        ("a" * 129, "at most 128"),
    ],
)
def test_what_is_no_key(text: str, part: str) -> None:
    """What is no key is told so, with a key that is near; `:` separates in the split's hash."""
    assert part in refusal(lambda one: scalars.key(one, "segment"), text)

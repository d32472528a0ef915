"""Law: what begins or ends by its schedule has done so at its moment, whatever the clock did in between."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.decide.dates import NEVER, Dates
from engine.rules.notation.scalars import timestamp

NOON = timestamp("2026-10-25T12:00:00Z")
EPOCH = int(NOON.timestamp())


@pytest.fixture
def dates(make: Any) -> Dates:
    """Two experiences that begin within the same second, of which one ends a day later; and such as never do."""
    second = timedelta(seconds=1)
    return Dates(
        [
            make.experience("a", start=NOON, end=NOON + timedelta(days=1)),
            make.experience("b", start=NOON - 0.4 * second),
            make.experience("c"),
            make.experience("draft", start=NOON - second, status="draft"),
            make.experience("paused", end=NOON - second, status="paused"),
        ]
    )


def test_the_newest_is_what_has_begun_or_ended_last(dates: Dates) -> None:
    """From its moment on; what begins within a second is one moment; drafts and paused ones have none."""
    at = [timedelta(days=-400), timedelta(microseconds=-1), timedelta(), timedelta(hours=23), timedelta(days=1)]
    assert [dates.newest(NOON + passed) for passed in at] == [NEVER, NEVER, EPOCH, EPOCH, EPOCH + 86_400]
    assert Dates([]).newest(NOON) == NEVER


def test_what_has_turned_between_two_looks_is_named(dates: Dates) -> None:
    """Also where a clock was set back in between."""
    assert dates.between(NEVER, EPOCH) == {"a", "b"}
    assert dates.between(EPOCH, EPOCH + 86_400) == dates.between(EPOCH + 86_400, EPOCH) == {"a"}
    assert dates.between(EPOCH, EPOCH) == frozenset()


@pytest.mark.parametrize("same", ["2026-10-25T02:30:00+02:00", "2026-10-25T01:30:00+01:00", "2026-10-25T00:30:00Z"])
def test_a_moment_has_one_name_in_all_zones(make: Any, same: str) -> None:
    """The hour that clocks show twice in autumn is two, told apart by its zone."""
    moment = timestamp("2026-10-25T00:30:00Z")
    dates = Dates([make.experience("a", start=timestamp(same))])
    assert [dates.newest(moment + timedelta(seconds=s)) for s in (-1, 0)] == [NEVER, int(moment.timestamp())]


@pytest.mark.parametrize("far", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_no_date_is_too_far(make: Any, far: str) -> None:
    """Whatever a rule file can say is before or after now."""
    dates = Dates([make.experience("a", start=timestamp(far))])
    assert (dates.newest(NOON) != NEVER) == (datetime.fromisoformat(far) < NOON)

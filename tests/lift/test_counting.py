"""The question asked of a log: lines, order, days, what is left out."""

from datetime import date, timedelta

import pytest

from engine.lift.asking import Asking
from engine.lift.counting import count, rounds
from engine.lift.statistics import Group


def test_nothing_was_seen(counted):
    """No line, and nothing wrong."""
    assert counted().figures == ()


def test_a_line_for_each_segment_and_goal(stream, counted):
    """In the order of the rules; with the control share that they want, and when the first and the last came."""
    stream.shown(3, "a1", personalized=True, segment="Large company")
    stream.shown(2, "a2", personalized=False, segment="Gone")
    stream.shown(1, "a3", personalized=False)
    stream.shown(4, "a4", personalized=False)
    goals = "  b: {event: B}\n  a: {event: A, window: 2d}\n"
    lines = counted(conversions=goals).figures
    assert [(line.segment, line.goal, line.window_s, line.control_share) for line in lines] == [
        ("Small company", "a", 172_800, 0.5),
        ("Small company", "b", 604_800, 0.5),
        ("Large company", "a", 172_800, 0.2),
        ("Large company", "b", 604_800, 0.2),
        ("Gone", "a", 172_800, None),
        ("Gone", "b", 604_800, None),
    ]
    assert (lines[0].since, lines[0].until) == (stream.begin + timedelta(1), stream.begin + timedelta(4))


def test_open_windows_are_apart(stream, counted):
    """Who came lately is not counted yet, and shown beside."""
    stream.shown(0, "a1", personalized=True)
    stream.shown(20, "a2", personalized=True)
    stream.shown(20, "a3", personalized=False)
    stream.converted(21, "a3")
    [line] = counted().figures
    assert (line.closed.personalized, line.closed.control) == (Group(1, 0), Group(0, 0))
    assert (line.open.personalized, line.open.control) == (Group(1, 0), Group(1, 1))


def test_as_of_then(stream, counted):
    """Nothing that happened later is seen, and windows are those that were over then."""
    stream.shown(0, "a1", personalized=True)
    stream.shown(5, "a2", personalized=True)
    stream.converted(6, "a2")
    [line] = counted(now=stream.begin + timedelta(8)).figures
    assert (line.closed.personalized, line.open.personalized) == (Group(1, 0), Group(1, 1))
    [line] = counted(now=stream.begin + timedelta(4)).figures
    assert (line.closed.personalized, line.open.personalized) == (Group(0, 0), Group(1, 0))


def test_since(stream, counted):
    """Only who came first then or later; who came before is left out, and not counted from a later exposure on."""
    stream.shown(0, "a1", personalized=True)
    stream.shown(5, "a1", personalized=True)
    stream.shown(5, "a2", personalized=True)
    [line] = counted(since=stream.begin + timedelta(5)).figures
    assert line.closed.personalized == Group(1, 0)
    assert line.since == stream.begin + timedelta(5)


def test_days_are_those_on_which_windows_closed(stream, counted):
    """And their sums what somebody saw who looked then: the same as asking as of then."""
    stream.many(40, (0.1, 0.3))
    stream.shown(3, "late", personalized=True)
    [line] = counted().figures
    assert [day for day, _ in line.days] == [date(2026, 11, 8), date(2026, 11, 11)]
    looks = dict(line.looks())
    assert looks[date(2026, 11, 11)] == line.closed
    [then] = counted(now=stream.begin + timedelta(8)).figures
    assert looks[date(2026, 11, 8)] == then.closed


def test_only_some_experiences(stream, counted):
    """By the names that they are sent under."""
    stream.shown(0, "a1", personalized=True)
    said = {"experience": "It's another", "audienceSegment": "All", "personalized": True}
    stream.add("track", 0, "a1", None, event="Mutiny Experience Viewed", properties=said)
    assert [line.experience for line in counted().figures] == ["Homepage", "It's another"]
    assert [line.experience for line in counted(experiences=("It's another",)).figures] == ["It's another"]


@pytest.mark.parametrize("value", ["maybe", None, 3, {"a": 1}])
def test_exposures_that_do_not_say_what_of(stream, counted, value):
    """Are counted, and left out."""
    stream.shown(0, "a1", personalized=value)
    stream.shown(0, "a2", personalized="True")
    answer = counted()
    assert answer.unclear == 1
    assert answer.figures[0].closed.personalized == Group(1, 0)


def test_whoever_waits_is_told(stream, rules, log_of, tmp_path):
    """As often as was said."""
    for split in ("visitor", "account"):
        ruleset = rules(split)
        asking = Asking(ruleset, tuple(ruleset.goals.values()), stream.now)
        told = []
        count([str(log_of(tmp_path / split, []))], asking, lambda told=told: told.append(1))
        assert len(told) == rounds(asking)


def test_unclear_exposures_are_those_of_what_is_asked(stream, counted):
    """Of one experience: its own, and those that do not say of which they are."""
    stream.shown(0, "a1", personalized=None)
    stream.shown(0, "a2", personalized=True)
    for experience in ("Pricing", None):
        said = {"experience": experience, "audienceSegment": "Small company"}
        stream.add("track", 0, "a3", None, event="Mutiny Experience Viewed", properties=said)
    assert counted(experiences=("Homepage",)).unclear == 2
    assert counted().unclear == 3  # though the log has them twice by now

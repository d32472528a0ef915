"""Law: where generated code raises, everybody else's answer stays, and the fault is counted."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.compile import pages
from engine.decide.careful import Careful
from engine.decide.tally import Tally
from engine.profiles.nothing import NothingStored
from engine.words import Page, Profile, Visit

URL = "https://www.example.com/"
RAISING = "\ud800"  # no text that RE2 could be given; JSON cannot bring it, a Python program could


def answer(make: Any, decider: Any, traits: dict[str, Any]) -> list[str]:
    """The segments that match."""
    return [one.segment for one in decider.decide(Profile("v", traits), Page(URL), Visit(), make.now).assignments]


@pytest.mark.parametrize("straight", [True, False])
def test_one_fault_is_one_segments(make: Any, monkeypatch: pytest.MonkeyPatch, straight: bool) -> None:
    """In straight-line code and in an index: it does not match, the others do as ever, and it is counted."""
    monkeypatch.setattr(pages, "_index_cost" if straight else "_straight_cost", lambda *_: float("inf"))
    segments = [make.segment("faulty", 'traits.x.matches("a")'), make.segment("fine", "traits.fine")]
    experiences = [make.experience(f"e-{segment.key}", segment.key) for segment in segments]
    decider = make.decider(*experiences, segments=segments)
    assert answer(make, decider, {"x": "a", "fine": True}) == ["faulty", "fine"]
    assert decider.tally.faults == {}
    for times in (1, 2):
        assert answer(make, decider, {"x": RAISING, "fine": True}) == ["fine"]
        assert decider.tally.faults == {("faulty", "UnicodeEncodeError"): times}


def test_the_short_way_leaves_it_to_the_long_one(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where nothing of a visitor is asked."""

    def raising(*_: Any) -> Any:
        raise TypeError

    monkeypatch.setattr("engine.decide.functions.compile_page", lambda *_: raising)
    decider = make.decider(make.experience("e", "s"), segments=[make.segment("s", "page.path == '/'")])
    view = decider.view(URL)
    assert view.usual(NothingStored("nobody"), "v", view.fields, lambda: make.now) is None
    assert answer(make, decider, {}) == ["s"]
    assert decider.tally.faults == {("", "TypeError"): 1}  # of the segment's own function nothing is wrong


SHORT = st.tuples(st.lists(st.sampled_from("abc"), min_size=1, max_size=3), st.sampled_from([None, "g", "h"]))
TIMES = st.sampled_from([None, None, timedelta(0), timedelta(1), timedelta(-1)])


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(parts=st.lists(st.tuples(SHORT, TIMES, TIMES), max_size=4), matching=st.sets(st.sampled_from("abc")))
def test_it_says_what_the_page_says(make: Any, parts: Any, matching: set[str]) -> None:
    """Of groups, schedules and several audiences."""
    experiences = [
        make.experience(
            f"e{n}",
            *keys,
            exclusion_group=group,
            start=None if start is None else make.now + start,
            end=None if end is None else make.now + end,
        )
        for n, ((keys, group), start, end) in enumerate(parts)
    ]
    segments = {key: make.segment(key, f"traits.{key}") for key in "abc"}
    roots = (dict.fromkeys(matching, True), *({} for _ in range(6)), make.now)
    expected = pages.page(experiences, segments)(*roots)
    assert Careful(segments, Tally()).hits(experiences, roots, TypeError()) == expected

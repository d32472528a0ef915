"""How often each group of each audience was decided."""

from typing import Any

from engine.decide.tally import Tally
from engine.words import Page, Profile, Visit

PPM = 1_000_000


def test_each_group_of_each_audience_has_its_place(make: Any) -> None:
    """Also before anybody came; an audience that stands twice has one."""
    tally = Tally()
    assert (tally.place("home", "a"), tally.place("home", "b"), tally.place("home", "a")) == (3, 5, 3)
    assert tally.groups() == [
        ("home", "a", "control", 0),
        ("home", "a", "personalized", 0),
        ("home", "b", "control", 0),
        ("home", "b", "personalized", 0),
    ]


def test_what_was_answered_is_counted(make: Any) -> None:
    """An answer once, and in it every entry; who is held out has none."""
    decider = make.decider(
        make.experience("e", make.audience("a", control=0)),
        make.experience("f", make.audience("a", control=PPM)),
        make.experience("g", make.audience("a"), holdout_ppm=PPM),
        make.experience("h", make.audience("a"), status="draft"),
    )
    for traits in ({"a": True}, {"a": True}, {}):
        profile = Profile("ann", traits)
        decider.tally.note(decider.decide(profile, Page("https://www.example.com/"), Visit(), make.now))
    assert decider.tally.results() == {"matched": 2, "unmatched": 1, "degraded": 0}
    assert {(e, group): times for e, _, group, times in decider.tally.groups()} == {
        ("e", "control"): 0,
        ("e", "personalized"): 2,
        ("f", "control"): 2,
        ("f", "personalized"): 0,
        ("g", "control"): 0,
        ("g", "personalized"): 0,
    }


def test_a_decision_counts_nothing(make: Any) -> None:
    """Only who answers a visitor does."""
    decider = make.decider(make.experience("e", "a"))
    decider.decide(Profile("ann", {"a": True}), Page("https://www.example.com/"), Visit(), make.now)
    assert not any(decider.tally.counts)


def test_an_answer_made_of_less_is_counted_as_that(make: Any) -> None:
    """Whatever is in it; what is in it counts as always."""
    decider = make.decider(make.experience("e", make.audience("a", control=0)))
    profile = Profile("ann", {"a": True}, degraded=True)
    decider.tally.note(decider.decide(profile, Page("https://www.example.com/"), Visit(), make.now))
    assert decider.tally.results() == {"matched": 0, "unmatched": 0, "degraded": 1}
    assert decider.tally.groups()[1][-1] == 1

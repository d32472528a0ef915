"""Events that count as a conversion, for the goals that they say, and such as count for none."""

import random
from collections.abc import Callable
from datetime import datetime

from engine.cel.scope import CONVERSION
from engine.compile.conditions import condition
from engine.decide.decider import Decider
from engine.simulation.goals import Event, events
from engine.words import Ruleset

Rules = Callable[[str], Ruleset]


def counts(ruleset: Ruleset, name: str, properties: object) -> set[str]:
    """The goals that an event counts for, as the conditions say."""
    return {
        goal.key
        for goal in ruleset.goals.values()
        if goal.event == name and all(condition(one, CONVERSION).true(properties) for one in goal.where)
    }


def check(ruleset: Ruleset, made: list[Event]) -> None:
    """What is said of each is true."""
    assert [one.goal for one in made] == list(ruleset.goals)
    for one in made:
        assert all(counts(ruleset, one.name, properties) == one.covers for properties in one.properties)
        assert all(counts(ruleset, one.name, properties) == set() for properties in one.others)


def test_the_goals_of_the_example(example: Decider, now: datetime) -> None:
    """Each is reached by itself; what looks alike and counts for none is there where it can be."""
    made = events(example.ruleset, now, random.Random(1))
    check(example.ruleset, made)
    assert all(one.properties and one.covers == {one.goal} for one in made)
    assert {one.goal: bool(one.others) for one in made} == {"signed-up": True, "demo-booked": False, "big-deal": True}
    assert {one.goal: one.window_s for one in made}["demo-booked"] == 14 * 86_400


def test_one_event_may_count_for_two_goals(rules: Rules, now: datetime) -> None:
    """A large order is an order; an order of its own is one that is not large."""
    ruleset = rules(
        "conversions:\n  order: {event: Ordered}\n  large: {event: Ordered, where: properties.total > 100}\n"
        "  other: {event: Booked}\n"
    )
    made = events(ruleset, now, random.Random(1))
    check(ruleset, made)
    covers = {one.goal: one.covers for one in made}
    assert covers == {"large": {"large", "order"}, "order": {"order"}, "other": {"other"}}


def test_a_goal_that_nobody_can_reach(rules: Rules, now: datetime) -> None:
    """It has no properties, and harms nobody."""
    ruleset = rules("conversions:\n  never: {event: E, where: properties.a > 1 && properties.a < 1}\n")
    [made] = events(ruleset, now, random.Random(1))
    assert made.properties == ()

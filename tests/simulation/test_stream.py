"""The whole stream: in order, over before now, the same for the same seed."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from engine.decide.decider import Decider
from engine.profiles.record import time_ms
from engine.simulation.stream import Simulation, Wanted
from engine.simulation.visitor import Said
from engine.words import Ruleset

EXPOSURE = "Mutiny Experience Viewed"


def simulated(decider: Decider, now: datetime, seed: int = 1, only: str | None = None, **wanted: Any) -> Simulation:
    """A stream for the live experiences."""
    live = [one for one in decider.ruleset.experiences.values() if one.status == "live" and only in {None, one.key}]
    asked = Wanted(**{"visitors": 200, "days": 5, "rate": 0.05, "lift": 0.2, **wanted})
    return Simulation(decider, live, asked, now, random.Random(seed))


def messages(simulation: Simulation) -> list[Said]:
    """All of them."""
    return [said for said in simulation.messages() if said is not None]


def test_it_comes_in_order_and_is_over_before_now(example: Decider, now: datetime) -> None:
    """Every goal's window is closed by then: the longest has thirty days."""
    simulation = simulated(example, now)
    said = messages(simulation)
    assert all(one.received_ms <= two.received_ms for one, two in pairwise(said))
    assert said[-1].received_ms < time_ms(now)
    exposed = [one.received_ms for one in said if one.body.get("event") == EXPOSURE]
    assert max(exposed) + 30 * 86_400_000 < time_ms(now)
    pages = [one for one in said if one.body["type"] == "page"]
    assert time_ms(simulation.begins) <= min(one.received_ms for one in pages)
    assert simulation.ends - simulation.begins == timedelta(days=5)


def test_every_visitor_is_told(example: Decider, now: datetime) -> None:
    """So that somebody can watch it; the audiences that nobody comes to are known."""
    simulation = simulated(example, now, visitors=50)
    assert sum(one is None for one in simulation.messages()) == 50
    assert ("homepage-known-company", "open-opportunity") in simulation.missing
    assert simulation.missing_goals == []
    assert simulation.effects()


def test_the_same_seed_gives_the_same_stream(example: Decider, now: datetime) -> None:
    """And another one another."""
    assert messages(simulated(example, now)) == messages(simulated(example, now))
    assert messages(simulated(example, now)) != messages(simulated(example, now, seed=2))


def test_it_is_the_same_tomorrow(example: Decider, now: datetime) -> None:
    """A week later, and at another hour: who comes, what they see, whether they convert; rules that say when apart."""
    same = [simulated(example, now + timedelta(days=days, hours=days % 5), only="pricing-page") for days in (0, 1, 7)]
    first, *others = [([one.body["messageId"] for one in messages(one)], one.effects()) for one in same]
    assert others == [first, first]


@pytest.mark.parametrize(("asked", "only"), [(0.55, "pricing-page"), (0.3, "pricing-page")])
def test_a_split_is_broken_as_it_was_asked_for(example: Decider, now: datetime, asked: float, only: str) -> None:
    """Of every audience, whatever its control share is."""
    simulation = simulated(example, now, only=only, visitors=2_000, personalized=asked)
    groups: dict[str, Counter[bool]] = {}
    seen: set[tuple[str, str]] = set()
    for one in messages(simulation):
        if one.body.get("event") == EXPOSURE and one.body["anonymousId"] not in seen:
            seen.add(one.body["anonymousId"])
            shown = one.body["properties"]
            groups.setdefault(shown["audienceSegment"], Counter())[shown["personalized"]] += 1
    assert len(groups) == 2
    for counted in groups.values():
        assert counted[True] / counted.total() == pytest.approx(asked, abs=0.07)


def test_without_goals_nobody_converts(rules: Callable[[str], Ruleset], now: datetime) -> None:
    """The stream is there all the same."""
    decider = Decider(
        rules(
            "segments: {s: {name: S, when: traits.n > 1}}\n"
            "experiences: {e: {name: E, pages: ['/'], audiences: [{segment: s, "
            "variants: [{key: v, changes: [{selector: h1, text: x}]}]}]}}\n"
        )
    )
    simulation = simulated(decider, now)
    assert {one.body.get("event") for one in messages(simulation)} == {None, EXPOSURE}
    assert simulation.effects() == []

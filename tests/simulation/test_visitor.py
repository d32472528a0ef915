"""One visitor's messages: as Segment's libraries send them, and the store knows of them what the decider was told."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from engine.decide.decider import Decider
from engine.limits import VISITOR_ID_CHARS
from engine.profiles.read import read_profile
from engine.profiles.record import Change, time_ms
from engine.profiles.store import Store
from engine.segment.accept import Envelope, accept
from engine.segment.identity import changes
from engine.segment.message import Message
from engine.simulation.crowd import Kind
from engine.simulation.goals import Event
from engine.simulation.truth import Truth
from engine.simulation.visitor import BACKEND, WEBSITE, Said, Visitor, World

EXPOSURE = "Mutiny Experience Viewed"
DAY_S = 86_400
GOAL = Event("g", "Signed Up", 7 * DAY_S, ({"plan": "pro"},), frozenset({"g"}), ({"plan": "free"},))
FACTS = {
    ("traits", "industry"): "Healthcare", ("traits", "employees"): "40", ("account", "tier"): "free",
    ("traits", "nested", "a"): [1, 2.5], ("geo", "country"): "US",
}  # fmt: skip
KIND = Kind("https://www.example.com/", FACTS)


def world(decider: Decider, *events: Event, rate: float = 0.5, lift: float = 0.2, **more: Any) -> World:
    """What is the same for all."""
    asked = frozenset({"industry", "employees", "nested", "company"})
    made: dict[str, Any] = {"kept": {}, "truth": Truth(), **more}
    return World(decider, tuple(events), rate, lift, 3 * DAY_S * 1000, asked, **made)


def crowd(world: World, now: datetime, count: int = 300, kind: Kind = KIND) -> list[list[Said]]:
    """The messages of some visitors, each in order."""
    chance = random.Random(7)
    return [sorted(Visitor(world, kind, number, time_ms(now), chance).messages()) for number in range(count)]


def taken(said: Said) -> Message:
    """As it is accepted."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=said.received_ms)
    delivery = accept(Envelope(said.body["type"], [msgspec.json.encode(said.body)]), said.source, at)
    assert delivery.rejected == []
    [message] = delivery.messages
    return message


def test_every_message_is_acceptable(example: Decider, now: datetime) -> None:
    """Of every type; the event's time is the one that was meant, and the link is one."""
    types = set()
    for said in [one for messages in crowd(world(example, GOAL), now, 100) for one in messages]:
        message = taken(said)
        types.add((message.type, message.source))
        assert abs(said.received_ms - message.time_ms) <= 60_100
        assert not message.is_linkless
        assert message.visitor_id is None or len(message.visitor_id) <= VISITOR_ID_CHARS
    assert {("identify", WEBSITE), ("page", WEBSITE), ("group", WEBSITE), ("track", BACKEND)} <= types


def test_what_is_decided_is_what_the_store_would_say(
    example: Decider, now: datetime, memory: Callable[[], Store]
) -> None:
    """The same traits, account, user: the exposures of the first visit are what a decision over the store comes to."""
    for messages in crowd(world(example), now, 60):
        store = memory()
        first = [taken(one) for one in messages if one.received_ms < time_ms(now) + 2_000]
        said: list[Change] = [change for one in first for change in changes(one)]
        store.apply(said)
        [visitor_id] = {one.visitor_id for one in first if one.visitor_id}
        profile = read_profile(store, visitor_id)
        assert profile.traits["nested"] == {"a": [1, 2.5]}
        assert "company" not in profile.traits
        given = Visitor(world(example), KIND, 0, time_ms(now), random.Random(1))._view(time_ms(now), 0)
        decision = example.decide(profile, given.page, given.visit, now)
        shown = [json.loads(one.body)["track"]["properties"] for one in decision.assignments]
        assert [json.loads(one.body)["properties"] for one in first if one.event == EXPOSURE] == shown


def test_conversions_come_after_what_was_seen_and_within_the_window(example: Decider, now: datetime) -> None:
    """Whoever converts; what is too early or only looks alike is there as well."""
    early = alike = 0
    for messages in crowd(world(example, GOAL, rate=0.9), now, 800):
        exposed = [one.received_ms for one in messages if one.body.get("event") == EXPOSURE]
        for one in [one for one in messages if one.body.get("event") == "Signed Up"]:
            if one.body["properties"] == {"plan": "free"}:
                alike += 1
            elif one.received_ms < time_ms(now):
                early += 1
            else:
                assert min(exposed) < one.received_ms <= min(exposed) + 7 * DAY_S * 1000 + 61_000
    assert early > 0
    assert alike > 0


def test_rate_and_lift_are_what_was_asked_for(example: Decider, now: datetime) -> None:
    """Both what is said to be true, and about what comes."""
    made = world(example, GOAL, rate=0.3, lift=0.5)
    converted: dict[bool, list[bool]] = {True: [], False: []}
    for messages in crowd(made, now, 2_000):
        exposures = [one.body["properties"] for one in messages if one.body.get("event") == EXPOSURE]
        reached = [one for one in messages if one.body.get("properties") == {"plan": "pro"}]
        late = [one for one in reached if one.received_ms > time_ms(now)]
        converted[exposures[0]["personalized"]].append(bool(late))
    [effect] = made.truth.effects()
    assert effect.control.rate == pytest.approx(0.3)
    assert effect.personalized.rate == pytest.approx(0.45)
    assert effect.lift == pytest.approx(0.5)
    for group, rate, counted in ((False, 0.3, effect.control), (True, 0.45, effect.personalized)):
        assert counted.visitors == len(converted[group])
        assert sum(converted[group]) / len(converted[group]) == pytest.approx(rate, abs=0.06)


def test_links_are_needed_to_bring_both_together(example: Decider, now: datetime) -> None:
    """Some exposures know no user and their conversion knows no device: an identify between them knows both."""
    found = 0
    for messages in crowd(world(example, GOAL, rate=0.9), now):
        exposed = [one.body for one in messages if one.body.get("event") == EXPOSURE]
        backend = [one.body for one in messages if one.source == BACKEND]
        if backend and not any(body.get("userId") for body in exposed):
            linked = {(body.get("anonymousId"), body.get("userId")) for body in (one.body for one in messages)}
            assert (exposed[0]["anonymousId"], backend[0]["userId"]) in linked
            found += 1
    assert found > 10


def test_some_messages_arrive_twice_and_some_visitors_come_again(example: Decider, now: datetime) -> None:
    """The same message has the same id."""
    visits, repeats = [], 0
    for messages in crowd(world(example, GOAL), now):
        ids = [one.body["messageId"] for one in messages]
        repeats += len(ids) - len(set(ids))
        visits.append(len({one.body["messageId"] for one in messages if one.body["type"] == "page"}))
    assert repeats > 0
    assert set(visits) == {1, 2, 3}


def test_a_broken_split_loses_exposures_of_one_group(example: Decider, now: datetime) -> None:
    """Whoever is lost is lost to all their visits, and to the truth."""
    kept = {("homepage-industry", "healthcare"): (0.0, 1.0)}
    made = world(example, GOAL, kept=kept)
    shown = [
        one.body["properties"] for messages in crowd(made, now) for one in messages if one.body.get("event") == EXPOSURE
    ]
    assert {one["personalized"] for one in shown} == {True}
    [effect] = made.truth.effects()
    assert effect.control.visitors == 0


def test_an_event_that_counts_for_two_goals_is_true_of_both(example: Decider, now: datetime) -> None:
    """It is reached by its own event or by the other's."""
    large = Event("large", "Ordered", DAY_S, ({"total": 200},), frozenset({"large", "order"}), ())
    order = Event("order", "Ordered", DAY_S, ({"total": 1},), frozenset({"order"}), ())
    never = Event("never", "Never", DAY_S, (), frozenset({"never"}), ())
    made = world(example, large, order, never, rate=0.1, lift=0.0)
    crowd(made, now, 50)
    rates = {one.goal: one.control.rate for one in made.truth.effects()}
    assert rates == {"large": pytest.approx(0.1), "order": pytest.approx(0.19)}

"""What visitors have, counted: names, kinds, and what texts could be read as."""

from datetime import UTC, datetime

from engine.review.sightings import Sightings
from engine.rules.doubts.seen import SeenTrait
from engine.words import Profile


def test_what_was_seen() -> None:
    """Each trait by root and name, with the kinds of its values."""
    sightings = Sightings()
    sightings.add(Profile("a", {"n": "45", "t": "x", "on": True, "m": {"k": 1}}, {"seats": 5}))
    sightings.add(Profile("b", {"n": 45, "t": "2026-01-01T00:00:00Z", "l": []}, {"seats": 7.5}))
    sightings.add(Profile("c", {"n": "45 people", "t": datetime(2026, 1, 1, tzinfo=UTC), "on": "true"}))
    seen = sightings.seen("the 3 stored visitors")
    assert (seen.whom, sightings.visitors) == ("the 3 stored visitors", 3)
    assert seen.of("traits", "n") == SeenTrait({"string": 2, "number": 1}, {"number": 1})
    assert seen.of("traits", "t") == SeenTrait({"string": 2, "timestamp": 1}, {"timestamp": 1})
    assert seen.of("traits", "on") == SeenTrait({"boolean": 1, "string": 1}, {"boolean": 1})
    assert seen.of("traits", "m") == SeenTrait({"map": 1}, {})
    assert seen.of("traits", "l") == SeenTrait({"list": 1}, {})
    assert seen.of("account", "seats") == SeenTrait({"number": 2}, {})
    assert seen.of("account", "n") is None


def test_nobody() -> None:
    """Of nobody nothing is known."""
    assert not any(Sightings().seen("nobody").roots.values())

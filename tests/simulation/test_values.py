"""What is tried for a path: what conditions compare it with, and what lies around that."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from engine.simulation.values import Path, pool
from engine.words import Ruleset

Rules = Callable[[str], Ruleset]


def pool_of(rules: Rules, condition: str, traits: str = "") -> dict[Path, tuple[Any, ...]]:
    """The values for one condition."""
    text = f"segments:\n  s:\n    name: S\n    when: |-\n      {condition}\n{traits}"
    ruleset = rules(text)
    return pool(ruleset.segments["s"].when, ruleset.traits)


@pytest.mark.parametrize(
    ("condition", "path", "values"),
    [
        ("traits.employees < 50", ("traits", "employees"), {49, 50, 51}),
        ("traits.score >= 0.5", ("traits", "score"), {0.5, 1.5, -0.5}),
        ('traits.plan == "pro"', ("traits", "plan"), {"pro", "other"}),
        ('traits.plan in ["pro", "team"]', ("traits", "plan"), {"pro", "team"}),
        ('"plan" in traits', ("traits", "plan"), {"plan"}),
        ("has(traits.plan)", ("traits", "plan"), {True, "some"}),
        ("traits.is_customer", ("traits", "is_customer"), {True, False}),
        ('traits["a b"] == true', ("traits", "a b"), {True, False}),
        ("double(account.used) / double(account.seats) > 0.8", ("account", "used"), {0.8, 1.8}),
        ('traits.address.city == "Rome"', ("traits", "address", "city"), {"Rome"}),
        ('page.query.utm_medium == "cpc"', ("page", "query", "utm_medium"), {"cpc"}),
        ('page.referrer.contains("google.")', ("page", "referrer"), {"google.", "www.google.com"}),
        ("visit.count >= 3u", ("visit", "count"), {2, 3, 4, 6}),
        ("visit.new", ("visit", "new"), {True, False}),
        ('device.language.startsWith("de")', ("device", "language"), {"de", "de.1"}),
    ],
)
def test_constants_are_tried_with_their_path(rules: Rules, condition: str, path: Path, values: set[Any]) -> None:
    """And their neighbours, as far as the fact can have them."""
    found = pool_of(rules, condition)
    assert values <= {value for value in found[path] if not isinstance(value, list)}


@pytest.mark.parametrize(
    "condition",
    ['"vip" in traits.tags', 'traits.tags.exists(tag, tag == "vip")', 'traits.tags == ["vip"]'],
)
def test_lists_are_tried_where_one_is_looked_into(rules: Rules, condition: str) -> None:
    """With what is looked for."""
    assert ["vip"] in pool_of(rules, condition)["traits", "tags"]


def test_times_are_around_the_visit(rules: Rules) -> None:
    """Where a trait meets `now`, or is declared a timestamp."""
    met = pool_of(rules, 'timestamp(traits.ends) < now + duration("72h")')["traits", "ends"]
    declared = pool_of(rules, 'traits.ends > timestamp("2026-01-01T00:00:00Z")', "traits: {ends: {type: timestamp}}")
    assert {timedelta(days=1), timedelta(days=-1)} <= {one for one in met if isinstance(one, timedelta)}
    assert timedelta(days=1) in declared["traits", "ends"]


@pytest.mark.parametrize(
    "condition", ["salesforce.lead.Score > 1", 'page.path == "/"', 'now > timestamp("2026-01-01T00:00:00Z")', "true"]
)
def test_what_visitors_cannot_bring_along_is_left_out(rules: Rules, condition: str) -> None:
    """Nobody can make it up."""
    assert pool_of(rules, condition) == {}


def test_facts_of_a_view_have_their_types(rules: Rules) -> None:
    """A visit's count is a whole number above 0, a country is text."""
    found = pool_of(rules, 'visit.count > 0 && geo.country != "1" && device.type == "bot"')
    assert all(type(value) is int and value > 0 for value in found["visit", "count"])
    assert all(isinstance(value, str) for value in (*found["geo", "country"], *found["device", "type"]))

"""Facts for which conditions hold are found, and they do hold."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.cel.scope import CONVERSION
from engine.simulation.facts import nested
from engine.simulation.values import Facts, pool
from engine.simulation.wishes import Wish, drawn, fulfilments
from engine.words import Ruleset

Rules = Callable[[str], Ruleset]
NOW = datetime(2026, 11, 25, tzinfo=UTC)
LONG = " && ".join(f'properties.p{n} == "{n}"' for n in range(12))


def roots(facts: Facts) -> Sequence[Any]:
    """The properties alone."""
    return (nested(facts, NOW).get("properties", {}),)


def goal(rules: Rules, where: str) -> tuple[Wish, Any]:
    """The wish for a goal's condition, and the values to try."""
    [one] = rules(f"conversions:\n  g:\n    event: E\n    where: |-\n      {where}\n").goals.values()
    return Wish(one.where, (), CONVERSION), pool(one.where, {})


@pytest.mark.parametrize(
    "where",
    [
        'properties.plan != "free"',
        'properties.currency == "USD" && properties.revenue >= 10000.0',
        'properties.a == 1 || (properties.b == "x" && !properties.c)',
        'has(properties.a) && !("b" in properties)',
        "size(properties.items) > 2 || properties.vip",
        LONG,
    ],
)
def test_it_is_found_by_trying(rules: Rules, where: str) -> None:
    """What people write, and a condition of many parts."""
    wish, tried = goal(rules, where)
    found = fulfilments(wish, tried, roots, random.Random(1))
    assert found
    assert all(wish.held(roots(facts)) == wish.most for facts in found)
    assert fulfilments(wish, tried, roots, random.Random(1)) == found


def test_what_is_not_wanted_may_not_hold(rules: Rules) -> None:
    """An error is not true, so it is no hindrance."""
    ruleset = rules(
        "conversions:\n  g: {event: E, where: 'properties.a > 1'}\n  h: {event: E, where: 'properties.b == \"x\"'}\n"
    )
    good, bad = ruleset.goals["g"].where, ruleset.goals["h"].where
    wish = Wish(good, bad, CONVERSION)
    found = fulfilments(wish, pool([*good, *bad], {}), roots, random.Random(1))
    assert found
    assert all(roots(facts)[0].get("b") != "x" for facts in found)
    assert wish.held(({"a": 2},)) == wish.most == 2
    assert wish.held(({"a": 2, "b": "x"},)) == 1


def test_what_cannot_be_is_not_found(rules: Rules) -> None:
    """And it does not take for ever; nothing to try is nothing found, or all that it takes."""
    wish, tried = goal(rules, "properties.a > 1 && properties.a < 1")
    assert fulfilments(wish, tried, roots, random.Random(1)) == []
    wish, tried = goal(rules, "1 == 2")
    assert fulfilments(wish, tried, roots, random.Random(1)) == []
    wish, tried = goal(rules, "true")
    assert fulfilments(wish, tried, roots, random.Random(1)) == [{}]


def test_any_facts_can_be_drawn() -> None:
    """Some of them, each with one of its values."""
    tried = {("traits", f"t{n}"): (n, -n) for n in range(1, 50)}
    facts = drawn(tried, random.Random(1))
    assert 10 < len(facts) < 40
    assert all(value in tried[path] for path, value in facts.items())

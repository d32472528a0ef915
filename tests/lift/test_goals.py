"""Which events are conversions: CEL over properties, at analysis time, errors being not true."""

import pytest

from engine.cel.parse import parse
from engine.cel.scope import CONVERSION
from engine.lift.goals import Predicate
from engine.lift.statistics import Group
from engine.words import Condition, Goal, Place

PLACE = Place("rules/conversions.yaml", 1, 1)


def goal(*texts):
    return Goal("g", "Signed Up", tuple(Condition(text, PLACE, parse(text, CONVERSION)) for text in texts), 60, PLACE)


@pytest.mark.parametrize(
    ("text", "properties", "holds"),
    [
        ('properties.plan != "free"', '{"plan": "pro"}', True),
        ('properties.plan != "free"', '{"plan": "free"}', False),
        ('properties.plan != "free"', "{}", False),
        ('properties.plan != "free"', None, False),
        ('properties.plan != "free"', '{"plan": null}', False),
        ("properties.revenue >= 100.0", '{"revenue": 100}', True),
        ("properties.revenue >= 100.0", '{"revenue": "100"}', False),
        ('properties.?plan.orValue("free") == "free"', "{}", True),
        ("properties.items.exists(i, i.price > 5)", '{"items": [{"price": 7}]}', True),
        ("!has(properties.address.city)", '{"address": {"city": null}}', True),
        ("true", "{}", True),
        ("true", "[]", False),
        ("true", '{"a": 1e999}', False),
        ("true", "{", False),
        ("properties.n > 0", '{"n": 100000000000000000000000}', True),
    ],
)
def test_conditions(text, properties, holds):
    """True alone is a conversion; what cannot be read is none."""
    assert Predicate(goal(text))(properties) is holds


def test_all_conditions_have_to_be_true():
    """A list of them."""
    both = Predicate(goal('properties.currency == "USD"', "properties.revenue > 5"))
    assert both('{"currency": "USD", "revenue": 6}')
    assert not both('{"currency": "EUR", "revenue": 6}')
    assert not both('{"currency": "USD", "revenue": 5}')


def test_a_goal_that_is_added_today_counts_what_came_before(stream, counted):
    """The same log, other rules: three goals on one event, with and without conditions."""
    for number, plan in enumerate(["free", "pro", "pro", None]):
        stream.shown(0, f"a{number}", personalized=True)
        stream.converted(1, f"a{number}", **({"plan": plan} if plan else {}))
    stream.converted(1, "a0", event="Another Event", plan="pro")
    goals = """\
  any: {event: Signed Up}
  paid: {event: Signed Up, where: properties.plan != "free"}
  free: {event: Signed Up, where: properties.plan == "free"}
  it's: {event: It's Another}
""".replace("it's:", "other:")
    lines = counted(conversions=goals).figures
    assert {line.goal: line.closed.personalized for line in lines} == {
        "any": Group(4, 4),
        "paid": Group(4, 2),
        "free": Group(4, 1),
        "other": Group(4, 0),
    }

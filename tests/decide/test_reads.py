"""Law: nobody can tell whether the parts of a profile that a page's rules do not ask for were read."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.cel.parse import parse
from engine.cel.scope import ROOTS
from engine.compile.segments import segment as compiled
from engine.decide.reads import Readings, members, wanted
from engine.profiles.read import Wanted
from engine.words import Change, Condition, Insert, Place, Segment

PLACE = Place("rules/r.yaml", 1, 1)


def segment(text: str, checked: bytes) -> Segment:
    """A segment of one condition."""
    return Segment("s", "S", (Condition(text, PLACE, checked),), (), PLACE)


def asked(make: Any, *when: str, excepts: tuple[str, ...] = (), **fields: Any) -> list[str]:
    """What an experience of one segment asks for, as people write it."""
    experience = make.experience("e", fields.pop("audience", "s"), **fields)
    return sorted(map(".".join, Readings().of([experience], {"s": make.segment("s", *when, excepts=excepts)})))


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("traits.plan == 'pro'", ["traits.plan"]),
        ("!has(traits.plan) || traits['a b'] == 1", ["traits.a b", "traits.plan"]),
        ("traits.?plan.orValue('free') == 'free'", ["traits.plan"]),
        ("'plan' in traits && 'x' in traits.list", ["traits.list", "traits.plan"]),
        ("traits.address.city == 'Rome'", ["traits.address"]),
        ("traits.tags.exists(t, t == account.tag)", ["account.tag", "traits.tags"]),
        ("traits.exists(name, name == 'x')", ["traits"]),
        ("traits[account.name] == 1", ["account.name", "traits"]),
        ("size(account) > 2", ["account"]),
        ("has(salesforce.lead)", ["salesforce.lead"]),
        ("salesforce.contact.Title == 'CTO'", ["salesforce.contact.Title"]),
        ("'lead' in salesforce", ["salesforce.lead"]),
        ("salesforce.exists(kind, kind == 'lead')", ["salesforce"]),
        ("[1].exists(traits, traits == 1)", ["traits"]),
        ("page.query.utm == 'x' && visit.new && now > timestamp('2026-01-01T00:00:00Z')",
         ["now", "page.query", "visit.new"]),
        ("true", []),
    ],
)  # fmt: skip
def test_a_condition_asks_for_what_it_names(make: Any, text: str, paths: list[str]) -> None:
    """A member by its name, whatever is asked of it; the whole map where its use says no name."""
    assert asked(make, text) == paths


def test_slots_ask_too(make: Any) -> None:
    """Wherever they stand; and every condition does, those of `except` as well."""
    changes = [
        Change(selector="a", text=(make.slot("traits.company"),)),
        Change(selector="b", html=("x", make.slot("account.name.first"))),
        Change(selector="c", attributes={"href": (make.slot("salesforce.lead.Id.x"),)}),
        Change(selector="d", insert=Insert("before", (make.slot("page.title"),))),
        Change(redirect=(make.slot("visit.count"),)),
    ]
    audience = make.audience("s", make.variant("v", *changes))
    assert asked(make, "traits.a", "traits.b", excepts=("traits.c",), audience=audience) == [
        *("account.name", "page.title", "salesforce.lead.Id", "traits.a", "traits.b", "traits.c", "traits.company"),
        "visit.count",
    ]


def test_what_is_wanted_of_a_profile(make: Any) -> None:
    """Names for each map; the ids only where somebody is drawn by them."""
    paths = frozenset({("traits", "a"), ("salesforce", "lead"), ("salesforce", "contact", "T"), ("page", "title")})
    none: frozenset[str] = frozenset()
    plain = Wanted(frozenset("a"), none, None, frozenset("T"), user_id=False, account_id=False)
    assert wanted([make.experience("e")], paths) == plain
    by = [make.experience(key, split_by=key) for key in ("user", "account")]
    assert wanted(by, frozenset({("salesforce",)})) == Wanted(none, none, None, None)
    assert members(paths, ("page",)) == {"title"}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_rest_makes_no_difference(grammar: Any, make: Any, data: st.DataObject) -> None:
    """Any condition answers of the members that it asks for as of all; of Salesforce's records it is seen which are."""
    text = data.draw(grammar.conditions)
    roots = data.draw(grammar.visitors())
    made = segment(text, parse(text))
    paths = Readings().of([make.experience("e", "s")], {"s": made})
    cut = list(roots)
    for place, root in enumerate(ROOTS[:2]):
        cut[place] = kept(roots[place], members(paths, (root,)))
    cut[2] = {kind: kept(record, members(paths, ("salesforce", kind))) or record for kind, record in roots[2].items()}
    answer = compiled(made)
    assert answer(*cut) == answer(*roots)


def kept(known: dict[str, Any], names: frozenset[str] | None) -> dict[str, Any]:
    """These members alone."""
    return known if names is None else {name: value for name, value in known.items() if name in names}


def test_readings_are_taken_over(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the ruleset before, until that is forgotten; a tree is read once."""
    experiences, segments = [make.experience("e", "s")], {"s": make.segment("s")}
    first = Readings()
    paths = first.of(experiences, segments)
    assert list(first.parts()) == [paths]
    monkeypatch.setattr("engine.decide.reads.read", None)
    assert first.of(experiences, segments) == paths
    second = Readings(first)
    assert second.of(experiences, segments) == paths
    third = Readings(second)
    third.alone()
    with pytest.raises(TypeError):
        third.of(experiences, segments)

"""Facts as a page view: each where a decider looks for it."""

from datetime import datetime, timedelta

from engine.simulation.facts import nested, view
from engine.words import Page, Profile, Visit

URL = "https://www.example.com/"
WHO = Profile("v1", {"firstName": "Ada"}, {"id": 1}, user_id="u1", account_id="g1")


def test_facts_of_every_kind_go_where_they_belong(now: datetime) -> None:
    """What is known beside them stays."""
    facts = {
        ("traits", "plan"): "pro", ("traits", "ends"): timedelta(days=1), ("account", "seats"): 5,
        ("page", "query", "utm"): "a b", ("page", "referrer"): "https://google.com/", ("page", "title"): "T",
        ("visit", "count"): 3, ("device", "type"): "bot", ("geo", "country"): "DE",
    }  # fmt: skip
    given = view(facts, URL, now, WHO)
    traits = {"firstName": "Ada", "plan": "pro", "ends": "2026-11-26T12:00:00Z"}
    assert given.profile == Profile("v1", traits, {"id": 1, "seats": 5}, user_id="u1", account_id="g1")
    assert given.page == Page(f"{URL}?utm=a+b", "https://google.com/", "T")
    assert given.visit == Visit(3, new=False, device={"type": "bot"}, geo={"country": "DE"})
    assert given.now == now


def test_a_stranger_is_here_for_the_first_time(now: datetime) -> None:
    """And is not new the second time."""
    assert view({}, URL, now, WHO).visit == Visit(1, new=True)
    assert view({}, URL, now, WHO, 2).visit == Visit(3, new=False)
    assert view({("visit", "new"): True}, URL, now, WHO, 1).visit == Visit(2, new=False)


def test_a_query_is_added_to_one_that_is_there(now: datetime) -> None:
    """As an address has it."""
    assert view({("page", "query", "a"): "1"}, f"{URL}?b=2", now, WHO).page.url == f"{URL}?b=2&a=1"


def test_objects_in_objects(now: datetime) -> None:
    """A path that goes through a value is the one that counts."""
    facts = {("traits", "address", "city"): "Rome", ("traits", "address"): "text", ("traits", "a", "b", "c"): 1}
    assert nested(facts, now) == {"traits": {"address": {"city": "Rome"}, "a": {"b": {"c": 1}}}}

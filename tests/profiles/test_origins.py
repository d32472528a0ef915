"""Where everything comes from: the way through the records, and that what counts is what a decision gets."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.profiles.ids import key
from engine.profiles.origins import Held, Origins, origins, to_json
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.store import Store


def said(kind: Any, id_: str, at: int, traits: dict[str, Any] | None = None, origin: str = "", **links: str) -> Change:
    """A change, in one line."""
    return Change(key(kind, id_), at, traits or {}, links, origin)  # type: ignore[arg-type]


def counting(held: tuple[Held, ...]) -> dict[str, Any]:
    """What counts of it."""
    return {one.name: one.value for one in held if one.state == "counts"}


def of_ada(store: Store) -> Origins:
    """What is known of the visitor `ada`."""
    return origins(store, key("visitor", "ada"))


def test_the_whole_way(store: Store) -> None:
    """From the visitor to the account and the lead: each record, by whose word it is linked, and what it holds."""
    store.apply(
        [
            said("visitor", "ada", 1, {"plan": "free", "lang": "de"}, "import"),
            said("visitor", "ada", 2, None, "website identify", anonymous="a1"),
            said("anonymous", "a1", 2, {"plan": "trial"}, "website identify"),
            said("anonymous", "a1", 3, None, "website track", user="u1"),
            said("user", "u1", 4, {"plan": "team", "email": " Ada@X.io ", "lang": None}, "backend identify"),
            said("user", "u1", 5, None, "backend group", group="acme"),
            said("group", "acme", 5, {"seats": 7}, "backend group"),
            said("lead", "ada@x.io", 6, {"Status": "Open"}, "salesforce"),
        ]
    )
    found = of_ada(store)
    assert [(step.kind, step.id, step.linked_ms, step.origin) for step in found.steps] == [
        ("visitor", "ada", None, ""),
        ("anonymous", "a1", 2, "website identify"),
        ("user", "u1", 3, "website track"),
        ("group", "acme", 5, "backend group"),
        ("lead", "ada@x.io", 4, "backend identify"),
    ]
    assert [(one.name, one.value, one.state, one.kind, one.time_ms, one.origin) for one in found.traits] == [
        ("email", " Ada@X.io ", "counts", "user", 4, "backend identify"),
        ("lang", None, "removed", "user", 4, "backend identify"),
        ("lang", "de", "covered", "visitor", 1, "import"),
        ("plan", "team", "counts", "user", 4, "backend identify"),
        ("plan", "trial", "covered", "anonymous", 2, "website identify"),
        ("plan", "free", "covered", "visitor", 1, "import"),
    ]
    assert (counting(found.account), counting(found.lead), found.contact) == ({"seats": 7}, {"Status": "Open"}, ())


def test_a_shared_device(store: Store) -> None:
    """Until when another user had it, and that nothing of its own counts."""
    store.apply(
        [
            said("visitor", "ada", 1, anonymous="a1"),
            said("anonymous", "a1", 2, {"plan": "theirs"}, user="u1"),
            said("anonymous", "a1", 5, {"lang": "en"}, user="u2"),
        ]
    )
    found = of_ada(store)
    user = found.steps[2]
    assert (user.id, user.other_ms, user.found) == ("u2", 2, False)
    assert [(one.name, one.value, one.state) for one in found.traits] == [("lang", "en", "withheld")]


@pytest.mark.parametrize("kind", ["visitor", "anonymous", "user", "group"])
def test_whom_nobody_knows(store: Store, kind: Any) -> None:
    """One step, that is not found."""
    found = origins(store, key(kind, "nobody"))
    assert (found.known, len(found.steps), found.traits, found.account) == (False, 1, (), ())


def test_what_is_deleted(store: Store) -> None:
    """Since when there is nothing."""
    store.apply([said("user", "u1", 1, {"plan": "team"}), Change(key("user", "u1"), 5, deletes=True)])
    found = origins(store, key("user", "u1"))
    assert (found.known, found.steps[0].deleted_ms, found.traits) == (True, 5, ())


def test_the_form_for_programs(store: Store) -> None:
    """Plain JSON: times as text, source and event apart, a removed trait with null."""
    at = 1_780_315_200_000
    store.apply(
        [
            said(
                "anonymous", "a1", at, {"plan": "free", "since": datetime(2026, 1, 1, tzinfo=UTC)}, "website identify"
            ),
            said("anonymous", "a1", at + 1, {"plan": None}, "import", group="acme"),
        ]
    )
    plain = json.loads(json.dumps(to_json(origins(store, key("anonymous", "a1")))))
    assert plain["records"][1] == {
        "kind": "group",
        "id": "acme",
        "found": False,
        "damaged": False,
        "source": "import",
        "event": None,
        "linkedAt": "2026-06-01T12:00:00.001000Z",
        "otherUntil": None,
        "deletedUntil": None,
    }
    plan, since = plain["traits"]
    assert plan == {
        "name": "plan",
        "value": None,
        "state": "removed",
        "setAt": "2026-06-01T12:00:00.001000Z",
        "source": "import",
        "event": None,
        "record": {"kind": "anonymous", "id": "a1"},
    }
    assert (since["value"], since["source"], since["event"]) == ("2026-01-01T00:00:00Z", "website", "identify")
    assert (plain["account"], plain["lead"], plain["contact"]) == ([], [], [])


def test_an_account(store: Store) -> None:
    """Its traits are account traits, and it leads nowhere."""
    store.apply([said("group", "acme", 5, {"seats": 7, "old": None}, "backend group")])
    found = origins(store, key("group", "acme"))
    assert [(one.name, one.state) for one in found.account] == [("old", "removed"), ("seats", "counts")]
    assert ([step.kind for step in found.steps], found.traits) == (["group"], ())


VALUES = st.sampled_from([None, "x", "y", "ada@x.io"])
TRAITS = st.dictionaries(st.sampled_from(["plan", "lang", "email"]), VALUES, max_size=2)
TIMES = st.integers(1, 6)
DEVICES, USERS, ACCOUNTS = (st.sampled_from(ids) for ids in (["a1", "a2"], ["u1", "u2"], ["g1", "g2"]))
FORGET = st.sampled_from([key("visitor", "ada"), key("anonymous", "a1"), key("user", "u1")])
CHANGES = st.one_of(
    st.builds(said, st.just("visitor"), st.just("ada"), TIMES, TRAITS, anonymous=DEVICES),
    st.builds(said, st.just("visitor"), st.just("ada"), TIMES, TRAITS, user=USERS),
    st.builds(said, st.just("visitor"), st.just("ada"), TIMES, TRAITS, group=ACCOUNTS),
    st.builds(said, st.just("anonymous"), DEVICES, TIMES, TRAITS, user=USERS),
    st.builds(said, st.just("anonymous"), DEVICES, TIMES, TRAITS, group=ACCOUNTS),
    st.builds(said, st.just("user"), USERS, TIMES, TRAITS, group=ACCOUNTS),
    st.builds(said, st.sampled_from(["user", "anonymous"]), st.sampled_from(["u1", "a1"]), TIMES, TRAITS),
    st.builds(said, st.just("group"), ACCOUNTS, TIMES, TRAITS),
    st.builds(said, st.sampled_from(["lead", "contact"]), st.just("ada@x.io"), TIMES, TRAITS),
    st.builds(Change, FORGET, TIMES, deletes=st.just(value=True)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CHANGES, max_size=12))
def test_what_counts_is_what_a_decision_gets(store: Store, changes: list[Change]) -> None:
    """Whatever was said of whom: the same values, the same user, the same account."""
    store.delete([row[0] for row in store.scan()])
    store.apply(changes)
    found, profile = of_ada(store), read_profile(store, "ada")
    assert counting(found.traits) == profile.traits
    assert counting(found.account) == profile.account
    assert (counting(found.lead), counting(found.contact)) == (profile.lead, profile.contact)
    ids = {step.kind: step.id for step in found.steps}
    assert (ids.get("user"), ids.get("group")) == (profile.user_id, profile.account_id)

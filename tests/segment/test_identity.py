"""Whose traits and links a message means, and which names it shows. The laws stand in files of their own."""

from typing import Any

import pytest

from engine.profiles.ids import Key, key
from engine.profiles.record import Change
from engine.segment.identity import changes, identities, person_of, sightings
from engine.segment.message import Message, understood

HOUR_MS = 1_764_068_400_000
TIME_MS = HOUR_MS + 1_799_000
ANN, DEVICE, VISITOR, ACME = key("user", "ann"), key("anonymous", "a1"), key("visitor", "v1"), key("group", "acme")


def message(type_: str, traits: Any = None, source: str = "website", **fields: Any) -> Message:
    """A message as the log keeps it; `traits` are the person's, or in a group call the account's."""
    body = {"type": type_, "messageId": "m1", "timestamp": "2025-11-25T11:29:59.000Z", "event": "Signed Up", **fields}
    if traits is not None:
        body |= {"traits": traits} if type_ in {"identify", "group"} else {"context": {"traits": traits}}
    return understood(body, source, TIME_MS)


def said(found: Message) -> dict[Key, tuple[dict[str, Any], dict[str, str]]]:
    """What it changes: traits and links, by key; each at its time, by its origin."""
    made = changes(found)
    assert {(change.time_ms, change.origin) for change in made} <= {(TIME_MS, f"website {found.type}")}
    assert len({change.key for change in made}) == len(made)
    return {change.key: (dict(change.traits), dict(change.links)) for change in made}  # type: ignore[arg-type]


def test_an_anonymous_person_has_the_traits_of_the_device() -> None:
    """Until there is a user."""
    assert said(message("identify", {"plan": "pro"}, anonymousId="a1")) == {DEVICE: ({"plan": "pro"}, {})}


def test_a_user_has_their_own_and_is_linked() -> None:
    """The device's record has the link and nothing else."""
    assert said(message("identify", {"plan": "pro"}, anonymousId="a1", userId="ann")) == {
        ANN: ({"plan": "pro"}, {}),
        DEVICE: ({}, {"user": "ann"}),
    }


@pytest.mark.parametrize("type_", ["track", "page", "screen"])
def test_traits_in_the_context_count_everywhere(type_: str) -> None:
    """And so does a user id beside an anonymous one."""
    assert said(message(type_, {"plan": "pro"}, anonymousId="a1", userId="ann")) == {
        ANN: ({"plan": "pro"}, {}),
        DEVICE: ({}, {"user": "ann"}),
    }
    assert said(message(type_, anonymousId="a1")) == {}


def test_a_visitor_is_linked_to_the_device() -> None:
    """`identify(null, {mutinyVisitorId})`; it is no trait."""
    assert said(message("identify", {"mutinyVisitorId": "v1"}, anonymousId="a1", userId=None)) == {
        VISITOR: ({}, {"anonymous": "a1"})
    }


def test_a_server_links_a_visitor_to_the_user() -> None:
    """It knows no anonymous id."""
    assert said(message("identify", {"mutinyVisitorId": "v1", "plan": "pro"}, userId="ann")) == {
        VISITOR: ({}, {"user": "ann"}),
        ANN: ({"plan": "pro"}, {}),
    }


def test_an_alias_links_who_somebody_was_before() -> None:
    """The previous id was an anonymous one; beside it another device may be named."""
    assert said(message("alias", previousId="a1", userId="ann")) == {DEVICE: ({}, {"user": "ann"})}
    assert said(message("alias", previousId="a1", userId="ann", anonymousId="a2")) == {
        DEVICE: ({}, {"user": "ann"}),
        key("anonymous", "a2"): ({}, {"user": "ann"}),
    }


def test_an_alias_of_oneself_says_nothing() -> None:
    """The browser sends it for somebody who is identified already."""
    assert said(message("alias", previousId="ann", userId="ann")) == {}


def test_a_group_call_tells_of_the_account_and_who_belongs_to_it() -> None:
    """The user if there is one, or else the device; the account's traits are the account's."""
    assert said(message("group", {"seats": 5}, groupId="acme", userId="ann", anonymousId="a1")) == {
        ACME: ({"seats": 5}, {}),
        ANN: ({}, {"group": "acme"}),
        DEVICE: ({}, {"user": "ann"}),
    }
    assert said(message("group", groupId="acme", anonymousId="a1")) == {DEVICE: ({}, {"group": "acme"})}
    assert said(message("group", {"seats": 5}, groupId="acme")) == {ACME: ({"seats": 5}, {})}


def test_a_group_in_the_context_is_the_link_alone() -> None:
    """Of any other message."""
    found = message("track", userId="ann", context={"groupId": "acme", "traits": {"plan": "pro"}})
    assert said(found) == {ANN: ({"plan": "pro"}, {"group": "acme"})}


@pytest.mark.parametrize(
    ("fields", "who"),
    [
        ({"userId": "ann"}, ANN),
        ({"kind": "user", "id": "ann"}, ANN),
        ({"kind": "anonymous", "id": "a1"}, DEVICE),
        ({"kind": "visitor", "id": "v1"}, VISITOR),
    ],
)
def test_a_deletion_deletes_what_it_names(fields: dict[str, str], who: Key) -> None:
    """Until its time."""
    assert changes(message("delete", **fields)) == [Change(who, TIME_MS, origin="website delete", deletes=True)]
    assert seen(message("delete", **fields)) == {}


def test_a_removed_trait_is_said_to_be() -> None:
    """None, as records have it."""
    assert said(message("identify", {"plan": None}, userId="ann")) == {ANN: ({"plan": None}, {})}


def test_everybody_who_is_named() -> None:
    """The user first; the person is the user, or else the device."""
    everybody = message("identify", {"mutinyVisitorId": "v1"}, anonymousId="a1", userId="ann")
    assert identities(everybody) == [ANN, DEVICE, VISITOR]
    assert person_of(everybody) == ANN
    assert identities(message("alias", previousId="a1", userId="ann")) == [ANN, DEVICE]
    assert person_of(message("page", anonymousId="a1")) == DEVICE
    assert person_of(message("group", groupId="acme")) is None


def seen(found: Message, *, source: bool = False) -> dict[str, dict[str, Any]]:
    """The name records that a message shows, by name, with each register's time; sources, or all the others."""
    names: dict[str, dict[str, Any]] = {}
    for change in sightings(found):
        for name, value in change.traits.items():
            names.setdefault(change.key.decode(), {})[name] = (change.time_ms, value)
    return {name: held for name, held in names.items() if name.startswith("n:source:") is source}


def test_names_are_seen_by_the_hour() -> None:
    """The first time under its negation, so that the earliest stays; the last one and the source as they are."""
    known = {"first": (-HOUR_MS, HOUR_MS), "last": (HOUR_MS, HOUR_MS), "source:website": (HOUR_MS, True)}
    assert seen(message("track", anonymousId="a1")) == {"n:event:Signed Up": known}
    assert seen(message("identify", {"plan": "pro", "left": None, "mutinyVisitorId": "v1"}, userId="ann")) == {
        "n:trait:plan": known,
        "n:trait:mutinyVisitorId": known,
    }
    assert seen(message("group", {"plan": "pro"}, groupId="acme", userId="ann")) == {"n:account:plan": known}
    none = message("identify", {"mutinyVisitorId": "no visitor id"}, userId="ann")
    assert seen(none) == {"n:unusable:mutinyVisitorId": known}


def test_a_source_is_seen_by_the_minute() -> None:
    """With every message, deletions too, by the time at which it came."""
    for found in (message("page", userId="ann"), message("delete", userId="ann")):
        [(name, known)] = seen(found, source=True).items()
        assert (name, known["last"]) == ("n:source:website", (TIME_MS // 60_000 * 60_000,) * 2)


def test_a_value_is_never_part_of_a_name_record() -> None:
    """So a deletion needs nothing there."""
    found = sightings(message("identify", {"email": "ann@example.com"}, userId="ann"))
    assert "ann" not in str(found)


def test_a_name_too_long_for_a_key_is_not_noted() -> None:
    """The trait itself is kept all the same."""
    long = message("identify", {"x" * 500: 1}, userId="ann")
    assert seen(long) == {}
    assert len(changes(long)) == 1

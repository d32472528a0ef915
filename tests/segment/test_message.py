"""What a message in its kept form says, of each type; what each must name."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.segment.message import Message, deletion, made_id, understood
from engine.segment.reasons import Unacceptable

RECEIVED_MS = 1_764_072_000_000  # 2025-11-25T12:00:00Z
NOW = datetime.fromtimestamp(RECEIVED_MS / 1000, UTC)


def message(type_: Any, **fields: Any) -> Message:
    """The message with these fields."""
    body = {"messageId": "m1", "timestamp": "2025-11-25T11:59:59.000Z", **fields, "type": type_}
    return understood(body, "website", RECEIVED_MS)


def refusal(type_: Any, **fields: Any) -> str:
    """The code with which such a message is refused."""
    with pytest.raises(Unacceptable) as refused:
        message(type_, **fields)
    return refused.value.code


def test_identify() -> None:
    """Its own traits are the person's; the visitor id among them is a link and no trait."""
    found = message(
        "identify",
        userId=None,
        anonymousId="a1",
        traits={"plan": "pro", "left": None, "address": {"city": "Köln", "zip": None}, "mutinyVisitorId": "v-1"},
    )
    assert (found.type, found.source, found.message_id) == ("identify", "website", "m1")
    assert (found.received_ms, found.time_ms) == (RECEIVED_MS, RECEIVED_MS - 1000)
    assert (found.anonymous_id, found.user_id, found.visitor_id) == ("a1", None, "v-1")
    assert found.traits == {"plan": "pro", "left": None, "address": {"city": "Köln"}}
    assert json.loads(found.body)["traits"]["mutinyVisitorId"] == "v-1"


def test_context_traits_where_identify_has_none() -> None:
    """Phones send them with everything; identify's own count alone where there are any."""
    context = {"traits": {"plan": "free", "mutinyVisitorId": 7}}
    assert message("identify", userId="u1", traits=None, context=context).traits == {"plan": "free"}
    assert message("identify", userId="u1", traits={"a": 1}, context=context).traits == {"a": 1}
    assert message("track", userId="u1", event="x", context=context).visitor_id == "7"


@pytest.mark.parametrize("type_", ["track", "page", "screen"])
def test_what_people_do(type_: str) -> None:
    """Traits of theirs are none, those in the context are the person's; the context's group is theirs."""
    found = message(
        type_,
        userId="u1",
        anonymousId="a1",
        event="Signed Up",
        traits={"x": 1},
        context={"traits": {"plan": "pro"}, "groupId": 5},
    )
    assert (found.user_id, found.anonymous_id, found.group_id, found.traits) == ("u1", "a1", "5", {"plan": "pro"})
    assert found.event == ("Signed Up" if type_ == "track" else None)


def test_group() -> None:
    """Its traits are the account's; the context's are the person's still."""
    found = message(
        "group", userId="u1", groupId="g1", traits={"plan": "x"}, context={"groupId": "g2", "traits": {"plan": "y"}}
    )
    assert (found.group_id, found.account_traits, found.traits) == ("g1", {"plan": "x"}, {"plan": "y"})


def test_a_group_of_which_nobody_speaks() -> None:
    """A server tells of the account alone; or who said it was deleted."""
    found = message("group", groupId="g1", traits={"plan": "x"})
    assert (found.user_id, found.anonymous_id, found.account_traits) == (None, None, {"plan": "x"})


def test_alias() -> None:
    """Two ids."""
    found = message("alias", userId="u1", previousId="a1")
    assert (found.user_id, found.previous_id) == ("u1", "a1")


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ({"userId": "u1"}, ("u1", None, None)),
        ({"kind": "user", "id": "u1"}, ("u1", None, None)),
        ({"kind": "anonymous", "id": "a1"}, (None, "a1", None)),
        ({"kind": "visitor", "id": "v1"}, (None, None, "v1")),
    ],
)
def test_deletions(fields: dict[str, str], ids: tuple[str | None, ...]) -> None:
    """As Segment writes them, and as we do."""
    found = message("delete", **fields)
    assert (found.user_id, found.anonymous_id, found.visitor_id) == ids


def test_a_deletion_deletes_nothing_that_comes_later() -> None:
    """However far the clock of whoever asked is ahead."""
    assert message("delete", userId="u1", timestamp="2025-11-25T12:04:00Z").time_ms == RECEIVED_MS
    assert message("page", userId="u1", timestamp="2025-11-25T12:04:00Z").time_ms == RECEIVED_MS + 240_000


def test_an_admins_deletion_is_a_message_like_any_other() -> None:
    """Read back from the log it is the same."""
    made = deletion("anonymous", "a1", "admin", NOW)
    assert (made.type, made.anonymous_id, made.time_ms) == ("delete", "a1", RECEIVED_MS)
    assert understood(json.loads(made.body), "admin", RECEIVED_MS) == made
    assert deletion("user", "a1", "admin", NOW).message_id != made.message_id


@pytest.mark.parametrize(
    ("type_", "fields", "code"),
    [
        (None, {"userId": "u1"}, "unknown-type"),
        ("Track", {"userId": "u1"}, "unknown-type"),
        ([], {"userId": "u1"}, "unknown-type"),
        ("identify", {}, "missing-person"),
        ("page", {"userId": None, "anonymousId": ""}, "missing-person"),
        ("page", {"userId": "null", "anonymousId": None}, "placeholder-id"),
        ("page", {"userId": 0}, "placeholder-id"),
        ("group", {"groupId": "g1", "userId": "null"}, "placeholder-id"),
        ("group", {"userId": "u1"}, "missing-group-id"),
        ("group", {"userId": "u1", "context": {"groupId": "g1"}}, "missing-group-id"),
        ("group", {"userId": "u1", "groupId": "undefined"}, "placeholder-id"),
        ("alias", {"userId": "u1"}, "missing-previous-id"),
        ("alias", {"previousId": "a1", "anonymousId": "a1"}, "missing-user-id"),
        ("alias", {"previousId": "a1", "userId": "-1"}, "placeholder-id"),
        ("track", {"userId": "u1"}, "missing-event"),
        ("track", {"userId": "u1", "event": "  "}, "missing-event"),
        ("track", {"userId": "u1", "event": 5}, "missing-event"),
        ("track", {"event": "x"}, "missing-person"),
        ("page", {"userId": "u" * 500}, "bad-id"),
        ("page", {"userId": "u1", "context": {"groupId": {}}}, "bad-id"),
        ("page", {"userId": "u1", "messageId": {}}, "bad-id"),
        ("page", {"userId": "u1", "messageId": None}, "bad-id"),
        ("page", {"userId": "u1", "context": "x"}, "wrong-type"),
        ("page", {"userId": "u1", "context": {"traits": 5}}, "wrong-type"),
        ("page", {"userId": "u1", "properties": "x"}, "wrong-type"),
        ("identify", {"userId": "u1", "traits": "x"}, "wrong-type"),
        ("group", {"userId": "u1", "groupId": "g1", "traits": ["x"]}, "wrong-type"),
        ("identify", {"userId": "u1", "traits": dict.fromkeys(map(str, range(1001)))}, "bad-traits"),
        ("delete", {}, "missing-user-id"),
        ("delete", {"userId": "null"}, "missing-user-id"),
        ("delete", {"kind": "animal", "id": "g1"}, "missing-user-id"),
        ("delete", {"kind": "user", "id": 7}, "missing-user-id"),
        ("delete", {"kind": [], "id": "g1"}, "missing-user-id"),
        ("delete", {"kind": "visitor", "id": "v 1"}, "bad-id"),
    ],
)
def test_what_is_refused(type_: Any, fields: dict[str, Any], code: str) -> None:
    """By a code for each reason."""
    assert refusal(type_, **fields) == code


@pytest.mark.parametrize("value", [None, "", "v 1", "x" * 129, "undefined", True, {}, [], 1.5])
def test_what_is_no_visitor_id_is_nothing(value: Any) -> None:
    """Neither a link nor a trait, and no reason to refuse the rest."""
    found = message("identify", anonymousId="a1", traits={"mutinyVisitorId": value, "a": 1})
    assert (found.visitor_id, found.traits) == (None, {"a": 1})
    assert found.is_linkless is (value is not None)


def test_made_ids_differ_by_every_part() -> None:
    """And by where one part ends."""
    assert len({made_id(), made_id("a"), made_id("b"), made_id("a", "b"), made_id("ab"), made_id(b"a", "c")}) == 6
    assert made_id("a") == made_id(b"a")

"""Each message is judged by itself: what it gets while it arrives, what is refused and why, what is not for us."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.limits import MESSAGE_BYTES
from engine.segment.accept import Delivery, Rejection, accept, again, opened
from engine.segment.envelope import Envelope
from engine.segment.message import Message

NOW = datetime(2026, 11, 25, 12, 0, 0, 5000, tzinfo=UTC)
TRACK = {"type": "track", "anonymousId": "a1", "event": "Signed Up", "messageId": "m1"}


def sent(*messages: Any, call: str = "batch", **said: Any) -> Delivery:
    """What becomes of these messages in one batch, or of one with a call of its own."""
    body = {"batch": list(messages), **said} if call == "batch" else messages[0]
    return accept(opened(json.dumps(body).encode(), call), "website", NOW)


def one(*messages: Any, **said: Any) -> Message:
    """The one message that was taken."""
    delivery = sent(*messages, **said)
    assert delivery.rejected == []
    [message] = delivery.messages
    return message


def refused(*messages: Any, **said: Any) -> Rejection:
    """The one message that was refused."""
    delivery = sent(*messages, **said)
    assert delivery.messages == []
    [rejection] = delivery.rejected
    return rejection


def body_of(message: Message) -> dict[str, Any]:
    """What the log keeps."""
    return dict(json.loads(message.body))


def test_what_was_sent_is_kept_and_what_is_missing_is_added() -> None:
    """Unknown fields stay; type, messageId, and the four times are there."""
    message = one(
        {**TRACK, "timestamp": "2026-11-25T11:59:57.000Z", "_metadata": {"x": [None]}, "odd": None},
        sentAt="2026-11-25T12:00:00.000Z",
    )
    assert body_of(message) == {
        **TRACK,
        "_metadata": {"x": [None]},
        "odd": None,
        "timestamp": "2026-11-25T11:59:57.005Z",
        "originalTimestamp": "2026-11-25T11:59:57.000Z",
        "sentAt": "2026-11-25T12:00:00.000Z",
        "receivedAt": "2026-11-25T12:00:00.005Z",
    }
    assert (message.received_ms - message.time_ms, message.source) == (3000, "website")


def test_the_write_key_is_not_kept() -> None:
    """Neither in a message that is taken nor in one that is refused, readable or not."""
    assert b"topsecret" not in one({**TRACK, "writeKey": "topsecret"}, call="track").body
    assert b"topsecret" not in refused({"writeKey": "topsecret"}, call="track").raw
    unreadable = accept(opened(b'{"writeKey": "topsecret", "a": NaN}', "track"), "website", NOW)
    assert [b"topsecret" in rejection.raw for rejection in unreadable.rejected] == [False]


def test_what_the_batch_says_counts_for_each_message() -> None:
    """Its own members count more."""
    message = one(
        {**TRACK, "context": {"locale": "de", "groupId": "g2"}},
        context={"groupId": "g1", "traits": {"plan": "pro"}},
        integrations={"Other": False},
    )
    assert (message.group_id, message.traits) == ("g2", {"plan": "pro"})
    assert body_of(message)["context"] == {"groupId": "g2", "traits": {"plan": "pro"}, "locale": "de"}
    assert body_of(message)["integrations"] == {"Other": False}


@pytest.mark.parametrize("call", ["identify", "page", "screen"])
def test_the_path_says_the_type_of_a_single_call(call: str) -> None:
    """Whatever the body says."""
    assert one({"userId": "u1", "type": "track"}, call=call).type == call
    assert one({"userId": "u1"}, call=call).type == call


@pytest.mark.parametrize(
    ("integrations", "ours"),
    [
        (None, True),
        ({}, True),
        ([], True),
        ({"All": True}, True),
        ({"All": False}, False),
        ({"Mutiny": False}, False),
        ({"All": False, "Mutiny": True}, True),
        ({"All": False, "Mutiny": {"option": 1}}, True),
        ({"All": False, "Mutiny": None}, False),
        ({"All": True, "Mutiny": False}, False),
        ({"Other": False}, True),
    ],
)
def test_integrations_say_whom_a_message_is_for(integrations: Any, ours: bool) -> None:
    """Segment's own rule; said in the message or for the whole batch."""
    delivery = sent({**TRACK, "integrations": integrations}, TRACK)
    assert (len(delivery.messages), delivery.not_for_us, delivery.rejected) == (1 + ours, 1 - ours, [])
    assert len(sent(TRACK, integrations=integrations).messages) == ours


def test_ids_are_text_in_what_is_kept() -> None:
    """Numbers are made text; what stands for nobody becomes null, so that no reader of the log takes it for one."""
    message = one({"type": "identify", "userId": 42, "anonymousId": "undefined"})
    assert (message.user_id, message.anonymous_id) == ("42", None)
    assert (body_of(message)["userId"], body_of(message)["anonymousId"]) == ("42", None)


def test_a_message_without_an_id_gets_one() -> None:
    """The same for the same message sent again; another for one that has no time and comes later."""
    timed = {"type": "page", "userId": "u1", "timestamp": "2026-11-25T11:00:00Z"}
    raw = json.dumps(timed).encode()
    later = accept(opened(raw, "page"), "website", NOW + timedelta(minutes=1)).messages[0]
    assert one(timed, call="page").message_id == later.message_id
    untimed = opened(b'{"userId": "u1", "messageId": ""}', "page")
    ids = {accept(untimed, "website", NOW + timedelta(minutes=wait)).messages[0].message_id for wait in range(3)}
    assert len(ids) == 3
    assert one({**TRACK, "messageId": 7}).message_id == "7"


def test_the_batchs_sent_at_counts_first() -> None:
    """A message's own is when it was queued; it counts where the batch has none."""
    message = {**TRACK, "timestamp": "2026-11-25T11:00:00Z", "sentAt": "2026-11-25T11:00:00Z"}
    assert one(message, sentAt="2026-11-25T11:00:10Z").time_ms == one(message).time_ms - 10_000
    assert one(message).time_ms == one(message).received_ms


def test_computed_times_are_not_computed_again() -> None:
    """A Function sends on what Segment made of an event; its four times stay."""
    times = {
        "originalTimestamp": "2026-11-25T09:00:00.000Z",
        "sentAt": "2026-11-25T09:30:00.000Z",
        "receivedAt": "2026-11-25T11:30:00.000Z",
        "timestamp": "2026-11-25T11:00:00.000Z",
    }
    assert {name: body_of(one({**TRACK, **times}))[name] for name in times} == times


def test_a_message_without_a_readable_time_happened_when_it_came() -> None:
    """As Segment takes it; what was sent is kept."""
    message = one({**TRACK, "timestamp": "yesterday"}, sentAt="now")
    assert message.time_ms == message.received_ms
    assert body_of(message)["originalTimestamp"] == "yesterday"


def test_a_deletion_with_a_write_key_is_refused() -> None:
    """A website's key is in its page: who reads it must not be able to delete anybody."""
    deletion = {"type": "delete", "userId": "u1"}
    assert refused(deletion).code == "deletion-not-signed"
    raw = json.dumps(deletion).encode()
    assert accept(Envelope("webhook", [raw]), "hub", NOW).messages[0].type == "delete"
    assert accept(again(raw), "hub", NOW).rejected[0].code == "deletion-not-signed"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"[]", "wrong-type"),
        (b"null", "wrong-type"),
        (b"", "not-json"),
        (b'{"a": NaN}', "not-json"),
        (b'{"type": "track", "userId": "\xff"}', "not-json"),
        (b'{"type": "page", "userId": "u1", "x": ' + b"[" * 500 + b"]" * 500 + b"}", "too-deep"),
        (b'{"type": "page", "userId": "u1", "x": ' + b"[" * 32 + b"]" * 32 + b"}", "too-deep"),
        (b'{"type": "page", "userId": "u1", "x": ' + b"1" * 500 + b"}", "wrong-type"),
        (b'{"type": "page", "userId": "u1", "x": "' + b"x" * MESSAGE_BYTES + b'"}', "message-too-large"),
        (json.dumps({**TRACK, "x": dict.fromkeys(map(str, range(10_000)))}).encode(), "message-too-large"),
        (json.dumps({**TRACK, "context": {"traits": dict.fromkeys(map(str, range(1_001)))}}).encode(), "bad-traits"),
    ],
)
def test_one_bad_message_costs_nobody_else(raw: bytes, code: str) -> None:
    """Between two good ones it is refused alone, with its reason, and kept as it came or as JSON."""
    good = json.dumps(TRACK).encode()
    delivery = accept(Envelope("batch", [good, raw, good]), "website", NOW)
    assert (len(delivery.messages), [rejection.code for rejection in delivery.rejected]) == (2, [code])
    assert delivery.rejected[0].raw == raw or json.loads(delivery.rejected[0].raw) == json.loads(raw)


def test_half_a_character_is_mended_in_a_text_and_refused_in_an_id() -> None:
    """Two ids cut in the middle of a character would become one person."""
    raw = b'{"type": "track", "userId": "u1", "event": "a\\ud83d"}'
    assert accept(opened(raw, "track"), "website", NOW).messages[0].event == "a\ufffd"
    raw = b'{"type": "track", "userId": "u1\\ud83d", "event": "a"}'
    assert accept(opened(raw, "track"), "website", NOW).rejected[0].code == "bad-id"


def test_what_the_batch_says_counts_against_each_message() -> None:
    """A message is no larger in the log than one that was sent alone could be."""
    context = {"x": "x" * 20_000}
    assert refused({**TRACK, "y": "y" * 20_000}, context=context).code == "message-too-large"
    assert one({**TRACK, "y": "y" * 10_000}, context=context)


def test_a_refused_message_is_kept_whole() -> None:
    """With all that its batch or its path said of it, so that it can be judged again by itself."""
    rejection = refused({"type": "track", "anonymousId": "a1", "n": 1}, context={"c": 1}, sentAt="2026-11-25T11:00:00Z")
    assert rejection.code == "missing-event"
    kept = {"type": "track", "anonymousId": "a1", "n": 1, "context": {"c": 1}, "sentAt": "2026-11-25T11:00:00Z"}
    assert json.loads(rejection.raw) == kept
    assert json.loads(refused({}, call="page").raw) == {"type": "page"}


def test_reasons_show_no_value() -> None:
    """They are read by people who need not see traits."""
    secret = "s3cret"
    for message in (
        {**TRACK, "type": secret},
        {**TRACK, "context": secret},
        {**TRACK, "anonymousId": [secret]},
        {**TRACK, "anonymousId": secret * 100},
        {**TRACK, "properties": secret},
        {"type": "identify", "userId": "u1", "traits": [secret]},
    ):
        assert secret not in refused(message).reason

"""The laws of accepting, on generated requests: what is taken is read back as it was, nothing is lost, nothing else is
raised, and a batch is no more than its messages.
"""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.segment.accept import accept, again, opened
from engine.segment.message import understood
from engine.segment.reasons import REASONS, Unacceptable

NOW = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)
TYPES = ["identify", "track", "page", "screen", "group", "alias", "delete"]

# Whatever JSON can hold, half characters and whole numbers of any length too.
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(codec=None))
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ids = st.sampled_from(["u1", "a1", "é", 42, 0, "null", "", None, 1.5]) | values
moments = st.datetimes(timezones=st.just(UTC) | st.none()).map(datetime.isoformat) | values
traits = st.dictionaries(st.sampled_from(["plan", "email", "mutinyVisitorId"]) | st.text(), values, max_size=4) | values
contexts = st.fixed_dictionaries({}, optional={"traits": traits, "groupId": ids, "page": values}) | values
integrations = st.dictionaries(st.sampled_from(["All", "Mutiny", "Other"]), st.booleans() | values, max_size=3) | values

OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(["userId", "anonymousId", "previousId", "groupId", "messageId"], ids),
    **dict.fromkeys(["timestamp", "originalTimestamp", "sentAt", "receivedAt"], moments),
    "event": st.sampled_from(["Signed Up", "", None]) | values,
    "traits": traits,
    "context": contexts,
    "properties": st.dictionaries(st.text(), values, max_size=3) | values,
    "integrations": integrations,
    "writeKey": st.just("topsecret"),
    "other": values,
}
messages = st.fixed_dictionaries({"type": st.sampled_from([*TYPES, "other"])}, optional=OPTIONAL)

# Such as are taken: the oracle of what must come out.
good = st.fixed_dictionaries(
    {
        "type": st.sampled_from(TYPES[:-1]),
        "userId": st.just("u1"),
        "previousId": st.just("a1"),
        "groupId": st.just("g1"),
    }
    | {"event": st.text(min_size=1).map("e{}".format)},
    optional={
        "traits": st.dictionaries(st.text(), plain, max_size=4),
        "properties": st.dictionaries(st.text(), plain, max_size=4),
        "timestamp": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
        "other": plain,
    },
)
batches = st.fixed_dictionaries(
    {"batch": st.lists(messages | good, max_size=4)},
    optional={"context": contexts, "integrations": integrations, "sentAt": moments},
)


def raw_of(value: Any) -> bytes:
    """As Python's json writes it, NaN and all."""
    return json.dumps(value).encode()


@given(messages | good, st.sampled_from([*TYPES[:-1], "batch"]))
def test_what_is_taken_is_read_back_from_the_log(message: dict[str, Any], call: str) -> None:
    """`understood` of the kept body is the message itself, by two decoders."""
    raw = raw_of({"batch": [message]} if call == "batch" else message)
    for taken in accept(opened(raw, call), "website", NOW).messages:
        assert understood(msgspec.json.decode(taken.body), "website", taken.received_ms) == taken
        assert understood(json.loads(taken.body), "website", taken.received_ms) == taken


@given(good)
def test_good_messages_are_taken_and_kept_as_they_came(message: dict[str, Any]) -> None:
    """Every field that was sent is there, with its value; only the time is another."""
    [taken] = accept(opened(raw_of({"batch": [message]}), "batch"), "website", NOW).messages
    kept = json.loads(taken.body)
    assert {name: kept[name] for name in message.keys() - {"timestamp"}} == {
        name: value for name, value in message.items() if name != "timestamp"
    }
    assert kept.get("originalTimestamp") == message.get("timestamp")


@given(batches, st.sampled_from(["batch", "import"]))
def test_nothing_is_lost(batch: dict[str, Any], call: str) -> None:
    """Each message is taken, refused by a known code, or not for us."""
    try:
        envelope = opened(raw_of(batch), call)
    except Unacceptable:
        return
    delivery = accept(envelope, "website", NOW)
    assert len(delivery.messages) + len(delivery.rejected) + delivery.not_for_us == len(batch["batch"])
    assert {rejection.code for rejection in delivery.rejected} <= REASONS.keys()
    assert not any(b"topsecret" in message.body for message in delivery.messages)


@given(batches)
def test_a_batch_is_its_messages_one_by_one(batch: dict[str, Any]) -> None:
    """Neither order nor company matters."""
    try:
        together = accept(opened(raw_of(batch), "batch"), "website", NOW)
        alone = [
            accept(opened(raw_of({**batch, "batch": [message]}), "batch"), "website", NOW) for message in batch["batch"]
        ]
    except Unacceptable:
        return
    assert together.messages == [message for delivery in alone for message in delivery.messages]
    assert together.not_for_us == sum(delivery.not_for_us for delivery in alone)
    together_refused = [(rejection.code, rejection.raw) for rejection in together.rejected]
    assert together_refused == [(one.code, one.raw) for delivery in alone for one in delivery.rejected]


@given(batches | st.fixed_dictionaries({"batch": st.lists(messages, max_size=2)}))
def test_what_was_refused_is_refused_again(batch: dict[str, Any]) -> None:
    """Kept by itself it meets the same end for the same reason, until it is mended."""
    try:
        delivery = accept(opened(raw_of(batch), "batch"), "website", NOW)
    except Unacceptable:
        return
    for rejection in delivery.rejected:
        [found] = accept(again(rejection.raw), "website", NOW).rejected
        assert (found.code, found.reason) == (rejection.code, rejection.reason)


@given(good, st.binary(max_size=3), st.integers(0, 10_000), st.integers(0, 10_000))
def test_damaged_requests_are_answered(message: dict[str, Any], put: bytes, begin: int, end: int) -> None:
    """A piece of a good request is exchanged for other bytes: taken or refused, and nothing else is raised."""
    raw = raw_of({"batch": [message, message], "context": {}, "writeKey": "k"})
    begin, end = sorted((begin % (len(raw) + 1), end % (len(raw) + 1)))
    for call in ("batch", "track"):
        with suppress(Unacceptable):
            accept(opened(raw[:begin] + put + raw[end:], call), "website", NOW)


@given(
    st.binary(max_size=60) | st.text('{}[],:"\\ batch1', max_size=60).map(str.encode),
    st.sampled_from(["batch", "page"]),
)
@example(b'{"batch":[' + b'{"a":' * 100_000, "batch")
@example(b'{"batch":[' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"]}", "batch")
@example(b'{"batch":[' + b"9" * 10_000 + b"]}", "batch")
def test_any_bytes_are_answered(raw: bytes, call: str) -> None:
    """Nothing but Unacceptable is raised."""
    with suppress(Unacceptable):
        accept(opened(raw, call), "website", NOW)


@pytest.mark.parametrize("deep", [33, 500, 1500, 20_000])
def test_depth_costs_one_message(deep: int) -> None:
    """Whether the decoder can follow it or not."""
    item = b'{"type": "page", "userId": "u1", "x": ' + b"[" * deep + b"]" * deep + b"}"
    delivery = accept(opened(b'{"batch": [%b, {"type": "page", "userId": "u1"}]}' % item, "batch"), "website", NOW)
    assert len(delivery.messages) == 1
    assert [rejection.code for rejection in delivery.rejected] == ["too-deep" if deep < 16_000 else "message-too-large"]

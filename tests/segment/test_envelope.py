"""A request is opened: its key, its messages as they stand in it, and what is said for all of them."""

import json
from typing import Any

import pytest

from engine.limits import BATCH_BYTES, BATCH_MESSAGES, MESSAGE_BYTES
from engine.segment.envelope import CALLS, Envelope, opened
from engine.segment.reasons import Unacceptable


def batch(**body: Any) -> Envelope:
    """The envelope of a batch."""
    return opened(json.dumps(body).encode(), "batch")


def refusal(raw: bytes, call: str = "batch") -> str:
    """The code with which this request is refused."""
    with pytest.raises(Unacceptable) as refused:
        opened(raw, call)
    return refused.value.code


def test_a_batch_is_opened() -> None:
    """Messages are the bytes that were sent."""
    raw = b'{"batch": [{"a":  1}, {"b":[ ]}], "writeKey": "k", "context": {"c": 1}, "sentAt": "s", "other": {}}'
    assert opened(raw, "batch") == Envelope("batch", [b'{"a":  1}', b'{"b":[ ]}'], "k", {"c": 1}, {}, "s", 8)
    assert opened(raw, "import").items == opened(raw, "batch").items


@pytest.mark.parametrize("call", sorted(set(CALLS.values()) - {"batch", "import"}))
def test_any_other_call_is_one_message(call: str) -> None:
    """The body, with the key in it or without."""
    raw = b'{"writeKey": "k", "userId": "u1"}'
    assert opened(raw, call) == Envelope(call, [raw], "k")
    assert opened(b"{}", call) == Envelope(call, [b"{}"])


def test_what_is_absent_is_null_or_empty() -> None:
    """Null, and PHP's empty list, are nothing."""
    nothing = Envelope("batch", [])
    assert batch(batch=[]) == nothing
    assert batch(batch=[], writeKey="") == nothing
    assert batch(batch=[], context=None, integrations=[], sentAt=None, writeKey=None) == nothing


def test_windows_and_half_characters() -> None:
    """A byte order mark in front is none of the body; half a character is mended."""
    assert opened(b'\xef\xbb\xbf{"writeKey": "k"}', "page").items == [b'{"writeKey": "k"}']
    assert opened(b'{"batch": ["\\ud83d"], "writeKey": "k"}', "batch").items == [b'"\\ufffd"']


@pytest.mark.parametrize(
    "bad",
    [b'{"a": NaN}', b'{"a": -Infinity}', b"[" * 3000 + b"]" * 3000, b"{'a': [1, 'x']}", b'{"a": "\xff"}', b'"\n"'],
)
def test_a_message_that_no_decoder_takes_stands_alone(bad: bytes) -> None:
    """The others of its batch are found, and all that the batch says."""
    raw = b'{"writeKey": "k\\u0041", "batch": [{"a": "]"}, ' + bad + b' , {"b": "\\"}"}], "context": {"c": [1]}}'
    envelope = opened(raw, "batch")
    assert envelope.items == [b'{"a": "]"}', bad, b'{"b": "\\"}"}']
    assert (envelope.write_key, envelope.context) == ("kA", {"c": [1]})


def test_a_single_message_that_no_decoder_takes_is_opened() -> None:
    """So that it goes into the rejected log, under the source whose key it has."""
    raw = b'{"writeKey": "k", "traits": {"n": NaN}}'
    assert opened(raw, "identify") == Envelope("identify", [raw], "k")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not-json"),
        (b"hello", "not-json"),
        (b'{"batch": [', "not-json"),
        (b'{"batch": []} x', "not-json"),
        (b"{" * 100_000, "not-json"),
        (b"[]", "wrong-type"),
        (b'"batch"', "wrong-type"),
        (b"{}", "missing-batch"),
        (b'{"batch": null}', "missing-batch"),
        (b'{"batch": {}}', "missing-batch"),
        (b'{"batch": NaN}', "missing-batch"),
        (b'{"batch": [], "writeKey": 5}', "wrong-type"),
        (b'{"batch": [], "writeKey": "\xff"}', "not-json"),
        (b'{"batch": [], "context": "x"}', "wrong-type"),
        (b'{"batch": [], "context": {"x": NaN}}', "not-json"),
        (b'{"batch": [], "integrations": 5}', "wrong-type"),
        (b'{"batch": [], "context": ' + b'{"x":' * 40 + b"1" + b"}" * 41, "too-deep"),
        (b'{"batch": [], "context": ' + b'{"x":' * 4000 + b"1" + b"}" * 4001, "too-deep"),
        (b'{"batch": ["' + b"x" * BATCH_BYTES + b'"]}', "body-too-large"),
        (b'{"batch": [], "context": {"x": "' + b"x" * MESSAGE_BYTES + b'"}}', "body-too-large"),
        (b'{"batch": [' + b"1," * BATCH_MESSAGES + b"1]}", "batch-too-long"),
        (b'{"batch": [' + b"1," * 500 + b'1], "context": {"x": "' + b"x" * 10_000 + b'"}}', "body-too-large"),
    ],
)
def test_what_no_message_can_be_taken_of(raw: bytes, code: str) -> None:
    """The request as a whole is refused."""
    assert refusal(raw) == code


@pytest.mark.parametrize("raw", [b"5", b"[]", b"{", b"\xff", b'{"writeKey": []}', b"[" * 3000 + b"]" * 3000])
def test_a_body_that_is_no_message(raw: bytes) -> None:
    """Of a single call, too."""
    assert refusal(raw, "track") in {"not-json", "wrong-type"}


def test_a_time_of_sending_that_is_none() -> None:
    """It would be in every message, so only what can be one is taken."""
    assert batch(batch=[], sentAt={"x": 1}).sent_at is None
    assert batch(batch=[], sentAt="x" * 1000).sent_at is None
    assert batch(batch=[], sentAt=1_764_072_000_000).sent_at == 1_764_072_000_000


def test_a_batch_of_the_largest_size() -> None:
    """Segment's limits themselves are within."""
    assert len(opened(b'{"batch": [' + b"1," * (BATCH_MESSAGES - 1) + b"1]}", "batch").items) == BATCH_MESSAGES
    assert opened(b'{"batch": ["' + b"x" * (BATCH_BYTES - 15) + b'"]}', "batch")

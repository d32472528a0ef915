"""A delivery of Segment's webhook: signed, or not taken."""

import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.limits import BATCH_BYTES, BATCH_MESSAGES
from engine.segment.accept import accept
from engine.segment.reasons import Unacceptable
from engine.segment.webhook import opened_webhook

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SECRET = b"shared"
EVENT = b'{"type": "track", "userId":"u1",  "event": "Signed Up"}'


def signed(text: bytes, secret: bytes = SECRET) -> bytes:
    """The header as Segment sends it."""
    return hmac.new(secret, text, "sha1").hexdigest().encode()


def refusal(raw: bytes, signature: bytes, *secrets: bytes) -> str:
    """The code with which this delivery is refused."""
    with pytest.raises(Unacceptable) as refused:
        opened_webhook(raw, signature, secrets or (SECRET,))
    return refused.value.code


def test_a_signature_that_another_program_made() -> None:
    """`printf '{}' | openssl dgst -sha1 -hmac shared`."""
    assert opened_webhook(b"{}", b"3e1f8b74c8ccaf23ed5c8a1f25b617d6a0027ba3", [SECRET]).items == [b"{}"]


@pytest.mark.parametrize("raw", [EVENT, b"[" + EVENT + b"]", b" [\n " + EVENT + b" ]\n", EVENT + b"\n"])
def test_an_event_alone_or_in_a_list_of_one(raw: bytes) -> None:
    """The text that is signed is taken as it stands there, blanks within it too."""
    envelope = opened_webhook(raw, signed(EVENT), [SECRET])
    assert (envelope.call, envelope.items) == ("webhook", [EVENT])


def test_two_secrets_are_valid_while_they_change() -> None:
    """The older one too; upper case is the same number."""
    for secret in (b"new", b"old"):
        assert opened_webhook(EVENT, signed(EVENT, secret).upper(), [b"new", b"old"])


@pytest.mark.parametrize(
    "signature", [b"", b"x", b"\xff", signed(EVENT, b"other"), signed(EVENT)[:-1], signed(EVENT + b" ")]
)
def test_another_signature_is_refused(signature: bytes) -> None:
    """Whatever bytes it has."""
    assert refusal(EVENT, signature) == "bad-signature"
    assert refusal(b"[" + EVENT + b"]", signature) == "bad-signature"


def test_without_a_secret_nothing_is_signed() -> None:
    """Not even with an empty one."""
    with pytest.raises(Unacceptable):
        opened_webhook(EVENT, signed(EVENT, b""), [])


def test_only_the_first_of_a_list_is_signed() -> None:
    """What stands behind it could be anybody's, unless the setting says otherwise."""
    raw = b"[" + EVENT + b', {"type": "delete", "userId": "u2"}]'
    assert refusal(raw, signed(EVENT)) == "unsigned-events"
    assert len(opened_webhook(raw, signed(EVENT), [SECRET], rest_is_believed=True).items) == 2


def test_deliveries_that_hold_no_event() -> None:
    """Or more than may be."""
    assert refusal(b"[]", signed(b"[]")) == "missing-batch"
    assert refusal(b"[", signed(b"[")) == "missing-batch"
    assert refusal(b"x" * (BATCH_BYTES + 1), signed(b"")) == "body-too-large"
    many = b"[" + b"1," * BATCH_MESSAGES + b"1]"
    with pytest.raises(Unacceptable, match="batch-too-long"):
        opened_webhook(many, signed(b"1"), [SECRET], rest_is_believed=True)


def test_times_come_computed() -> None:
    """Segment has corrected them; a second correction would move them by as much again."""
    event = json.dumps(
        {"type": "page", "userId": "u1", "timestamp": "2026-11-25T11:00:00Z", "sentAt": "2026-11-25T09:00:00Z"}
    ).encode()
    [message] = accept(opened_webhook(event, signed(event), [SECRET]), "hub", NOW).messages
    assert message.received_ms - message.time_ms == 3_600_000
    assert json.loads(message.body)["receivedAt"] == "2026-11-25T12:00:00.000Z"


def test_a_deletion() -> None:
    """As Segment sends it."""
    event = b'{"type": "delete", "userId": "u1", "timestamp": "2026-11-25T11:00:00.000Z"}'
    [message] = accept(opened_webhook(event, signed(event), [SECRET]), "hub", NOW).messages
    assert (message.type, message.user_id, message.received_ms - message.time_ms) == ("delete", "u1", 3_600_000)


@given(st.binary(max_size=100) | st.text('[]{},:"1 ', max_size=40).map(str.encode), st.binary(max_size=50))
def test_any_bytes_are_refused(raw: bytes, signature: bytes) -> None:
    """Nothing else is raised, and nothing unsigned is taken."""
    with pytest.raises(Unacceptable):
        opened_webhook(raw, signature, [SECRET])

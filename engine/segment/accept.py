"""Each message of a request judged by itself: taken, refused with a reason, or not for us. Pure.

What lives here: what is done to a message while it arrives, and only then. What may not: what it says (`message`),
whose key it came with, where it is kept.

1. A message is decoded once, gets what is missing from it, and is encoded once. What it was sent with stays in it,
   fields that nobody knows too; a write key does not: keys are kept nowhere in clear.
2. It gets: what its batch says for all (`context`, `integrations`, `sentAt`; its own members count more), its type
   from the path, ids as text (null where they stand for nobody), a `messageId` where it has none, and its times.
3. The batch's `sentAt` counts before the message's own: older browser libraries leave in it when it was queued.
4. Times that come already computed, from webhooks and Functions, are not corrected a second time.
5. `integrations` say whom a message is for: `{"Mutiny": false}`, or `{"All": false}` without `Mutiny`, is not for us.
6. **A deletion is taken from a signed webhook alone**: the key of a website is public, and who has it must not be able
   to delete everybody.
7. A refused message is kept such that it can be judged `again` by itself.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.limits import EVENT_BYTES, MESSAGE_BYTES, VALUE_DEPTH
from engine.profiles.decoding import NotJson, WrongType, decoded
from engine.profiles.record import time_ms
from engine.segment.envelope import CALLS, Envelope, opened
from engine.segment.fields import id_of, object_of, text_of
from engine.segment.message import TYPES, Message, made_id, type_of, understood
from engine.segment.moments import happened_ms, moment_ms, within, written
from engine.segment.reasons import Unacceptable
from engine.segment.slices import deeper_than

__all__ = ["CALLS", "Delivery", "Envelope", "Rejection", "accept", "again", "opened"]

_NAME: Final = "Mutiny"
_IDS: Final = ("userId", "anonymousId", "previousId", "groupId")
_AGAIN_BYTES: Final = 1024  # by which a message may have grown since it was sent: its type, the batch's sentAt

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_encode: Final = msgspec.json.Encoder().encode


class Rejection(Struct, frozen=True):
    """A message that cannot be taken: a code of `reasons.REASONS`, why (for people), what was sent, by whom."""

    code: str
    reason: str
    raw: bytes
    source: str
    received_ms: int


class Delivery(Struct, frozen=True):
    """What became of the messages of one request. All of them are in it: taken, refused, or not for us."""

    messages: list[Message]
    rejected: list[Rejection]
    not_for_us: int


def accept(envelope: Envelope, source: str, now: datetime, rest: Callable[[], None] = lambda: None) -> Delivery:
    """Judge every message of a request that came at `now` from this source; `rest` is called before each."""
    arrival = _Arrival(envelope, source, now)
    messages: list[Message] = []
    rejected: list[Rejection] = []
    not_for_us = 0
    for raw in envelope.items:
        rest()
        try:
            body = arrival.read(raw)
        except Unacceptable as bad:
            rejected.append(Rejection(bad.code, bad.message, arrival.without_key(raw), source, arrival.received_ms))
            continue
        try:
            message = arrival.message(body, raw)
        except Unacceptable as bad:
            rejected.append(Rejection(bad.code, bad.message, arrival.kept(raw), source, arrival.received_ms))
            continue
        if message is None:
            not_for_us += 1
        else:
            messages.append(message)
    return Delivery(messages, rejected, not_for_us)


def again(raw: bytes) -> Envelope:
    """A message from the rejected log, as a request of its own; `accept` it with the time at which it came."""
    return Envelope("again", [raw])


class _Arrival:
    """One request, while its messages are gone through."""

    def __init__(self, envelope: Envelope, source: str, now: datetime) -> None:
        self._envelope = envelope
        self._source = source
        self.received_ms = time_ms(now)
        self._received_at = written(self.received_ms)
        self._most = MESSAGE_BYTES + (_AGAIN_BYTES if envelope.call == "again" else -envelope.shared_bytes)

    def read(self, raw: bytes) -> dict[str, Any]:
        """The members of a message. Raises Unacceptable."""
        if len(raw) > self._most:
            raise Unacceptable("message-too-large", f"expected at most {self._most:,} bytes, got {len(raw):,}")
        if deeper_than(raw, VALUE_DEPTH):
            raise Unacceptable("too-deep", f"nested deeper than {VALUE_DEPTH}")
        try:
            return decoded(_decode, raw)
        except WrongType as wrong:
            raise Unacceptable("wrong-type", str(wrong)) from None
        except NotJson as error:
            raise Unacceptable("not-json", str(error)) from None

    def message(self, body: dict[str, Any], raw: bytes) -> Message | None:
        """The message, None if it is not for us. Raises Unacceptable."""
        self._complete(body)
        type_ = type_of(body)
        if type_ == "delete":
            if self._envelope.call != "webhook":
                raise Unacceptable("deletion-not-signed", "delete: expected a signed webhook or an admin's request")
        elif not _for_us(object_of(body, "integrations")):
            return None
        for name in _IDS:
            if body.get(name) is not None:
                body[name] = id_of(body, name)
        self._stamp(body, raw)
        message = understood(body, self._source, self.received_ms)
        if len(message.body) > EVENT_BYTES:  # `1e99` is a hundred digits when it is written again
            raise Unacceptable("message-too-large", f"expected at most {EVENT_BYTES:,} bytes with numbers written out")
        return message

    def kept(self, raw: bytes) -> bytes:
        """What was sent, as one message that needs no request around it."""
        body = self.read(raw)
        try:
            self._complete(body)
        except Unacceptable:
            body.pop("writeKey", None)
        return _encode(body)

    def without_key(self, raw: bytes) -> bytes:
        """What was sent and cannot be read."""
        key = self._envelope.write_key
        return raw.replace(key.encode(), b"") if key else raw

    def _complete(self, body: dict[str, Any]) -> None:
        """Put into a message what its request says for all. Raises Unacceptable."""
        envelope = self._envelope
        if envelope.call in TYPES:
            body["type"] = envelope.call
        if envelope.sent_at is not None:
            body["sentAt"] = envelope.sent_at
        body.pop("writeKey", None)
        context = object_of(body, "context")
        integrations = object_of(body, "integrations")
        if envelope.context:
            body["context"] = {**envelope.context, **context}
        if envelope.integrations:
            body["integrations"] = {**envelope.integrations, **integrations}

    def _stamp(self, body: dict[str, Any], raw: bytes) -> None:
        """Give the message its times and its id."""
        said = body.get("timestamp")
        original = body.get("originalTimestamp")
        if said is None:
            said = original
        if text_of(body, "messageId") is None:
            body["messageId"] = made_id(self._source, raw, self._received_at if said is None else "")
        else:
            body["messageId"] = text_of(body, "messageId")
        if self._is_computed(body):
            moment = moment_ms(said)
            event = self.received_ms if moment is None else within(moment, self.received_ms)
        else:
            event = happened_ms(said, body.get("sentAt"), self.received_ms)
            original, body["receivedAt"] = said, self._received_at
        if body.get("receivedAt") is None:
            body["receivedAt"] = self._received_at
        if original is not None:
            body["originalTimestamp"] = original
        body["timestamp"] = written(event)

    def _is_computed(self, body: dict[str, Any]) -> bool:
        """Were the times computed before, by Segment?"""
        if self._envelope.call == "webhook":
            return True
        return body.get("receivedAt") is not None and body.get("originalTimestamp") is not None


def _for_us(integrations: dict[str, Any]) -> bool:
    ours = integrations.get(_NAME)
    return integrations.get("All") is not False if ours is None else ours is not False

"""What an event of the log says: as the message that was accepted once, and as a row of the archive. Pure.

What lives here: reading what the log kept, by the code that reads it live. What may not: files, stores.

None is what cannot be understood, though it is whole: written by another version, or by hand. It is counted and left
out by whoever applies the log, and kept as it is by whoever compacts it.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from engine.events.line import Entry
from engine.events.row import Row
from engine.segment.message import Message, understood
from engine.segment.reasons import Unacceptable

_MOST_MS: Final = 253_402_300_799_999  # the end of the year 9999

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class _Said(Struct):
    properties: Raw = Raw(b"null")


_said: Final = msgspec.json.Decoder(_Said).decode


def message(entry: Entry) -> Message | None:
    """What the event says; None also where it is gone."""
    if entry.message is None:
        return None
    try:
        return understood(_decode(entry.message), entry.source, entry.received_ms)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Unacceptable):
        return None


def row(entry: Entry) -> Row | None:
    """The event with what others ask for beside it."""
    said = message(entry)
    if entry.message is None or said is None or not 0 <= entry.received_ms <= _MOST_MS:
        return None
    return Row(
        received=entry.received_ms,
        source=entry.source,
        time=said.time_ms,
        type=said.type,
        message_id=said.message_id,
        message=entry.message.decode(),
        anonymous_id=said.anonymous_id,
        user_id=said.user_id,
        previous_id=said.previous_id if said.type == "alias" else None,
        group_id=said.group_id,
        visitor_id=said.visitor_id,
        event=said.event,
        properties=_properties(entry.message) if said.type == "track" else None,
    )


def _properties(message: bytes) -> str | None:
    raw = bytes(_said(message).properties)
    return None if raw == b"null" else raw.decode()

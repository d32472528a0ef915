"""One event, one line: `{"crc":"…","received":MS,"source":"…","message":{…}}`. Pure.

What lives here: making a line, taking it apart, the same line without its message. What may not: files, and what a
message means.

1. `crc` is the CRC-32, as eight hex digits, of all that follows its comma up to the newline: of the *rest*. A line
   whose `crc` is right is as it was written; by that alone a torn or damaged one is known.
2. A line may end in blanks, between its `}` and the newline. They are part of the rest.
3. So a line can be written over in the same length: a message that is gone is `null`, a rewritten one is shorter, and
   blanks fill up. For that, a line is never made so short that `null` would not fit.
4. The message is kept as it came, JSON on one line; taking a line apart decodes nothing of it.
5. DuckDB's `read_json(…, format='newline_delimited')` reads the files as they are.
"""

from typing import Final
from zlib import crc32

import msgspec
from msgspec import Struct

from engine.limits import EVENT_BYTES

HEAD_BYTES: Final = len('{"crc":"01234567",')
_HEAD: Final = b'{"crc":"%08x",'
_RECEIVED: Final = b'"received":'
_SOURCE: Final = b',"source":"'
_MESSAGE: Final = b'","message":'  # never within a source: there a quote has a backslash before it
_GONE: Final = b"null"
_LINE_ENDS_TO_BLANKS: Final = bytes.maketrans(b"\r\n", b"  ")  # in JSON they stand between tokens only
_BRACE: Final = ord("}")


class Entry(Struct, frozen=True, gc=False):
    """One event of a file: where its line ends, when and from where it came, the message as JSON; None: it is gone."""

    end: int
    received_ms: int
    source: str
    message: bytes | None


class TooLong(ValueError):
    """The message is longer than a line may be."""


def encode(received_ms: int, source: str, message: bytes) -> bytes:
    """The line of this message, which is a JSON object. Raises `TooLong`, ValueError."""
    message = _acceptable(message)
    rest = b'"received":%d,"source":%b,"message":%b}' % (received_ms, msgspec.json.encode(source), message)
    return sealed(rest, HEAD_BYTES + len(rest) - len(message) + max(len(message), len(_GONE)) + 1)


def entry(end: int, rest: bytes) -> Entry:
    """The event that stands in the rest of a line. Raises ValueError if there is none."""
    source = rest.index(_SOURCE)
    message = rest.index(_MESSAGE, source)
    if rest[-1] != _BRACE:
        rest = rest.rstrip(b" ")
    found = rest[message + len(_MESSAGE) : -1]
    name = rest[source + len(_SOURCE) : message]
    return Entry(
        end,
        int(rest[len(_RECEIVED) : source]),
        name.decode() if b"\\" not in name else msgspec.json.decode(b'"%b"' % name, type=str),
        None if found == _GONE else found,
    )


def rewritten(rest: bytes, message: bytes | None) -> bytes:
    """The rest with another message, or none. Raises ValueError, also if there is no event in it."""
    before = rest[: rest.index(_MESSAGE, rest.index(_SOURCE)) + len(_MESSAGE)]
    return b"%b%b}" % (before, _GONE if message is None else _acceptable(message))


def sealed(rest: bytes, length: int = 0) -> bytes:
    """The line with this rest, filled up with blanks to `length` bytes."""
    rest = rest.ljust(length - HEAD_BYTES - 1)
    return b"%b%b\n" % (_HEAD % crc32(rest), rest)


def unsealed(line: bytes) -> bytes | None:
    """The rest of a line with its newline, blanks and all; None if it is not as it was written."""
    rest = line[HEAD_BYTES:-1]
    return rest if line[:HEAD_BYTES] == _HEAD % crc32(rest) else None


def _acceptable(message: bytes) -> bytes:
    """The message on one line. Raises `TooLong`, ValueError."""
    if b"\n" in message or b"\r" in message:
        message = message.translate(_LINE_ENDS_TO_BLANKS).strip()
    if len(message) > EVENT_BYTES:
        raise TooLong(f"an event is kept with at most {EVENT_BYTES:,} bytes, this one has {len(message):,}")
    if message[:1] != b"{" or message[-1:] != b"}":
        raise ValueError("a message is a JSON object")
    return message

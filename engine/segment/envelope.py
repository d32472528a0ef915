"""One request of Segment's HTTP API, opened: whose write key, and its messages as they stand in it. Pure.

What lives here: `Envelope`, `opened`. What may not: what a message means, whether the key is a good one, gzip.

1. A batch is `{"batch": [message, …], "context", "integrations", "sentAt", "writeKey"}`; `import` is one too. Every
   other call is one message, and its body is that message, with the key in it.
2. Messages stay raw. So one that cannot be decoded costs nobody else, and it goes into the rejected log as it came.
3. Where the decoder gives up at one message (Python writes `NaN`, someone nests two thousand lists), the messages are
   found by their brackets (`slices`), and each is judged by itself.
4. What a batch says for all its messages counts once for each of them: a small request must not become a large log.
"""

from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Raw, Struct

from engine.limits import BATCH_BYTES, BATCH_MESSAGES, BATCH_UNFOLDED_BYTES, MESSAGE_BYTES, VALUE_DEPTH
from engine.profiles.decoding import NotJson, WrongType, decoded
from engine.segment.fields import object_of
from engine.segment.reasons import Unacceptable
from engine.segment.slices import NotClosed, deeper_than, elements, members

# Last parts of the paths that libraries post to, and what they call; analytics.js writes the first letter.
CALLS: Final[dict[str, str]] = {
    **{call: call for call in ("identify", "track", "page", "screen", "group", "alias", "batch", "import")},
    "i": "identify",
    "t": "track",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
    "b": "batch",
}
BATCHES: Final = frozenset({"batch", "import"})

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_NULL: Final = Raw(b"null")
_TIME_BYTES: Final = 100


class Envelope(Struct, frozen=True):
    """The messages of one request, raw, and what it says for all of them.

    `call` is one of `CALLS`, or `webhook`, or `again` for a message from the rejected log. `shared_bytes` is how long
    `context` and `integrations` were.
    """

    call: str
    items: list[bytes]
    write_key: str | None = None
    context: dict[str, Any] = {}
    integrations: dict[str, Any] = {}
    sent_at: Any = None
    shared_bytes: int = 0


class _Single(Struct, rename="camel"):
    write_key: Raw = _NULL


class _Batch(Struct, rename="camel"):
    write_key: Raw = _NULL
    batch: Raw = _NULL
    context: Raw = _NULL
    integrations: Raw = _NULL
    sent_at: Raw = _NULL


_Body: TypeAlias = _Single | _Batch

_anything: Final = msgspec.json.Decoder().decode
_items: Final = msgspec.json.Decoder(list[Raw]).decode
_text: Final = msgspec.json.Decoder(str | None).decode
_single: Final = msgspec.json.Decoder(_Single).decode
_batch: Final = msgspec.json.Decoder(_Batch).decode


def opened(raw: bytes, call: str) -> Envelope:
    """A request's body, unpacked, for one of `CALLS`. Raises Unacceptable."""
    if len(raw) > BATCH_BYTES:
        raise Unacceptable("body-too-large", f"expected at most {BATCH_BYTES:,} bytes, got {len(raw):,}")
    raw = raw.removeprefix(_BYTE_ORDER_MARK)
    body = _body(raw, is_batch=call in BATCHES)
    write_key = _read(_text, body.write_key, "writeKey") or None
    if isinstance(body, _Single):
        return Envelope(call, [raw], write_key)
    items = messages(bytes(body.batch))
    context, context_bytes = _shared(body.context, "context")
    integrations, integrations_bytes = _shared(body.integrations, "integrations")
    shared_bytes = context_bytes + integrations_bytes
    _bound(len(items), shared_bytes, len(raw))
    return Envelope(call, items, write_key, context, integrations, _sent_at(bytes(body.sent_at)), shared_bytes)


def messages(raw: bytes) -> list[bytes]:
    """The messages of a list of them, raw. Raises Unacceptable."""
    try:
        return [bytes(item) for item in _items(raw)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return elements(raw, BATCH_MESSAGES)
    except NotClosed:
        raise Unacceptable("missing-batch", "expected a list of messages") from None


def _body(raw: bytes, *, is_batch: bool) -> _Body:
    """The members that matter, raw, by the decoder or else by their brackets. Raises Unacceptable."""
    try:
        return decoded(_batch, raw) if is_batch else decoded(_single, raw)
    except WrongType as wrong:
        raise Unacceptable("wrong-type", str(wrong)) from None
    except NotJson as error:
        try:
            found = members(raw)
        except NotClosed:
            raise Unacceptable("not-json", str(error)) from None
    kind: type[_Body] = _Batch if is_batch else _Single
    fields = zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True)
    return kind(**{field: Raw(found[name.encode()]) for field, name in fields if name.encode() in found})


def _bound(items: int, shared: int, body: int) -> None:
    """Raise Unacceptable for more than a request may hold."""
    if items > BATCH_MESSAGES:
        raise Unacceptable("batch-too-long", f"expected at most {BATCH_MESSAGES:,} messages, got more")
    if shared > MESSAGE_BYTES:
        raise Unacceptable("body-too-large", f"context and integrations: expected at most {MESSAGE_BYTES:,} bytes")
    if body + items * shared > BATCH_UNFOLDED_BYTES:
        said = f"with context and integrations in each message the batch has more than {BATCH_UNFOLDED_BYTES:,} bytes"
        raise Unacceptable("body-too-large", said)


def _shared(raw: Raw, name: str) -> tuple[dict[str, Any], int]:
    """What is said for all messages, and how many bytes it adds to each. Raises Unacceptable."""
    text = bytes(raw)
    if deeper_than(text, VALUE_DEPTH - 1):
        raise Unacceptable("too-deep", f"{name}: nested deeper than {VALUE_DEPTH - 1}")
    said = object_of({name: _read(_anything, raw, name)}, name)
    return said, len(text) if said else 0


def _sent_at(raw: bytes) -> Any:
    """What was sent as a time; None where it is longer than any, for every message would hold it."""
    if len(raw) > _TIME_BYTES:
        return None
    found = _read(_anything, Raw(raw), "sentAt")
    return found if type(found) in {str, int, float} else None


def _read(decode: Any, raw: Raw, name: str) -> Any:
    try:
        return decoded(decode, bytes(raw))
    except WrongType as wrong:
        raise Unacceptable("wrong-type", f"{name}: {wrong}") from None
    except NotJson as error:
        raise Unacceptable("not-json", f"{name}: {error}") from None

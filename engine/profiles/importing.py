"""Newline-delimited JSON into a store: `{"visitorId", "traits", "account", "timestamp"}` a line.

What lives here: reading lines in constant memory, judging each, writing in batches. What may not: opening files,
printing, the clock, any one store.

1. A line's traits go to the visitor's record. Its account's traits go to a group record, under `account.id` or,
   where there is none, the visitor's own id; the visitor is linked to it.
2. A line that is not acceptable is left out whole, with its number and the reason; the others go on.
3. Everything is set at the line's `timestamp` (RFC 3339), or at `now` where it has none. So importing a file again,
   or again after it was interrupted, ends in the same values.
4. A line is never held in memory beyond `limits.IMPORT_LINE_BYTES`, a batch never beyond as many lines as
   `limits.IMPORT_BATCH_LINES`.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, BinaryIO, Final

import msgspec
from msgspec import Struct

from engine.limits import EVENT_AHEAD_S, IMPORT_BATCH_LINES, IMPORT_LINE_BYTES, IMPORT_REASONS
from engine.profiles.decoding import NotJson, WrongType, decoded
from engine.profiles.ids import BadId, is_visitor_id, key
from engine.profiles.record import Change, time_ms
from engine.profiles.store import Store
from engine.profiles.values import BadValue, normalise_traits

ORIGIN: Final = "import"  # of all that an import sets

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"  # what Windows programs put in front of UTF-8


class Rejected(Struct, frozen=True):
    """A line that was left out: its number, from 1, and why."""

    line: int
    reason: str


class Imported(Struct, frozen=True):
    """What became of a file: lines in all (blank ones apart), taken, left out, and the first of those with reasons."""

    total: int
    imported: int
    rejected: int
    reasons: tuple[Rejected, ...]


class _Line(Struct, forbid_unknown_fields=True):
    visitor_id: str = msgspec.field(name="visitorId")
    traits: dict[str, Any] | None = None
    account: dict[str, Any] | None = None
    timestamp: datetime | None = None


class _BadLine(ValueError):
    pass


_decode: Final = msgspec.json.Decoder(_Line).decode


def import_lines(
    lines: BinaryIO, store: Store, now: datetime, progress: Callable[[int, int], None] | None = None
) -> Imported:
    """Read `lines` to their end into `store`; `progress` is told after each batch how many bytes are read, and
    how many lines are in the store now. Raises StoreError.

    `now` is aware. After a StoreError the batches before it are in the store, and the import can be run again.
    """
    total = rejected = 0
    reasons: list[Rejected] = []
    batch: list[Change] = []
    waiting = done = 0
    for number, end, line in _numbered(lines):
        total += 1
        try:
            batch += _changes(line, now)
        except _BadLine as bad:
            rejected += 1
            if len(reasons) < IMPORT_REASONS:
                reasons.append(Rejected(number, str(bad)))
        waiting, done = waiting + 1, end
        if waiting == IMPORT_BATCH_LINES:
            _commit(store, batch, progress, done, total - rejected)
            waiting = 0
    _commit(store, batch, progress, done, total - rejected)
    return Imported(total, total - rejected, rejected, tuple(reasons))


def _commit(
    store: Store, batch: list[Change], progress: Callable[[int, int], None] | None, done: int, imported: int
) -> None:
    store.apply(batch)
    batch.clear()
    if progress is not None:
        progress(done, imported)


def _numbered(lines: BinaryIO) -> Iterator[tuple[int, int, bytes | None]]:
    """Number, position of the end in bytes and content of each line that is not blank; None is a line too long."""
    number = end = 0
    while line := lines.readline(IMPORT_LINE_BYTES + 1):
        number += 1
        end += len(line)
        whole = line.endswith(b"\n") or len(line) <= IMPORT_LINE_BYTES
        if not whole:
            end += _skip(lines)
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if line.strip() or not whole:
            yield number, end, line if whole else None


def _skip(lines: BinaryIO) -> int:
    """Read on to the end of the line, forgetting it; how many bytes that were."""
    skipped = 0
    while piece := lines.readline(IMPORT_LINE_BYTES):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _changes(raw: bytes | None, now: datetime) -> list[Change]:
    """What a line says. Raises _BadLine."""
    if raw is None:
        raise _BadLine(f"longer than {IMPORT_LINE_BYTES:,} bytes")
    line = _parsed(raw)
    if not is_visitor_id(line.visitor_id):
        raise _BadLine("visitorId: expected 1 to 128 of A-Z a-z 0-9 . _ : -")
    time = time_ms(_moment(line.timestamp, now))
    visitor = key("visitor", line.visitor_id)
    traits = _normalised(line.traits or {}, "traits")
    if not line.account:
        return [Change(visitor, time, traits, origin=ORIGIN)]
    account = _account_id(line.account) or line.visitor_id
    try:
        group = key("group", account)
    except BadId as bad:
        raise _BadLine(f"account.id: {bad}") from None
    return [
        Change(visitor, time, traits, {"group": account}, ORIGIN),
        Change(group, time, _normalised(line.account, "account"), origin=ORIGIN),
    ]


def _parsed(raw: bytes) -> _Line:
    try:
        return decoded(_decode, raw)
    except (NotJson, WrongType) as error:
        raise _BadLine(str(error)) from None


def _normalised(traits: dict[str, Any], name: str) -> dict[str, Any]:
    try:
        return normalise_traits(traits)
    except BadValue as bad:
        raise _BadLine(bad.within(name)) from None


def _moment(timestamp: datetime | None, now: datetime) -> datetime:
    if timestamp is None:
        return now
    if timestamp.tzinfo is None:
        raise _BadLine("timestamp: expected a time zone at its end, `Z` or `+01:00`")
    if (timestamp - now).total_seconds() > EVENT_AHEAD_S:
        raise _BadLine(f"timestamp: lies in the future ({timestamp.isoformat()})")
    return timestamp


def _account_id(account: dict[str, Any]) -> str | None:
    """The id of an account as text; None where it has none. Raises _BadLine."""
    id_ = account.get("id")
    if type(id_) is int:
        return str(id_)
    if type(id_) is str and "\ufffd" in id_:  # two ids cut in the middle of a character would become one account
        raise _BadLine("account.id: expected text, got half a character or a replacement of one (U+FFFD) in it")
    if id_ is None or type(id_) is str:
        return id_ or None
    raise _BadLine("account.id: expected text or a whole number")

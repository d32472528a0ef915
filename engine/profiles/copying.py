"""One store's records into another, and the proof that they are there. It prints nothing.

What lives here: `fill`, `compare`. What may not: opening stores, progress, words for people.

1. Whole records are merged (`Store.put`), so nothing that the target knows is lost, and doing it again changes nothing:
   whoever was interrupted begins again, and what is there already is read and not written.
2. Damaged records are left out and told (`survey.Bad`).
3. `compare` reads both sides again: each record of the source has to be in the target, with at least its registers.
   What came in meanwhile is put there too, and looked at once more; what is not there even then is *lost*.
4. **Marks go between the two.** Those that the source had before it was read are true of a target that holds all of it;
   what a server may have lost before it took the marks, the comparison finds. Where a record is damaged there are none:
   the log is applied from its beginning then, and heals it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from msgspec import Struct

from engine.profiles.encoding import BadRecord, joined
from engine.profiles.ids import Key
from engine.profiles.store import DAMAGED, Found, Span, Store
from engine.profiles.survey import Bad, bad, fault

Row: TypeAlias = tuple[Key, Found]
Whole: TypeAlias = tuple[Key, bytes]

BATCH_RECORDS: Final = 1_000  # one commit of LMDB's, one pipeline over a network
BATCH_BYTES: Final = 4 * 2**20  # a record may be large


class Copied(Struct):
    """What was done. `written`: records that the target did not have so; `late`: those that changed meanwhile."""

    records: int = 0
    bytes: int = 0
    written: int = 0
    late: int = 0
    marks: int = 0
    damaged: list[Bad] = []
    lost: list[Bad] = []


def fill(rows: Iterable[Row], target: Store, done: Copied) -> None:
    """Put the records of a scan into the target. Raises StoreError."""
    for batch in _batches(rows):
        other = _other(batch, target)
        whole = _whole(other, done.damaged)
        done.written += target.put(whole)
        left_out = {key for key, _ in other} - {key for key, _ in whole}
        there = [(key, body) for key, body in batch if key not in left_out and isinstance(body, bytes)]
        done.records += len(there)
        done.bytes += sum(len(key) + len(body) for key, body in there)


def carry_marks(marks: Mapping[str, int], target: Store, done: Copied) -> None:
    """So much of these files of the log was in the source before it was read. Raises StoreError."""
    if marks and not done.damaged:
        target.apply((), {name: Span(0, end) for name, end in marks.items()})
        done.marks = len(marks)


def compare(rows: Iterable[Row], target: Store, done: Copied) -> None:
    """Look whether the records of a new scan are in the target. Raises StoreError."""
    for batch in _batches(rows):
        lacking = _lacking(_whole(_other(batch, target), []), target)
        if lacking:
            target.put(lacking)
            done.late += len(lacking)
            done.lost += [bad(key, "it is not in the target") for key, _ in _lacking(lacking, target)]


def _other(batch: list[Row], target: Store) -> list[Row]:
    """Those of which the target does not have the very same."""
    found = target.get([key for key, _ in batch])
    return [row for row, there in zip(batch, found, strict=True) if row[1] != there or row[1] is DAMAGED]


def _lacking(batch: list[Whole], target: Store) -> list[Whole]:
    """Those of which the target does not have all."""
    found = target.get([key for key, _ in batch])
    return [row for row, there in zip(batch, found, strict=True) if not _holds(there, row[1])]


def _holds(there: Found, body: bytes) -> bool:
    try:
        return isinstance(there, bytes) and joined(there, body) == there
    except BadRecord:
        return False


def _whole(rows: Iterable[Row], damaged: list[Bad]) -> list[Whole]:
    """Those that are records; what the others are is noted."""
    whole = []
    for key, found in rows:
        why = fault(found)
        if why is None and isinstance(found, bytes):
            whole.append((key, found))
        else:
            damaged.append(bad(key, why or ""))
    return whole


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row[1]) if isinstance(row[1], bytes) else 0
        if len(batch) >= BATCH_RECORDS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch

"""How far each file of the event log is in the store, kept in the store itself.

What lives here: the entries under `\\0mark:FILE`, inside of somebody else's transaction. What may not: records, files
of the log, what is done with a mark.

1. A mark only ever grows: of two that are said the greater one is true, for what was applied stays applied.
2. It never jumps over a gap: where less is kept than where a span begins, all that was said at once is refused.
3. It has a checksum as every record has. One that does not fit is no mark: then a file is applied again from its
   beginning, and that is free of harm; a mark that is too great would lose what lies before it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from zlib import crc32

import lmdb

from engine.profiles.store import Span

PREFIX: Final = b"\x00mark:"  # before every record's key: those begin with a letter

_NUMBER_BYTES: Final = 8
_SUM_BYTES: Final = 4


def read(txn: "lmdb.Transaction[bytes]") -> dict[str, int]:
    """Every mark."""
    return {key[len(PREFIX) :].decode(): mark for key, raw in _entries(txn) if (mark := _number(key, raw)) is not None}


def count(txn: "lmdb.Transaction[bytes]") -> int:
    """How many entries of the store are marks."""
    return sum(1 for _ in _entries(txn))


def gap(txn: "lmdb.Transaction[bytes]", marks: Mapping[str, Span]) -> str | None:
    """The first file of which less is kept than where its span begins."""
    return next((name for name, span in marks.items() if span.begin and (_held(txn, name) or 0) < span.begin), None)


def rise(txn: "lmdb.Transaction[bytes]", marks: Mapping[str, Span]) -> int:
    """Keep those that are greater than what is kept, if there is no `gap`; how many those were."""
    if gap(txn, marks) is not None:
        return 0
    risen = 0
    for name, span in marks.items():
        held = _held(txn, name)
        if held is None or held < span.end:
            key, number = PREFIX + name.encode(), span.end.to_bytes(_NUMBER_BYTES, "big")
            txn.put(key, number + _sum(key, number))
            risen += 1
    return risen


def forget(txn: "lmdb.Transaction[bytes]", names: Iterable[str]) -> int:
    """Remove the marks of these files; how many there were."""
    return sum(txn.delete(PREFIX + name.encode()) for name in names)


def _entries(txn: "lmdb.Transaction[bytes]") -> Iterator[tuple[bytes, bytes]]:
    with txn.cursor() as cursor:
        more = cursor.set_range(PREFIX)
        while more and cursor.key().startswith(PREFIX):
            yield cursor.key(), cursor.value()
            more = cursor.next()


def _held(txn: "lmdb.Transaction[bytes]", name: str) -> int | None:
    key = PREFIX + name.encode()
    return _number(key, txn.get(key, b""))


def _number(key: bytes, raw: bytes) -> int | None:
    number = raw[:_NUMBER_BYTES]
    return int.from_bytes(number, "big") if raw[_NUMBER_BYTES:] == _sum(key, number) else None


def _sum(key: bytes, number: bytes) -> bytes:
    return crc32(number, crc32(key)).to_bytes(_SUM_BYTES, "little")

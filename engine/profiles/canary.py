"""The canary: reads a whole LMDB file in a process of its own, for a file that lies can end whoever believes it.

What lives here: the reading, and the program that does it and prints what it found. What may not: other modules of
ours (it starts in 40 ms, once for each suspicious file), opinions on what to do (`trust`).

1. LMDB follows the page numbers, offsets and lengths of its file without looking whether they can be right. A wrong
   one is a wrong record or none, an error, an assertion, a read outside of the file: SIGBUS.
2. So every record is read twice, as the next one of its neighbour and by its key. What is intact (its checksum fits)
   must be found by its key, keys must rise, and there must be as many as the file says.
3. Before that it looks at the raw pages of both trees, the records' and the free pages', for each says which page it
   is: one in another's place can hold right records with right neighbours, or make a write go over pages in use.
4. It stops after a given time, for a store that takes minutes must not take minutes to open.
"""

import json
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final
from zlib import crc32

import lmdb

_RESIDUE: Final = 0x2144DF1C  # CRC-32 over anything followed by its own CRC-32; also in `lmdb`
_DAMAGED: Final = 100  # keys of damaged records that are told
_LOOK_EVERY: Final = 1_000  # records, or pages, between two looks at the clock

# LMDB's own layout (`mdb.c`: MDB_page, MDB_meta, MDB_db, MDB_node), as it is where page numbers have 64 bits.
_HEAD: Final = struct.Struct("=QHHHH")  # of a page: its number, padding, flags, end of the offsets, begin of the nodes
_META: Final = struct.Struct("=16xII16xI36xQ40xQQQ")  # magic, format; page size, root of the free; root, last page, txn
_NODE: Final = struct.Struct("=HHHH")  # 48 bits of size or child and of flags, then the length of the key
_OFFSET: Final = struct.Struct("=H")
_PAGE_NUMBER: Final = struct.Struct("=Q")
_MAGIC: Final = (0xBEEFC0DE, 1)
_BRANCH, _LEAF, _OVERFLOW = 1, 2, 4
_ELSEWHERE: Final = 1  # flag of a node whose value has pages of its own
_NO_PAGE: Final = 2**64 - 1


def look(folder: str, seconds: float) -> dict[str, Any]:
    """`records` read, whether that is `all`, keys of `damaged` ones, and `lie`: how the file contradicts itself."""
    until = time.monotonic() + seconds
    with lmdb.open(folder, create=False, readonly=True) as environment, environment.begin(buffers=True) as txn:
        with (Path(folder) / "data.mdb").open("rb") as file:
            lie = _misplaced(file, txn.id(), until)
        return _seen(0, [], lie=lie) if lie else _read(txn, until)


def _misplaced(file: BinaryIO, transaction: int, until: float) -> str | None:
    """Which page of this transaction's trees is not what it should be; `None` for none, or if time is over."""
    size, waiting, last = _roots(file, transaction)
    seen = 0
    while waiting:
        number, kinds = waiting.pop()
        seen += 1
        try:
            page = _at(file, number * size, size) if number <= last and seen <= last else b""
            head = _HEAD.unpack_from(page)
            if head[0] != number or not head[2] & kinds:
                return f"page {number:,} is not the one that belongs there"
            waiting += _below(page, *head[2:4])
        except (struct.error, OSError):
            return f"page {number:,} is none"
        if seen % _LOOK_EVERY == 0 and time.monotonic() > until:
            return None
    return None


def _roots(file: BinaryIO, transaction: int) -> tuple[int, list[tuple[int, int]], int]:
    """The size of pages, the roots, and the last page; no roots if somebody has written twice since: then LMDB's own
    two pages tell of later trees."""
    size = _META.unpack(_at(file, 0, _META.size))[2]
    for at in (0, size):
        *magic, _, free, records, last, written = _META.unpack(_at(file, at, _META.size))
        if (tuple(magic), written) == (_MAGIC, transaction):
            return size, [(root, _BRANCH | _LEAF) for root in (free, records) if root != _NO_PAGE], last
    return size, [], 0


def _at(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)


def _below(page: bytes, flags: int, end: int) -> Iterator[tuple[int, int]]:
    """The pages that a page of a tree names, each with the kinds of page that it may be. Raises struct.error."""
    if flags & _OVERFLOW:
        return
    for (at,) in _OFFSET.iter_unpack(page[_HEAD.size : end]):
        low, high, more, key = _NODE.unpack_from(page, at)
        if flags & _BRANCH:
            yield low | high << 16 | more << 32, _BRANCH | _LEAF
        elif more & _ELSEWHERE:
            yield _PAGE_NUMBER.unpack_from(page, at + _NODE.size + key)[0], _OVERFLOW


def _read(txn: Any, until: float) -> dict[str, Any]:
    damaged: list[str] = []
    records, before = 0, b""
    for key, value in txn.cursor():
        name = bytes(key)
        records += 1
        if records > 1 and name <= before:
            return _seen(records, damaged, lie="keys are not in order")
        before = name
        # The first key holds the name of the store (`identity`), without a checksum.
        if name[:1] != b"\0" and crc32(value, crc32(name)) != _RESIDUE:
            damaged.append(name.hex())
        elif txn.get(name) != value:
            return _seen(records, damaged, lie="a record is not where its key says")
        if records % _LOOK_EVERY == 0 and time.monotonic() > until:
            return _seen(records, damaged, all_=False)
    entries = txn.stat()["entries"]
    lie = None if entries == records else f"it holds {records:,} of {entries:,} records"
    return _seen(records, damaged, lie=lie)


def _seen(records: int, damaged: list[str], *, lie: str | None = None, all_: bool = True) -> dict[str, Any]:
    return {"records": records, "all": all_, "damaged": damaged[:_DAMAGED], "lie": lie}


def main(folder: str, seconds: str) -> None:
    """Look, and print what was seen as JSON; an error of LMDB is a lie, too."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - there is none on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # its death is expected: no dump of people's traits
    try:
        seen = look(folder, float(seconds))
    except lmdb.MapResizedError:
        seen = _seen(0, [], all_=False)  # somebody writes to it just now, and could
    except lmdb.ReadersFullError:
        seen = _seen(0, [], all_=False)  # as many as can read do
    except lmdb.Error as error:
        seen = _seen(0, [], lie=str(error))
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])

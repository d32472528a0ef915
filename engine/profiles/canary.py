"""The canary: reads a whole LMDB file in a process of its own, for a file that lies can end whoever believes it.

What lives here: the reading, and the program that does it and prints what it found. What may not: other modules of
ours (it starts in 40 ms, once for each suspicious file), opinions on what to do (`trust`).

1. LMDB follows the page numbers, offsets and lengths of its file without looking whether they can be right. A wrong
   one is a wrong record or none, an error, an assertion, a read outside of the file: SIGBUS.
2. So every record is read twice, as the next one of its neighbour and by its key. What is intact (its checksum fits)
   must be found by its key, keys must rise, and there must be as many as the file says.
3. It stops after a given time, for a store that takes minutes must not take minutes to open.
"""

import json
import sys
import time
from typing import Any, Final
from zlib import crc32

import lmdb

_RESIDUE: Final = 0x2144DF1C  # CRC-32 over anything followed by its own CRC-32; also in `lmdb`
_DAMAGED: Final = 100  # keys of damaged records that are told
_LOOK_EVERY: Final = 1_000  # records between two looks at the clock


def look(folder: str, seconds: float) -> dict[str, Any]:
    """`records` read, whether that is `all`, keys of `damaged` ones, and `lie`: how the file contradicts itself."""
    until = time.monotonic() + seconds
    with lmdb.open(folder, create=False, readonly=True) as environment, environment.begin(buffers=True) as txn:
        return _read(txn, until)


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

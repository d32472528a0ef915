"""A file that says what is being done, so that whoever comes next can finish it: durable as a whole, or never begun on.

What lives here: how such a note is written and read. What may not: what it says, and what is done about it
(`overwriting`, `archive`).

The note is followed by nothing and preceded by its own CRC-32 (4 bytes): a note that is not whole, because its writer
was killed or the power went, counts as none. Empty is none, too; whoever has finished cuts the file to nothing.
"""

from pathlib import Path
from typing import Final
from zlib import crc32

from engine.events.disk import Disk, write_all

_SUM_BYTES: Final = 4


def put(folder: Path, journal: int, note: bytes, disk: Disk) -> None:
    """Write the note into the empty journal of this folder, durably, or leave it empty. Raises `OSError`."""
    try:
        write_all(disk, journal, _sum_of(note) + note, 0)
        disk.sync(journal)
        disk.sync_folder(folder)  # it may be new
    except OSError:
        disk.cut(journal, 0)
        raise


def whole(written: bytes) -> bytes | None:
    """The note that a journal with these bytes holds; None where there is no whole one."""
    found, note = written[:_SUM_BYTES], written[_SUM_BYTES:]
    return note if written and found == _sum_of(note) else None


def _sum_of(note: bytes) -> bytes:
    return crc32(note).to_bytes(_SUM_BYTES, "little")

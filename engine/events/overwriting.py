"""Lines replaced in place: durable, all of a batch or none of it, beside a living writer.

What lives here: the folder's `overwriting` file, which is lock and journal in one. What may not: which lines are to be
replaced by what (`scrub`, `rejected`).

1. A new line has the length of the old one, and nothing else of the file moves.
2. A write can be cut in two by a kill or a power loss, and half of each line would be neither. So the new lines are
   first written into the journal, durably; then over the old ones, durably; then the journal is emptied. Whoever
   comes next finishes what a dead process left there. A journal that is not whole was never begun on.
3. The journal's lock is held meanwhile, so there is one overwriter a folder. The writer of a file takes it too before
   it cuts lines off that were never durable: or else these could be overwritten when others stand in their place.
4. A line is replaced only while it is the one that was read: it is known by its CRC-32 and its place.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from zlib import crc32

import msgspec
from msgspec import Struct

from engine.events.disk import DISK, Disk, opened, take, told, write_all
from engine.events.journal import put, whole
from engine.events.line import unsealed
from engine.events.reading import AT_WORK_FILE


class Replacement(Struct, frozen=True, array_like=True):
    """In this file, at this offset: the CRC-32 of the line as it is, and the line as it shall be."""

    file: str
    at: int
    old: int
    new: bytes


@contextmanager
def alone(folder: Path, disk: Disk) -> Iterator[int]:
    """While nobody else overwrites lines in this folder or cuts them off: its journal, open. Raises `OSError`."""
    with opened(disk, folder / AT_WORK_FILE, os.O_RDWR | os.O_CREAT) as journal:
        take(journal, wait=True)
        yield journal


def overwrite(folder: Path, replacements: Sequence[Replacement], disk: Disk = DISK) -> int:
    """Replace these lines; how many were still the ones that had been read. Raises LogError."""
    try:
        with alone(folder, disk) as journal:
            _finish(folder, journal, disk)
            put(folder, journal, msgspec.msgpack.encode(replacements), disk)
            made = _replace(folder, replacements, disk, half_done=False)
            disk.cut(journal, 0)
            return made
    except OSError as error:
        raise told(folder, error) from error


def finish(folder: Path, disk: Disk = DISK) -> int:
    """Finish what a process that died was overwriting; how many lines. Raises LogError."""
    if not (folder / AT_WORK_FILE).exists():
        return 0
    try:
        with alone(folder, disk) as journal:
            return _finish(folder, journal, disk)
    except OSError as error:
        raise told(folder, error) from error


def _finish(folder: Path, journal: int, disk: Disk) -> int:
    noted = _read(journal, 0, os.fstat(journal).st_size)
    if not noted:
        return 0
    made = 0
    if (note := whole(noted)) is not None:
        replacements = msgspec.msgpack.decode(note, type=list[Replacement])
        made = _replace(folder, replacements, disk, half_done=True)
    disk.cut(journal, 0)
    return made


def _replace(folder: Path, replacements: Sequence[Replacement], disk: Disk, *, half_done: bool) -> int:
    made = 0
    for name, of_file in groupby(replacements, attrgetter("file")):
        if not (folder / name).exists():
            continue  # and with it the lines
        with opened(disk, folder / name, os.O_RDWR) as fd:
            for wanted in of_file:
                if _is_the_one(_read(fd, wanted.at, len(wanted.new)), wanted, half_done=half_done):
                    write_all(disk, fd, wanted.new, wanted.at)
                    made += 1
            disk.sync(fd)
    return made


def _is_the_one(found: bytes, wanted: Replacement, *, half_done: bool) -> bool:
    """A line that was half replaced is neither the old nor the new one, and no line at all."""
    if crc32(found) == wanted.old:
        return True
    return half_done and (found == wanted.new or (len(found) == len(wanted.new) and unsealed(found) is None))


def _read(fd: int, at: int, length: int) -> bytes:
    os.lseek(fd, at, os.SEEK_SET)
    found = b""
    while len(found) < length and (more := os.read(fd, length - len(found))):
        found += more
    return found

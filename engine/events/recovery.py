"""What is done about a log before it is gone on with: overwriting finished, torn ends set aside.

What lives here: that, and the folder of torn ends. What may not: reading events, writing new ones.

1. To be called at a start, and now and then; beside living writers, whose files are left alone.
2. A torn end was never acknowledged. It is copied into `torn/`, durably, then cut off its file: for people to look at,
   the last hundred of them. A file of nothing but a torn end is removed.
3. It may hold a person's values all the same, and nobody can say whose: a deletion removes all of them.
"""

import os
from pathlib import Path
from typing import Final

from msgspec import Struct

from engine.events.disk import DISK, Disk, listed, opened, take, told, write_all
from engine.events.overwriting import finish
from engine.events.reading import files
from engine.limits import EVENT_LINE_BYTES, TORN_KEPT

TORN_FOLDER: Final = "torn"
_LOOK_BYTES: Final = 4096


class Recovered(Struct, frozen=True):
    """What there was to do: lines whose overwriting was finished, torn ends and where each is now."""

    overwritten: int
    torn: tuple[Path, ...]


def recover(folder: Path, *, disk: Disk = DISK) -> Recovered:
    """Finish what dead processes left in this folder. Raises LogError."""
    overwritten = finish(folder, disk)
    try:
        found = files(folder)
    except OSError as error:
        raise told(folder, error) from error
    aside = (set_aside_torn(path, disk=disk) for path in found)
    return Recovered(overwritten, tuple(path for path in aside if path is not None))


def set_aside_torn(path: Path, *, disk: Disk = DISK) -> Path | None:
    """Where the torn end of this file is now; None if it has none or a living writer. Raises LogError."""
    try:
        with opened(disk, path, os.O_RDWR) as fd:
            size = os.fstat(fd).st_size
            if not size or not take(fd) or (start := _last_line_end(fd, size)) == size:
                return None
            aside = path.parent / TORN_FOLDER / f"{path.stem}.{start}"
            os.lseek(fd, start, os.SEEK_SET)
            _keep(aside, os.read(fd, EVENT_LINE_BYTES), disk)
            if start:
                disk.cut(fd, start)
                disk.sync(fd)
            else:
                disk.remove(path)
            return aside
    except FileNotFoundError:
        return None
    except OSError as error:
        raise told(path.parent, error) from error


def torn(folder: Path) -> list[Path]:
    """The torn ends that were set aside, the oldest first. Raises `OSError`."""
    return listed(folder / TORN_FOLDER)


def forget_torn(folder: Path, *, disk: Disk = DISK) -> int:
    """Remove all of them; how many. Raises LogError."""
    try:
        ends = torn(folder)
        for path in ends:
            disk.remove(path)
        if ends:
            disk.sync_folder(folder / TORN_FOLDER)
    except OSError as error:
        raise told(folder, error) from error
    return len(ends)


def _last_line_end(fd: int, size: int) -> int:
    """Just behind the last newline; 0 if there is none."""
    end = size
    while end:
        start = max(0, end - _LOOK_BYTES)
        os.lseek(fd, start, os.SEEK_SET)
        if (newline := os.read(fd, end - start).rfind(b"\n")) >= 0:
            return start + newline + 1
        end = start
    return 0


def _keep(aside: Path, end: bytes, disk: Disk) -> None:
    disk.make_folder(aside.parent)
    with opened(disk, aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as fd:
        write_all(disk, fd, end, 0)
        disk.sync(fd)
    disk.sync_folder(aside.parent)
    disk.sync_folder(aside.parent.parent)  # it may be new there
    for path in torn(aside.parent.parent)[:-TORN_KEPT]:
        disk.remove(path)

"""What the log asks of the disk, and how the log fails.

What lives here: `Disk`, the few calls that can fail; locks on files; errors of the system in the words of the log.
What may not: lines, and what is done about an error.

1. Everything that changes a file goes through a `Disk`. Its default is the system; a test gives one that fails at the
   n-th call (tests/events/faults.py), so that no order of errors is left to chance.
2. A lock (`flock`) says that somebody lives: it belongs to the open file, and ends with the process, however it ends.
   It hinders nobody from reading. Windows has none: there every file counts as one that is still written.
3. No room is `LogFull`, everything else `LogUnavailable`: both may be tried again, and a service does so by itself. A
   file that cannot be understood is `LogDamaged`. Messages name the folder and what to do; they never hold an event.
4. A folder that is not there holds nothing; one that may not be listed is an error, never an empty one (`listed`).
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from typing import Final

from msgspec import Struct

if sys.platform != "win32":
    import fcntl

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
_NO_ROOM: Final = {ENOSPC, EDQUOT, EFBIG}
_BINARY: Final = getattr(os, "O_BINARY", 0)  # Windows would change line ends


class LogError(Exception):
    """The log could not do what it was asked. What was durable before still is."""


class LogFull(LogError):
    """There is no room to write. The same lines may be tried again."""


class LogUnavailable(LogError):
    """The log cannot be written now, for another reason than room."""


class LogDamaged(LogError):
    """A file of the log is not as it was written, or none of the log's. All the others can be read."""


def _open(path: Path, flags: int) -> int:
    return os.open(path, flags | _BINARY, FILE_MODE)


def _write_at(fd: int, data: bytes | memoryview, at: int) -> int:
    """As `pwrite`, which not every system has; nobody else uses this open file."""
    os.lseek(fd, at, os.SEEK_SET)
    return os.write(fd, data)


def _sync_folder(folder: Path) -> None:
    """A file is in its folder for good only after this."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _make_folder(folder: Path) -> None:
    folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)


class Disk(Struct, frozen=True):
    """The calls that can fail. Each raises `OSError`."""

    make_folder: Callable[[Path], None] = _make_folder
    open: Callable[[Path, int], int] = _open
    write_at: Callable[[int, bytes | memoryview, int], int] = _write_at
    sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
    cut: Callable[[int, int], None] = os.ftruncate
    sync_folder: Callable[[Path], None] = _sync_folder
    remove: Callable[[Path], None] = os.unlink
    rename: Callable[[Path, Path], None] = os.replace


DISK: Final = Disk()


def write_all(disk: Disk, fd: int, data: bytes, at: int) -> None:
    """All of it, however little the system takes at once. Raises `OSError`."""
    rest = memoryview(data)
    while rest:
        written = disk.write_at(fd, rest, at)
        rest, at = rest[written:], at + written


def append_to(path: Path, data: bytes) -> None:
    """At the end of a file that nobody else writes, made where it is not there. Raises `OSError`."""
    with opened(DISK, path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as fd:
        write_all(DISK, fd, data, 0)


def listed(folder: Path, suffix: str = "", prefix: str = "") -> list[Path]:
    """What is in this folder, under names that begin and end so, sorted. Raises `OSError`."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - `glob` would take a folder that may not be read for empty
    except FileNotFoundError:
        return []
    return [folder / name for name in names if name.startswith(prefix) and name.endswith(suffix)]


def close_quietly(fd: int) -> None:
    """What was to be durable already is, so an error here changes nothing."""
    with suppress(OSError):
        os.close(fd)


@contextmanager
def opened(disk: Disk, path: Path, flags: int) -> Iterator[int]:
    """The file, open for a while."""
    fd = disk.open(path, flags)
    try:
        yield fd
    finally:
        close_quietly(fd)


def take(fd: int, *, shared: bool = False, wait: bool = False) -> bool:
    """Whether the lock of this open file was had; it goes with the file's closing. Raises `OSError`."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def no_room(error: OSError) -> bool:
    """Is this what a full disk says?"""
    return error.errno in _NO_ROOM


def told(folder: Path, error: OSError) -> LogError:
    """What the system says, in the words of the log."""
    why = error.strerror or str(error)
    if no_room(error):
        return LogFull(f"no room to write in {folder}: {why}; free some, then it can be tried again")
    return LogUnavailable(
        f"cannot keep a log in {folder}: {why}; make it writable for this user, or give another folder with --data"
    )

"""Which files the event log consists of, and how some of them take the place of others, in one moment.

What lives here: `Parts`, the lock that readers hold, `take_place`. What may not: what stands in the files.

1. The log is files of lines in its folder, and Parquet files in `parquet/day=YYYY-MM-DD/` in place of lines that were
   compacted, by the UTC day on which an event came. What could not be compacted is kept in `damaged/`, as lines.
2. New files are made in `work/`, under the path that they will have. They are made durable, then noted together with
   those that they replace, durably: **that is the moment.** Then they are moved, the old ones removed, and the note is
   emptied.
3. Until the moment all of it may be thrown away, after it all of it is finished by whoever comes next. So whenever a
   process dies, each event counts, and counts once. No name is ever used a second time.
4. The note is a lock too (`replacing`): who reads holds it with others, who replaces holds it alone. Who reads goes by
   the note, finishes nothing and makes nothing, for it may not be allowed to write. Where there is no note yet it holds
   the folder itself, and whoever makes the note waits for that.
5. One at a time makes new files: whoever does holds a lock of its own (`segment.erasure`). `cleared` is its first step.
"""

import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from engine.events.disk import DISK, Disk, listed, opened, take, told
from engine.events.journal import put, whole
from engine.events.reading import files

PARQUET_FOLDER: Final = "parquet"
PARQUET_SUFFIX: Final = ".parquet"
DAMAGED_FOLDER: Final = "damaged"
WORK_FOLDER: Final = "work"
NOTE_FILE: Final = "replacing"
_DAY: Final = "day="
_TOKEN_BYTES: Final = 4


class Parts(Struct, frozen=True):
    """The files that hold the log's events, each event in one of them; the oldest first."""

    lines: tuple[Path, ...]
    parquet: tuple[Path, ...]


class _Note(Struct, frozen=True, array_like=True):
    """Paths within the folder of the log: what counts from now on, and what does not any more."""

    new: tuple[str, ...] = ()
    old: tuple[str, ...] = ()


def parts(folder: Path) -> Parts:
    """What the log consists of at this moment; any of it may be replaced at the next. Raises OSError."""
    with reading(folder) as found:
        return found


@contextmanager
def reading(folder: Path) -> Iterator[Parts]:
    """The same, and nothing of it is replaced meanwhile. Nothing is written. Raises OSError."""
    with ExitStack() as held:
        with suppress(FileNotFoundError):  # nothing was ever replaced
            held.enter_context(_folder_held(folder, shared=True))
            note = held.enter_context(opened(DISK, folder / NOTE_FILE, os.O_RDONLY))
            take(note, shared=True, wait=True)
        yield _parts(folder)


def damaged(folder: Path) -> list[Path]:
    """The files of lines that could not be compacted, the oldest first. Raises OSError."""
    return files(folder / DAMAGED_FOLDER)


def named(begun: str) -> str:
    """A name that nothing ever had, for what is made of lines of which this is the first file's stem."""
    return f"{begun}-{secrets.token_hex(_TOKEN_BYTES)}"


def begun(path: Path) -> str:
    """What a file that was `named` so is made of."""
    return path.stem[: -2 * _TOKEN_BYTES - 1]


def changed_ns(folder: Path) -> int:
    """When files last took the place of others, by the system's clock; 0 if they never did. Raises OSError."""
    with suppress(FileNotFoundError):
        return (folder / NOTE_FILE).stat().st_mtime_ns
    return 0


def beside(folder: Path, name: str) -> Path:
    """Where a file is made that will have this path within the folder; the folder for it is there. Raises OSError."""
    path = folder / WORK_FOLDER / name
    for within in _down_to(folder, path.parent):
        DISK.make_folder(within)
    return path


def take_place(folder: Path, new: Sequence[str], old: Sequence[str], *, disk: Disk = DISK) -> None:
    """From now on, and for good, the files `new` (made `beside`) count and `old` do not; both are paths within the
    folder. It waits for readers. Raises LogError.
    """
    note = _Note(tuple(new), tuple(old))
    try:
        for name in new:
            _make_durable(folder, name, disk)
        with _alone(folder, disk) as journal:
            _finish(folder, journal, disk)
            put(folder, journal, msgspec.msgpack.encode(note), disk)
            _carry_out(folder, note, disk)
            disk.cut(journal, 0)
    except OSError as error:
        raise told(folder, error) from error


def cleared(folder: Path, *, disk: Disk = DISK) -> None:
    """Finish what a dead process was replacing, and throw away what it had only begun. Raises LogError."""
    try:
        if (folder / NOTE_FILE).exists():
            with _alone(folder, disk) as journal:
                _finish(folder, journal, disk)
        if (folder / WORK_FOLDER).exists():
            shutil.rmtree(folder / WORK_FOLDER)
    except OSError as error:
        raise told(folder, error) from error


@contextmanager
def _alone(folder: Path, disk: Disk) -> Iterator[int]:
    if not (folder / NOTE_FILE).exists():
        with _folder_held(folder), opened(disk, folder / NOTE_FILE, os.O_RDWR | os.O_CREAT):
            pass
    with opened(disk, folder / NOTE_FILE, os.O_RDWR | os.O_CREAT) as journal:
        take(journal, wait=True)
        yield journal


@contextmanager
def _folder_held(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """The lock of the folder itself, where the system has such. Raises OSError."""
    if sys.platform == "win32":
        yield
        return
    with opened(DISK, folder, os.O_RDONLY | os.O_DIRECTORY) as fd:
        with suppress(OSError):  # some file systems of networks lock no folders
            take(fd, shared=shared, wait=True)
        yield


def _parts(folder: Path) -> Parts:
    note = _noted(folder)
    gone = {folder / name for name in note.old}
    moved = {folder / name: folder / WORK_FOLDER / name for name in note.new if name.endswith(PARQUET_SUFFIX)}
    days = listed(folder / PARQUET_FOLDER, prefix=_DAY)
    found = {path: path for day in days for path in listed(day, PARQUET_SUFFIX)}
    found |= {path: beside for path, beside in moved.items() if path not in found and beside.exists()}
    return Parts(
        tuple(path for path in files(folder) if path not in gone),
        tuple(found[path] for path in sorted(found.keys() - gone)),
    )


def _noted(folder: Path) -> _Note:
    """What is being replaced; a note that is not whole was never begun on."""
    try:
        note = whole((folder / NOTE_FILE).read_bytes())
    except FileNotFoundError:
        return _Note()
    return _Note() if note is None else msgspec.msgpack.decode(note, type=_Note)


def _finish(folder: Path, journal: int, disk: Disk) -> None:
    _carry_out(folder, _noted(folder), disk)
    disk.cut(journal, 0)


def _carry_out(folder: Path, note: _Note, disk: Disk) -> None:
    """Can be done again, from any place on."""
    for name in note.new:
        if (folder / WORK_FOLDER / name).exists():
            _make_folders(folder, (folder / name).parent, disk)
            disk.rename(folder / WORK_FOLDER / name, folder / name)
    for within in sorted({(folder / name).parent for name in note.new}):
        if within.exists():
            disk.sync_folder(within)
    for name in note.old:
        if (folder / name).exists():
            disk.remove(folder / name)
    for within in sorted({(folder / name).parent for name in note.old}):
        if within.exists():
            disk.sync_folder(within)


def _make_durable(folder: Path, name: str, disk: Disk) -> None:
    path = folder / WORK_FOLDER / name
    with opened(disk, path, os.O_RDWR) as fd:
        disk.sync(fd)
    for within in _down_to(folder, path.parent):
        disk.sync_folder(within)
    disk.sync_folder(folder)


def _make_folders(folder: Path, last: Path, disk: Disk) -> None:
    """All of them down to the last one, each durably in the one above."""
    for within in _down_to(folder, last):
        disk.make_folder(within)
        disk.sync_folder(within.parent)


def _down_to(folder: Path, last: Path) -> list[Path]:
    """The folders below this one on the way to the last one, and that itself."""
    return [last, *last.parents][: len(last.relative_to(folder).parts)][::-1]

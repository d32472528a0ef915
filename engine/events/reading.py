"""Files of lines, read: in constant memory, from any place on, beside a living writer. Nothing here is fatal.

What lives here: which files there are and which are finished; lines, events, and what is no line. What may not:
changing a file.

1. What does not end in a newline is *torn*: somebody died while writing it, or is just writing it. It is the last
   thing of its file, and nobody was ever told that it is there.
2. A line whose checksum is wrong, or that is longer than any that is written, is *damaged*: told, and left out. Only
   it is lost, for the next line begins behind the next newline.
3. A line that somebody is overwriting at this moment looks damaged as well, so such a line is looked at again while
   nobody is overwriting. A line of nothing but blanks is what was made of a damaged one (`scrub`): no word about it.
4. A file is finished when it has no living writer: its lock can be had. An empty one never is, its writer may be
   about to take the lock; it holds nothing that anybody could miss.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct

from engine.events.disk import DISK, listed, opened, take
from engine.events.line import Entry, entry, unsealed
from engine.limits import EVENT_LINE_BYTES

SUFFIX: Final = ".ndjson"
AT_WORK_FILE: Final = "overwriting"  # its lock is held by whoever overwrites lines in this folder (`overwriting`)
_BUFFER_BYTES: Final = 256 * 1024


class Line(Struct, frozen=True, gc=False):
    """One line as it was written: from `start` up to `end`, and what it says (`line`, `rejected`)."""

    start: int
    end: int
    rest: bytes


class Damaged(Struct, frozen=True):
    """From `start` up to `end` stands nothing that was written so, and why that is known."""

    start: int
    end: int
    why: str


class Torn(Struct, frozen=True):
    """From `start` up to the end of the file stands the beginning of a line."""

    start: int


def files(folder: Path) -> list[Path]:
    """The files of a log, the oldest first; none where there is no folder. Raises `OSError`."""
    return listed(folder, SUFFIX)


def finished(folder: Path) -> list[Path]:
    """Those that nobody will write to again. Raises `OSError`."""
    return [path for path in files(folder) if is_finished(path)]


def is_finished(path: Path) -> bool:
    """Whether the file has lines and no living writer. Raises `OSError`."""
    try:
        with opened(DISK, path, os.O_RDONLY) as fd:
            return os.fstat(fd).st_size > 0 and take(fd, shared=True)
    except FileNotFoundError:
        return False


def entries(path: Path, start: int = 0) -> Iterator[Entry | Damaged | Torn]:
    """The events of a file from `start`, where a line begins. Raises `OSError`."""
    for found in lines(path, start):
        if isinstance(found, Line):
            try:
                yield entry(found.end, found.rest)
            except ValueError:
                yield Damaged(found.start, found.end, "it is no event")
        else:
            yield found


def after_blanks(path: Path, start: int) -> int:
    """Where the lines of nothing but blanks end that begin at `start`; there, if none does. Raises `OSError`."""
    end = at = start
    with path.open("rb") as file:
        file.seek(start)
        for piece in iter(partial(file.readline, EVENT_LINE_BYTES), b""):
            if piece.strip(b" \n"):
                break
            at += len(piece)
            end = at if piece[-1:] == b"\n" else end
    return end


def lines(path: Path, start: int = 0) -> Iterator[Line | Damaged | Torn]:
    """The lines of a file from `start`, where one begins. Raises `OSError`."""
    with path.open("rb", _BUFFER_BYTES) as file:
        file.seek(start)
        for line in iter(partial(file.readline, EVENT_LINE_BYTES), b""):
            rest = unsealed(line)
            end = start + len(line)
            if rest is not None:
                yield Line(start, end, rest)
            elif line[-1:] == b"\n":
                yield from _looked_at_again(path, start, line)
            else:
                length, whole = _length_of_long(file, line)
                end = start + length
                yield Damaged(start, end, "it is longer than any event") if whole else Torn(start)
            start = end


def _length_of_long(file: BinaryIO, line: bytes) -> tuple[int, bool]:
    length = len(line)
    while line and line[-1:] != b"\n":
        line = file.readline(EVENT_LINE_BYTES)
        length += len(line)
    return length, line[-1:] == b"\n"


def _looked_at_again(path: Path, start: int, line: bytes) -> Iterator[Line | Damaged]:
    end = start + len(line)
    line = _at_rest(path, start, len(line)) or line
    rest = unsealed(line)
    if rest is not None:
        yield Line(start, end, rest)
    elif line.strip(b" \n"):
        yield Damaged(start, end, "its checksum is wrong")


def _at_rest(path: Path, start: int, length: int) -> bytes | None:
    """These bytes while nobody overwrites any; None where nobody ever has."""
    try:
        with opened(DISK, path.with_name(AT_WORK_FILE), os.O_RDONLY) as at_work, path.open("rb") as file:
            take(at_work, shared=True, wait=True)
            file.seek(start)
            return file.read(length)
    except FileNotFoundError:
        return None

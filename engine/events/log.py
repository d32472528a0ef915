"""The log of one process, written: what `append` returned for is on the disk, whatever fails before or after.

What lives here: the one writer of a file, its rotation, what is done when the disk refuses. What may not: what stands
in a line, who waits for whom (a caller appends for many at once), reading.

1. A file has one writer, which holds its lock as long as it lives. Nobody ever opens it again to append to it.
2. `append` writes all lines, then waits for the disk. Its return is the acknowledgement; a file is in its folder, for
   good, before its first line is written.
3. A write that fails is cut off again, back to the last line that was acknowledged. On a full disk the file then waits
   for room; after any other error it is left, and the next append begins a new one.
4. After a failed fsync nobody knows what is on the disk, and asking again would be answered yes (Linux forgets): the
   file is closed and never written again. So is one that could not be cut, or that lost its place in the folder. What
   stands behind the last acknowledged line may then be read or not; whoever sent it sends it again.
5. A new file every hour and every 64 MiB. `settle` closes one whose hour is over though nothing comes any more.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from errno import EDQUOT, ENOSPC
from pathlib import Path
from threading import Lock
from typing import Final

from msgspec import Struct

from engine.events.disk import DISK, Disk, close_quietly, opened, take, told, write_all
from engine.events.overwriting import alone
from engine.events.reading import AT_WORK_FILE, SUFFIX
from engine.limits import LOG_FILE_BYTES

_HOUR_S: Final = 3600
_FOLDERS_ABOVE: Final = 2  # the data folder, and the one that it is in: they may be as new
_WAITS_FOR_ROOM: Final = {ENOSPC, EDQUOT}  # not EFBIG: that file will never take more


class Position(Struct, frozen=True):
    """Up to here: the name of a file, and a number of its bytes."""

    file: str
    end: int


class _File(Struct):
    path: Path
    fd: int
    hour: int
    end: int = 0  # of what is acknowledged
    sound: bool = True  # behind `end` stands nothing


class EventLog:
    """The writer of one process. Several threads may append; one waits for the other."""

    def __init__(
        self,
        folder: Path,
        now: Callable[[], datetime],
        *,
        file_bytes: int = LOG_FILE_BYTES,
        hourly: bool = True,
        disk: Disk = DISK,
    ) -> None:
        """Nothing is made before the first append."""
        self._folder = folder
        self._now = now
        self._file_bytes = file_bytes
        self._hourly = hourly
        self._disk = disk
        self._turn = Lock()
        self._file: _File | None = None

    def append(self, lines: Sequence[bytes]) -> Position:
        """Write these lines (`line.encode`), durably; where the last one ends. Raises LogError."""
        if not lines or not all(line.endswith(b"\n") for line in lines):
            raise ValueError("at least one line, and each with its newline")
        data = b"".join(lines)
        with self._turn:
            try:
                file = self._current()
                self._write(file, data)
            except OSError as error:
                raise told(self._folder, error) from error
            finally:
                if self._file is not None and not self._file.sound:
                    self._let_go(self._file)
            return Position(file.path.name, file.end)

    def settle(self) -> None:
        """Close a file that nothing more will be written to, though no append comes that would notice."""
        with self._turn:
            if self._file is not None and not self._serves(self._file):
                self._let_go(self._file)

    def leave(self, name: str) -> None:
        """Close the file of this name, if it is being written; the next append begins a new one."""
        with self._turn:
            if self._file is not None and self._file.path.name == name:
                self._let_go(self._file)

    def close(self) -> None:
        """Let go of the file; a later append begins a new one. Closing twice is harmless."""
        with self._turn:
            if self._file is not None:
                self._let_go(self._file)

    def _write(self, file: _File, data: bytes) -> None:
        file.sound = False  # until all of it is there, whatever comes between
        try:
            write_all(self._disk, file.fd, data, file.end)
        except OSError as error:
            file.sound = self._cut_back(file) and error.errno in _WAITS_FOR_ROOM
            raise
        self._disk.sync(file.fd)
        file.end += len(data)
        file.sound = True

    def _cut_back(self, file: _File) -> bool:
        try:
            with alone(self._folder, self._disk):
                self._disk.cut(file.fd, file.end)
        except OSError:
            return False
        return True

    def _current(self) -> _File:
        if self._file is not None:
            if self._serves(self._file):
                return self._file
            self._let_go(self._file)
        self._file = self._begin()
        return self._file

    def _serves(self, file: _File) -> bool:
        """Not full, not of another hour, and still in its folder."""
        return file.end < self._file_bytes and file.hour == self._hour() and os.fstat(file.fd).st_nlink > 0

    def _begin(self) -> _File:
        """A new file, in its folder for good, and ours."""
        self._disk.make_folder(self._folder)
        with opened(self._disk, self._folder / AT_WORK_FILE, os.O_RDWR | os.O_CREAT):
            pass  # now, for on a full disk it could not be made
        path = self._folder / self._name()
        fd = self._disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        file = _File(path, fd, self._hour())
        try:
            take(fd)
            self._sync_folders()
        except BaseException:
            self._let_go(file)
            raise
        return file

    def _name(self) -> str:
        """Sorted by name, files stand in the order of their beginnings; those of several nodes may be put together."""
        now = self._now().astimezone(UTC).isoformat(timespec="milliseconds")
        begun = now.removesuffix("+00:00").replace("-", "").replace(":", "")
        return f"{begun}Z-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"

    def _sync_folders(self) -> None:
        self._disk.sync_folder(self._folder)
        for above in self._folder.absolute().parents[:_FOLDERS_ABOVE]:
            with suppress(PermissionError):  # a folder of the system's, and not new
                self._disk.sync_folder(above)

    def _let_go(self, file: _File) -> None:
        close_quietly(file.fd)
        if not file.end:  # nobody was ever told of anything in it
            with suppress(OSError):
                self._disk.remove(file.path)
        self._file = None

    def _hour(self) -> int:
        return int(self._now().timestamp()) // _HOUR_S if self._hourly else 0

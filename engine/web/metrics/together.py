"""The numbers of several workers in one place: the run folder, a file for each.

What lives here: these files. What may not: what the numbers are.

1. A worker writes its file anew, beside it and then in its place, so that nobody reads half of one. Nothing is synced
   to the disk: what a power cut takes is the numbers of a service that is gone as well. A folder that was removed is
   made again.
2. The file is named after the worker's number, which no other worker of this service ever has.
3. When a worker is gone, the supervisor adds its counters to those of all who went before (`past`), names the worker in
   that file, and removes its own. Whoever reads meanwhile counts nobody twice: a worker who is named in `past` is not
   read, and if a file was there and is no more, all of it is read once again. Its own numbers whoever asks knows
   without a file: they are shown also where nothing can be written, or read.
4. The folder belongs to one service, which holds its lock for as long as it runs; counters of an earlier one are not
   its own. Who starts removes the folders that nobody holds any more.
"""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import msgspec
from msgspec import Struct

from engine.events.disk import DISK, opened, take
from engine.web.metrics.snapshot import Snapshot, added

RUN: Final = "run"  # in the data folder
_LOCK: Final = "lock"
_FLAGS: Final = os.O_RDWR | os.O_CREAT
_PAST: Final = "past"
_ENDING: Final = ".worker"
_TRIES: Final = 5  # a worker ends while all are read; five of them, one after the other, are a service that falls apart


class _Past(Struct, frozen=True):
    """Counters of workers that are gone, and who they were."""

    snapshot: Snapshot
    workers: frozenset[str]


_NOBODY = _Past(Snapshot({}, {}), frozenset())


@contextmanager
def run_folder(parent: Path) -> Iterator["RunFolder"]:
    """A folder for a service that begins, until it has ended. Raises OSError."""
    parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        with opened(DISK, parent / _LOCK, _FLAGS) as door:
            take(door, wait=True)  # one begins after the other, so that none removes what the other has just made
            for left in parent.iterdir():
                _remove_unless_held(left)
            own = Path(mkdtemp(dir=parent))
            held.callback(shutil.rmtree, own, ignore_errors=True)
            take(held.enter_context(opened(DISK, own / _LOCK, _FLAGS)))
        yield RunFolder(own)


def _remove_unless_held(folder: Path) -> None:
    if not folder.is_dir():
        return
    with opened(DISK, folder / _LOCK, _FLAGS) as lock:
        if take(lock):
            shutil.rmtree(folder, ignore_errors=True)


class RunFolder:
    """The folder of one running service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, worker: int, snapshot: Snapshot) -> None:
        """Put a worker's numbers in the place of its earlier ones. Raises OSError."""
        self._put(f"{worker}{_ENDING}", msgspec.msgpack.encode(snapshot))

    def bury(self, worker: int) -> None:
        """This worker is gone. Raises OSError: what it has counted is lost, for it must not be taken for living."""
        name = f"{worker}{_ENDING}"
        last = self._read(name)
        if last is not None:
            past = self._past()
            counted = added([(past.snapshot, False), (last, False)])
            try:
                self._put(_PAST, msgspec.msgpack.encode(_Past(counted, past.workers | {name})))
            finally:
                (self.folder / name).unlink(missing_ok=True)

    def beside(self, worker: int, own: Snapshot) -> list[tuple[Snapshot, bool]]:
        """This worker's numbers and those of all others that can be read, each with whether it is living."""
        try:
            others = self._all_but(f"{worker}{_ENDING}")
        except OSError:  # a folder that cannot be read cannot be written either, and that is told
            others = []
        return [(own, True), *others]

    def _all_but(self, own: str) -> list[tuple[Snapshot, bool]]:
        for _ in range(_TRIES):
            found = [(name, self._read(name)) for name in self._names() if name != own]
            past = self._past()
            read = [(snapshot, True) for name, snapshot in found if snapshot and name not in past.workers]
            if all(snapshot for name, snapshot in found if name not in past.workers):
                break
        return [(past.snapshot, False), *read]

    def _names(self) -> list[str]:
        return [path.name for path in self.folder.iterdir() if path.name.endswith(_ENDING)]

    def _past(self) -> _Past:
        try:
            return msgspec.msgpack.decode((self.folder / _PAST).read_bytes(), type=_Past)
        except FileNotFoundError:
            return _NOBODY

    def _read(self, name: str) -> Snapshot | None:
        try:
            return msgspec.msgpack.decode((self.folder / name).read_bytes(), type=Snapshot)
        except FileNotFoundError:
            return None

    def _put(self, name: str, data: bytes) -> None:
        beside = self.folder / f"{name}.{threading.get_ident()}"  # the job and a scrape may write at once
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside.write_bytes(data)
            beside.replace(self.folder / name)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.folder)) from error

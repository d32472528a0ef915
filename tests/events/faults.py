"""Disks that fail: at the n-th call, by death in the midst of it, by loss of power. For whoever takes a `Disk`.

    faults = Faults(at=3, error=ENOSPC)         # the third call raises; a write has then written half
    faults = Faults(at=3, error=ENOSPC, lasting=True)   # and so does every later one of its name, until `heal()`
    faults = Faults(at=3, error=None)           # the process dies there: `Killed`, which nobody catches
    log = EventLog(folder, now, disk=faults.disk)
    faults.happened                             # whether the scenario came so far: if not, all n have been tried

`Power` remembers what is durable, and `Power.lost` makes of a folder what a machine may find there after it lost its
power: of everything that was not synced any part, sector by sector.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from engine.events.disk import DISK, Disk

SECTOR_BYTES = 64  # smaller than any real one, so that short lines are torn as well
NAMES = tuple(field.name for field in msgspec.structs.fields(Disk))
QUICK = Disk(sync=lambda _: None, sync_folder=lambda _: None)  # for tests of what a living system sees


class Killed(BaseException):
    """The process ended here."""


class Faults:
    """A disk of which one call fails, counted from 1."""

    def __init__(self, at: int, error: int | None, *, lasting: bool = False, disk: Disk = QUICK) -> None:
        self.at, self.error, self.lasting = at, error, lasting
        self.calls: list[str] = []
        self.broken: str | None = None
        self.happened = self.dead = False
        self.disk = Disk(**{name: self._guarded(name, getattr(disk, name)) for name in NAMES})

    def heal(self) -> None:
        """From here on nothing fails."""
        self.broken, self.at = None, 0

    def _guarded(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any) -> Any:
            if self.dead:
                raise Killed("the dead clean nothing up")
            self.calls.append(name)
            if len(self.calls) != self.at and self.broken != name:
                return call(*arguments)
            self.happened = True
            if self.lasting:
                self.broken = name
            if name == "write_at":
                fd, data, at = arguments
                call(fd, data[: len(data) // 2], at)
            if self.error is None:
                self.dead = True
                raise Killed(f"at call {self.at}, {name}")
            raise OSError(self.error, os.strerror(self.error))

        return guarded


class Power:
    """A disk that forgets what was not synced."""

    def __init__(self) -> None:
        self._paths: dict[int, Path] = {}
        self._contents: dict[Path, bytes] = {}
        self._names: dict[Path, set[str]] = {}
        self.disk = Disk(open=self._open, sync=self._sync, sync_folder=self._sync_folder)

    def _open(self, path: Path, flags: int) -> int:
        fd = DISK.open(path, flags)
        self._paths[fd] = path
        return fd

    def _sync(self, fd: int) -> None:
        self._contents[self._paths[fd]] = self._paths[fd].read_bytes()

    def _sync_folder(self, folder: Path) -> None:
        if folder.is_dir():
            self._names[folder] = {path.name for path in folder.iterdir() if path.is_file()}

    def lost(self, folder: Path, chance: random.Random) -> None:
        """What is found there when the power is back."""
        durable = self._names.get(folder, set())
        present = {path.name for path in folder.iterdir() if path.is_file()}
        for name in durable | present:
            path = folder / name
            if name not in durable and chance.random() < 0.5:
                path.unlink()
                continue
            now = path.read_bytes() if name in present else self._contents.get(path, b"")
            path.write_bytes(_mixed(self._contents.get(path, b""), now, chance))


def _mixed(synced: bytes, now: bytes, chance: random.Random) -> bytes:
    """Each sector as it was synced or as it was last; a file that grew is as long as one of the two."""
    length = chance.choice((len(synced), len(now)))
    sectors = []
    for start in range(0, length, SECTOR_BYTES):
        content = chance.choice((synced, now))[start : start + SECTOR_BYTES]
        sectors.append(content.ljust(min(SECTOR_BYTES, length - start), b"\0"))
    return b"".join(sectors)

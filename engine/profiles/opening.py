"""An LMDB file opened: looked at before it is believed, and named where it is new.

What lives here: the order of the steps, and what a refusal means. What may not: reading and writing records (`lmdb`),
which store a folder holds (`identity`), whether a file may be believed (`trust`).

1. The folder is made, the identity file read, and LMDB's lock file given its room: a full disk is told, and is no
   SIGBUS in the middle of LMDB.
2. LMDB opens the data file; before anything in it is read, it is looked at from outside, and a canary sent in doubt.
3. It is our store, or a new one that gets its name; else it is closed again.
4. A map that another process has made larger meanwhile is no refusal: it is opened once more.
"""

import os
import sys
from pathlib import Path
from typing import Final

import lmdb

from engine.profiles import identity
from engine.profiles.failures import NO_ROOM, READERS, failure, no_room, not_usable
from engine.profiles.store import StoreDamaged
from engine.profiles.trust import Trust

MAP_BYTES: Final = 2**30  # to begin with: a million profiles
MAP_BYTES_MOST: Final = 2**44  # 16 TiB: beyond that something else is wrong
LOCK_FILE: Final = "lock.mdb"
LOCK_BYTES: Final = 192 + 64 * (READERS - 1)  # as LMDB makes it by itself; a larger one has more places


def opened(
    folder: Path, map_bytes: int, canary_s: float | None, *, read_only: bool, believed: bool = False
) -> tuple[lmdb.Environment, Trust]:
    """The environment, checked and named. Raises StoreDamaged, StoreFull, StoreUnavailable.

    `believed`: this process, or its parent, had the file open a moment ago; no canary is sent.
    """
    try:
        if not read_only:
            folder.mkdir(parents=True, exist_ok=True)
        known = identity.read(folder)
        _give_room(folder / LOCK_FILE)
        while True:
            try:
                return _checked(folder, known, map_bytes, canary_s, read_only=read_only, believed=believed)
            except lmdb.MapResizedError:
                # Another process grew it after we had looked at its size: look again.
                if map_bytes >= MAP_BYTES_MOST:
                    raise StoreDamaged(
                        f"{folder / identity.DATA_FILE} is damaged: it says that it has more pages than there can be; "
                        f"{identity.ways_out(folder)}"
                    ) from None
                map_bytes *= 2
    except lmdb.Error as error:
        raise failure(folder, error, read_only=read_only) from error
    except OSError as error:
        why = error.strerror or str(error)
        full = error.errno in NO_ROOM
        raise (no_room(folder, why) if full else not_usable(folder, why, read_only=read_only)) from error


def _give_room(lock: Path) -> None:
    """Blocks for the table of readers. Raises OSError where the disk is full.

    LMDB makes a hole of it, and maps that: the first word in it, on a full disk, would end the process with SIGBUS.
    One that has a block is left alone: it may be open here, and closing it would let go of LMDB's lock on it.
    """
    if sys.platform != "linux":
        return
    try:
        if lock.exists() and lock.stat().st_blocks:
            return
        file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, LOCK_BYTES)
        finally:
            os.close(file)
    except OSError as error:
        if error.errno in NO_ROOM:  # all else that may be the matter LMDB tells itself, if it minds
            raise


def _checked(
    folder: Path, known: str | None, map_bytes: int, canary_s: float | None, *, read_only: bool, believed: bool
) -> tuple[lmdb.Environment, Trust]:
    environment = lmdb.Environment(
        str(folder),
        map_size=map_bytes,
        max_readers=READERS,
        max_spare_txns=1,
        mode=0o600,  # what it holds is personal
        readonly=read_only,
    )
    try:
        identity.refuse_cut_short(folder, environment)
        trust = Trust(folder, environment, read_only=read_only)
        trust.arrive()
        try:
            died = environment.reader_check()
            if known is not None and not believed:
                trust.examine(canary_s, readers_died=died > 0)
            identity.settle(folder, environment, known, read_only=read_only)
            if known is None:
                trust.after_write()
            else:
                identity.refuse_other_turn(folder, environment)
                trust.settle()
        except BaseException:
            trust.depart()
            raise
    except BaseException:
        environment.close()
        raise
    return environment, trust

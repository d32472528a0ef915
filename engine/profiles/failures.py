"""What LMDB's errors mean, in the words of a store: what is the matter, with which file, and what to do.

No file is opened here. Most of LMDB's errors have a class of their own, some only a code of the system, a few neither.
"""

from errno import EACCES, EDQUOT, EFBIG, EINVAL, EIO, ENOMEM, ENOSPC, EPERM, EROFS
from pathlib import Path
from shutil import disk_usage
from typing import Final

import lmdb

from engine.limits import DISK_LOW_BYTES
from engine.profiles import identity
from engine.profiles.store import StoreDamaged, StoreError, StoreFull, StoreUnavailable

NO_ROOM: Final = frozenset({ENOSPC, EDQUOT, EFBIG})
READERS: Final = 1024  # read transactions at the same time, over all processes; 64 bytes each


def failure(folder: Path, error: lmdb.Error, *, read_only: bool = False) -> StoreError:
    """What LMDB says, in the words of the store; `read_only`: to whoever only wanted to read."""
    if isinstance(error, lmdb.DiskError) or error.code in NO_ROOM or _disk_is_full(folder, error):
        return no_room(folder, str(error).removeprefix(f"{folder}: "))
    damaged = (lmdb.InvalidError, lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.VersionMismatchError)
    # For a form that it does not know, py-lmdb has words but no class.
    if isinstance(error, damaged) or "not supported by this build" in str(error):
        path = folder / identity.DATA_FILE
        return StoreDamaged(f"{path} is damaged or of another program ({error}); {identity.ways_out(folder)}")
    if error.code in {ENOMEM, EINVAL}:
        path = folder / identity.DATA_FILE
        return StoreUnavailable(
            f"{path} cannot be mapped ({error}): it is damaged, or this process may not have so much address space; "
            f"{identity.ways_out(folder)}"
        )
    if isinstance(error, lmdb.ReadersFullError):
        return StoreUnavailable(f"{folder} has {READERS} readers at once; is something reading it that never ends?")
    if error.code in {EACCES, EPERM, EROFS}:
        return not_usable(folder, "Permission denied", read_only=read_only)
    return StoreUnavailable(f"{folder}: {error}")


def _disk_is_full(folder: Path, error: lmdb.Error) -> bool:
    return error.code == EIO and disk_usage(folder).free < DISK_LOW_BYTES


def no_room(folder: Path, why: str) -> StoreFull:
    """The disk is the trouble."""
    return StoreFull(f"no room to write in {folder}: {why}")


def not_usable(folder: Path, why: str, *, read_only: bool = False) -> StoreUnavailable:
    """The folder itself is the trouble.

    Who reads takes a place in LMDB's table of readers, or a writer would use the pages again that are being read.
    """
    if read_only:
        return StoreUnavailable(
            f"cannot read profiles in {folder}: {why}; reading, too, writes LMDB's lock.mdb there: read as the user of "
            "the service, or make that file writable for this one"
        )
    return StoreUnavailable(
        f"cannot keep profiles in {folder}: {why}; make it writable for this user, or give another folder with --data"
    )

"""What LMDB's errors become: the right kind of trouble, the file's name, and a way out."""

from errno import EACCES, EINVAL, EIO, ENOSPC
from pathlib import Path

import lmdb
import pytest

from engine.profiles.failures import failure, not_usable
from engine.profiles.store import StoreDamaged, StoreError, StoreFull, StoreUnavailable


def raised(kind: type[lmdb.Error], code: int = 0) -> lmdb.Error:
    """An error as LMDB raises it, with the system's code."""
    error = kind("what LMDB says")
    error.code = code
    return error


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (raised(lmdb.DiskError, ENOSPC), StoreFull, "no room to write"),
        (raised(lmdb.Error, ENOSPC), StoreFull, "no room to write"),
        (raised(lmdb.CorruptedError), StoreDamaged, "restore"),
        (raised(lmdb.InvalidError), StoreDamaged, "restore"),
        (raised(lmdb.Error, EINVAL), StoreUnavailable, "cannot be mapped"),
        (raised(lmdb.ReadersFullError), StoreUnavailable, "1024 readers at once"),
        (raised(lmdb.Error, EACCES), StoreUnavailable, "--data"),
        (raised(lmdb.Error), StoreUnavailable, "what LMDB says"),
    ],
)
def test_every_error_has_its_kind(tmp_path: Path, error: lmdb.Error, kind: type[StoreError], said: str) -> None:
    """And names the folder."""
    made = failure(tmp_path, error)
    assert type(made) is kind
    assert said in str(made)
    assert str(tmp_path) in str(made)


def test_an_error_of_a_disk_with_room_is_no_full_disk(tmp_path: Path) -> None:
    """LMDB reports a full disk as an I/O error, but not every I/O error is one."""
    assert type(failure(tmp_path, raised(lmdb.Error, EIO))) is StoreUnavailable


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """With the reason, and what to do."""
    assert str(not_usable(tmp_path, "Not a directory")).startswith(f"cannot keep profiles in {tmp_path}: Not a direct")

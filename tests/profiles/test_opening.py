"""A file of LMDB's opened: new, again, and where it must not be."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import lmdb
import pytest

from engine.profiles import identity
from engine.profiles.failures import READERS
from engine.profiles.opening import LOCK_BYTES, LOCK_FILE, MAP_BYTES, opened
from engine.profiles.store import StoreDamaged, StoreUnavailable

Child: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]

ON_A_FULL_DISK = """
import subprocess, sys
from pathlib import Path
from engine.profiles.lmdb import LmdbStore
from engine.profiles.store import StoreError
disk = Path(sys.argv[1])
if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk]).returncode:
    sys.exit("no mount")
LmdbStore(disk / "restored").close()
(disk / "restored" / "lock.mdb").unlink()
(disk / "new").mkdir()
with open(disk / "filler", "wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(512))
    except OSError:
        pass
for name, read_only in (("new", False), ("restored", False), ("restored", True), ("new", False)):
    try:
        LmdbStore(disk / name, read_only=read_only)
    except StoreError as error:
        print(type(error).__name__, error)
(disk / "filler").unlink()
for name in ("new", "restored"):
    LmdbStore(disk / name).close()
"""


def test_a_new_folder_becomes_a_store_and_stays_the_same_one(folder: Path) -> None:
    """It gets a name, once; the map is as large as it was asked for."""
    names = []
    for _ in range(2):
        environment, trust = opened(folder, MAP_BYTES, None, read_only=False)
        assert environment.info()["map_size"] == MAP_BYTES
        trust.leave()
        environment.close()
        names.append(identity.read(folder))
    assert names[0] is not None
    assert names[0] == names[1]


def test_a_folder_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    """In the store's words, with the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="file"):
        opened(tmp_path / "file" / "profiles", MAP_BYTES, None, read_only=False)


def test_a_file_that_is_none_is_refused_and_let_go_of(folder: Path) -> None:
    """Once it is whole again it is opened as if nothing had been."""
    environment, trust = opened(folder, MAP_BYTES, None, read_only=False)
    trust.leave()
    environment.close()
    whole = (folder / identity.DATA_FILE).read_bytes()
    (folder / identity.DATA_FILE).write_bytes(whole[:100])
    with pytest.raises(StoreDamaged):
        opened(folder, MAP_BYTES, None, read_only=False)
    (folder / identity.DATA_FILE).write_bytes(whole)
    environment, trust = opened(folder, MAP_BYTES, 1.0, read_only=False)
    trust.leave()
    environment.close()


def test_a_full_disk_is_told_before_lmdb_meets_it(tmp_path: Path, child: Child) -> None:
    """Where no lock file is yet, of a new store and of one put back; what failed is not in the way later."""
    script = "import os, sys; os.execvp('unshare', ['unshare', '-rm', sys.executable, '-c', *sys.argv[1:]])"
    done = child(script, ON_A_FULL_DISK, tmp_path)
    if "no mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("a file system cannot be mounted here")
    told = [f"StoreFull no room to write in {tmp_path / name}: {os.strerror(28)}" for name in ("new", "restored")]
    assert done.stdout.splitlines() == [*told, told[1], told[0]], done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("length", [None, 0, LOCK_BYTES], ids=["missing", "empty", "a hole"])
def test_the_table_of_readers_has_its_blocks(folder: Path, length: int | None) -> None:
    """As many places as ever, and as many bytes as LMDB gives it by itself."""
    folder.mkdir()
    lmdb.open(str(folder), max_readers=READERS).close()
    made = (folder / LOCK_FILE).stat().st_size
    for path in folder.iterdir():
        path.unlink()
    if length is not None:
        (folder / LOCK_FILE).touch()
        os.truncate(folder / LOCK_FILE, length)
    environment, trust = opened(folder, MAP_BYTES, None, read_only=False)
    found = (folder / LOCK_FILE).stat()
    assert (environment.info()["max_readers"], found.st_size, LOCK_BYTES) == (READERS, made, made)
    assert found.st_blocks * 512 >= LOCK_BYTES
    trust.leave()
    environment.close()


def test_what_has_a_block_is_left_alone(folder: Path, child: Child) -> None:
    """Opened a second time here, it stays locked: else the next process would begin its table of readers anew."""
    environment, trust = opened(folder, MAP_BYTES, None, read_only=False)
    with pytest.raises(StoreUnavailable, match="already open"):
        opened(folder, MAP_BYTES, None, read_only=False)
    is_locked = "import fcntl, sys\nfcntl.lockf(open(sys.argv[1], 'rb+'), fcntl.LOCK_EX | fcntl.LOCK_NB, 1)"
    assert "BlockingIOError" in child(is_locked, folder / LOCK_FILE).stderr
    trust.leave()
    environment.close()

"""The embedded store where it is its own: damage, growth, full disks, folders. The rest is the contract's.

Files are really damaged; where it is cheap, the fault is shown to bite without the guard. What several threads and
processes do to one store is in `test_lmdb_together.py`.
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import lmdb
import pytest

from engine.profiles import identity
from engine.profiles.ids import Key, key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.store import DAMAGED, StoreUnavailable

Child: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]

TINY_MAP = 64 * 1024
ANN, BOB = key("visitor", "ann"), key("visitor", "bob")

PREPARE = """
import os, signal, sys
from pathlib import Path
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.encoding import facts
from engine.profiles.record import Change
from engine.profiles.store import StoreError
folder = Path(sys.argv[1])
ANN, BOB = key("visitor", "ann"), key("visitor", "bob")
"""
FILL_THE_DISK = f"""{PREPARE}
import resource
store = LmdbStore(folder)
store.apply([Change(ANN, 1, {{"plan": "pro"}})])
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
try:
    store.apply(Change(key("user", str(n)), 1, {{"pad": "x" * 1000}}) for n in range(5000))
except StoreError as error:
    print(type(error).__name__)
print(facts(store.get([ANN])[0]).traits, store.stats().records)
print(store.apply([Change(ANN, 2, {{"plan": "team"}})]), facts(store.get([ANN])[0]).traits)
"""
OPEN_AS_NOBODY = f"""{PREPARE}
import lmdb
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    LmdbStore(folder, read_only=READ_ONLY)
except StoreError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def opened(folder: Path) -> Iterator[LmdbStore]:
    """A store with a map so small that it has to grow."""
    store = LmdbStore(folder, map_bytes=TINY_MAP)
    yield store
    store.close()


def plan(key_: Key, value: str, time: int = 1) -> Change:
    """Somebody's plan is this."""
    return Change(key_, time, {"plan": value})


def flip_one_bit(file: Path, text: bytes) -> None:
    """Damage the one place in the file where `text` stands: the lowest bit of its last byte."""
    raw = bytearray(file.read_bytes())
    assert raw.count(text) == 1
    raw[raw.index(text) + len(text) - 1] ^= 1
    file.write_bytes(raw)


def test_a_flipped_bit_in_a_value_is_a_damaged_record(folder: Path) -> None:
    """LMDB hands out the wrong value; the store says so, counts it, and answers for everybody else."""
    store = LmdbStore(folder)
    store.apply([plan(ANN, "gold"), plan(BOB, "free")])
    store.close()
    flip_one_bit(folder / "data.mdb", b"gold")
    with lmdb.open(str(folder)) as environment, environment.begin() as txn:
        assert b"gole" in (txn.get(ANN) or b"")
    store = LmdbStore(folder)
    assert store.get([ANN, BOB])[0] is DAMAGED
    assert read_profile(store, "ann").degraded
    assert read_profile(store, "bob").traits == {"plan": "free"}
    assert (store.stats().damaged, store.stats().damaged_keys) == (1, (ANN,))
    assert dict(store.scan())[ANN] is DAMAGED
    store.close()


def test_a_flipped_bit_in_a_key_gives_nobody_anothers_record(folder: Path) -> None:
    """The checksum covers the key: `…cam1` does not become `…cam0`."""
    store = LmdbStore(folder)
    store.apply([plan(key("visitor", "cam1"), "gold")])
    store.close()
    flip_one_bit(folder / "data.mdb", b"v:cam1")
    store = LmdbStore(folder)
    assert store.get([key("visitor", "cam1"), key("visitor", "cam0")]) == [None, DAMAGED]
    store.close()


@pytest.mark.parametrize("stored", [b"", b"x", b"abcd", b"\x00" * 8])
def test_a_value_that_was_never_ours_is_damaged(folder: Path, stored: bytes) -> None:
    """Empty, shorter than a checksum, zeros: none of them is a record."""
    LmdbStore(folder).close()
    with lmdb.open(str(folder)) as environment, environment.begin(write=True) as txn:
        txn.put(ANN, stored)
        identity.sign(txn)
    store = LmdbStore(folder)
    assert store.get([ANN]) == [DAMAGED]
    store.close()


def test_the_next_change_starts_a_damaged_record_anew(folder: Path) -> None:
    """So importing again heals; that something was lost stays counted."""
    store = LmdbStore(folder)
    store.apply([plan(ANN, "gold")])
    store.close()
    flip_one_bit(folder / "data.mdb", b"gold")
    store = LmdbStore(folder)
    assert store.apply([Change(ANN, 1, {"age": 3})]) == 1
    assert read_profile(store, "ann").traits == {"age": 3}
    assert store.stats().damaged == 1
    store.delete([ANN])
    assert store.stats().damaged_keys == ()
    store.close()


def test_the_map_grows_within_one_batch(opened: LmdbStore) -> None:
    """A batch many times the size of the map is written all the same, and whole."""
    count = 2_000
    assert opened.apply(Change(key("user", str(n)), 1, {"pad": "x" * 500}) for n in range(count)) == count
    assert opened.stats().records == count
    assert opened.stats().used_bytes > 8 * TINY_MAP


def test_a_failed_write_leaves_reads_and_later_writes_alone(folder: Path, child: Child) -> None:
    """The system refuses to let the file grow: the batch fails whole, the store does not."""
    done = child(FILL_THE_DISK, folder, "limit")
    assert done.stdout == "StoreUnavailable\n{'plan': 'pro'} 1\n1 {'plan': 'team'}\n", done.stderr


def test_a_full_disk_is_said_to_be_one(tmp_path: Path, child: Child) -> None:
    """On a file system of 2 MiB: StoreFull, reads go on, and what fits is written."""
    code = f"""
import subprocess, sys
if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", sys.argv[1]]).returncode:
    sys.exit("no mount")
{FILL_THE_DISK}
"""
    # In a mount namespace of its own, which ends with the process.
    script = "import os, sys; os.execvp('unshare', ['unshare', '-rm', sys.executable, '-c', *sys.argv[1:]])"
    done = child(script, code, tmp_path, "disk")
    if "no mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("a file system cannot be mounted here")
    assert done.stdout == "StoreFull\n{'plan': 'pro'} 1\n1 {'plan': 'team'}\n", done.stderr


def test_a_folder_that_cannot_be_written_is_named_with_a_way_out(tmp_path: Path, child: Child) -> None:
    """The message says which folder, why, and what to do."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    printed = child(OPEN_AS_NOBODY.replace("READ_ONLY", "False"), locked / "profiles").stdout
    assert printed.startswith(f"StoreUnavailable cannot keep profiles in {locked / 'profiles'}: Permission denied")
    assert "--data" in printed


def test_who_may_only_read_is_told_what_reading_writes(tmp_path: Path, child: Child) -> None:
    """A place in the table of readers: without it pages would be used again that are being read."""
    LmdbStore(tmp_path / "profiles").close()
    for path in (tmp_path / "profiles").iterdir():
        path.chmod(0o444)
    (tmp_path / "profiles").chmod(0o555)
    printed = child(OPEN_AS_NOBODY.replace("READ_ONLY", "True"), tmp_path / "profiles").stdout
    assert printed.startswith(f"StoreUnavailable cannot read profiles in {tmp_path / 'profiles'}: Permission denied")
    assert "lock.mdb" in printed


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    """`--data` given a file."""
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StoreUnavailable, match=r"cannot keep profiles in .*data/profiles: Not a directory"):
        LmdbStore(tmp_path / "data" / "profiles")


def test_one_process_opens_a_folder_once(opened: LmdbStore, folder: Path) -> None:
    """LMDB's locks would break otherwise; the error says so, and the open store works on."""
    with pytest.raises(StoreUnavailable, match="already open in this process"):
        LmdbStore(folder)
    assert opened.apply([plan(ANN, "pro")]) == 1


def test_only_its_owner_reads_the_files(opened: LmdbStore, folder: Path) -> None:
    """Profiles are personal data."""
    assert (folder / "data.mdb").stat().st_mode & 0o077 == 0

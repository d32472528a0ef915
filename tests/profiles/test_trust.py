"""When a file is believed at once, when a canary goes first, and what is noticed while the store is open."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import lmdb
import pytest

from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.store import StoreDamaged

BeginChild: TypeAlias = Callable[..., "subprocess.Popen[str]"]

ANN = key("visitor", "ann")
PAGE = 4096

DIE_WHILE_OPEN = """
import os, signal, sys
from pathlib import Path
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
store = LmdbStore(Path(sys.argv[1]))
store.get([key("visitor", "ann")])
os.kill(os.getpid(), signal.SIGKILL)
"""
READ_AFTER_A_CUT = """
import os, sys
from pathlib import Path
from engine.profiles.lmdb import LmdbStore
from engine.profiles.read import read_profile
from engine.profiles.store import StoreError
folder = Path(sys.argv[1])
store = LmdbStore(folder)
os.truncate(folder / "data.mdb", 8192)
if sys.argv[2] == "look":
    try:
        store.stats()
    except StoreError as error:
        print(error)
print(read_profile(store, "ann").degraded)
try:
    store.get([b"v:1"])
except StoreError as error:
    print(error)
store.close()
"""


@pytest.fixture
def data(folder: Path) -> Path:
    """The data file of a closed store."""
    store = LmdbStore(folder)
    store.apply(Change(key("visitor", str(n)), 1, {"note": "x" * 100}) for n in range(500))
    store.apply([Change(ANN, 1, {"plan": "pro"})])
    store.close()
    return folder / "data.mdb"


@pytest.fixture
def opened(folder: Path, data: Path) -> Iterator[LmdbStore]:
    """The same store, open."""
    store = LmdbStore(folder)
    yield store
    store.close()


def harm_records(data: Path) -> bytes:
    """Turn a bit in every record's note, so that a canary has something to tell; what was there before."""
    whole = data.read_bytes()
    data.write_bytes(whole.replace(b"x" * 100, b"x" * 99 + b"y"))
    return whole


def met(folder: Path) -> int:
    """How many damaged records are known at once after opening: only a canary can have met them."""
    store = LmdbStore(folder)
    try:
        return store.stats().damaged
    finally:
        store.close()


def test_a_file_as_it_was_left_is_believed(folder: Path, data: Path) -> None:
    """Size, time and first pages are as noted: no canary, so damage shows only when it is read."""
    was = data.stat()
    harm_records(data)
    os.utime(data, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert met(folder) == 0


def test_a_file_that_changed_since_is_read_first(folder: Path, data: Path) -> None:
    """What the canary met is known before anybody asks, and the store serves the rest."""
    harm_records(data)
    assert met(folder) == 100  # as many as are told
    store = LmdbStore(folder)
    assert read_profile(store, "ann").traits == {"plan": "pro"}
    store.close()


def test_a_lost_note_is_no_trouble(folder: Path, data: Path) -> None:
    """The canary reads everything, and the note is written again."""
    (folder / "closed.json").unlink()
    assert met(folder) == 0
    assert (folder / "closed.json").exists()


@pytest.mark.parametrize("note", [b"", b"{}", b"\xff"])
def test_an_unreadable_note_is_none(folder: Path, data: Path, note: bytes) -> None:
    """The canary knows better than any note."""
    harm_records(data)
    (folder / "closed.json").write_bytes(note)
    assert met(folder) == 100


def test_a_lie_that_a_question_finds_is_not_forgotten(folder: Path, data: Path) -> None:
    """The note of a file that fits it goes, also when it was only read: the next one must not believe it."""
    was = data.stat()
    whole = data.read_bytes()
    data.write_bytes(whole[: 2 * PAGE] + bytes(PAGE) * (len(whole) // PAGE - 2))
    os.utime(data, ns=(was.st_atime_ns, was.st_mtime_ns))
    with pytest.raises(StoreDamaged):
        LmdbStore(folder, canary_s=60, read_only=True)
    with pytest.raises(StoreDamaged):
        LmdbStore(folder)


def test_a_process_that_died_sends_a_canary(
    folder: Path, data: Path, child: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    """Perhaps it was the file that it died of, whatever the note says."""
    was = data.stat()
    assert child(DIE_WHILE_OPEN, folder).returncode == -signal.SIGKILL
    harm_records(data)
    os.utime(data, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert met(folder) == 100


def test_a_death_that_a_writer_notices_is_not_forgotten(
    folder: Path, data: Path, opened: LmdbStore, child: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    """Clearing a dead reader's place takes the note away, so that the next one looks."""
    child(DIE_WHILE_OPEN, folder)
    opened.apply([Change(ANN, 2, {"plan": "team"})])
    assert not (folder / "closed.json").exists()


def test_an_older_copy_is_refused_until_somebody_says_so(folder: Path, data: Path, tmp_path: Path) -> None:
    """A data file of an earlier day lacks what was stored since; the line says how to use it all the same."""
    shutil.copy(data, tmp_path / "earlier")
    store = LmdbStore(folder)
    store.apply([Change(ANN, 2, {"plan": "team"})])
    store.close()
    shutil.copy(tmp_path / "earlier", data)
    for _ in range(2):
        with pytest.raises(StoreDamaged, match=r"is older than its note .* or remove closed\.json"):
            LmdbStore(folder)
    (folder / "closed.json").unlink()
    assert met(folder) == 0


def test_a_backup_of_the_whole_folder_is_fine(folder: Path, data: Path, tmp_path: Path) -> None:
    """Its note fits, whatever was written since."""
    shutil.copytree(folder, tmp_path / "backup")
    store = LmdbStore(folder)
    store.apply([Change(ANN, 2, {"plan": "team"})])
    store.close()
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)
    store = LmdbStore(folder)
    assert read_profile(store, "ann").traits == {"plan": "pro"}
    store.close()


def test_first_pages_that_changed_without_a_transaction_are_refused(folder: Path, data: Path) -> None:
    """They have no checksum of their own."""
    with data.open("r+b") as file:
        file.seek(PAGE + 200)
        file.write(b"x")
    with pytest.raises(StoreDamaged, match="its first pages are not as they were written"):
        LmdbStore(folder)


def test_what_was_changed_under_an_open_store_is_not_noted_as_whole(folder: Path, data: Path) -> None:
    """Whoever closes it blesses only what it wrote itself."""
    store = LmdbStore(folder)
    store.apply([Change(ANN, 2, {"plan": "team"})])
    harm_records(data)
    store.close()
    assert met(folder) == 100


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_that_goes_while_it_is_open_is_told(folder: Path, data: Path, opened: LmdbStore, how: str) -> None:
    """Nothing is written into a file that nobody will find again; afterwards nothing is read either."""
    whole = data.read_bytes()
    data.unlink()
    if how == "replaced":
        data.write_bytes(whole)
    with pytest.raises(StoreDamaged, match=f"was {how}"):
        opened.apply([Change(ANN, 2, {"plan": "team"})])
    assert read_profile(opened, "ann").degraded


@pytest.mark.skipif(sys.platform != "linux", reason="other systems end such a process otherwise")
def test_a_file_cut_while_it_is_open_is_not_read(
    folder: Path, data: Path, child: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    """Bare LMDB would end by SIGBUS (`lies.py`); here reads are refused in one line, seen by a look or by a read."""
    whole = data.read_bytes()
    for look in ("look", "no"):
        data.write_bytes(whole)
        done = child(READ_AFTER_A_CUT, folder, look)
        assert done.returncode == 0, done.stderr
        *seen, degraded, refused = done.stdout.splitlines()
        assert degraded == "True"
        assert all("cut short" in line for line in [*seen, refused])


def test_a_writer_that_was_killed_costs_a_canary_and_nothing_else(folder: Path, data: Path) -> None:
    """LMDB keeps what was committed; the note does not know of it."""
    note = (folder / "closed.json").read_bytes()
    store = LmdbStore(folder)
    store.apply([Change(ANN, 2, {"plan": "team"})])
    store.close()
    (folder / "closed.json").write_bytes(note)  # as if it had not come so far
    store = LmdbStore(folder)
    assert read_profile(store, "ann").traits == {"plan": "team"}
    store.close()
    with lmdb.open(str(folder)) as environment, environment.begin() as txn:
        assert txn.get(b"\x00turn") == b"%d" % txn.id()

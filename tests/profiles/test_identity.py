"""A folder whose data is not what it was is refused, loudly, before LMDB believes it.

Where it is cheap, a test shows first that the fault bites without the guard.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change
from engine.profiles.store import StoreDamaged

RECORDS = 2_000

READ_ALL_WITHOUT_GUARD = """
import lmdb, sys
with lmdb.open(sys.argv[1], create=False) as environment, environment.begin() as txn:
    print(sum(len(value) > 0 for _, value in txn.cursor()))
"""
OPEN = """
import sys
from pathlib import Path
from engine.profiles.lmdb import LmdbStore
print("ready", flush=True)
sys.stdin.readline()
store = LmdbStore(Path(sys.argv[1]))
print(store.stats().records, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def data(folder: Path) -> Path:
    """The data file of a closed store that holds some records."""
    made = LmdbStore(folder)
    made.apply(Change(key("visitor", str(n)), 1, {"note": "x" * 100}) for n in range(RECORDS))
    made.close()
    return folder / "data.mdb"


def refusal(folder: Path) -> str:
    """The message with which the folder is refused."""
    with pytest.raises(StoreDamaged) as caught:
        LmdbStore(folder)
    return str(caught.value)


def records(folder: Path) -> int:
    """How many records the store in this folder holds."""
    opened = LmdbStore(folder)
    try:
        return opened.stats().records
    finally:
        opened.close()


def test_a_store_is_found_again(folder: Path, data: Path) -> None:
    """Opened again, it holds what it held."""
    assert records(folder) == RECORDS


def test_a_lost_lock_file_does_no_harm(folder: Path, data: Path) -> None:
    """Backups leave it out; LMDB makes it anew."""
    (folder / "lock.mdb").unlink()
    assert records(folder) == RECORDS


@pytest.mark.skipif(sys.platform != "linux", reason="other systems end such a process otherwise")
def test_a_file_cut_short_is_refused(
    folder: Path, data: Path, child: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    """Without the guard the process ends by SIGBUS at some read; with it the store does not open."""
    os.truncate(data, data.stat().st_size // 2)
    assert child(READ_ALL_WITHOUT_GUARD, folder).returncode in {-signal.SIGBUS, -signal.SIGSEGV}
    message = refusal(folder)
    assert "cut short" in message
    assert "restore" in message


def test_a_file_cut_by_one_page_is_refused(folder: Path, data: Path) -> None:
    """The last page counts."""
    os.truncate(data, data.stat().st_size - 4096)
    assert "cut short" in refusal(folder)


@pytest.mark.parametrize("size", [0, 1, 4096, 8191])
def test_an_emptied_file_is_refused(folder: Path, data: Path, size: int) -> None:
    """Less than LMDB's own first pages is no store, though LMDB would make a new one of nothing."""
    os.truncate(data, size)
    assert "was emptied" in refusal(folder)


def test_without_the_guard_an_emptied_file_is_a_silent_new_store(
    folder: Path, data: Path, child: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    """This is what the identity file is for."""
    os.truncate(data, 0)
    assert child(READ_ALL_WITHOUT_GUARD, folder).stdout == "0\n"


def test_a_missing_file_is_refused_and_not_made_anew(folder: Path, data: Path) -> None:
    """Refused every time, and nothing is written meanwhile."""
    data.unlink()
    for _ in range(2):
        assert f"{data} is missing" in refusal(folder)
    assert not data.exists()


def test_another_stores_file_is_refused(folder: Path, data: Path, tmp_path: Path) -> None:
    """A data file that was put in this one's place is noticed by its name."""
    other = LmdbStore(tmp_path / "other")
    other.close()
    data.write_bytes((tmp_path / "other" / "data.mdb").read_bytes())
    assert "holds another store" in refusal(folder)


def test_a_file_that_another_program_emptied_is_refused(folder: Path, data: Path) -> None:
    """A whole LMDB file without our name in it."""
    data.unlink()
    with lmdb.open(str(folder)):
        pass
    assert "holds no store of mutiny-edge" in refusal(folder)


def test_another_programs_file_is_refused_and_left_alone(folder: Path) -> None:
    """A folder given by mistake is not written into."""
    with lmdb.open(str(folder)) as environment, environment.begin(write=True) as txn:
        txn.put(b"theirs", b"1")
    assert "of another program" in refusal(folder)
    assert not (folder / "identity.json").exists()
    with lmdb.open(str(folder)) as environment, environment.begin() as txn:
        assert list(txn.cursor()) == [(b"theirs", b"1")]


@pytest.mark.parametrize("garbage", [b"\x00" * 9_000, b"SQLite format 3\x00" + b"x" * 9_000])
def test_a_file_that_is_no_lmdb_file_is_refused(folder: Path, data: Path, garbage: bytes) -> None:
    """Overwritten by something else."""
    data.write_bytes(garbage)
    assert str(data) in refusal(folder)


@pytest.mark.parametrize("identity", [b"", b"{", b"{}", b'{"store": 1}', b"\xff"])
def test_an_unreadable_identity_is_refused(folder: Path, data: Path, identity: bytes) -> None:
    """The file says which store this is, so a broken one is no reason to guess."""
    (folder / "identity.json").write_bytes(identity)
    assert "identity.json is not readable" in refusal(folder)


@pytest.mark.parametrize(
    ("change", "why"),
    [({"format": 2}, "format 2, this version of mutiny-edge knows 1"), ({"store": "x"}, "belongs to 'x'")],
)
def test_an_identity_of_something_else_is_refused(
    folder: Path, data: Path, change: dict[str, object], why: str
) -> None:
    """A later format, another thing altogether."""
    path = folder / "identity.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert why in refusal(folder)


def test_a_making_that_was_interrupted_is_finished(folder: Path, data: Path) -> None:
    """Data with a name but without identity file: the file is written again, with the same name."""
    path = folder / "identity.json"
    before = path.read_bytes()
    path.unlink()
    assert records(folder) == RECORDS
    assert path.read_bytes() == before


def test_a_folder_with_an_empty_data_file_and_no_identity_is_new(folder: Path) -> None:
    """The very first step was interrupted; nothing was lost."""
    folder.mkdir()
    (folder / "data.mdb").touch()
    assert records(folder) == 0


def test_workers_that_start_together_share_one_new_store(
    folder: Path, begin_child: Callable[..., "subprocess.Popen[str]"]
) -> None:
    """Six processes open a folder that does not exist at once; all succeed, and one identity stays."""
    children = [begin_child(OPEN, folder) for _ in range(6)]
    pipes = [(process.stdin, process.stdout) for process in children if process.stdin and process.stdout]
    assert [out.readline() for _, out in pipes] == ["ready\n"] * 6
    for into, _ in pipes:
        into.write("open\n")
        into.flush()
    assert [out.readline() for _, out in pipes] == ["0\n"] * 6
    # Beside these: who has it open, and the note of whoever came so late that it was a store already.
    files = {path.name for path in folder.iterdir() if not path.name.startswith("open.")} - {"closed.json"}
    assert files == {"data.mdb", "identity.json", "lock.mdb"}
    for process in children:
        process.communicate("\n")
        assert process.returncode == 0
    assert records(folder) == 0

"""A small file is whole or not there, its owner's alone, and changed by one process at a time."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import get_native_id

import pytest

from engine.segment.ledger import Ledger, alone

PATIENCE_S = 120  # no test measures time; this only ends what hangs

# Adds one to the number in a file, a hundred times, as any number of others do.
COUNT = """
import sys
from pathlib import Path
from threading import get_native_id
from engine.segment.ledger import Ledger, alone
folder = Path(sys.argv[1])
ledger = Ledger(folder / "count")
for _ in range(100):
    with alone(folder / "lock"):
        ledger.write(b"%d" % (int(ledger.read() or b"0") + 1))
"""

TOO_LARGE = """
import resource, sys
from pathlib import Path
from engine.segment.ledger import Ledger
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    Ledger(Path(sys.argv[1]) / "file").write(bytes(2000))
except OSError as error:
    print(error.filename)
"""


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Nothing where nothing was; then the newest."""
    ledger = Ledger(tmp_path / "file")
    assert ledger.read() is None
    for content in (b"one", b"two", b""):
        ledger.write(content)
        assert ledger.read() == content
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask, and whatever the file was before."""
    path = tmp_path / "file"
    path.touch(mode=0o644)
    before = os.umask(0)
    try:
        Ledger(path).write(b"x")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_write_that_fails_says_of_which_file(tmp_path: Path) -> None:
    """The system does not, of one that is open; what was in it stays."""
    Ledger(tmp_path / "file").write(b"one")
    done = subprocess.run(
        [sys.executable, "-c", TOO_LARGE, tmp_path], check=False, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.stdout == f"{tmp_path / 'file'}\n", done.stderr
    assert Ledger(tmp_path / "file").read() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_threads_may_write_the_same_file_at_once(tmp_path: Path) -> None:
    """None of them fails, and what one of them wrote is there: two deletions of one person, asked for in one moment."""
    contents = [b"%d" % number * 1_000 for number in range(8)]

    def write(content: bytes) -> None:
        for _ in range(20):
            Ledger(tmp_path / "file").write(content)

    with ThreadPoolExecutor(len(contents)) as threads:
        list(threads.map(write, contents))
    assert Ledger(tmp_path / "file").read() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for others")
def test_root_writes_for_whom_the_folder_belongs_to(tmp_path: Path) -> None:
    """The service must be able to read what an administrator has changed."""
    os.chown(tmp_path, 12345, 12346)
    Ledger(tmp_path / "file").write(b"x")
    found = (tmp_path / "file").stat()
    assert (found.st_uid, found.st_gid) == (12345, 12346)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is changed, for all whose links lead there; also where nothing is there yet."""
    shared = tmp_path / "shared" / "file"
    shared.parent.mkdir()
    for node in ("a", "b"):
        (tmp_path / node).mkdir()
        (tmp_path / node / "file").symlink_to(shared)
    Ledger(tmp_path / "a" / "file").write(b"one")
    Ledger(tmp_path / "b" / "file").write(b"two")
    assert (tmp_path / "a" / "file").is_symlink()
    assert Ledger(tmp_path / "a" / "file").read() == b"two"
    assert [path.name for path in shared.parent.iterdir()] == ["file"]


def test_what_a_dead_process_left_is_in_nobodys_way(tmp_path: Path) -> None:
    """A file beside, of a process that had our number."""
    left = tmp_path / f"file.{get_native_id()}.new"
    left.write_bytes(b"half")
    Ledger(tmp_path / "file").write(b"whole")
    assert (Ledger(tmp_path / "file").read(), left.exists()) == (b"whole", False)


def test_a_write_that_fails_leaves_what_was(tmp_path: Path) -> None:
    """And nothing beside it: here the name is taken by a folder that is not empty."""
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / "inside").touch()
    with pytest.raises(OSError, match="file"):
        Ledger(tmp_path / "file").write(b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    """By whoever changes something in it first."""
    with alone(tmp_path / "data" / "lock"):
        Ledger(tmp_path / "data" / "file").write(b"x")
    assert Ledger(tmp_path / "data" / "file").read() == b"x"


def test_no_change_of_another_process_is_lost(tmp_path: Path) -> None:
    """Three processes count in one file."""
    counting = [subprocess.Popen([sys.executable, "-c", COUNT, str(tmp_path)]) for _ in range(3)]
    assert [process.wait(PATIENCE_S) for process in counting] == [0, 0, 0]
    assert Ledger(tmp_path / "count").read() == b"300"

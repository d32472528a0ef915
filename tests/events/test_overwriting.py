"""Lines are replaced all or none, only where they still stand, and what a dead process began is finished."""

import os
from pathlib import Path
from zlib import crc32

import msgspec
import pytest

from engine.events.disk import DISK, LogError, opened, take
from engine.events.line import sealed
from engine.events.overwriting import Replacement, alone, finish, overwrite
from engine.events.reading import AT_WORK_FILE

OLD, NEW = b"as it was once\n", b"WHAT IT IS NOW\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of three lines."""
    path = tmp_path / "a.ndjson"
    path.write_bytes(OLD * 3)
    return path


def replacement(line: int, file: str = "a.ndjson", old: bytes = OLD, new: bytes = NEW) -> Replacement:
    """This line shall be new."""
    return Replacement(file, line * len(OLD), crc32(old), new)


def test_a_line_is_replaced_and_nothing_else(path: Path) -> None:
    """The journal is empty afterwards, and only its owner's."""
    assert overwrite(path.parent, [replacement(1)]) == 1
    assert path.read_bytes() == OLD + NEW + OLD
    journal = path.with_name(AT_WORK_FILE)
    assert journal.read_bytes() == b""
    assert journal.stat().st_mode & 0o177 == 0


def test_a_line_that_is_another_by_now_is_left(path: Path) -> None:
    """So is one that is not there any more, and one of a file that is gone."""
    gone = [replacement(1, old=b"other\n"), replacement(3), replacement(0, file="gone.ndjson")]
    assert overwrite(path.parent, gone) == 0
    assert path.read_bytes() == OLD * 3
    assert not path.with_name("gone.ndjson").exists()


@pytest.mark.parametrize("half", range(len(OLD) + 1))
def test_what_was_half_done_is_finished(path: Path, half: int) -> None:
    """Whoever overwrote died after any byte; the next one finishes it first."""
    left_behind(path.parent, replacement(0), replacement(2))
    path.write_bytes(NEW[:half] + OLD[half:] + OLD * 2)
    assert finish(path.parent) == 2
    assert path.read_bytes() == NEW + OLD + NEW
    assert finish(path.parent) == 0


def left_behind(folder: Path, *replacements: Replacement) -> None:
    """The journal of a process that died."""
    noted = msgspec.msgpack.encode(replacements)
    (folder / AT_WORK_FILE).write_bytes(crc32(noted).to_bytes(4, "little") + noted)


def test_the_next_one_finishes_it_first(path: Path) -> None:
    """Before its own lines take the place in the journal."""
    left_behind(path.parent, replacement(0))
    path.write_bytes(NEW[:3] + OLD[3:] + OLD * 2)
    assert overwrite(path.parent, [replacement(1)]) == 1
    assert path.read_bytes() == NEW + NEW + OLD


def test_a_line_that_looks_done_is_written_again(path: Path) -> None:
    """It may only look so: after a failed fsync what is read is not what is on the disk."""
    new = sealed(b"1}")
    old = sealed(b"2}")
    path.write_bytes(new)
    left_behind(path.parent, Replacement(path.name, 0, crc32(old), new))
    assert finish(path.parent) == 1
    assert path.read_bytes() == new


def test_a_journal_that_is_not_whole_is_thrown_away(path: Path) -> None:
    """Cut anywhere: nothing was overwritten before it was whole."""
    noted = msgspec.msgpack.encode([replacement(0)])
    whole = crc32(noted).to_bytes(4, "little") + noted
    for cut in range(len(whole)):
        path.with_name(AT_WORK_FILE).write_bytes(whole[:cut])
        assert finish(path.parent) == 0
    assert path.read_bytes() == OLD * 3
    assert path.with_name(AT_WORK_FILE).read_bytes() == b""


def test_a_journal_of_long_ago_does_no_harm(path: Path) -> None:
    """Where other lines stand by now, they stay."""
    line = sealed(b"1}")
    old, new = b"x" * (len(line) - 1) + b"\n", b"y" * (len(line) - 1) + b"\n"
    left_behind(path.parent, Replacement("a.ndjson", 0, crc32(old), new))
    path.write_bytes(line)
    assert finish(path.parent) == 0
    assert path.read_bytes() == line


def test_there_is_one_at_a_time(tmp_path: Path) -> None:
    """While it is held, nobody else has it."""
    with alone(tmp_path, DISK), opened(DISK, tmp_path / AT_WORK_FILE, os.O_RDWR) as other:
        assert not take(other)


def test_trouble_is_told(tmp_path: Path) -> None:
    """A folder that is none."""
    with pytest.raises(LogError, match="cannot keep a log in"):
        overwrite(tmp_path / "nowhere", [replacement(0)])
    assert finish(tmp_path / "nowhere") == 0

"""The seam to the disk: short writes are gone on with, locks tell who lives, errors are told with a way out."""

import os
from errno import EACCES, EDQUOT, EFBIG, EIO, ENOSPC
from pathlib import Path

import pytest

from engine.events.disk import DISK, Disk, LogFull, LogUnavailable, listed, opened, take, told, write_all


def test_a_short_write_is_gone_on_with(tmp_path: Path) -> None:
    """However little the system takes at once."""
    stingy = Disk(write_at=lambda fd, data, at: DISK.write_at(fd, data[:3], at))
    with opened(stingy, tmp_path / "file", os.O_WRONLY | os.O_CREAT) as fd:
        write_all(stingy, fd, b"0123456789", 0)
        write_all(stingy, fd, b"abcd", 2)
    assert (tmp_path / "file").read_bytes() == b"01abcd6789"


def test_only_its_owner_reads_what_is_made(tmp_path: Path) -> None:
    """Files and folders are personal data."""
    DISK.make_folder(tmp_path / "made")
    with opened(DISK, tmp_path / "made" / "file", os.O_WRONLY | os.O_CREAT):
        pass
    assert (tmp_path / "made").stat().st_mode & 0o077 == 0
    assert (tmp_path / "made" / "file").stat().st_mode & 0o177 == 0


def test_what_is_in_a_folder(tmp_path: Path) -> None:
    """By the ends of its name, sorted; nothing where there is none, and an error where a file is."""
    for name in ("b.x", "a.x", "a.y", "*.x"):
        (tmp_path / name).touch()
    assert [path.name for path in listed(tmp_path, ".x")] == ["*.x", "a.x", "b.x"]
    assert listed(tmp_path, prefix="a") == [tmp_path / "a.x", tmp_path / "a.y"]
    assert listed(tmp_path / "none") == []
    with pytest.raises(NotADirectoryError):
        listed(tmp_path / "a.x")


def test_a_lock_is_had_once(tmp_path: Path) -> None:
    """Within one process too; it goes with the closing of the file."""
    path = tmp_path / "file"
    with opened(DISK, path, os.O_RDWR | os.O_CREAT) as first, opened(DISK, path, os.O_RDWR) as second:
        assert take(first)
        assert not take(second)
        assert not take(second, shared=True)
    with opened(DISK, path, os.O_RDWR) as first, opened(DISK, path, os.O_RDWR) as second:
        assert take(first, shared=True)
        assert take(second, shared=True)
        assert not take(second)


@pytest.mark.parametrize("code", [ENOSPC, EDQUOT, EFBIG])
def test_no_room_is_told_as_such(code: int) -> None:
    """Which folder, why, and what to do."""
    error = told(Path("data/events"), OSError(code, os.strerror(code)))
    assert type(error) is LogFull
    assert str(error) == f"no room to write in data/events: {os.strerror(code)}; free some, then it can be tried again"


@pytest.mark.parametrize("code", [EIO, EACCES])
def test_other_trouble_is_told_as_such(code: int) -> None:
    """Which folder, why, and what to do."""
    error = told(Path("data/events"), OSError(code, os.strerror(code)))
    assert type(error) is LogUnavailable
    assert str(error).startswith(f"cannot keep a log in data/events: {os.strerror(code)}; make it writable")
    assert "--data" in str(error)

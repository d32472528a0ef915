"""Files that take the place of others: in one moment, whatever fails and whoever dies, and never under a reader."""

import os
import threading
from collections.abc import Callable
from errno import EACCES, EIO, ENOSPC
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.events.archive import (
    Parts,
    begun,
    beside,
    changed_ns,
    cleared,
    damaged,
    named,
    parts,
    reading,
    take_place,
)
from engine.events.disk import LogError, LogFull
from engine.events.line import encode
from engine.events.log import EventLog

OLD = ("1.ndjson", "2.ndjson")
NEW = ("parquet/day=2026-11-23/a.parquet", "parquet/day=2026-11-24/a.parquet", "damaged/a.ndjson")


def prepare(folder: Path) -> None:
    """Three files of lines, and what shall take the place of two of them."""
    folder.mkdir(exist_ok=True)
    for name in (*OLD, "3.ndjson"):
        folder.joinpath(name).write_bytes(b"lines\n")
    for name in NEW:
        beside(folder, name).write_bytes(b"rows")


def seen(folder: Path) -> tuple[list[str], list[str]]:
    """The names of what counts."""
    found = parts(folder)
    assert all(path.exists() for path in (*found.lines, *found.parquet))
    return [path.name for path in found.lines], [path.parent.name for path in found.parquet]


BEFORE = (["1.ndjson", "2.ndjson", "3.ndjson"], [])
AFTER = (["3.ndjson"], ["day=2026-11-23", "day=2026-11-24"])


def test_new_files_take_the_place_of_old_ones(folder: Path) -> None:
    """Each where it was meant to be; nothing of the work is left, and nobody else may read it."""
    prepare(folder)
    assert seen(folder) == BEFORE
    take_place(folder, NEW, OLD)
    cleared(folder)
    assert seen(folder) == AFTER
    assert [path.name for path in damaged(folder)] == ["a.ndjson"]
    assert not (folder / "work").exists()
    assert (folder / "replacing").stat().st_size == 0
    assert (folder / "parquet").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("error", [None, EIO, ENOSPC], ids=["killed", "broken", "full"])
def test_at_every_fault_it_is_all_or_nothing(tmp_path: Path, faults: ModuleType, error: int | None) -> None:
    """A call fails, or the process dies there: what counts is what was, or what was wanted; then it can be gone on."""
    outcomes = set()
    for at in range(1, 200):
        folder = tmp_path / str(at)
        prepare(folder)
        fault = faults.Faults(at=at, error=error)
        try:
            take_place(folder, NEW, OLD, disk=fault.disk)
        except (LogError, faults.Killed):
            assert fault.happened
        if not fault.happened:
            break
        found = seen(folder)
        assert found in (BEFORE, AFTER)
        outcomes.add(found == AFTER)
        cleared(folder)
        assert seen(folder) == found
        if found == BEFORE:
            prepare(folder)
            take_place(folder, NEW, OLD)
        assert seen(folder) == AFTER
    assert outcomes == {True, False}
    assert at > 20


def test_no_room_is_told_as_such(folder: Path, faults: ModuleType) -> None:
    """In the words of the log; what was, counts."""
    prepare(folder)
    with pytest.raises(LogFull, match="no room to write in"):
        take_place(folder, NEW, OLD, disk=faults.Faults(at=2, error=ENOSPC).disk)
    assert seen(folder) == BEFORE


def test_who_clears_may_die_as_well(tmp_path: Path, faults: ModuleType) -> None:
    """The next one finishes it."""
    for at in range(1, 200):
        folder = tmp_path / str(at)
        prepare(folder)
        with pytest.raises(faults.Killed):
            take_place(folder, NEW, OLD, disk=noted(faults))
        assert seen(folder) == AFTER
        fault = faults.Faults(at=at, error=None)
        try:
            cleared(folder, disk=fault.disk)
        except faults.Killed:
            assert seen(folder) == AFTER
            cleared(folder)
        assert seen(folder) == AFTER
        if not fault.happened:
            break
    assert at > 10


def noted(faults: ModuleType) -> Any:
    """A disk that dies right after the moment."""
    fault = faults.Faults(at=0, error=None)
    renamed = fault.disk.rename

    def dies(*paths: Path) -> None:
        fault.at = len(fault.calls) + 1
        renamed(*paths)

    return type(fault.disk)(**{name: getattr(fault.disk, name) for name in faults.NAMES} | {"rename": dies})


def test_a_note_that_is_not_whole_was_never_begun_on(folder: Path, faults: ModuleType) -> None:
    """Power went while it was written."""
    prepare(folder)
    with pytest.raises(faults.Killed):
        take_place(folder, NEW, OLD, disk=noted(faults))
    note = folder / "replacing"
    note.write_bytes(note.read_bytes()[:-3])
    assert seen(folder) == BEFORE
    cleared(folder)
    assert seen(folder) == BEFORE


def test_a_reader_is_waited_for(folder: Path) -> None:
    """What it was told stays there until it is done."""
    prepare(folder)
    done = threading.Event()

    def replace() -> None:
        take_place(folder, NEW, OLD)
        done.set()

    with reading(folder) as found, reading(folder) as twice:
        assert found == twice
        thread = threading.Thread(target=replace)
        thread.start()
        assert not done.wait(0.1)
        assert all(path.exists() for path in found.lines)
    thread.join(30)
    assert done.is_set()
    assert seen(folder) == AFTER


def test_a_name_is_never_used_twice_and_tells_what_it_is_made_of(folder: Path) -> None:
    """Also the name of what takes its place; dots and dashes are part of it."""
    first = "20261123T120000.000Z-17-0a1b2c3d"
    names = {named(first) for _ in range(100)}
    assert len(names) == 100
    assert {begun(folder / f"{name}{suffix}") for name in names for suffix in (".parquet", ".ndjson")} == {first}


def test_who_looks_sees_that_something_took_a_place(folder: Path) -> None:
    """Whatever it was; and nothing where nothing ever did."""
    assert changed_ns(folder) == 0
    prepare(folder)
    take_place(folder, NEW, OLD)
    once = changed_ns(folder)
    assert once > 0
    assert changed_ns(folder) == once
    while changed_ns(folder) == once:  # the system's clock ticks some hundred times a second
        take_place(folder, [], [NEW[0]])


def test_without_a_log_there_are_no_parts(folder: Path) -> None:
    """And no folder is made."""
    with reading(folder) as found:
        assert found == Parts((), ())
    assert parts(folder) == Parts((), ())
    cleared(folder)
    assert not folder.exists()


def test_who_reads_writes_nothing(folder: Path, clock: Any) -> None:
    """Not even the file that is the lock: of a log that was never compacted, or of a folder that is none."""
    EventLog(folder, clock).append([encode(1, "www", b"{}")])
    before = sorted(folder.iterdir())
    with reading(folder) as found, reading(folder.parent) as none:
        assert len(found.lines) == 1
        assert none == Parts((), ())
    assert sorted(folder.iterdir()) == before
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("within", ["", "parquet", "parquet/day=2026-11-23", "damaged"])
def test_a_folder_that_may_not_be_listed_is_no_empty_one(
    folder: Path, within: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else figures would be wrong, and nobody would know."""
    prepare(folder)
    take_place(folder, NEW, OLD)
    refused = folder / within
    listdir = os.listdir

    def lists(path: Path) -> list[str]:
        if path == refused:
            raise PermissionError(EACCES, "Permission denied", str(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", lists)
    with pytest.raises(PermissionError, match="Permission denied"):
        [parts(folder), damaged(folder)]


def test_a_file_where_a_folder_should_be_is_told(folder: Path) -> None:
    """By its name."""
    folder.mkdir()
    folder.joinpath("parquet").touch()
    with pytest.raises(NotADirectoryError, match="parquet"):
        parts(folder)


def test_processes_see_all_or_nothing_while_it_happens(folder: Path, begin_child: Callable[..., Any]) -> None:
    """A child replaces files for ever, and is killed; who looks meanwhile sees every event once."""
    folder.mkdir()
    folder.joinpath("0.ndjson").write_bytes(b"x")
    child = begin_child(REPLACES, folder)
    child.stdout.readline()
    for _ in range(300):
        found = parts(folder)
        assert len([*found.lines, *found.parquet]) == 1, found
    child.kill()
    child.wait()
    cleared(folder)
    found = parts(folder)
    assert len([*found.lines, *found.parquet]) == 1


REPLACES = """
import sys
from itertools import count
from pathlib import Path
from engine.events.archive import beside, take_place
folder, old = Path(sys.argv[1]), "0.ndjson"
for n in count():
    new = f"parquet/day=2026-11-{n % 9 + 10}/{n}.parquet"
    beside(folder, new).write_bytes(b"x")
    take_place(folder, [new], [old])
    old = new
    print(n, flush=True)
"""

"""Several workers' numbers in one folder: nobody is counted twice, and nobody who was counted is forgotten."""

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

import pytest

from engine.web.metrics.snapshot import Snapshot, added
from engine.web.metrics.together import RunFolder, run_folder

NOBODY = 1_000  # a worker that has counted nothing
REQUESTS, CONNECTIONS = "mutiny_edge_decide_requests", "mutiny_edge_connections"


def counted(matched: int, connections: int = 0) -> Snapshot:
    """A worker that answered so often."""
    numbers = {REQUESTS: [(("matched",), matched)], CONNECTIONS: [((), connections)]}
    return Snapshot({name: list(found) for name, found in numbers.items()}, {"mutiny_edge_x": ([1, 2], 0.5)})


def total(folder: RunFolder) -> tuple[float, float]:
    """Answers and connections of all workers."""
    numbers = added(folder.beside(NOBODY, Snapshot({}, {}))).numbers
    [(_, matched)] = numbers[REQUESTS]
    return matched, sum(number for _, number in numbers.get(CONNECTIONS, []))


@contextmanager
def no_file_grows() -> Iterator[None]:
    """As on a full disk: files can be made and removed."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    """The folder of a service that runs."""
    with run_folder(tmp_path / "run") as folder:
        yield folder


def test_workers_add_up(folder: RunFolder) -> None:
    """Each with what it wrote last."""
    folder.write(1, counted(5, 2))
    folder.write(2, counted(7, 1))
    folder.write(1, counted(6, 3))
    assert total(folder) == (13, 4)
    assert added(folder.beside(NOBODY, Snapshot({}, {}))).durations == {"mutiny_edge_x": ([2, 4], 1.0)}


def test_a_worker_that_is_gone_leaves_its_counters_and_no_gauge(folder: RunFolder) -> None:
    """However many follow; one that never wrote leaves nothing."""
    for worker in range(1, 20):
        folder.write(worker, counted(worker, 1))
        if worker % 2:
            folder.bury(worker)
    folder.bury(100)
    assert total(folder) == (sum(range(1, 20)), 9)
    assert added(folder.beside(NOBODY, Snapshot({}, {}))).durations["mutiny_edge_x"][0] == [19, 38]


def test_who_dies_between_two_steps_of_a_burial_is_counted_once(folder: RunFolder) -> None:
    """The supervisor may be killed there, and a reader may come there: the file is still there, and named in `past`."""
    folder.write(1, counted(5, 2))
    [file] = folder.folder.glob("*.worker")
    kept = file.read_bytes()
    folder.bury(1)
    file.write_bytes(kept)
    assert total(folder) == (5, 0)


def test_readers_meanwhile_see_every_count_once(folder: RunFolder) -> None:
    """While one worker after the other writes and is buried, the sum never falls and is never too large."""
    ended = threading.Event()
    seen: list[float] = []

    def read() -> None:
        while not ended.is_set():
            seen.append(total(folder)[0])

    folder.write(0, counted(1))
    reader = threading.Thread(target=read)
    reader.start()
    for worker in range(1, 200):
        folder.write(worker, counted(1))
        folder.bury(worker)
    ended.set()
    reader.join()
    assert seen == sorted(seen)
    assert total(folder)[0] == 200


def test_a_folder_lives_as_long_as_its_service(tmp_path: Path) -> None:
    """Two services have one each; what one that was killed has left is removed by the next."""
    parent = tmp_path / "run"
    left = parent / "left"
    left.mkdir(parents=True)
    (left / "7.worker").write_bytes(b"")
    with run_folder(parent) as first, run_folder(parent) as second:
        first.write(1, counted(1))
        second.write(1, counted(2))
        assert (total(first)[0], total(second)[0]) == (1, 2)
        assert not left.exists()
    assert [path.name for path in parent.iterdir()] == ["lock"]


def test_what_cannot_be_written_is_shown_all_the_same(folder: RunFolder) -> None:
    """Whoever is asked knows its own numbers; without a folder it knows nobody else's."""
    folder.write(1, counted(5))
    folder.write(2, counted(7))
    assert added(folder.beside(1, counted(6))).numbers[REQUESTS] == [(("matched",), 13)]
    rmtree(folder.folder)
    assert folder.beside(1, counted(6)) == [(counted(6), True)]


def test_a_folder_that_was_removed_is_made_again(folder: RunFolder) -> None:
    """With the data folder that it was in; and it is its owner's alone."""
    rmtree(folder.folder.parent)
    folder.write(1, counted(5))
    assert total(folder) == (5, 0)
    assert folder.folder.stat().st_mode & 0o077 == 0


def test_a_disk_that_takes_nothing_is_told_by_its_folder(folder: RunFolder) -> None:
    """Of what a full disk says the system names no file; nor where none may grow, as here."""
    with no_file_grows(), pytest.raises(OSError, match=folder.folder.name):
        folder.write(1, counted(5))


def test_who_is_gone_while_nothing_can_be_written_is_not_living(folder: RunFolder) -> None:
    """Its counters are lost, and that is told; but no gauge of it stays for good."""
    folder.write(1, counted(5, 2))
    folder.write(2, counted(7, 1))
    with no_file_grows(), pytest.raises(OSError, match=folder.folder.name):
        folder.bury(1)
    assert total(folder) == (7, 1)

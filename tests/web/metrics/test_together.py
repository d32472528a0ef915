"""Several workers' numbers in one folder: nobody is counted twice, and nobody who was counted is forgotten."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.web.metrics.snapshot import Snapshot, added
from engine.web.metrics.together import RunFolder, run_folder

REQUESTS, CONNECTIONS = "mutiny_edge_decide_requests", "mutiny_edge_connections"


def counted(matched: int, connections: int = 0) -> Snapshot:
    """A worker that answered so often."""
    numbers = {REQUESTS: [(("matched",), matched)], CONNECTIONS: [((), connections)]}
    return Snapshot({name: list(found) for name, found in numbers.items()}, {"mutiny_edge_x": ([1, 2], 0.5)})


def total(folder: RunFolder) -> tuple[float, float]:
    """Answers and connections of all workers."""
    numbers = added(folder.all()).numbers
    [(_, matched)] = numbers[REQUESTS]
    return matched, sum(number for _, number in numbers.get(CONNECTIONS, []))


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
    assert added(folder.all()).durations == {"mutiny_edge_x": ([2, 4], 1.0)}


def test_a_worker_that_is_gone_leaves_its_counters_and_no_gauge(folder: RunFolder) -> None:
    """However many follow; one that never wrote leaves nothing."""
    for worker in range(1, 20):
        folder.write(worker, counted(worker, 1))
        if worker % 2:
            folder.bury(worker)
    folder.bury(100)
    assert total(folder) == (sum(range(1, 20)), 9)
    assert added(folder.all()).durations["mutiny_edge_x"][0] == [19, 38]


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

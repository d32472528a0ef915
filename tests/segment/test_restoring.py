"""What the store lost of the log comes back: lines and what was compacted, whole, and only what is lost."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.events import archive
from engine.events.line import encode
from engine.events.log import EventLog
from engine.events.reading import files
from engine.profiles.record import time_ms
from engine.profiles.store import StoreBehind, StoreUnavailable
from engine.segment.applying import Applied, Applying
from engine.segment.compacting import applied, compact
from engine.segment.compactor import RESTORING, turn
from engine.segment.erasure import Erasures
from engine.segment.restoring import Archive, all_files, catch_up, replay
from engine.segment.standing import WHOLE, archived, believed

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def line(number: int) -> bytes:
    """An event of a user of this number."""
    body = {"type": "identify", "userId": f"u{number}", "messageId": f"m{number}", "traits": {"n": number}}
    return encode(time_ms(NOON), "www", json.dumps({**body, "timestamp": "2026-11-23T11:00:00Z"}).encode())


class World:
    """A log of three compactions and a file of lines, all of it in the store."""

    def __init__(self, data: Path, store: Any) -> None:
        self.store, self.folder, self.rests = store, data / "events", 0
        for number in (10, 20, 30):
            self.write(number, number + 1, at=NOON + timedelta(hours=number))
            catch_up(self.folder, store)
            compact(
                self.folder,
                applied(self.folder, store),
                Erasures(data / "erasures"),
                taken=partial(archived, store),
            )
        self.write(40, 41, at=NOON + timedelta(hours=40))
        catch_up(self.folder, store)
        self.archive = Archive(self.folder, store, self.rest)

    def write(self, *numbers: int, at: datetime) -> None:
        """A finished file."""
        log = EventLog(self.folder, lambda: at)
        log.append([line(number) for number in numbers])
        log.close()

    def rest(self) -> None:
        """Called before each event that is applied again."""
        self.rests += 1

    def users(self) -> set[int]:
        """Who is known."""
        return {int(key[3:]) for key, _ in self.store.scan("user")}


ALL = {10, 11, 20, 21, 30, 31, 40, 41}


@pytest.fixture
def world(tmp_path: Path, memory: Callable[[], Any]) -> World:
    """With a store in memory, which can be emptied."""
    return World(tmp_path / "data", memory())


def test_where_nothing_is_lost_nothing_is_applied(world: World) -> None:
    """Compacting told the store what stands for the lines."""
    assert sorted(world.archive.lost()) == []
    world.archive.restore()
    assert world.rests == 0
    assert catch_up(world.folder, world.store) == Applied()
    assert sorted(believed(world.store).values()) == [world.store.marks()[files(world.folder)[0].name], *[WHOLE] * 3]


def test_a_store_that_was_emptied_is_filled_again(world: World) -> None:
    """Lines at the next look, what was compacted as well: the newest first. Once."""
    world.archive.restore()
    world.store.lose()
    assert len(world.archive.lost()) == 3
    assert catch_up(world.folder, world.store).events == 2
    assert world.users() == {40, 41}
    world.archive.restore()
    assert world.users() == ALL
    assert world.rests == 6
    world.archive.restore()
    assert world.rests == 6
    assert world.archive.lost() == []


def test_a_store_that_knows_less_than_before_is_given_only_that(world: World) -> None:
    """As one that became the primary before it had heard all, or was put back from a backup."""
    world.archive.restore()
    mark = next(mark for mark in believed(world.store) if mark.endswith(".parquet"))
    world.store.forget_marks([mark, files(world.folder)[0].name])
    assert catch_up(world.folder, world.store).events == 2
    world.archive.restore()
    assert world.rests == 2


def test_it_goes_on_where_it_was_cut(world: World) -> None:
    """By the process's end or by the store's: what was wholly applied is not applied again, the rest is."""
    world.store.lose()
    kept = world.store.apply
    left = [4]

    def apply(changes: Any, marks: Any = None) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise StoreUnavailable("gone")
        return int(kept(changes, marks or {}))

    world.store.apply = apply
    with pytest.raises(StoreUnavailable):
        world.archive.restore()
    assert world.users() == {30, 31, 20, 21}
    left[0] = 100
    world.archive.restore()
    assert world.users() == ALL - {40, 41}
    assert world.rests == 8  # the second one was applied, and not yet marked as whole
    assert world.archive.lost() == []


def test_it_is_emptied_while_it_is_filled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any moment: no mark stands for what is lost, and the next look brings it back."""
    monkeypatch.setattr("engine.segment.applying.REPLAY_BATCH", 1)
    for moment in (1, 3, 4, 6):
        world.store.lose()
        world.rests = 0

        def lose(at: int = moment) -> None:
            world.rests += 1
            if world.rests == at:
                world.store.lose()

        archive_ = Archive(world.folder, world.store, lose)
        for _ in range(2):
            try:
                archive_.restore()
            except StoreBehind:
                continue
        archive_.restore()
        catch_up(world.folder, world.store)
        assert world.users() == ALL


def test_one_process_does_it(world: World) -> None:
    """The others leave it to that one, and look again."""
    world.store.lose()
    with turn(world.folder, RESTORING):
        world.archive.restore()
        assert world.rests == 0
    world.archive.restore()
    assert world.rests == 6


def test_compacting_beside_a_loss_costs_only_time(world: World) -> None:
    """Lines that the store does not hold any more when they are replaced are brought back from what replaced them."""
    world.archive.restore()
    name = files(world.folder)[0].name
    made = {name: files(world.folder)[0].stat().st_size}
    world.store.lose()
    compact(world.folder, files(world.folder), Erasures(world.folder.parent / "erasures"))
    world.archive.taken(name.replace(".ndjson", ".parquet"), made)
    world.archive.restore()
    assert world.users() == ALL


def test_a_damaged_file_is_named_and_tried_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The others come back; whoever restarts the process after it was put back has its events, too."""
    path = archive.parts(world.folder).parquet[1]
    whole = path.read_bytes()
    path.write_bytes(b"PAR1")
    world.store.lose()
    world.archive.restore()
    assert path.name in caplog.text
    assert world.users() == ALL - {20, 21, 40, 41}
    world.archive.restore()
    assert world.rests == 4
    assert world.archive.lost() == []
    path.write_bytes(whole)
    again = Archive(world.folder, world.store, world.rest)
    assert len(again.lost()) == 1
    again.restore()
    assert world.users() == ALL - {40, 41}


def test_a_replay_does_all_of_it_and_leaves_nothing_to_do(world: World, memory: Callable[[], Any]) -> None:
    """Into whatever store; a service that is started on it finds everything there."""
    assert len(all_files(world.folder)) == 4
    for store in (world.store, memory()):
        assert replay(world.folder, store) == Applied(events=8)
        assert Archive(world.folder, store, world.rest).lost() == []
        assert catch_up(world.folder, store) == Applied()


def test_a_gap_is_told_and_closed(world: World) -> None:
    """A file of which the store knows nothing is applied from the middle: all of that is there, and no mark."""
    path = files(world.folder)[0]
    world.store.lose()
    with pytest.raises(StoreBehind):
        Applying(world.store).file(path, len(line(40)))
    assert world.users() == {41}
    assert believed(world.store) == {}
    assert catch_up(world.folder, world.store).events == 2


def test_without_a_log_there_is_nothing_to_do(tmp_path: Path, memory: Callable[[], Any]) -> None:
    """No folder is made."""
    archive_ = Archive(tmp_path / "nowhere", memory(), lambda: None)
    archive_.restore()
    assert archive_.lost() == []
    assert catch_up(tmp_path / "nowhere", memory()) == Applied()
    assert not (tmp_path / "nowhere").exists()

"""What is done beside the requests: one step at a time, none after the end, and trouble is told."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine import limits
from engine.events import archive
from engine.events.disk import LogError, LogFull
from engine.events.reading import files
from engine.intake import Intake
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import time_ms
from engine.profiles.store import StoreFull, StoreUnavailable
from engine.segment.accept import accept, opened
from engine.segment.applying import Applying
from engine.segment.compactor import RESTORING, turn
from engine.segment.elsewhere import Gone, Notes, heard, tell, told
from engine.settings import Settings
from engine.upkeep import Upkeep

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
U1 = key("user", "u1")


class World:
    """An intake, its upkeep, and what trouble was told."""

    def __init__(self, data: Path, caplog: pytest.LogCaptureFixture) -> None:
        self._log = caplog
        self.logs = Settings(data=data).logs
        self.store = LmdbStore(data / "profiles")
        self.intake = Intake(self.logs, self.store, lambda: NOW)
        self.upkeep = Upkeep(self.intake, self.store, self.logs)

    @property
    def told(self) -> list[tuple[str, str]]:
        """What it is about, and the trouble with it."""
        mine = [record for record in self._log.records if record.name == "mutiny_edge.troubles"]
        said = [record.getMessage().partition(": ") for record in mine if record.levelno == logging.ERROR]
        return [(what, trouble) for what, _, trouble in said]

    def send(self, *users: str) -> None:
        """An identify of each."""
        batch = [{"type": "identify", "userId": user, "traits": {"secret": user}} for user in users]
        self.intake.write([accept(opened(json.dumps({"batch": batch}).encode(), "batch"), "www", NOW)])

    def end(self) -> None:
        """As a process ends."""
        self.upkeep.end()
        self.intake.stop()
        self.store.close()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[World]:
    """Nobody else writes, so a deletion need not wait for them."""
    monkeypatch.setattr(limits, "ERASURE_PAUSE_S", 0.0)
    world = World(tmp_path / "data", caplog)
    world.send("u1", "u2")
    yield world
    world.end()


def raising(error: Exception) -> Callable[..., object]:
    """What raises this, whatever it is asked."""

    def refuse(*_: object, **__: object) -> object:
        raise error

    return refuse


def test_another_process_is_caught_up_with(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had in its log and not in the store when it ended; ours, that is at work, is left alone."""
    other = Intake(world.logs, world.store, lambda: NOW)
    batch = b'{"batch": [{"type": "identify", "userId": "u3", "traits": {"plan": "pro"}}]}'
    with monkeypatch.context() as broken:
        broken.setattr(world.store, "apply", raising(StoreFull("no room")))
        with pytest.raises(StoreFull):
            other.write([accept(opened(batch, "batch"), "www", NOW)])
    world.upkeep.catch_up()
    assert world.store.get([key("user", "u3")]) == [None]
    other.stop()
    world.upkeep.catch_up()
    assert world.store.get([key("user", "u3")]) != [None]
    assert world.told == []


def test_trouble_is_told_and_it_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next time it is tried again."""
    with monkeypatch.context() as broken:
        broken.setattr(world.store, "marks", raising(StoreUnavailable("not now")))
        world.upkeep.catch_up()
    assert [what for what, _ in world.told] == ["log"]
    world.intake.erasures.ask(U1, time_ms(NOW))
    with monkeypatch.context() as broken:
        broken.setattr("engine.segment.erasure.rewrite", raising(LogFull("no room")))
        world.upkeep.finish()
    assert [what for what, _ in world.told] == ["log", "deletion"]
    world.upkeep.finish()
    assert world.upkeep.unfinished() == 0


def test_trouble_that_stays_is_told_once_and_its_end_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However often it is tried again, and in how many steps; another kind of trouble is news."""
    caplog.set_level(logging.INFO)

    def try_all() -> None:
        for _ in range(3):
            for step in (world.upkeep.catch_up, world.upkeep.restore, world.upkeep.hear):
                step()

    for error in (StoreUnavailable("it is away"), StoreFull("no room")):
        with monkeypatch.context() as broken:
            for asked in ("marks", "get", "scan"):
                broken.setattr(world.store, asked, raising(error))
            try_all()
    assert [trouble.rpartition(": ")[2] for _, trouble in world.told] == ["it is away", "no room"]
    try_all()
    assert [record.getMessage() for record in caplog.records].count("log: all is well again") == 1
    assert len(world.told) == 2


def test_a_deletion_that_segment_asked_for(world: World) -> None:
    """It is noted when its message is written, and carried out by whoever looks next."""
    envelope = opened(b'{"batch": [{"type": "identify", "userId": "u1"}]}', "batch")
    signed = type(envelope)("webhook", [b'{"type": "delete", "userId": "u1", "timestamp": "2026-11-23T12:00:00Z"}'])
    world.intake.write([accept(signed, "www", NOW)])
    assert world.upkeep.unfinished() == 1
    world.upkeep.finish()
    assert world.upkeep.unfinished() == 0
    assert not any(b'"u1"}' in path.read_bytes() for path in world.logs.events.glob("*.ndjson"))


def test_a_deletion_is_noted_before_it_is_begun(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is carried out although it failed; what the system refuses is trouble with the log."""
    with monkeypatch.context() as broken:
        broken.setattr(world.store, "scan", raising(StoreUnavailable("not now")))
        with pytest.raises(StoreUnavailable):
            world.upkeep.erase(U1, time_ms(NOW))
    assert world.upkeep.unfinished() == 1
    world.upkeep.finish()
    assert world.upkeep.unfinished() == 0
    with monkeypatch.context() as broken:
        broken.setattr(world.intake.erasures, "ask", raising(OSError(28, "No space left", "x")))
        with pytest.raises(LogError, match="No space left"):
            world.upkeep.erase(U1, time_ms(NOW))


def test_what_another_node_deleted_is_deleted_here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once: it is noted, and so is what this node deleted itself."""
    tell(world.store, {U1: Gone(time_ms(NOW) + 1)})
    world.upkeep.hear()
    assert not any(b'"u1"' in path.read_bytes() for path in files(world.logs.events))
    assert any(b'"u2"' in path.read_bytes() for path in files(world.logs.events))
    world.upkeep.erase(key("user", "u2"), time_ms(NOW))
    with monkeypatch.context() as broken:
        broken.setattr("engine.upkeep.erase", raising(AssertionError("once more")))
        world.upkeep.hear()
        world.upkeep.hear()
    assert heard(told(world.store)).keys() == Notes(world.logs.erasures).read().keys() == {U1, key("user", "u2")}
    with monkeypatch.context() as broken:
        broken.setattr(world.store, "get", raising(StoreUnavailable("not now")))
        world.upkeep.hear()
    [(what, trouble)] = world.told
    assert (what, "it is tried again: not now" in trouble) == ("log", True)


def test_the_log_of_yesterday_becomes_parquet(world: World) -> None:
    """By one process, once it is finished; what another one has begun is left to it."""
    tomorrow = NOW + timedelta(days=1)
    world.upkeep.compact(tomorrow)
    assert len(archive.parts(world.logs.events).lines) == 1
    world.intake.stop()
    world.upkeep.compact(NOW)
    with turn(world.logs.events):
        world.upkeep.compact(tomorrow)
    assert len(archive.parts(world.logs.events).lines) == 1
    world.upkeep.compact(tomorrow)
    found = archive.parts(world.logs.events)
    assert (len(found.lines), len(found.parquet)) == (0, 1)
    assert world.told == []


def test_what_is_compacted_comes_back_into_a_store_that_lost_it(world: World) -> None:
    """With its marks it lost the proof that it holds it; a deletion waits for that, noted as it is. Until then the
    store is said to lack something, also while another process brings it back.
    """
    world.intake.stop()
    world.upkeep.compact(NOW + timedelta(days=1))
    world.upkeep.restore()
    world.store.delete([U1])
    world.store.forget_marks(world.store.marks())
    with pytest.raises(StoreUnavailable, match="1 compacted parts of the log"):
        world.upkeep.erase(U1, time_ms(NOW))
    assert world.upkeep.unfinished() == 1
    assert world.upkeep.lacking is None
    with turn(world.logs.events, RESTORING):
        world.upkeep.restore()
    assert "some profiles are missing" in str(world.upkeep.lacking)
    world.upkeep.restore()
    assert isinstance(world.store.one(U1), bytes)
    assert world.upkeep.lacking is None
    assert world.told == []


def test_while_lines_are_applied_again_something_is_lacking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if that fails, till it is done."""
    world.upkeep.catch_up()
    world.store.delete([U1])
    world.store.forget_marks(world.store.marks())
    with monkeypatch.context() as broken:
        broken.setattr(Applying, "apply", raising(StoreUnavailable("not now")))
        world.upkeep.catch_up()
    assert "some profiles are missing" in str(world.upkeep.lacking)
    world.upkeep.catch_up()
    assert isinstance(world.store.one(U1), bytes)
    assert world.upkeep.lacking is None


def test_trouble_with_restoring_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is tried again."""
    with monkeypatch.context() as broken:
        broken.setattr(world.store, "marks", raising(StoreUnavailable("not now")))
        world.upkeep.restore()
    [(what, trouble)] = world.told
    assert what == "log"
    assert "it is tried again: not now" in trouble


def test_a_living_process_lets_go_of_a_file_that_the_store_lost(world: World) -> None:
    """Though nothing comes that would show it; then it is applied again as any other, and nothing else is."""
    world.upkeep.catch_up()
    assert len(files(world.logs.events)) == 1
    world.store.delete([U1])
    world.store.forget_marks([files(world.logs.events)[0].name])
    world.upkeep.catch_up()
    assert isinstance(world.store.one(U1), bytes)
    world.send("u3")
    assert len(files(world.logs.events)) == 2
    assert world.told == []


def test_trouble_with_compacting_is_told(world: World) -> None:
    """And it is tried again."""
    world.intake.stop()
    (world.logs.events / "work").write_bytes(b"a file in the way")
    world.upkeep.compact(NOW + timedelta(days=1))
    [(what, trouble)] = world.told
    assert what == "compacting"
    assert "it is tried again" in trouble
    (world.logs.events / "work").unlink()
    world.upkeep.compact(NOW + timedelta(days=1))
    assert archive.parts(world.logs.events).lines == ()


def test_nothing_is_done_after_the_end(world: World) -> None:
    """The store is about to be closed: no step begins, and none of them is trouble."""
    world.intake.erasures.ask(U1, time_ms(NOW))
    world.upkeep.end()
    world.upkeep.catch_up()
    world.upkeep.restore()
    world.upkeep.finish()
    world.upkeep.hear()
    world.upkeep.compact(NOW + timedelta(days=1))
    with pytest.raises(StoreUnavailable):
        world.upkeep.erase(U1, time_ms(NOW))
    assert world.told == []
    assert world.upkeep.unfinished() == 1


def test_the_end_waits_for_the_step_at_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long catching up stops where it is; what it did so far is in the store."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(_folder: Path, _store: object, _marks: object, read: Callable[[int], None]) -> None:
        begun.set()
        assert go_on.wait(30)
        read(1)

    monkeypatch.setattr("engine.upkeep.catch_up", slow)
    step = threading.Thread(target=world.upkeep.catch_up)
    step.start()
    assert begun.wait(30)
    ending = threading.Thread(target=world.upkeep.end)
    ending.start()
    assert ending.is_alive()
    go_on.set()
    step.join(30)
    ending.join(30)
    assert not ending.is_alive()
    assert world.told == []

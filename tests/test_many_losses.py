"""Law: in whatever order nodes write, look and compact and a store loses things, all that was acknowledged is back.

1. A history of steps, drawn by a seed: two workers of one node and a third of another one send, look, end hours,
   compact and die, while their store is emptied, also between a batch and its marks; becomes what it was some time ago,
   as a replica that lagged; or is away for a while.
2. **No mark ever stands for what is not there**: whenever a file of lines is marked to its end, the store knows
   everybody who is in it; the same of what was compacted. Looked at now and then.
3. At the end each node looks, and the store is what a replay of all logs makes.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec import msgpack, structs
from plain import module_at

from engine.events import archive, parquet
from engine.events.disk import DISK
from engine.events.line import Entry
from engine.events.reading import entries, files
from engine.intake import Intake
from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.profiles.store import NO_MARKS, StoreError, StoreUnavailable
from engine.segment.accept import Delivery
from engine.segment.compacting import applied, compact
from engine.segment.erasure import Erasures, Logs
from engine.segment.message import Message, understood
from engine.segment.restoring import Archive, catch_up, replay
from engine.segment.standing import WHOLE, believed, compactions

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOON_MS = 1_795_435_200_000
QUICK = structs.replace(DISK, sync=lambda _: None, sync_folder=lambda _: None)
HERE = Path(__file__).parent


def memory() -> Any:
    """A store in memory; with importlib mode its module is in no package."""
    return module_at(HERE / "profiles" / "memory.py").MemoryStore()


class Shared:
    """One server; `of` is a node's view of it, with marks of its own."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.bodies: dict[Any, bytes] = {}
        self.nodes: dict[str, Any] = {}
        self.past: list[bytes] = []
        self.away = False
        self.straddles = 0  # in how many batches from now it is emptied, between them and their marks

    def of(self, node: str) -> Any:
        """The store as this node has it."""
        store = memory()
        store.bodies = self.bodies
        plain = store.apply
        self.nodes[node] = store

        def apply(changes: list[Change], marks: Any = NO_MARKS) -> int:
            if self.away:
                raise StoreUnavailable("away")
            different = int(plain(changes))
            self.straddles -= 1
            if self.straddles == 0:
                self.empty()
            elif self.chance.random() < 0.05:
                raise StoreUnavailable("gone before the marks")
            plain((), marks)
            self.past.append(self.state())
            return different

        store.apply = apply
        return store

    def state(self) -> bytes:
        """All that it holds."""
        return msgpack.encode([self.bodies, {name: store.marks() for name, store in self.nodes.items()}])

    def empty(self) -> None:
        """FLUSHALL."""
        self.bodies.clear()
        for store in self.nodes.values():
            store.forget_marks(store.marks())

    def go_back(self) -> None:
        """To what it was some batches ago."""
        if self.past:
            bodies, marks = msgpack.decode(self.chance.choice(self.past[-6:]), type=tuple[dict[bytes, bytes], Any])
            self.empty()
            self.bodies.update(bodies)
            for name, store in self.nodes.items():
                store._marks.update(marks.get(name, {}))


class Worker:
    """A process of a node."""

    def __init__(self, logs: Logs, store: Any, now: Callable[[], datetime]) -> None:
        self.logs, self.store, self.now = logs, store, now
        self.intake = Intake(logs, store, now, disk=QUICK)
        self.archive = Archive(logs.events, store, lambda: None)

    def send(self, user: str) -> bool:
        """Is it acknowledged?"""
        body = {"type": "identify", "userId": user, "messageId": user, "traits": {"n": user}}
        message: Message = understood({**body, "timestamp": "2026-11-23T11:00:00Z"}, "www", NOON_MS)
        with suppress(StoreError):
            self.intake.write([Delivery([message], [], 0)])
            return True
        return False

    def look(self) -> None:
        """At lines, then at what is compacted."""
        with suppress(StoreError):
            catch_up(self.logs.events, self.store, self.intake.look())
            self.archive.restore()

    def compact(self) -> None:
        """What is finished and applied."""
        with suppress(StoreError):
            paths = applied(self.logs.events, self.store)
            compact(self.logs.events, paths, Erasures(self.logs.erasures), taken=self.archive.taken)


class World:
    """Two nodes and what they share."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = Random(seed)
        self.shared = Shared(self.chance)
        self.time = NOON
        self.acknowledged: set[str] = set()
        self.logs = {
            node: Logs(folder / node / "events", folder / node / "rejected", folder / node / "erasures")
            for node in ("node1", "node2")
        }
        self.stores = {node: self.shared.of(node) for node in self.logs}
        self.workers = [self.begin("node1"), self.begin("node1"), self.begin("node2")]
        self.sent = 0

    def begin(self, node: str) -> Worker:
        """A process of this node."""
        return Worker(self.logs[node], self.stores[node], lambda: self.time)

    def step(self) -> None:
        """Something happens."""
        place = self.chance.randrange(3)
        worker = self.workers[place]
        match self.chance.choice(["send"] * 8 + ["look"] * 4 + ["hour", "compact", "die", "lose", "back", "away"]):
            case "send":
                self.sent += 1
                if worker.send(f"u{self.sent}"):
                    self.acknowledged.add(f"u{self.sent}")
            case "look":
                worker.look()
            case "hour":
                self.time += timedelta(hours=1)
                worker.intake.settle()
            case "compact":
                worker.compact()
            case "die":
                worker.intake.stop()
                self.workers[place] = self.begin("node2" if place == 2 else "node1")
            case "lose":
                self.shared.straddles = self.chance.randrange(1, 4)
            case "back":
                self.shared.go_back()
            case "away":
                self.shared.away = not self.shared.away

    def check_marks(self) -> None:
        """No mark stands for what is not there."""
        for node, logs in self.logs.items():
            marks = believed(self.stores[node])
            whole = [path for path in files(logs.events) if marks.get(path.name, 0) >= path.stat().st_size]
            made = [paths for mark, paths in compactions(logs.events).items() if marks.get(mark, 0) >= WHOLE]
            for path in [*whole, *(path for paths in made for path in paths)]:
                is_parquet = path.suffix == archive.PARQUET_SUFFIX
                for one in parquet.entries(path) if is_parquet else entries(path):
                    assert isinstance(one, Entry)
                    message = user_of(one)
                    assert key("user", message) in self.shared.bodies, f"{path.name} is marked, {message} is lost"


def user_of(one: Entry) -> str:
    """The user of an event."""
    assert one.message is not None
    return one.message.partition(b'"userId":"')[2].partition(b'"')[0].decode()


MANY = pytest.param(range(100, 140), marks=pytest.mark.long, id="many")


@pytest.mark.parametrize("seeds", [pytest.param(range(4), id="few"), MANY])
def test_whatever_is_lost_comes_back(tmp_path: Path, seeds: range) -> None:
    """By what the logs say; and whatever a mark says is so, at every moment."""
    lost = compacted = 0
    for seed in seeds:
        world = World(tmp_path / str(seed), seed)
        for number in range(60):
            world.step()
            lost += not {key("user", user) for user in world.acknowledged} <= world.shared.bodies.keys()
            if number % 6 == 5:
                world.check_marks()
        world.shared.away, world.shared.straddles = False, 0
        for worker in world.workers:
            worker.intake.stop()
        for _ in range(20):
            for worker in world.workers:
                worker.look()
        replayed = memory()
        for logs in world.logs.values():
            compacted += len(archive.parts(logs.events).parquet)
            replay(logs.events, replayed)
        assert {key("user", user) for user in world.acknowledged} <= world.shared.bodies.keys(), seed
        assert world.shared.bodies == replayed.bodies, seed
    print(f"{lost} steps at which something was lost, {compacted} compacted files")
    assert lost > 10 * len(seeds)
    assert compacted > len(seeds) / 2

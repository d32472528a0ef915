"""Law: whatever becomes of a shared store, every acknowledged event is in it again once each node has looked.

1. Real servers, real logs. A node is what a process of one owns between HTTP and disk: intake and upkeep; it looks when
   the test says so, so that no time is asserted. Several share a server.
2. At the end the store holds what a replay of the logs of all nodes makes, byte for byte, and marks prove it: another
   look finds nothing to do.
3. A fault test shows that its fault bit: what was lost is seen to be lost before it is seen to be back.
"""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from plain import module_at

from engine import limits
from engine.events import archive, parquet
from engine.events.disk import DISK
from engine.events.line import Entry
from engine.events.node_id import node_id
from engine.events.reading import entries, finished
from engine.intake import Intake
from engine.profiles.encoding import facts
from engine.profiles.ids import key
from engine.profiles.record import time_ms
from engine.profiles.store import Store, StoreError
from engine.profiles.valkey.address import address
from engine.profiles.valkey.store import ValkeyStore
from engine.segment.accept import Delivery, accept, opened
from engine.segment.restoring import catch_up, replay
from engine.segment.standing import believed
from engine.settings import Settings
from engine.upkeep import Upkeep

PATIENCE_S = 60.0  # no test measures time; this only ends what hangs
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUICK = structs.replace(DISK, sync=lambda _: None)


class Worker:
    """What a process of a node owns: its way into log and store, and who looks after both."""

    def __init__(self, data: Path, url: str) -> None:
        self.settings = Settings(data=data)
        self.now = NOON
        self.store = ValkeyStore(address(url), node=node_id(data))
        self.intake = Intake(self.settings.logs, self.store, lambda: self.now, disk=QUICK)
        self.upkeep = Upkeep(self.intake, self.store, self.settings.logs)

    @property
    def folder(self) -> Path:
        """Of the event log."""
        return self.settings.logs.events

    def submit(self, *users: str) -> "Future[Delivery]":
        """An identify of each."""
        batch = [{"type": "identify", "userId": user, "messageId": user, "traits": {"n": user}} for user in users]
        raw = json.dumps({"batch": batch}).encode()
        return self.intake.submit(lambda: accept(opened(raw, "batch"), "www", self.now), len(raw))

    def send(self, *users: str) -> None:
        """The same, acknowledged."""
        self.submit(*users).result(PATIENCE_S)

    def compact(self) -> None:
        """All that there is becomes Parquet."""
        self.now += timedelta(hours=1)
        self.upkeep.catch_up()
        assert finished(self.folder)
        self.upkeep.compact(self.now + timedelta(days=1))
        assert not finished(self.folder)

    def look(self) -> None:
        """As its background jobs do every few seconds: at what it wrote itself, and at what it found."""
        for _ in range(2):
            self.upkeep.catch_up()
            self.upkeep.restore()

    def end(self) -> None:
        """As a process ends."""
        self.upkeep.end()
        self.intake.stop()
        self.store.close()


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Worker]]:
    """Begin a worker of this node."""
    monkeypatch.setattr(limits, "ERASURE_PAUSE_S", 0.0)
    began: list[Worker] = []

    def worker(url: str, node: str = "node1") -> Worker:
        began.append(Worker(tmp_path / node / "data", url))
        return began[-1]

    yield worker
    for one in began:
        one.end()


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., None]:
    """The law, for these workers and all the users of whom something was acknowledged."""
    module = module_at(Path(__file__).parent / "profiles" / "memory.py")

    def holds(workers: list[Worker], users: set[str]) -> None:
        assert known(workers[0].store) >= users
        replayed = module.MemoryStore()
        for folder in sorted(tmp_path.glob("*/data/events")):
            replay(folder, replayed)
        assert dict(workers[0].store.scan()) == replayed.bodies
        for worker in workers:
            marks = believed(worker.store)
            assert catch_up(worker.folder, worker.store).events == 0
            worker.look()
            assert believed(worker.store) == marks

    return holds


def known(store: Store) -> set[str]:
    """The users of whom the store knows what they said."""
    found = ((key_, facts(body).traits) for key_, body in store.scan("user") if isinstance(body, bytes))
    return {str(traits["n"]) for _, traits in found if "n" in traits}


def people(node: str, first: int, last: int) -> list[str]:
    """Some users."""
    return [f"{node}-{number}" for number in range(first, last)]


def test_a_store_that_is_flushed_is_filled_again(valkey_server: Any, begin: Any, check: Any) -> None:
    """Lines of a living process, of one that is gone, and what is Parquet by now; while others go on sending."""
    gone, worker = begin(valkey_server.url()), begin(valkey_server.url())
    worker.send(*people("a", 0, 5))
    worker.compact()
    gone.send(*people("b", 0, 5))
    gone.intake.stop()
    worker.send(*people("c", 0, 5))
    before = set(people("a", 0, 5) + people("b", 0, 5) + people("c", 0, 5))
    worker.look()
    check([worker], before)
    valkey_server.ask("FLUSHALL")
    assert known(worker.store) == set()
    worker.send("late")
    assert known(worker.store) == {"late"}
    worker.look()
    check([worker], before | {"late"})


def test_nodes_share_a_store_and_keep_to_their_own_marks(valkey_server: Any, begin: Any, check: Any) -> None:
    """What one of them tidies, applies again or forgets is never another one's; a flush is everybody's own to mend."""
    one, other = begin(valkey_server.url(), "node1"), begin(valkey_server.url(), "node2")
    one.send(*people("a", 0, 5))
    other.send(*people("b", 0, 5))
    one.compact()
    marks = believed(other.store)
    one.look()
    assert believed(other.store) == marks
    assert marks.keys().isdisjoint(believed(one.store))
    valkey_server.ask("FLUSHALL")
    one.look()
    assert known(one.store) == set(people("a", 0, 5))
    assert believed(other.store) == {}
    other.look()
    check([one, other], set(people("a", 0, 5) + people("b", 0, 5)))
    assert len({path.name for one in (one, other) for path in archive.parts(one.folder).lines}) == len(
        archive.parts(one.folder).lines
    ) + len(archive.parts(other.folder).lines)


def test_a_replica_that_lagged_becomes_the_primary(
    valkey_servers: Any, valkey: Any, tmp_path: Path, begin: Any, check: Any
) -> None:
    """The primary dies right after it acknowledged: what its replica never heard comes from the log, and only that.

    Whoever writes at that moment, whoever is idle, and what was compacted just before.
    """
    primary = valkey_servers.one()
    replica = valkey_servers.replica(primary)
    address_ = tmp_path / "store"  # as a name or an address that is moved to another server
    address_.symlink_to(primary.socket)
    busy, idle, compacted = (begin(f"unix://{_operator(address_)}", node) for node in ("busy", "idle", "compacted"))
    for worker, name in ((busy, "a"), (idle, "b"), (compacted, "c")):
        worker.send(*people(name, 0, 3))
    valkey.until(lambda: replica.info("replication")["slave_repl_offset"] == _offset(primary), "the replica heard it")
    _cut_off(primary, replica)
    for worker, name in ((busy, "a"), (idle, "b"), (compacted, "c")):
        worker.send(*people(name, 3, 6))
    compacted.compact()
    compacted.look()
    primary.kill()
    replica.resume()
    replica.ask("REPLICAOF", "NO", "ONE")
    address_.unlink()
    address_.symlink_to(replica.socket)
    assert _users(replica) == 9  # it lacks the tails
    _sent(busy, "a-6")
    for worker in (busy, idle, compacted):
        worker.look()
    check([busy, idle, compacted], set(people("a", 0, 7) + people("b", 0, 6) + people("c", 0, 6)))


def _operator(path: Path) -> str:
    return f"operator:of-the-tests@{path}"


def _offset(primary: Any) -> int:
    return int(primary.info("replication")["master_repl_offset"])


def _users(server: Any) -> int:
    return len(server.ask("KEYS", "mutiny:u:*"))


def _cut_off(primary: Any, replica: Any) -> None:
    """From here on the replica hears nothing: it hangs, and its connection is gone."""
    replica.stop()
    primary.ask("CLIENT", "KILL", "TYPE", "replica")


def _sent(worker: Worker, user: str) -> int:
    """Sent until it is acknowledged, as senders do; how often it was refused."""
    for refused in count():
        try:
            worker.send(user)
        except StoreError:
            threading.Event().wait(0.02)
        else:
            return refused
    raise AssertionError


def test_a_server_that_comes_back_empty(valkey_servers: Any, begin: Any, check: Any) -> None:
    """Killed, with nothing on its disk: what was refused meanwhile was not acknowledged, the rest is back."""
    server = valkey_servers.one()
    worker = begin(server.url())
    worker.send(*people("a", 0, 5))
    server.kill()
    with pytest.raises(StoreError):
        worker.send("refused")
    worker.look()
    server.restart()
    assert _users(server) == 0
    _sent(worker, "b")
    worker.look()
    check([worker], {*people("a", 0, 5), "b"})


@pytest.mark.parametrize("aof", [False, True], ids=["empty", "aof"])
@pytest.mark.parametrize("times", [2, pytest.param(15, marks=pytest.mark.long)])
def test_the_server_is_killed_under_load(valkey_servers: Any, begin: Any, check: Any, aof: bool, times: int) -> None:
    """Again and again, while two nodes write: everything acknowledged is there in the end; the kills did bite."""
    server = valkey_servers.one(aof=aof)
    workers = [begin(server.url(), "node1"), begin(server.url(), "node2")]
    stop = threading.Event()
    acknowledged: list[str] = []

    def load(worker: Worker, name: str) -> int:
        refused = 0
        for number in count():
            if stop.is_set():
                return refused
            refused += _sent(worker, f"{name}-{number}")
            acknowledged.append(f"{name}-{number}")
        raise AssertionError

    with ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(load, workers[n % 2], f"s{n}") for n in range(4)]
        try:
            for _ in range(times):
                _more(acknowledged, 50)
                server.kill()
                server.restart()
                for worker in workers:
                    worker.look()
            _more(acknowledged, 50)
        finally:
            stop.set()
    assert sum(future.result(PATIENCE_S) for future in sending) > 0
    for worker in workers:
        worker.look()
    check(workers, set(acknowledged))


def _more(acknowledged: list[str], number: int) -> None:
    """Wait until so many more are."""
    wanted = len(acknowledged) + number
    for _ in range(int(PATIENCE_S / 0.01)):
        if len(acknowledged) >= wanted:
            return
        threading.Event().wait(0.01)
    pytest.fail("nothing is acknowledged any more")


def test_a_worker_that_died_is_mended_by_another_one(valkey_server: Any, begin: Any, check: Any) -> None:
    """Of the same node: a living one's file is its own business, whatever was lost of it; a dead one's is anybody's."""
    dead, living, idle = (begin(valkey_server.url()) for _ in range(3))
    for worker, user in ((dead, "a"), (living, "b"), (idle, "c")):
        worker.send(user)
    dead.intake.stop()
    valkey_server.ask("FLUSHALL")
    living.look()
    assert known(living.store) == {"a", "b"}
    idle.look()
    check([living, idle], {"a", "b", "c"})


def test_who_is_deleted_on_one_node_is_in_no_log_of_another(valkey_server: Any, begin: Any, check: Any) -> None:
    """Not in lines, not in Parquet; also where a node was away, and the store was emptied in between."""
    one, other, away = (begin(valkey_server.url(), node) for node in ("node1", "node2", "node3"))
    for number, worker in enumerate((one, other, away)):
        worker.send("ann", f"stays-{number}")
    other.compact()
    other.send("ann")
    assert not any(map(_free_of_ann, (one, other, away)))
    one.upkeep.erase(key("user", "ann"), time_ms(NOON + timedelta(hours=2)))
    one.upkeep.hear()
    other.upkeep.hear()
    assert _free_of_ann(one)
    assert _free_of_ann(other)
    assert not _free_of_ann(away)
    valkey_server.ask("FLUSHALL")
    other.look()
    other.upkeep.hear()
    away.look()
    away.upkeep.hear()
    assert _free_of_ann(away)
    one.look()
    for worker in (one, other, away):
        marks = believed(worker.store)
        worker.upkeep.hear()
        assert believed(worker.store) == marks
    assert known(one.store) == {"stays-0", "stays-1", "stays-2"}
    one.send("ann")
    assert _free_of_ann(one)


def _free_of_ann(worker: Worker) -> bool:
    """Does no file of its log say anything of her, but that she is deleted?"""
    found = archive.parts(worker.folder)
    lines = [one.message for path in found.lines for one in entries(path) if isinstance(one, Entry) and one.message]
    archived = [one.message for path in found.parquet for one in parquet.entries(path) if one.message]
    return not any(b'"ann"' in one and b'"delete"' not in one for one in [*lines, *archived])


def test_a_cluster_that_lost_one_of_its_primaries(valkey_cluster: Any, begin: Any, check: Any) -> None:
    """One came back empty: the others hold their part, and what that one lacks comes from the log."""
    worker = begin(valkey_cluster.url())
    worker.send(*people("a", 0, 20))
    worker.compact()
    worker.send(*people("b", 0, 20))
    worker.look()
    valkey_cluster.primaries[1].ask("FLUSHALL")
    lost = 40 - len(known(worker.store))
    assert 0 < lost < 40
    assert believed(worker.store) == {}
    worker.look()
    check([worker], set(people("a", 0, 20) + people("b", 0, 20)))
    assert isinstance(worker.store.one(key("user", "a-0")), bytes)

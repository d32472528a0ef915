"""Which server is asked: after a failover, while slots move, when a cluster loses a primary."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from redis.crc import key_slot
from redis.exceptions import ClusterDownError

from engine.limits import VALKEY_KEYS
from engine.profiles.encoding import facts
from engine.profiles.ids import Key, key
from engine.profiles.record import Change
from engine.profiles.store import Span, StoreError, StoreUnavailable
from engine.profiles.valkey.address import address
from engine.profiles.valkey.attempts import Attempts
from engine.profiles.valkey.store import ValkeyStore
from engine.profiles.valkey.topology import Session, servers_of, session

Opens = Callable[..., ValkeyStore]
ANN = key("visitor", "ann")


def trait(store: ValkeyStore, key_: Key) -> object:
    """The trait `n` of this record."""
    found = store.one(key_)
    assert isinstance(found, bytes)
    return facts(found).traits["n"]


@contextmanager
def asking(url: str) -> Iterator[Session]:
    """A session of its own."""
    servers = servers_of(address(url), Attempts())
    with session(servers) as of:
        yield of
    servers.close()


def place(name: str) -> bytes:
    """Where the record of this visitor is."""
    return b"mutiny:" + key("visitor", name)


def test_commands_for_several_servers_are_one_trip(valkey_cluster: Any) -> None:
    """Each goes to the primary of its key, and has its own answer."""
    names = [b"k%d" % n for n in range(30)]
    with asking(valkey_cluster.url()) as of:
        assert set(of.ask([(name, ("SET", name, name)) for name in names])) == {b"OK"}
        assert of.ask([(name, ("GET", name)) for name in names]) == names
        sizes = [size for [size] in of.each(("DBSIZE",))]
    assert sum(sizes) == 30
    assert sizes == [server.ask("DBSIZE") for server in sorted(valkey_cluster.primaries, key=lambda one: one.port)]


def test_an_error_of_one_is_no_error_of_others(valkey_cluster: Any) -> None:
    """Also where they were sent to other servers."""
    with asking(valkey_cluster.url()) as of:
        answers = of.ask([(b"a", ("SET", b"a", 1)), (b"b", ("NONSENSE", b"b")), (b"c", ("SET", b"c", 1))])
    assert answers[0] == answers[2] == b"OK"
    assert "unknown command" in str(answers[1])


def test_a_slot_that_has_moved_is_found(valkey_cluster: Any, opens: Opens) -> None:
    """The servers that were asked before say where (MOVED), and from then on it is asked there."""
    store = opens(valkey_cluster.url())
    store.apply([Change(ANN, 1, {"n": 1})])
    with moving(valkey_cluster, key_slot(place("ann"))) as move:
        move()
        assert trait(store, ANN) == 1
        assert store.apply([Change(ANN, 2, {"n": 2})], {"a": Span(0, 5)}) == 1
        assert trait(opens(valkey_cluster.url()), ANN) == 2
    assert trait(store, ANN) == 2


def test_a_slot_under_way_is_read_and_written_here_and_there(valkey_cluster: Any, opens: Opens) -> None:
    """What is still here is answered here, what is not any more or not yet there (ASK)."""
    store = opens(valkey_cluster.url())
    slot = key_slot(b"x")
    here, there = [key("visitor", f"{n}{{x}}") for n in range(5)], [key("visitor", f"new{n}{{x}}") for n in range(5)]
    store.apply([Change(one, 1, {"n": 1}) for one in here])
    with moving(valkey_cluster, slot) as move:
        assert store.apply([Change(one, 2, {"n": 2}) for one in (*here, *there)]) == 10
        assert [trait(store, one) for one in (*here, *there)] == [2] * 10
        assert store.delete(there[:2]) == 2
        move()
        assert store.apply([Change(one, 3, {"n": 3}) for one in (*here, *there)]) == 10
    assert {trait(store, one) for one in (*here, *there)} == {3}


def test_slots_move_under_writers(valkey_cluster: Any, opens: Opens) -> None:
    """Nothing that was written is lost, whoever has the slot meanwhile."""
    names = [f"{n}{{{tag}}}" for tag in "abc" for n in range(20)]
    keys = [key("visitor", name) for name in names]
    done = Event()
    last: list[int] = [0, 0]

    def write(writer: int) -> None:
        store = opens(valkey_cluster.url())
        while not done.is_set():
            last[writer] += 1
            store.apply([Change(one, last[writer], {f"n{writer}": last[writer]}) for one in keys])

    threads = [Thread(target=write, args=(writer,)) for writer in range(2)]
    for thread in threads:
        thread.start()
    for tag in (b"a", b"b", b"c"):
        with moving(valkey_cluster, key_slot(tag)) as move:
            move()
    done.set()
    for thread in threads:
        thread.join()
    store = opens(valkey_cluster.url())
    found = store.get(keys)
    assert all(isinstance(one, bytes) for one in found)
    seen = {tuple(facts(one).traits[f"n{writer}"] for writer in range(2)) for one in found if isinstance(one, bytes)}
    assert seen == {tuple(last)}


def test_sentinels_say_who_is_primary(valkey: Any, valkey_servers: Any, opens: Opens) -> None:
    """When another one takes over, it is found: by a write that the old one refuses, and when the old one is gone."""
    first = valkey_servers.one()
    second = valkey_servers.replica(first)
    sentinel = valkey_servers.sentinel(first)
    store = opens(f"redis+sentinel://127.0.0.1:{valkey.free_port()},{sentinel.address}/{valkey.SERVICE}")
    assert store.apply([Change(ANN, 1, {"n": 1})], {"a": Span(0, 5)}) == 1
    valkey.until(lambda: second.ask("DBSIZE") == 2, "it is copied")
    valkey.fail_over(sentinel, first)
    assert store.apply([Change(ANN, 2, {"n": 2})], {"a": Span(5, 9)}) == 1
    assert second.ask("EXISTS", "mutiny:v:ann") == 1
    assert (trait(store, ANN), store.marks()) == (2, {"a": 9})
    first.kill()
    assert store.apply([Change(ANN, 3, {"n": 3})]) == 1


def test_one_node_that_answers_is_enough(valkey: Any, valkey_cluster: Any, opens: Opens) -> None:
    """The others of the address may be gone."""
    store = opens(f"redis+cluster://127.0.0.1:{valkey.free_port()},{valkey_cluster.primaries[2].address}")
    assert store.apply([Change(ANN, 1, {"n": 1})], {"a": Span(0, 5)}) == 1
    assert (trait(store, ANN), store.marks()) == (1, {"a": 5})


@pytest.mark.long
def test_a_part_of_a_cluster_that_is_gone_is_said_to_be(valkey_servers: Any, opens: Opens) -> None:
    """What the others have is read; what it has is not, and a batch for both is refused."""
    cluster = valkey_servers.cluster("cluster-require-full-coverage no")
    store = opens(cluster.url())
    names = [str(n) for n in range(60)]
    store.apply([Change(key("visitor", name), 1, {"n": 1}) for name in names])
    of_dead = [key("visitor", name) for name in names if cluster.owner(key_slot(place(name))) is cluster.primaries[0]]
    of_others = [key("visitor", name) for name in names if key("visitor", name) not in of_dead]
    cluster.primaries[0].kill()
    assert all(isinstance(one, bytes) for one in store.get(of_others))
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        store.get(of_dead)
    with pytest.raises(StoreUnavailable):
        store.apply([Change(one, 2, {"n": 2}) for one in (*of_dead, *of_others)], {"a": Span(0, 5)})
    with pytest.raises(StoreUnavailable):
        store.marks()
    fresh = opens(cluster.url())
    assert all(isinstance(one, bytes) for one in fresh.get(of_others))


def test_a_slot_that_moves_within_a_batch_leaves_no_gap(valkey_cluster: Any, opens: Opens) -> None:
    """What was written before is written again, and only then are the marks raised."""
    keys = [key("visitor", f"{n}{{x}}") for n in range(20)]
    with moving(valkey_cluster, key_slot(b"x")) as move:
        steps = iter(range(1_000))
        store = opens(valkey_cluster.url(), rest=lambda: move() if next(steps) == 10 else None)
        store.marks()
        assert store.apply([Change(one, 1, {"n": 1}) for one in keys], {"a": Span(0, 5)}) == 20
        assert next(steps) == 40, "each record was looked at in two sessions"
    assert {trait(store, one) for one in keys} == {1}
    assert store.marks() == {"a": 5}


@pytest.mark.long
def test_a_node_that_hangs_is_asked_last(valkey_servers: Any, opens: Opens) -> None:
    """Who looks for the others does not wait for it again."""
    cluster = valkey_servers.cluster("cluster-require-full-coverage no")
    store = opens(cluster.url())
    store.apply([Change(key("visitor", str(n)), 1, {"n": 1}) for n in range(60)])
    cluster.primaries[0].stop()
    slot = next(n for n in range(100) if cluster.owner(key_slot(place(str(n)))) is cluster.primaries[0])
    with pytest.raises(StoreUnavailable):
        store.one(key("visitor", str(slot)))
    servers = store._servers
    hung = next(wire for wire in servers.primaries() if wire.name == cluster.primaries[0].address)
    assert not hung.answers
    servers.renew()
    assert not hung.answers, "nobody has asked it since"
    cluster.primaries[0].resume()


@pytest.mark.long
def test_a_replica_that_is_behind_takes_over_within_a_batch(valkey: Any, valkey_servers: Any, opens: Opens) -> None:
    """What the old primary had acknowledged is gone with it; the batch is done again before a mark stands for it."""
    cluster = valkey_servers.cluster(replicas=1)
    primary, replica = cluster.primaries[0], cluster.replicas[0]
    keys = [key("visitor", str(n)) for n in range(2 * VALKEY_KEYS)]
    steps = iter(range(100_000))

    def take_over() -> None:
        if next(steps) == VALKEY_KEYS:  # the first portion is written
            replica.ask("CLUSTER", "FAILOVER", "TAKEOVER")
            valkey.until(lambda: primary.info("replication")["role"] == "slave", "the old primary has heard of it")

    store = opens(cluster.url(), rest=take_over)
    store.apply([], {"a": Span(0, 5)})
    valkey.until(lambda: replica.ask("DBSIZE") == primary.ask("DBSIZE"), "the marks are copied")
    replica.ask("CONFIG", "SET", "masterauth", "wrong")
    primary.ask("CLIENT", "KILL", "TYPE", "replica")
    assert store.apply([Change(one, 1, {"n": 1}) for one in keys], {"a": Span(5, 9)}) > 0
    assert store.marks() == {"a": 9}
    assert {trait(store, one) for one in keys} == {1}


@pytest.mark.long
def test_a_replica_takes_over_in_a_cluster(valkey: Any, valkey_servers: Any, opens: Opens) -> None:
    """Killed or asked to: what it had by then is there, and is written there."""
    cluster = valkey_servers.cluster(replicas=1)
    store = opens(cluster.url())
    keys = [key("visitor", str(n)) for n in range(60)]
    store.apply([Change(one, 1, {"n": 1}) for one in keys], {"a": Span(0, 5)})
    primary, replica = cluster.primaries[0], cluster.replicas[0]
    valkey.until(lambda: replica.ask("DBSIZE") == primary.ask("DBSIZE"), "it is copied")
    replica.ask("CLUSTER", "FAILOVER")
    valkey.until(lambda: replica.info("replication")["role"] == "master", "it takes over")
    assert store.apply([Change(one, 2, {"n": 2}) for one in keys], {"a": Span(5, 9)}) == 60
    valkey.until(lambda: primary.ask("DBSIZE") == replica.ask("DBSIZE"), "it is copied back")
    replica.kill()

    def writes() -> bool:
        try:
            return store.apply([Change(one, 3, {"n": 3}) for one in keys], {"a": Span(9, 12)}) > 0
        except StoreError:
            return False

    valkey.until(writes, "the first one takes over again")
    assert {trait(store, one) for one in keys} == {3}
    assert store.marks() == {"a": 12}


def test_a_slot_without_a_primary_is_said_to_be_one() -> None:
    """Before anything is asked."""
    servers = servers_of(address("redis+cluster://127.0.0.1:1"), Attempts())
    servers._owners = [("127.0.0.1", 1)] + [None] * 16_383  # type: ignore[attr-defined]
    with pytest.raises(ClusterDownError, match="has no primary"):
        servers.wire(b"a")


@contextmanager
def moving(cluster: Any, slot: int) -> Iterator[Callable[[], None]]:
    """A slot on its way from its primary to the next; the call brings all of it there. In the end it is back."""
    source = cluster.owner(slot)
    target = cluster.primaries[(cluster.primaries.index(source) + 1) % 3]
    begin(slot, source, target)
    moved: list[bool] = []

    def move() -> None:
        finish(cluster, slot, source, target)
        moved.append(True)

    yield move
    assert moved
    begin(slot, target, source)
    finish(cluster, slot, target, source)


def begin(slot: int, source: Any, target: Any) -> None:
    """From now on the slot is under way."""
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.ask("CLUSTER", "MYID"))
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.ask("CLUSTER", "MYID"))


def finish(cluster: Any, slot: int, source: Any, target: Any) -> None:
    """Its keys go over, then the slot."""
    while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 10):
        for one in keys:
            source.ask("MIGRATE", "127.0.0.1", target.port, one, 0, 5000, "AUTH2", "operator", "of-the-tests")
    for server in (target, source, *cluster.primaries):
        server.ask("CLUSTER", "SETSLOT", slot, "NODE", target.ask("CLUSTER", "MYID"))

"""The law of order, under four writers at once: any order, any repeats, any batches, any interleaving end in the same.

Compared with LMDB and with the merge of all at once, byte by byte. Threads have clients of their own; the long form has
processes too.
"""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier, Event, Semaphore
from time import monotonic
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.profiles.encoding import merged
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change
from engine.profiles.store import Found, Span, Store, StoreError
from engine.profiles.valkey.attempts import Attempts
from engine.profiles.valkey.store import ValkeyStore

Opens = Callable[..., ValkeyStore]
Batches: TypeAlias = Sequence[Sequence[Change]]

WRITERS = 4
KEYS = [key("visitor", "1"), key("anonymous", "1"), key("user", "1"), key("group", "1")]
CHANGES = st.builds(
    Change,
    key=st.sampled_from(KEYS),
    time_ms=st.integers(1, 4),
    traits=st.dictionaries(st.sampled_from("ab"), st.none() | st.integers(0, 3) | st.text("é", max_size=2), max_size=2),
    links=st.dictionaries(st.sampled_from(["anonymous", "group", "user"]), st.sampled_from("12"), max_size=1),
    origin=st.sampled_from(["", "web track"]),
    deletes=st.sampled_from([False, False, False, True]),
)
WRITE = """
import sys
from msgspec import msgpack
from engine.profiles.record import Change
from engine.profiles.valkey.address import address
from engine.profiles.valkey.store import ValkeyStore
store = ValkeyStore(address(sys.argv[1]), node=sys.argv[2])
batches = msgpack.decode(bytes.fromhex(sys.stdin.readline()), type=list[list[Change]])
print("ready", flush=True)
sys.stdin.readline()
for batch in batches:
    store.apply(batch)
"""


@pytest.fixture
def writers(shared: Any, opens: Opens) -> list[Store]:
    """Four clients of one shared store."""
    return [opens(shared.url(), node=f"n{number}") for number in range(WRITERS)]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """A thread for each writer."""
    with ThreadPoolExecutor(WRITERS) as threads:
        yield threads


def truth(changes: Sequence[Change]) -> dict[bytes, Found]:
    """What all of them make, at once."""
    made = {of: merged(None, [change for change in changes if change.key == of]) for of in {one.key for one in changes}}
    return {of: body for of, body in made.items() if body is not None}


def in_lmdb(changes: Sequence[Change]) -> dict[bytes, Found]:
    """What LMDB makes of them, one by one."""
    with TemporaryDirectory() as folder:
        store = LmdbStore(Path(folder))
        for change in changes:
            store.apply([change])
        found: dict[bytes, Found] = dict(store.scan())
        store.close()
    return found


def shuffled(chance: random.Random, changes: Sequence[Change]) -> list[Batches]:
    """For each writer batches in an order of its own: each change is with some of them, with some twice."""
    given: list[list[Change]] = [[] for _ in range(WRITERS)]
    for change in changes:
        for of in chance.sample(given, chance.randint(1, WRITERS)):
            of.extend([change] * chance.choice([1, 1, 2]))
    for of in given:
        chance.shuffle(of)
    sizes = [chance.randint(1, 4) for _ in given]
    return [[of[at : at + size] for at in range(0, len(of), size)] for of, size in zip(given, sizes, strict=True)]


def write_together(pool: ThreadPoolExecutor, writers: Sequence[Store], of_each: Sequence[Batches]) -> None:
    """All begin at the same moment."""
    start = Barrier(len(writers))

    def write(store: Store, batches: Batches) -> None:
        start.wait()
        for batch in batches:
            store.apply(batch)

    list(pool.map(write, writers, of_each))


def law(writers: Sequence[Store], pool: ThreadPoolExecutor, changes: Sequence[Change], seed: int) -> None:
    """One example of it."""
    reader = writers[0]
    reader.delete([of for of, _ in reader.scan()])
    write_together(pool, writers, shuffled(random.Random(seed), changes))
    found = dict(reader.scan())
    assert found == truth(changes)
    assert found == in_lmdb(changes)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(CHANGES, min_size=1, max_size=24), seed=st.integers(0, 2**32))
def test_order_does_not_matter(
    writers: list[Store], pool: ThreadPoolExecutor, changes: list[Change], seed: int
) -> None:
    """Four writers, few keys: they meet all the time."""
    law(writers, pool, changes, seed)


@pytest.mark.long
@settings(max_examples=1_000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changes=st.lists(CHANGES, min_size=1, max_size=60), seed=st.integers(0, 2**32))
def test_order_does_not_matter_in_a_thousand_ways(
    writers: list[Store], pool: ThreadPoolExecutor, changes: list[Change], seed: int
) -> None:
    """The same, many more times."""
    law(writers, pool, changes, seed)


def test_no_write_is_lost_where_all_write_the_same_record(
    shared: Any, writers: list[Store], pool: ThreadPoolExecutor
) -> None:
    """A trait of each writer and step in one record: all are there, and whoever lost a race began again."""
    ann = key("visitor", "ann")
    of_each = [[[Change(ann, 1, {f"{writer}-{n}": n})] for n in range(40)] for writer in range(WRITERS)]
    write_together(pool, writers, of_each)
    assert dict(writers[0].scan()) == truth([change for of in of_each for [change] in of])


@pytest.mark.parametrize("aof", [True, False], ids=["kept on disk", "empty again"])
def test_what_a_mark_says_is_there_whatever_died(valkey_servers: Any, opens: Opens, aof: bool) -> None:
    """The server is killed while two nodes apply their logs. Each goes on from what its marks say, and when they say
    that all is there, it is: a gap that a mark had jumped over would stay for ever.
    """
    server = valkey_servers.one(aof=aof)
    chance = random.Random(7)
    logs = [
        [Change(key("visitor", str(chance.randint(1, 50))), n, {f"{log}-{n % 7}": n}) for n in range(400)]
        for log in range(2)
    ]
    batches = count(1)
    killed = Event()
    reached = Semaphore(0)

    def node(log: int) -> None:
        hurried = Attempts(lambda: monotonic() * 1_000)
        store = opens(server.url(), node=f"n{log}", attempts=hurried)
        while True:
            with suppress(StoreError):
                was_killed = killed.is_set()
                begin = store.marks().get("log", 0)
                if begin == len(logs[log]):
                    if was_killed:
                        return
                    continue
                end = begin + 20
                store.apply(logs[log][begin:end], {"log": Span(begin, end)})
                if next(batches) % 8 == 0:
                    reached.release()

    def killer() -> None:
        for _ in range(4):
            reached.acquire()
            server.kill()
            server.restart()
        killed.set()

    with ThreadPoolExecutor(3) as threads:
        for work in [threads.submit(node, 0), threads.submit(node, 1), threads.submit(killer)]:
            work.result()
    assert dict(opens(server.url()).scan()) == truth([*logs[0], *logs[1]])


@pytest.mark.long
def test_order_does_not_matter_to_processes(shared: Any, opens: Opens) -> None:
    """Four processes, each with thousands of changes of the same records."""
    from msgspec import msgpack

    chance = random.Random(7)
    changes = [
        Change(chance.choice(KEYS), chance.randint(1, 500), {f"t{chance.randint(1, 50)}": n}, origin="web track")
        for n in range(3_000)
    ]
    of_each = shuffled(chance, changes)
    command = [sys.executable, "-c", WRITE, shared.url()]
    started = [
        subprocess.Popen([*command, f"n{n}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(WRITERS)
    ]
    for process, batches in zip(started, of_each, strict=True):
        assert process.stdin is not None
        assert process.stdout is not None
        print(msgpack.encode(batches).hex(), file=process.stdin, flush=True)
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.communicate("go\n", timeout=300)
        assert process.returncode == 0
    assert dict(opens(shared.url()).scan()) == truth(changes) == in_lmdb(changes)

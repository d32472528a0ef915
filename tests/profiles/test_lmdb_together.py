"""One embedded store under many hands: threads, processes, killed ones among them, while its map grows.

Processes are really killed; where it is cheap, the fault is shown to bite without the guard.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from engine.profiles.encoding import facts
from engine.profiles.ids import Key, key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.store import Found, StoreUnavailable
from engine.words import Profile

Child: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]
BeginChild: TypeAlias = Callable[..., "subprocess.Popen[str]"]

TINY_MAP = 64 * 1024
ANN, BOB = key("visitor", "ann"), key("visitor", "bob")

PREPARE = """
import sys
from pathlib import Path
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.encoding import facts
from engine.profiles.record import Change
folder = Path(sys.argv[1])
ANN, BOB = key("visitor", "ann"), key("visitor", "bob")
"""
# Every batch sets the same number on two records, so that a reader who sees two numbers saw half a batch. (Not
# asserted: that numbers only rise. A reader who is held up while two commits pass sees the second of them whole, a
# moment before it is official; measured with bare LMDB, and harmless where registers decide by event time.)
WRITE_PAIRS = f"""{PREPARE}
store = LmdbStore(folder, map_bytes={TINY_MAP})
for n in range(1, int(sys.argv[2]) + 1):
    pad = [Change(key("user", f"{{n}}-{{m}}"), n, {{"pad": "x" * 500}}) for m in range(5)]
    store.apply([Change(ANN, n, {{"n": n}}), Change(BOB, n, {{"n": n}}), *pad])
    print(n, flush=True)
"""
READ_PAIRS = f"""{PREPARE}
store = LmdbStore(folder, map_bytes={TINY_MAP})
last = reads = 0
while last < int(sys.argv[2]):
    ann, bob = store.get((ANN, BOB))
    seen = [facts(body).traits["n"] if body else 0 for body in (ann, bob)]
    assert seen[0] == seen[1], seen
    last, reads = seen[0], reads + 1
print(reads)
"""
TAKE_EVERY_PLACE = """
import lmdb, sys
environment = lmdb.open(sys.argv[1])
held = []
try:
    while True:
        held.append(environment.begin())
except lmdb.ReadersFullError:
    print(len(held), flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def opened(folder: Path) -> Iterator[LmdbStore]:
    """A store with a map so small that it has to grow."""
    store = LmdbStore(folder, map_bytes=TINY_MAP)
    yield store
    store.close()


def plan(key_: Key, value: str, time: int = 1) -> Change:
    """Somebody's plan is this."""
    return Change(key_, time, {"plan": value})


def numbers(found: list[Found]) -> list[object]:
    """The trait `n` of each of these bodies."""
    return [facts(body).traits["n"] for body in found if isinstance(body, bytes)]


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads change places as often as they can, so that few rounds see many orders of events."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def failures_of(work: Callable[[], None], threads: int) -> tuple[list[threading.Thread], list[BaseException]]:
    """Start `work` in as many threads; what it raises ends in the list."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    started = [threading.Thread(target=guarded) for _ in range(threads)]
    for thread in started:
        thread.start()
    return started, failures


@pytest.mark.usefixtures("restless")
def test_the_map_grows_under_readers_of_the_same_process(opened: LmdbStore) -> None:
    """Threads that read while another one writes and grows the map see whole batches, and no error."""
    last = 100
    opened.apply([Change(ANN, 0, {"n": 0}), Change(BOB, 0, {"n": 0})])

    def read() -> None:
        seen: list[object] = [0, 0]
        while seen != [last, last]:
            seen = numbers(opened.get((ANN, BOB)))
            assert len(set(seen)) == 1
            assert len(list(opened.scan("visitor"))) == 2

    readers, failures = failures_of(read, 2)
    for n in range(1, last + 1):
        pad = Change(key("user", str(n)), n, {"pad": "x" * 10_000})
        opened.apply([Change(ANN, n, {"n": n}), Change(BOB, n, {"n": n}), pad])
    for reader in readers:
        reader.join()
    assert failures == []
    assert opened.stats().used_bytes > 8 * TINY_MAP


@pytest.mark.usefixtures("restless")
def test_threads_that_write_and_grow_the_map_at_once_lose_nothing(opened: LmdbStore) -> None:
    """One thread's growing ends the other's transaction; that one is begun anew, whole."""
    names = iter("abc")

    def write() -> None:
        name = next(names)
        for n in range(30):
            opened.apply([Change(key("user", f"{name}{n}-{m}"), 1, {"pad": "x" * 5_000}) for m in range(3)])

    writers, failures = failures_of(write, 3)
    for writer in writers:
        writer.join()
    assert failures == []
    assert opened.stats().records == 3 * 30 * 3


@pytest.mark.usefixtures("restless")
def test_threads_read_and_write_while_another_process_grows_the_map(
    opened: LmdbStore, folder: Path, begin_child: BeginChild
) -> None:
    """A reading and a writing thread follow the map at the same time without breaking the store."""
    other = begin_child(WRITE_PAIRS, folder, 300)

    def read() -> None:
        while other.poll() is None:
            opened.get((ANN, BOB))

    def write() -> None:
        n = 0
        while other.poll() is None:
            n += 1
            opened.apply([Change(key("group", str(n % 10)), n, {"n": n})])

    readers, reading = failures_of(read, 2)
    writers, writing = failures_of(write, 2)
    for thread in (*readers, *writers):
        thread.join()
    assert (reading, writing) == ([], [])
    assert other.returncode == 0
    assert numbers(opened.get((ANN, BOB))) == [300, 300]


def test_two_processes_read_while_a_third_writes_and_the_map_grows(folder: Path, begin_child: BeginChild) -> None:
    """Readers see whole batches, up to the last one, and follow the map as it grows."""
    LmdbStore(folder, map_bytes=TINY_MAP).close()
    readers = [begin_child(READ_PAIRS, folder, 300) for _ in range(2)]
    writer = begin_child(WRITE_PAIRS, folder, 300)
    for process in (writer, *readers):
        process.communicate()
        assert process.returncode == 0
    store = LmdbStore(folder)
    assert store.stats().used_bytes > 8 * TINY_MAP
    store.close()


def test_a_store_that_is_open_follows_what_another_process_wrote(opened: LmdbStore, folder: Path, child: Child) -> None:
    """A server sees an import that made the file outgrow its map: for reads, scans and writes."""
    assert opened.get([ANN]) == [None]
    assert child(WRITE_PAIRS, folder, 200).returncode == 0
    assert numbers(opened.get([ANN, BOB])) == [200, 200]
    assert child(WRITE_PAIRS, folder, 400).returncode == 0
    assert sum(1 for _ in opened.scan("user")) == 2_000
    assert child(WRITE_PAIRS, folder, 800).returncode == 0
    assert opened.apply([Change(ANN, 1_000, {"n": 1_000})]) == 1


def test_a_store_opens_while_another_process_grows_it(folder: Path, begin_child: BeginChild) -> None:
    """The size of the map is looked up again when it was outgrown between two steps of opening."""
    LmdbStore(folder, map_bytes=TINY_MAP).close()
    writer = begin_child(WRITE_PAIRS, folder, 400)
    while writer.poll() is None:
        LmdbStore(folder, map_bytes=TINY_MAP).close()
    assert writer.returncode == 0


def test_two_writers_take_turns(folder: Path, begin_child: BeginChild) -> None:
    """Two processes write at once; nothing of either is lost."""
    code = f"""{PREPARE}
store = LmdbStore(folder, map_bytes={TINY_MAP})
for n in range(100):
    store.apply([Change(key("user", f"{{sys.argv[2]}}-{{n}}-{{m}}"), 1, {{"n": n}}) for m in range(5)])
"""
    for writer in [begin_child(code, folder, name) for name in "ab"]:
        writer.communicate()
        assert writer.returncode == 0
    store = LmdbStore(folder)
    assert store.stats().records == 1_000
    store.close()


def test_what_was_written_survives_a_killed_writer(folder: Path, begin_child: BeginChild) -> None:
    """kill -9 in the middle: every batch that was answered for is there, and the store can be written again."""
    writer = begin_child(WRITE_PAIRS, folder, 1_000_000)
    assert writer.stdout
    while int(writer.stdout.readline()) < 50:
        pass
    writer.send_signal(signal.SIGKILL)
    acknowledged = max([50, *map(int, writer.stdout.read().split()[:-1])])
    store = LmdbStore(folder)
    ann, bob = numbers(store.get([ANN, BOB]))
    assert ann == bob
    assert isinstance(ann, int)
    assert ann >= acknowledged
    assert store.apply([Change(ANN, 10**7, {"n": 0})]) == 1
    store.close()


def killed_hog(folder: Path, begin_child: BeginChild) -> None:
    """A process takes every place and is killed; LMDB alone lets nobody in any more."""
    hog = begin_child(TAKE_EVERY_PLACE, folder)
    assert hog.stdout
    assert int(hog.stdout.readline()) > 1_000
    hog.kill()
    hog.wait()
    assert begin_child(TAKE_EVERY_PLACE, folder).wait() != 0


def places_left(folder: Path, begin_child: BeginChild) -> int:
    """How many places another process finds."""
    return int(begin_child(TAKE_EVERY_PLACE, folder).communicate("\n")[0])


@pytest.mark.usefixtures("restless")
def test_killed_readers_do_not_lock_out_the_living(opened: LmdbStore, folder: Path, begin_child: BeginChild) -> None:
    """An open store goes on reading."""
    opened.apply([plan(ANN, "pro")])
    killed_hog(folder, begin_child)

    def read() -> None:
        for _ in range(500):
            assert read_profile(opened, "ann") == Profile("ann", {"plan": "pro"})

    # Several at once, for one place is always kept by the store itself.
    readers, failures = failures_of(read, 4)
    for reader in readers:
        reader.join()
    assert failures == []


def test_a_write_clears_killed_readers_away(opened: LmdbStore, folder: Path, begin_child: BeginChild) -> None:
    """Before the table is full: their old pages would never be used again."""
    killed_hog(folder, begin_child)
    opened.apply([plan(BOB, "free")])
    assert places_left(folder, begin_child) > 1_000


def test_living_readers_in_every_place_are_said_to_be(folder: Path, begin_child: BeginChild) -> None:
    """There is nothing to clear, and the error says what is the matter."""
    LmdbStore(folder).close()
    hog = begin_child(TAKE_EVERY_PLACE, folder)
    assert hog.stdout
    hog.stdout.readline()
    with pytest.raises(StoreUnavailable, match="1024 readers at once"):
        LmdbStore(folder)

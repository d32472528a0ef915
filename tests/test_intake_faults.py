"""Law: whatever fails or dies, what was acknowledged is in log and store, and both say the same.

1. A scenario of several deliveries runs with the first call to the disk failing, then with the second, and so on until
   it passes; the same with the calls to the store, before they do anything and after they have done it.
2. Afterwards a new process catches up, as it does with what the dead have left. Then a replay of the log into an empty
   store must give the same bytes in every record.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from errno import EIO, ENOSPC
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from plain import module_at

from engine.events.disk import Disk, LogError, LogUnavailable
from engine.events.line import Entry
from engine.events.reading import Damaged, Torn, entries, files
from engine.events.rejected import listing
from engine.intake import Intake
from engine.profiles.ids import key
from engine.profiles.store import StoreError, StoreFull
from engine.segment.accept import Delivery, Envelope, accept, opened
from engine.segment.applying import Applying
from engine.segment.erasure import Logs
from engine.segment.restoring import catch_up

HERE = Path(__file__).parent
PATIENCE_S = 60.0  # no test measures time; this only ends what hangs
DELIVERIES = 8
DELETES, LATE = 5, 6  # a deletion of the user of the first delivery, and what comes late of them


faults = module_at(HERE / "events" / "faults.py")
MemoryStore = module_at(HERE / "profiles" / "memory.py").MemoryStore


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """What time it is."""
        return self.time


class Faulty:
    """A store of which one call fails, counted from 1: before it does anything, or after it did it."""

    def __init__(self, store: Any, at: int, error: BaseException, *, done: bool) -> None:
        self._store, self._at, self._error, self._done = store, at, error, done
        self.calls = 0

    @property
    def happened(self) -> bool:
        """Did the scenario come so far?"""
        return self.calls >= self._at

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.calls += 1
            if self.calls != self._at:
                return getattr(self._store, name)(*arguments)
            if self._done:
                getattr(self._store, name)(*arguments)
            raise self._error

        return call


def deliver(n: int, now: Callable[[], datetime]) -> Delivery:
    """The n-th delivery: users, an anonymous id, a user whom all name, and a message that is not acceptable."""
    if n == DELETES:
        return accept(Envelope("webhook", [b'{"type":"delete","userId":"u0"}']), "website", now())
    batch: list[dict[str, Any]] = [
        {"type": "identify", "userId": f"u{n}", "traits": {"mark": n}},
        {"type": "identify", "anonymousId": f"a{n}", "userId": "shared", "traits": {"last": n}},
        {"type": "track", "userId": f"u{n}", "event": f"Event {n}"},
        {"type": "track", "event": "Of nobody"},
    ]
    if n == LATE:
        batch.append({"type": "identify", "userId": "u0", "traits": {"mark": 0}, "timestamp": "2026-11-23T12:00:00Z"})
    for place, message in enumerate(batch):
        message["messageId"] = f"{n}-{place}"
    return accept(opened(json.dumps({"batch": batch}).encode(), "batch"), "website", now())


class Sending:
    """Deliveries, one after the other over several hours; what is refused is tried again, as senders do."""

    def __init__(self, folder: Path, *, tries: int = 2) -> None:
        self.logs = Logs(folder / "events", folder / "rejected", folder / "erasures")
        self.store = MemoryStore()
        self.tries = tries
        self.clock = Clock()
        self.acknowledged: set[int] = set()
        self.refused: list[Exception] = []

    def __call__(self, disk: Disk, store: Any = None, *, die: bool = False) -> None:
        """By the thread that writes; or, where somebody dies, in this one."""
        intake = Intake(self.logs, store or self.store, self.clock, disk=disk)
        with suppress(faults.Killed):
            for n in range(DELIVERIES):
                self.deliver(intake, n, die=die)
                self.clock.time += timedelta(minutes=25)
        with suppress(faults.Killed):
            intake.stop()

    def deliver(self, intake: Intake, n: int, *, die: bool = False) -> None:
        """Until it is taken."""
        for _ in range(self.tries):
            try:
                if die:
                    intake.write([deliver(n, self.clock)])
                else:
                    intake.submit(lambda: deliver(n, self.clock), 100).result(PATIENCE_S)
            except (LogError, StoreError) as error:
                self.refused.append(error)
            else:
                self.acknowledged.add(n)
                return

    def check(self) -> None:
        """The law, once a new process has caught up; and then nothing is left to do."""
        catch_up(self.logs.events, self.store)
        said = [item for path in files(self.logs.events) for item in entries(path)]
        assert not [item for item in said if isinstance(item, Damaged | Torn)]
        found = {json.loads(item.message)["messageId"] for item in said if isinstance(item, Entry) and item.message}
        for n in self.acknowledged - {DELETES}:
            assert {f"{n}-0", f"{n}-1", f"{n}-2"} <= found
            assert key("user", f"u{n}") in self.store.bodies
        assert {f"{n}-3" for n in self.acknowledged - {DELETES}} <= {
            json.loads(one.message)["messageId"] for one in listing(self.logs.rejected)
        }
        if {DELETES, LATE} <= self.acknowledged:
            assert f"{LATE}-4" not in found
        assert self.replayed() == self.store.bodies
        assert catch_up(self.logs.events, self.store).events == 0

    def replayed(self) -> dict[Any, bytes]:
        """What the log alone says."""
        store = MemoryStore()
        applying = Applying(store)
        for path in files(self.logs.events):
            assert applying.file(path).damaged == 0
        return dict(store.bodies)


def every(scenario: Callable[[int], bool]) -> int:
    """Run it with its first call failing, its second, …; how many there were before one passed without a fault."""
    return next(n for n in count(1) if not scenario(n)) - 1


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    """A fresh folder each time."""
    return (tmp_path / str(n) for n in count())


@pytest.mark.parametrize("error", [ENOSPC, EIO])
def test_one_call_to_the_disk_fails(folders: Iterator[Path], error: int) -> None:
    """Two tries are enough for everything to be taken, and at most one is refused."""

    def scenario(n: int) -> bool:
        sending = Sending(next(folders))
        broken = faults.Faults(n, error)
        sending(broken.disk)
        assert len(sending.acknowledged) == DELIVERIES
        assert len(sending.refused) <= 1
        sending.check()
        return broken.happened

    print(f"{(calls := every(scenario))} calls, each failed once")
    assert calls > 40


@pytest.mark.parametrize("error", [ENOSPC, EIO])
def test_the_disk_fails_from_then_on(folders: Iterator[Path], error: int) -> None:
    """As one that is full: nothing false is acknowledged, and the same intake goes on when it is over."""

    def scenario(n: int) -> bool:
        sending = Sending(next(folders), tries=1)
        broken = faults.Faults(n, error, lasting=True)
        intake = Intake(sending.logs, sending.store, sending.clock, disk=broken.disk)
        for number in range(DELIVERIES):
            sending.deliver(intake, number)
            sending.clock.time += timedelta(minutes=25)
        broken.heal()
        sending.deliver(intake, DELIVERIES)
        assert DELIVERIES in sending.acknowledged
        intake.stop()
        sending.check()
        return broken.happened

    print(f"{(calls := every(scenario))} calls, each failed from then on")
    assert calls > 40


def test_the_process_dies_at_a_call_to_the_disk(folders: Iterator[Path]) -> None:
    """At any one, with half a write written."""

    def scenario(n: int) -> bool:
        sending = Sending(next(folders), tries=1)
        dying = faults.Faults(n, None)
        sending(dying.disk, die=True)
        sending.check()
        sending(faults.QUICK)
        assert len(sending.acknowledged) == DELIVERIES
        sending.check()
        return dying.happened

    print(f"died at each of {(calls := every(scenario))} calls")
    assert calls > 40


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("tries", [1, 2])
def test_one_call_to_the_store_fails(folders: Iterator[Path], done: bool, tries: int) -> None:
    """What is in the log by then is brought into the store before anything else is, though nobody sends it again."""

    def scenario(n: int) -> bool:
        sending = Sending(next(folders), tries=tries)
        broken = Faulty(sending.store, n, StoreFull("on purpose"), done=done)
        sending(faults.QUICK, broken)
        assert len(sending.refused) <= 1
        assert len(sending.acknowledged) == DELIVERIES - (len(sending.refused) if tries == 1 else 0)
        if DELIVERIES - 1 in sending.acknowledged:
            assert sending.replayed() == sending.store.bodies
        sending.check()
        return broken.happened

    print(f"{(calls := every(scenario))} calls, each failed once")
    assert calls > 15


@pytest.mark.parametrize("done", [False, True])
def test_the_process_dies_at_a_call_to_the_store(folders: Iterator[Path], done: bool) -> None:
    """Between log and store, or between store and answer."""
    behind = 0

    def scenario(n: int) -> bool:
        nonlocal behind
        sending = Sending(next(folders), tries=1)
        dying = Faulty(sending.store, n, faults.Killed(), done=done)
        sending(faults.QUICK, dying, die=True)
        behind += sending.replayed() != sending.store.bodies
        sending.check()
        return dying.happened

    print(f"died at each of {(calls := every(scenario))} calls, {behind} times between log and store")
    assert calls > 15
    assert bool(behind) is not done


def test_a_deletion_that_cannot_be_noted_is_trouble(tmp_path: Path) -> None:
    """It is not acknowledged, and nothing of it is written, until it can be."""
    sending = Sending(tmp_path, tries=1)
    intake = Intake(sending.logs, sending.store, sending.clock, disk=faults.QUICK)
    sending.deliver(intake, 0)
    sending.logs.erasures.write_text("in the way")
    sending.deliver(intake, DELETES)
    assert DELETES not in sending.acknowledged
    assert type(sending.refused[0]) is LogUnavailable
    sending.logs.erasures.unlink()
    sending.deliver(intake, DELETES)
    assert DELETES in sending.acknowledged
    assert len(intake.erasures.unfinished()) == 1
    intake.stop()
    sending.check()

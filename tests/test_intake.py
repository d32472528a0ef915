"""Deliveries that wait together: what each of them costs the others, what is too much, and how it ends.

The thread is held in a first delivery, so that those that come then wait, and are one group.
"""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from plain import module_at

from engine import limits
from engine.events.disk import DISK, LogError, listed
from engine.events.line import Entry
from engine.events.reading import entries, files, finished
from engine.events.rejected import listing
from engine.intake import Intake, TooBusy
from engine.profiles.ids import key
from engine.profiles.store import StoreUnavailable
from engine.segment.accept import Delivery, accept, opened
from engine.segment.applying import Applying
from engine.segment.erasure import Logs
from engine.segment.reasons import Unacceptable
from engine.segment.restoring import catch_up

PATIENCE_S = 60.0  # no test measures time; this only ends what hangs
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOBODY = {"type": "track", "event": "Of nobody", "messageId": "nobody"}


def memory() -> Any:
    """A store in memory; with importlib mode its module is in no package."""
    return module_at(Path(__file__).parent / "profiles" / "memory.py").MemoryStore()


def delivery(*users: str, now: datetime = NOON) -> Delivery:
    """An identify of each of these users, and a message of nobody."""
    batch = [{"type": "identify", "userId": user, "messageId": user, "traits": {"name": user}} for user in users]
    return accept(opened(json.dumps({"batch": [*batch, NOBODY]}).encode(), "batch"), "website", now)


class Held:
    """An intake whose thread waits, until it is let go; and what it has kept."""

    def __init__(self, folder: Path) -> None:
        self.now = NOON
        self.synced = 0
        self.logs = Logs(folder / "events", folder / "rejected", folder / "erasures")
        self.store = memory()
        self.intake = Intake(self.logs, self.store, lambda: self.now, disk=structs.replace(DISK, sync=self._sync))
        self._open, self._entered = threading.Event(), threading.Event()
        self.close()

    def close(self) -> None:
        """Let its thread wait."""
        self._open.clear()
        self._entered.clear()
        self.intake.submit(self._wait, 0)
        assert self._entered.wait(PATIENCE_S)

    def _wait(self) -> Delivery:
        self._entered.set()
        assert self._open.wait(PATIENCE_S)
        return Delivery([], [], 0)

    def _sync(self, _: int) -> None:
        self.synced += 1

    def submit(self, *users: str, size: int = 100) -> "Future[Delivery]":
        """Deliver."""
        return self.intake.submit(lambda: delivery(*users), size)

    def let_go(self) -> None:
        """Let it write what waits."""
        self._open.set()

    @property
    def kept(self) -> list[str]:
        """The messages of the log, by their ids."""
        found = [item for path in files(self.logs.events) for item in entries(path)]
        return [json.loads(item.message)["messageId"] for item in found if isinstance(item, Entry) and item.message]

    def assert_agree(self) -> None:
        """The store knows what the log says, and nothing else."""
        store = memory()
        for path in files(self.logs.events):
            assert Applying(store).file(path).damaged == 0
        assert store.bodies == self.store.bodies


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    """Held."""
    held = Held(tmp_path)
    yield held
    held.let_go()
    held.intake.stop()


def test_what_waits_together_shares_one_sync(held: Held) -> None:
    """Fifty deliveries: all are durable after one wait for the disk, and one for what was rejected."""
    futures = [held.submit(f"u{n}") for n in range(50)]
    held.let_go()
    assert [len(future.result(PATIENCE_S).messages) for future in futures] == [1] * 50
    assert held.kept == [f"u{n}" for n in range(50)]
    assert len(listing(held.logs.rejected)) == 50
    assert held.synced == 2
    assert all(key("user", f"u{n}") in held.store.bodies for n in range(50))


def unacceptable() -> Delivery:
    """A request that is none."""
    raise Unacceptable("not-json", "on purpose")


def fault() -> Delivery:
    """A fault of ours, while it is read."""
    raise ZeroDivisionError


def no_line() -> Delivery:
    """A message of which no line can be made."""
    good = delivery("poison")
    return Delivery([structs.replace(good.messages[0], body=b"[]")], [], 0)


def no_key() -> Delivery:
    """A message that is about a record that cannot be."""
    good = delivery("poison")
    return Delivery([structs.replace(good.messages[0], user_id="u" * 1000)], [], 0)


@pytest.mark.parametrize("poison", [unacceptable, fault, no_line, no_key])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_poison_costs_only_itself(held: Held, poison: Callable[[], Delivery], place: int) -> None:
    """Whoever sent it is told; the others of its group are durable, and so is what comes afterwards."""
    futures: list[Future[Delivery]] = []
    for n in range(3):
        if n == place:
            bad = held.intake.submit(poison, 100)
        futures.append(held.submit(f"u{n}"))
    if place == 3:
        bad = held.intake.submit(poison, 100)
    held.let_go()
    for future in futures:
        assert len(future.result(PATIENCE_S).messages) == 1
    assert bad.exception(PATIENCE_S) is not None
    assert held.submit("after").result(PATIENCE_S)
    assert set(held.kept) == {"u0", "u1", "u2", "after"}
    held.assert_agree()


def test_what_breaks_the_store_costs_only_itself(held: Held) -> None:
    """A value that cannot be encoded, though it was let in: a fault of ours, after its line was written."""
    [good] = delivery("poison").messages
    bad = Delivery([structs.replace(good, traits={"plan": object()})], [], 0)
    futures = [held.submit("u0"), held.intake.submit(lambda: bad, 100), held.submit("u1")]
    held.let_go()
    wait(futures, PATIENCE_S)
    assert [type(future.exception()) for future in futures] == [type(None), TypeError, type(None)]
    assert held.submit("after").result(PATIENCE_S)
    assert {key("user", user) for user in ("u0", "u1", "after")} <= held.store.bodies.keys()


def test_beyond_the_bound_it_is_busy(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and nothing of it is kept; what waits already is, and then there is room again."""
    monkeypatch.setattr(limits, "INTAKE_BYTES", 1_000)
    waiting = [held.submit(f"u{n}", size=250) for n in range(4)]
    with pytest.raises(TooBusy):
        held.submit("too-much", size=1)
    held.let_go()
    wait(waiting, PATIENCE_S)
    assert held.submit("later", size=1_000).result(PATIENCE_S)
    assert held.kept == ["u0", "u1", "u2", "u3", "later"]


def test_beyond_what_can_be_written_soon_it_is_busy(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the pace of the last groups; with nothing in front all is taken, and when there is time again too."""
    monkeypatch.setattr(limits, "INTAKE_GROUP_BYTES", 100)
    in_front = [held.submit("small", size=99), held.submit("whole", size=100)]
    held.let_go()
    wait(in_front, PATIENCE_S)
    held.close()
    monkeypatch.setattr(limits, "INTAKE_S", 0.0)
    waiting = held.submit("first")
    with pytest.raises(TooBusy):
        held.submit("second")
    monkeypatch.setattr(limits, "INTAKE_S", PATIENCE_S)
    later = held.submit("third")
    held.let_go()
    assert waiting.result(PATIENCE_S)
    assert later.result(PATIENCE_S)
    assert held.kept == ["small", "whole", "first", "third"]


def test_a_group_is_bounded(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes first does not wait for all who came after."""
    monkeypatch.setattr(limits, "INTAKE_GROUP_BYTES", 200)
    waiting = [held.submit(f"u{n}") for n in range(6)]
    held.let_go()
    wait(waiting, PATIENCE_S)
    assert held.synced == 6
    assert len(held.kept) == 6


def test_the_end_writes_what_waits(held: Held) -> None:
    """And takes nothing more."""
    waiting = [held.submit(f"u{n}") for n in range(5)]
    ending = threading.Thread(target=held.intake.stop)
    ending.start()
    while True:  # until it is ending
        try:
            waiting.append(held.submit("more"))
        except TooBusy:
            break
    held.let_go()
    ending.join(PATIENCE_S)
    assert not ending.is_alive()
    assert all(future.done() and future.result().messages for future in waiting)
    assert len(held.kept) == len(waiting)
    assert finished(held.logs.events) == files(held.logs.events)


def test_the_end_without_a_beginning(tmp_path: Path) -> None:
    """Nothing was sent, nothing is made."""
    Intake(Logs(tmp_path / "e", tmp_path / "r", tmp_path / "d"), memory(), lambda: NOON).stop()
    assert list(tmp_path.iterdir()) == []


def test_who_goes_away_costs_nothing(held: Held) -> None:
    """A client that no longer waits: its delivery is kept all the same, and the others are answered."""

    async def run() -> list[Delivery]:
        gone = asyncio.ensure_future(held.intake.take(lambda: delivery("gone"), 100))
        staying = [asyncio.ensure_future(held.intake.take(lambda n=n: delivery(f"u{n}"), 100)) for n in range(3)]
        await asyncio.sleep(0)
        gone.cancel()
        held.let_go()
        answered = await asyncio.wait_for(asyncio.gather(*staying), PATIENCE_S)
        assert gone.cancelled()
        return answered

    assert len(asyncio.run(run())) == 3
    held.submit("after").result(PATIENCE_S)
    assert held.kept == ["gone", "u0", "u1", "u2", "after"]


def test_a_loop_that_is_gone_costs_nothing(held: Held) -> None:
    """Its process is ending: what waits is written, and nobody stumbles."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(_ask_and_leave(held))
    loop.close()
    held.let_go()
    held.submit("after").result(PATIENCE_S)
    assert held.kept == ["left", "after"]


async def _ask_and_leave(held: Held) -> None:
    waiting = asyncio.ensure_future(held.intake.take(lambda: delivery("left"), 100))
    await asyncio.sleep(0)
    waiting.cancel()


def test_a_log_that_was_removed_by_hand_holds_nobody_up(held: Held) -> None:
    """Between a write to the log and one to the store: then there is nothing to bring into the store."""
    apply = held.store.apply
    held.intake.look()
    held.store.apply = refuse
    held.let_go()
    assert isinstance(held.submit("u1").exception(PATIENCE_S), StoreUnavailable)
    assert files(held.logs.events)
    for path in files(held.logs.events):
        path.unlink()
    held.store.apply = apply
    assert held.submit("u2").result(PATIENCE_S)
    assert held.kept == ["u2"]
    held.assert_agree()


def test_a_store_that_lost_something_holds_nobody_up(held: Held) -> None:
    """What comes is acknowledged, for it is in log and store; its file is let go of, and applied again by who looks."""
    held.let_go()
    held.submit("u1").result(PATIENCE_S)
    held.store.lose()
    held.submit("u2").result(PATIENCE_S)
    assert key("user", "u2") in held.store.bodies
    assert key("user", "u1") not in held.store.bodies
    held.submit("u3").result(PATIENCE_S)
    assert len(files(held.logs.events)) == 2
    assert catch_up(held.logs.events, held.store).events == 2
    held.assert_agree()


def test_a_store_that_lost_something_while_it_was_away(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be applied is, before anything else; what was lost before that, by who looks."""
    held.let_go()
    held.submit("u1").result(PATIENCE_S)
    with monkeypatch.context() as away:
        away.setattr(held.store, "apply", refuse)
        assert isinstance(held.submit("u2").exception(PATIENCE_S), StoreUnavailable)
    held.store.lose()
    held.submit("u3").result(PATIENCE_S)
    assert {key("user", "u2"), key("user", "u3")} <= held.store.bodies.keys()
    assert catch_up(held.logs.events, held.store).events >= 2
    held.assert_agree()


def test_trouble_that_is_over_is_forgotten_though_nothing_comes(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look has the writer do what it left; while that fails, it is the same trouble."""
    held.let_go()
    held.submit("u1").result(PATIENCE_S)
    with monkeypatch.context() as away:
        away.setattr(held.store, "apply", refuse)
        held.submit("u2").exception(PATIENCE_S)
        held.intake.look()
        assert isinstance(held.intake.submit(delivery, 0).exception(PATIENCE_S), StoreUnavailable)
        assert held.intake.trouble == "on purpose"
    held.intake.look()
    held.intake.stop()
    assert held.intake.trouble is None
    held.assert_agree()


def test_trouble_with_the_disk_is_over_when_it_takes_a_file(held: Held) -> None:
    """A store that answers does not show that."""
    held.logs.events.write_bytes(b"")  # where the folder should be
    held.let_go()
    assert isinstance(held.submit("u1").exception(PATIENCE_S), LogError)
    held.intake.look()
    assert held.intake.trouble is not None
    held.logs.events.unlink()
    held.intake.look()
    held.intake.stop()
    assert held.intake.trouble is None
    assert listed(held.logs.events) == []


def test_trouble_is_told_when_it_begins_and_when_a_look_finds_it_over(
    held: Held, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not with each group: some have room on a disk that is almost full."""
    caplog.set_level(logging.INFO)
    held.let_go()
    held.submit("u0").result(PATIENCE_S)
    for user in ("u1", "u2", "u3"):
        with monkeypatch.context() as away:
            away.setattr(held.store, "apply", refuse)
            held.submit(user).exception(PATIENCE_S)
            held.intake.look()
            held.intake.submit(delivery, 0).exception(PATIENCE_S)
        held.intake.submit(delivery, 0).result(PATIENCE_S)
    begun = "intake: what comes cannot be taken: on purpose"
    assert caplog.messages == [begun]
    for _ in range(2):
        held.intake.look()
    assert caplog.messages == [begun, "intake: all is well again"]


def refuse(*_: Any) -> int:
    """As a store that is away."""
    raise StoreUnavailable("on purpose")


def test_an_idle_process_finds_a_loss(held: Held) -> None:
    """By its own file; once more changes nothing, nor does a look where nothing is lost."""
    held.let_go()
    held.submit("u1").result(PATIENCE_S)
    held.intake.look()
    assert finished(held.logs.events) == []
    held.store.lose()
    assert held.intake.look() == {}
    assert catch_up(held.logs.events, held.store, held.intake.look()).events == 1
    held.assert_agree()
    assert held.intake.look() == {path.name: path.stat().st_size for path in files(held.logs.events)}


def test_a_quiet_file_is_finished_when_its_hour_is_over(held: Held) -> None:
    """By `settle`: then others may compact it; and a process that catches up finds nothing to do."""
    held.let_go()
    held.submit("u1").result(PATIENCE_S)
    held.intake.settle()
    assert finished(held.logs.events) == []
    held.now += timedelta(hours=1)
    held.intake.settle()
    assert len(finished(held.logs.events)) == 1
    assert catch_up(held.logs.events, held.store).events == 0

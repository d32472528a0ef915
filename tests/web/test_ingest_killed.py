"""kill -9 in the midst of a load: what got a 200 is in log and store, and the log says exactly what the store knows.

1. Batches are written without a pause, so that a kill may fall anywhere: within a write, between the write to the log
   and the answer, between log and store. How often it did is printed, and it goes on until one fell behind the log.
2. Everything is killed at once, the supervisor first, so that nobody is replaced and nothing is ended politely; or the
   worker of two that has more clients (the kernel likes to give one of them all), while the other goes on.
3. A kill that tears a line is too rare to wait for, so half a line is put where a dead worker may have left it.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, field

from engine.events.reading import files, finished

CLIENTS = 12
UNTIL_BITTEN = 5  # times as many kills at most
HALF_A_LINE = b'{"crc":"0badcafe","received":1'


class Kills(Struct):
    """What was killed, and where it bit."""

    chance: random.Random
    kills: int = 0
    unanswered: set[str] = field(default_factory=set)  # in the log, and never acknowledged
    behind_log: int = 0  # kills after which there were more of these
    behind_store: int = 0  # kills after which the log held what the store did not know
    torn: int = 0

    def count(self, source: Any, sending: Any) -> None:
        """Look at what a kill of everything left."""
        self.kills += 1
        logged, torn = sending.messages(source.data)
        self.torn += torn
        unanswered = logged - source.acknowledged
        self.behind_log += unanswered != self.unanswered
        self.unanswered = unanswered
        self.behind_store += not sending.is_caught_up(source.data)


def kill_all(service: Any, wire: Any) -> None:
    """The supervisor, then its workers."""
    workers = wire.children(service)
    assert len(workers) == 2
    for pid in (service.process.pid, *workers):
        os.kill(pid, signal.SIGKILL)
    assert service.ended() == -signal.SIGKILL


def assert_clean(service: Any) -> None:
    """It stumbled over nothing."""
    assert [line for line in service.log if "Traceback" in line or "could not" in line] == []


def is_open(data: Path, pid: int) -> bool:
    """Has this process opened the store already? Before that it answers nothing."""
    return (data / "profiles" / f"open.{pid}").exists()


def clients_of(wire: Any, pid: int) -> int:
    """How many connections of clients a worker holds."""
    try:
        return len(wire.peers_of(pid))
    except FileNotFoundError:  # it closed a file meanwhile, or died
        return 0


def all_open(service: Any, data: Path, wire: Any) -> bool:
    """Are there two workers, and about to serve? Nobody is stopped to see that."""
    workers = wire.children(service)
    return len(workers) == 2 and all(is_open(data, pid) for pid in workers)


def doctor(data: Path, rules: Path) -> dict[str, Any]:
    """What `mutiny-edge doctor` says, by check."""
    program = [sys.executable, "-c", "from engine.cli.main import main; main()", "doctor", "--format", "json"]
    done = subprocess.run(
        [*program, "--data", str(data), "--rules", str(rules)], check=False, capture_output=True, timeout=60
    )
    return {finding["check"]: finding for finding in json.loads(done.stdout)}


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.long)])
def test_all_processes_are_killed(
    serve: Callable[..., Any], rules: Path, tmp_path: Path, wire: Any, sending: Any, until: Any, times: int
) -> None:
    """And started again on the same folder, again and again."""
    source = sending.Source(tmp_path / "data", wire)
    so_far = Kills(random.Random(times))
    while so_far.kills < times or (not so_far.behind_log and so_far.kills < UNTIL_BITTEN * times):
        service = serve(rules, "--workers", "2").up()
        until(lambda service=service: wire.all_up(service, 2))

        async def kill(service: Any = service) -> None:
            await asyncio.sleep(0.2 + so_far.chance.random() * 0.4)
            kill_all(service, wire)

        source.beside(wire.at(service.url), CLIENTS, kill)
        assert_clean(service)
        so_far.count(source, sending)

    service = serve(rules, "--workers", "2", "--drain", "0").up()
    until(lambda: sending.is_caught_up(source.data))
    assert service.end() == 0
    assert_clean(service)
    unanswered = source.check(tmp_path / "replayed")
    print(
        f"{so_far.kills} kills: {len(source.acknowledged)} messages acknowledged, {source.cut} batches cut; "
        f"{so_far.behind_log} kills fell behind the log ({unanswered} messages written and never acknowledged), "
        f"{so_far.behind_store} between log and store, {so_far.torn} within a line"
    )
    assert so_far.behind_log


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.long)])
def test_one_worker_of_two_is_killed(
    serve: Callable[..., Any], rules: Path, tmp_path: Path, wire: Any, sending: Any, until: Any, times: int
) -> None:
    """The other goes on; what the dead one wrote comes into the store by it, and torn ends are set aside and told."""
    source = sending.Source(tmp_path / "data", wire)
    service = serve(rules, "--workers", "2", "--drain", "0").up()
    until(lambda: wire.all_up(service, 2))
    chance = random.Random(times)
    served_on = 0

    async def kill() -> None:
        nonlocal served_on
        for _ in range(times):
            await asyncio.sleep(0.2 + chance.random() * 0.4)
            survivor, victim = sorted(wire.children(service), key=lambda pid: clients_of(wire, pid))
            os.kill(victim, signal.SIGKILL)
            before = len(source.acknowledged)
            await asyncio.to_thread(until, lambda before=before: len(source.acknowledged) > before)
            served_on += not any(is_open(source.data, pid) for pid in wire.children(service) if pid != survivor)
            await asyncio.to_thread(until, lambda: all_open(service, source.data, wire))

    source.beside(wire.at(service.url), CLIENTS, kill, 0.5)
    until(lambda: sending.is_caught_up(source.data))
    dead = finished(source.data / "events")
    with dead[0].open("ab") as file:
        file.write(HALF_A_LINE)
    until(lambda: not sending.messages(source.data)[1])
    found = doctor(source.data, rules)["torn"]
    assert found["state"] == "warning"
    assert found["text"].startswith("1 half written line")
    assert service.end() == 0
    assert_clean(service)
    assert sum("died" in line for line in service.log) == times
    unanswered = source.check(tmp_path / "replayed")
    print(
        f"{times} kills: {len(source.acknowledged)} messages acknowledged, {len(files(source.data / 'events'))} files, "
        f"{source.cut} batches cut, {unanswered} messages written and never acknowledged; "
        f"{served_on} times the other answered before there were two again"
    )
    assert source.cut
    assert served_on

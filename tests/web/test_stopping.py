"""SIGTERM and SIGHUP under clients at full speed: every request that was taken is answered.

1. Two hundred honest clients keep their connections, and make a new one only when an answer says `Connection: close`.
   To be refused is how a client learns that the service has ended; a reset or half an answer is a fault.
2. Clients that do all they can to keep the service from ending have twelve seconds.
3. Whoever stops the service at a bad moment, or in two ways at once, cuts nobody off either.
4. Signals that come before the service is up are neither lost nor fatal, each as it would be later.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine import limits

# The service; it sends itself a signal when it is about to import a module.
STARTING = """\
import os, sys

class Early:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Early())
from engine.cli.main import main
main()
"""
# Its first process is PID 1, as in a container.
CONTAINER = ("unshare", "--map-root-user", "--pid", "--fork", "--kill-child")
CLIENTS = 200
ENDS_WITHIN_S = 12.0


def after(service: Any, number: int, over: Callable[[], bool]) -> Callable[[], Awaitable[None]]:
    """Send the signal, and wait until it is over."""

    async def run() -> None:
        service.process.send_signal(number)
        deadline = time.monotonic() + 60
        while not over():
            assert time.monotonic() < deadline, service.log
            await asyncio.sleep(0.05)

    return run


@pytest.mark.parametrize(
    ("workers", "drain"),
    [("1", "1"), ("2", "1"), *(pytest.param(n, d, marks=pytest.mark.long) for n in "12" for d in ("0", "0.3", "5"))],
)
def test_sigterm_cuts_nobody_off(
    serve: Callable[..., Any], rules: Path, wire: Any, until: Callable[..., None], workers: str, drain: str
) -> None:
    """Every client was told that its answer is the last one on its connection, or is refused a new connection."""
    service = serve(rules, "--workers", workers, "--drain", drain).up()
    if workers != "1":
        until(lambda: wire.all_up(service, int(workers)))
    ends = after(service, signal.SIGTERM, lambda: service.process.poll() is not None)
    tally = wire.beside(wire.at(service.url), CLIENTS, ends, 1.0)
    print(f"{tally.answers} answers, {tally.last_answers} of them the last on their connection")
    assert (tally.faults, tally.cut) == ([], {})
    assert tally.last_answers >= CLIENTS
    assert service.ended() == 0
    assert not any("Traceback" in line or "Cancel" in line for line in service.log), service.log


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_a_worker_that_is_ended_alone_is_replaced(
    serve: Callable[..., Any], rules: Path, wire: Any, until: Callable[..., None], number: int
) -> None:
    """By whoever may send a signal to it. The door stays open: nobody is cut off, then or later."""
    service = serve(rules, "--workers", "2", "--drain", "0").up()
    until(lambda: wire.all_up(service, 2))
    before = wire.children(service)

    async def end() -> None:
        os.kill(before[0], number)
        await asyncio.to_thread(until, lambda: before[0] not in wire.children(service))

    tally = wire.beside(wire.at(service.url), CLIENTS, end, 0.5)
    until(lambda: wire.all_up(service, 2))
    assert before[1] in wire.children(service)
    assert (tally.faults, tally.cut) == ([], {})
    assert service.get("/healthz").status == 200
    assert service.end() == 0


@pytest.mark.parametrize(
    "kinds", [("head", "idle"), pytest.param(("head", "idle", "body", "mute"), marks=pytest.mark.long)]
)
@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.long)])
def test_no_client_keeps_the_service_from_ending(
    serve: Callable[..., Any], rules: Path, wire: Any, kinds: tuple[str, ...], workers: str
) -> None:
    """Twelve seconds after it stopped waiting it is gone, whoever still has something to say."""
    asked = {
        "head": b"GET /healthz HTTP/1.1\r\nhost: ",
        "idle": wire.get(),
        "body": wire.post()[:-5],
        "mute": wire.get("/v1/decide?visitorId=v1&url=https://www.example.com/") * 25_000,
    }
    service = serve(rules, "--workers", workers, "--drain", "0").up()

    async def run() -> float:
        connections = [await wire.Wire.open(wire.at(service.url), 4096) for _ in range(5) for _ in kinds]
        for number, connection in enumerate(connections):
            kind = kinds[number % len(kinds)]
            if kind == "mute":
                connection.reader._transport.pause_reading()
            connection.writer.write(asked[kind])
        await asyncio.sleep(1)
        begun = time.monotonic()
        await after(service, signal.SIGTERM, lambda: service.process.poll() is not None)()
        for connection in connections:
            await connection.close()
        return time.monotonic() - begun

    took = asyncio.run(run())
    print(f"it ended after {took:.1f} s with {5 * len(kinds)} bad clients")
    assert took < ENDS_WITHIN_S
    assert service.ended() == 0
    assert not any("Cancel" in line for line in service.log), service.log


@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=pytest.mark.long)])
def test_sighup_replaces_every_worker_and_cuts_nobody_off(
    serve: Callable[..., Any], rules: Path, wire: Any, until: Callable[..., None], rounds: int
) -> None:
    """One by one, each when its successor is up; clients notice nothing but a `Connection: close`."""
    service = serve(rules, "--workers", "2", "--drain", "1").up()
    until(lambda: wire.all_up(service, 2))
    fewest = 2

    async def renew() -> None:
        for _ in range(rounds):
            old = set(wire.children(service))

            def over(old: set[int] = old) -> bool:
                nonlocal fewest
                now = set(wire.children(service))
                fewest = min(fewest, len(now))
                return len(now) == 2 and not now & old

            await after(service, signal.SIGHUP, over)()

    tally = wire.beside(wire.at(service.url), CLIENTS, renew, 1.0)
    print(f"{tally.answers} answers, {tally.last_answers} of them the last on their connection")
    assert (tally.faults, tally.cut) == ([], {})
    assert tally.last_answers >= 1
    assert fewest == 2
    until(lambda: sum("every worker has been replaced" in line for line in service.log) == rounds)
    assert service.end() == 0
    assert not any("died" in line or "Traceback" in line for line in service.log), service.log


@pytest.mark.parametrize(
    "gap_s", [1.2, *(pytest.param(tenth / 10, marks=pytest.mark.long) for tenth in range(0, 41, 4))]
)
def test_sigterm_while_workers_are_replaced_cuts_nobody_off(
    serve: Callable[..., Any], rules: Path, wire: Any, until: Callable[..., None], gap_s: float
) -> None:
    """Whatever a successor has come to by then: not born, not up, up beside one that leaves."""
    service = serve(rules, "--workers", "2", "--drain", "0.5").up()
    until(lambda: wire.all_up(service, 2))

    async def both() -> None:
        service.process.send_signal(signal.SIGHUP)
        await asyncio.sleep(gap_s)
        await after(service, signal.SIGTERM, lambda: service.process.poll() is not None)()

    tally = wire.beside(wire.at(service.url), CLIENTS, both, 0.2)
    assert (tally.faults, tally.cut) == ([], {})
    assert tally.last_answers >= 1
    assert service.ended() == 0
    assert not any("Traceback" in line or "killed" in line for line in service.log), service.log


def test_a_process_without_a_core_cuts_nobody_off(serve: Callable[..., Any], rules: Path, wire: Any) -> None:
    """It is stopped again and again while it ends, longer than it waits for anybody, and awake for moments only."""
    service = serve(rules, "--drain", "0.6").up()

    async def end() -> None:
        service.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.5)
        for _ in range(4):
            service.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(1.5 * limits.DOOR_S)
            service.process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.004)
        await after(service, signal.SIGCONT, lambda: service.process.poll() is not None)()

    tally = wire.beside(wire.at(service.url), CLIENTS, end, 0.2)
    assert (tally.faults, tally.cut) == ([], {})
    assert service.ended() == 0


def test_sigterm_to_every_process_drains_and_a_second_one_does_not(
    serve: Callable[..., Any], rules: Path, wire: Any, until: Callable[..., None]
) -> None:
    """Workers hear the one from the group and the one from their parent; only their parent knows of a second."""
    service = serve(rules, "--workers", "2", "--drain", "3000").up()
    until(lambda: wire.all_up(service, 2))
    workers = wire.children(service)
    for pid in (*workers, service.process.pid, *workers):
        os.kill(pid, signal.SIGTERM)
    until(lambda: service.get("/readyz").status == 503)
    for _ in range(20):  # several looks of the parent and of each worker
        assert service.decide().edition == "1"
        time.sleep(0.05)
    assert set(wire.children(service)) == set(workers)
    service.process.send_signal(signal.SIGTERM)
    assert service.ended() == 0


def test_a_successor_that_cannot_serve_changes_nothing(
    serve: Callable[..., Any], rules: Path, tmp_path: Path, wire: Any, until: Callable[..., None]
) -> None:
    """The old workers stay, and the log says why."""
    service = serve(rules, "--workers", "2", "--drain", "0").up()
    until(lambda: wire.all_up(service, 2))
    before = wire.children(service)
    shutil.rmtree(rules)
    for kept in (tmp_path / "data").iterdir():
        if kept.is_file():
            kept.unlink()
    service.process.send_signal(signal.SIGHUP)
    until(lambda: any("stay as they are" in line for line in service.log))
    until(lambda: wire.children(service) == before)
    assert service.decide().edition == "1"


def test_sighup_does_not_end_one_worker(serve: Callable[..., Any], rules: Path, until: Callable[..., None]) -> None:
    """It cannot be replaced without a gap: it says so, and goes on."""
    service = serve(rules, "--drain", "0").up()
    os.kill(service.process.pid, signal.SIGHUP)
    until(lambda: any("SIGHUP" in line for line in service.log))
    assert service.decide().edition == "1"
    assert service.end() == 0


@pytest.mark.parametrize(("workers", "module"), [("1", "engine.web.serve"), ("2", "engine.web.workers")])
def test_sighup_before_it_is_up_does_no_harm(serve: Callable[..., Any], rules: Path, workers: str, module: str) -> None:
    """What comes up has the newest rules anyway."""
    program = STARTING.format(module=module, number=int(signal.SIGHUP))
    service = serve(rules, "--workers", workers, "--drain", "0", program=program).up()
    assert service.decide().edition == "1"
    assert service.end() == 0


@pytest.mark.parametrize("module", ["engine.web.serve", "engine.web.workers"])
def test_sigterm_before_it_is_up_ends_the_first_process_of_a_container(
    serve: Callable[..., Any], rules: Path, until: Callable[..., None], module: str
) -> None:
    """The kernel would keep it from a PID 1 that has no handler; everybody else it ends with the same exit code."""
    if shutil.which(CONTAINER[0]) is None or subprocess.run([*CONTAINER, "true"], check=False).returncode:
        pytest.skip("no process may have a PID 1 of its own here")
    program = STARTING.format(module=module, number=int(signal.SIGTERM))
    service = serve(rules, "--workers", "2", "--drain", "0", program=program, inside=CONTAINER)
    until(lambda: service.url or service.process.poll() is not None)
    service.process.kill()
    assert service.ended() == 128 + signal.SIGTERM

"""The clock of connections: it moves by sweeps, nothing stops it, and refusals are told without filling the log."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import limits
from engine.web.clients import NEVER, Clients, ticks


class Client:
    """A connection that notes what it was shown, and may be broken."""

    def __init__(self, *, broken: bool = False) -> None:
        self.shown: list[int] = []
        self.twice: Callable[[], object] = int
        self._broken = broken

    def sweep(self, tick: int) -> None:
        """Note it."""
        self.shown.append(tick)
        if tick == 2:
            self.twice()
        if self._broken:
            raise RuntimeError("broken")


@pytest.fixture(autouse=True)
def _heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's own log does not reach pytest's otherwise."""
    monkeypatch.setattr(logging.getLogger("mutiny_edge"), "propagate", True)


@given(st.floats(0, 10_000))
def test_a_deadline_is_never_early_and_at_most_two_sweeps_late(seconds: float) -> None:
    """Wherever between two sweeps it begins."""
    least = (ticks(seconds) - 1) * limits.SWEEP_S
    assert seconds <= least <= seconds + limits.SWEEP_S
    assert ticks(seconds) < NEVER


def test_every_connection_sees_every_sweep(caplog: pytest.LogCaptureFixture) -> None:
    """One that fails is in the log, and the others do not notice."""
    clients = Clients()
    connections = [Client(), Client(broken=True), Client()]
    clients.connections.update(connections)  # type: ignore[arg-type]
    for _ in range(3):
        clients.sweep()
    assert [connection.shown for connection in connections] == [[1, 2, 3]] * 3
    assert len(caplog.records) == 3


def test_the_clock_moves_while_the_loop_runs() -> None:
    """By itself, once begun."""

    async def run() -> list[int]:
        clients, client, seen = Clients(), Client(), asyncio.Event()
        clients.connections.add(client)  # type: ignore[arg-type]
        client.twice = seen.set
        clients.watch(asyncio.get_running_loop())
        await asyncio.wait_for(seen.wait(), 60)
        return client.shown

    assert asyncio.run(run())[:2] == [1, 2]


def test_refusals_are_counted_and_told_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """All are counted; a line says how many of which code there were since the last one."""
    clients = Clients()
    for _ in range(10_000):
        clients.count("not-http")
    clients.count("request-timeout")
    for _ in range(ticks(limits.REFUSALS_LOG_S)):
        clients.sweep()
        clients.count("not-http")
    assert [record.getMessage() for record in caplog.records] == ["refused: not-http 10000, request-timeout 1"]
    clients.sweep()
    assert caplog.records[-1].getMessage() == f"refused: not-http {ticks(limits.REFUSALS_LOG_S)}"
    assert clients.refused["not-http"] == 10_000 + ticks(limits.REFUSALS_LOG_S)


def test_what_every_answer_says_is_made_when_it_changes() -> None:
    """uvicorn puts a new list there every second."""
    clients = Clients()
    assert clients.lines == b""
    clients.default_headers = [(b"date", b"now"), (b"x", b"y")]
    assert clients.lines == b"date: now\r\nx: y\r\n"
    assert clients.lines is clients.lines
    clients.default_headers = [(b"date", b"later")]
    assert clients.lines == b"date: later\r\n"

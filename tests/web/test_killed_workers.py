"""kill -9 of a worker, again and again: it costs its own open requests, and nothing else.

1. A victim is stopped before it is killed, so that its connections can be read from /proc; whatever a client loses must
   have been on one of them.
2. The other worker is stopped while the victim is replaced, so that whoever answers is the successor.
3. A killed process keeps its place in the store's table of readers. Places of the dead are cleared, so the table never
   holds more than those who live, and the one killed last.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import lmdb
import pytest

CLIENTS = 16
REPLACED_WITHIN_S = 3.0


def readers(environment: Any) -> list[int]:
    """The processes in the store's table of readers."""
    rows = environment.readers().splitlines()
    return [int(row.split()[0]) for row in rows if row.split() and row.split()[0].isdigit()]


class Killing:
    """What happened to the service."""

    def __init__(self, service: Any, store: Path, wire: Any) -> None:
        self.service = service
        self._wire = wire
        self.lost: set[int] = set()
        self.replaced_s: list[float] = []
        self.left_places = 0
        self.most_places = 0
        self._store = lmdb.open(str(store), readonly=True, max_readers=1024)

    async def kill(self, times: int) -> None:
        """Kill one worker after the other."""
        for _ in range(times):
            await asyncio.sleep(0.5)
            victim, survivor = self._wire.children(self.service)
            await asyncio.to_thread(self._replace, victim, survivor)

    def _replace(self, victim: int, survivor: int) -> None:
        self._wire.stop(victim)
        self.lost |= self._wire.peers_of(victim)
        self._wire.stop(survivor)
        os.kill(victim, signal.SIGKILL)
        killed = time.monotonic()
        try:
            self.left_places += victim in readers(self._store)
            assert self.service.get("/healthz").status == 200
            self.replaced_s.append(time.monotonic() - killed)
        finally:
            os.kill(survivor, signal.SIGCONT)
        self.most_places = max(self.most_places, len(readers(self._store)))
        assert victim not in readers(self._store)


@pytest.mark.parametrize("times", [2, pytest.param(30, marks=pytest.mark.long)])
def test_a_killed_worker_costs_its_own_requests_alone(
    serve: Callable[..., Any], rules: Path, tmp_path: Path, wire: Any, until: Callable[..., None], times: int
) -> None:
    """Its clients alone notice, it is replaced in time, and its place among the store's readers is given away."""
    service = serve(rules, "--workers", "2", "--drain", "0").up()
    until(lambda: wire.all_up(service, 2))
    killing = Killing(service, tmp_path / "data" / "profiles", wire)
    tally = wire.beside(wire.at(service.url), CLIENTS, lambda: killing.kill(times), 0.5)
    usually = median(killing.replaced_s)
    print(
        f"{times} kills: {len(tally.cut)} of {tally.answers} requests lost, {killing.left_places} left a place behind, "
        f"at most {killing.most_places} places; replaced after {usually:.2f} s, {max(killing.replaced_s):.2f} s at most"
    )
    assert tally.faults == []
    assert tally.cut.keys() <= killing.lost
    assert tally.cut
    assert killing.left_places == times
    assert killing.most_places <= 4
    assert usually < REPLACED_WITHIN_S  # the last to be asked on a busy machine says nothing of us
    assert service.end() == 0
    assert sum("died" in line for line in service.log) == times
    assert not any("Traceback" in line or "could not be read" in line for line in service.log), service.log

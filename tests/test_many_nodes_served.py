"""Law: a service notices by itself what its shared store lost, and brings it back; nobody has to ask or to restart it.

What is brought back, and from where, is in `test_many_nodes.py`; here it is done by the background jobs of real nodes.
"""

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import redis

from engine import limits
from engine.node import Node, utc_now
from engine.profiles.ids import key
from engine.segment.accept import Delivery, accept, opened
from engine.segment.sources import Sources
from engine.settings import Settings

HOUSE = Path(__file__).resolve().parent.parent
PATIENCE_S = 60.0  # no test measures time; this only ends what hangs
BACK_S = 30.0  # but this one is a promise


def delivery(*users: str) -> Delivery:
    """An identify of each."""
    batch = [{"type": "identify", "userId": user, "traits": {"n": user}} for user in users]
    return accept(opened(json.dumps({"batch": batch}).encode(), "batch"), "www", utc_now())


def both_are_there(node: Node) -> bool:
    """In the store."""
    return None not in node.store.get([key("user", "ann"), key("user", "bob")])


def test_a_node_fills_its_store_by_itself(
    valkey_server: Any, valkey: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An idle one, in the background, twice; it decides all the time."""
    monkeypatch.setattr(limits, "LOG_LOOK_S", 0.02)

    async def run() -> None:
        node = Node(Settings(HOUSE / "rules", tmp_path / "data", valkey_server.url()))
        node.start()
        try:
            await node.take(lambda: delivery("ann", "bob"), 100)
            for _ in range(2):
                valkey_server.ask("FLUSHALL")
                await asyncio.to_thread(valkey.until, partial(both_are_there, node), "both are back")
        finally:
            await node.stop()

    asyncio.run(run())


class Service:
    """One node: `mutiny-edge serve` with two workers."""

    def __init__(self, data: Path, store: str, port: int) -> None:
        self.key = Sources(data).add("www", "backend")
        self.port = port
        command = "from engine.cli.main import main; main(prog_name='mutiny-edge')"
        program = [sys.executable, "-c", command, "serve", "--port", str(port), "--workers", "2"]
        where = ["--drain", "0", "--rules", str(HOUSE / "rules"), "--data", str(data), "--store", store]
        with (data / "log").open("wb") as log:
            self.process = subprocess.Popen([*program, *where], cwd=HOUSE, stdout=log, stderr=log)

    def send(self, users: list[str]) -> bool:
        """Is it acknowledged?"""
        body = json.dumps({"batch": [{"type": "identify", "userId": user, "traits": {"n": user}} for user in users]})
        basic = b64encode(f"{self.key}:".encode()).decode()
        headers = {"authorization": f"Basic {basic}", "content-type": "application/json"}
        url = f"http://127.0.0.1:{self.port}/v1/batch"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=20) as answer:
                return bool(answer.status == 200)
        except (urllib.error.HTTPError, OSError):
            return False

    def end(self) -> None:
        """As it is stopped."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)


class Shared:
    """The store that two nodes share, and what becomes of it."""

    def __init__(self, servers: Any, valkey: Any, fault: str) -> None:
        self.server = servers.one()
        self._valkey = valkey
        self._replica = servers.replica(self.server) if fault == "failed over" else None
        self.url = self.server.url()
        if self._replica is not None:
            self.url = f"redis+sentinel://{servers.sentinel(self.server).address}/{valkey.SERVICE}"
        self._fault = fault

    def lose(self) -> None:
        """All that it holds, or the newest of it."""
        if self._fault == "emptied":
            self.server.ask("FLUSHALL")
        elif self._fault == "killed":
            self.server.kill()
            time.sleep(3)
            self.server.restart()
        else:
            self._replica.resume()
            self.server.kill()
            self.server = self._replica
            self._valkey.until(self._is_primary, "it is the primary")

    def before(self) -> None:
        """Two seconds of what is acknowledged then the replica does not hear."""
        if self._replica is not None:
            self._replica.stop()
            self.server.ask("CLIENT", "KILL", "TYPE", "replica")
            time.sleep(2)

    def _is_primary(self) -> bool:
        with suppress(redis.ConnectionError):  # a Sentinel that promotes a server has it drop its clients
            return bool(self.server.info("replication")["role"] == "master")
        return False

    def missing(self, users: set[str]) -> set[str]:
        """Of whom it knows nothing."""
        return users - {name.decode().removeprefix("mutiny:u:") for name in self.server.ask("KEYS", "mutiny:u:*")}


@pytest.fixture(params=["emptied", "killed", "failed over"])
def shared(request: pytest.FixtureRequest, valkey_servers: Any, valkey: Any) -> Shared:
    """A store for each fault."""
    return Shared(valkey_servers, valkey, request.param)


@pytest.fixture
def nodes(shared: Shared, valkey: Any, tmp_path: Path) -> Iterator[list[Service]]:
    """Two, that take messages."""
    begun = [Service(tmp_path / name, shared.url, valkey.free_port()) for name in ("node1", "node2")]
    try:
        for service in begun:
            valkey.until(lambda service=service: service.send(["first"]), "it takes messages")
        yield begun
    finally:
        for service in begun:
            service.end()


@pytest.mark.long
def test_every_acknowledged_event_is_back_in_time(nodes: list[Service], shared: Shared) -> None:
    """Two nodes with two workers each, under load, whatever happens to what they share."""
    acknowledged: set[str] = set()
    stop = threading.Event()

    def load(service: Service, name: str) -> None:
        for number in count():
            if stop.is_set():
                return
            users = [f"{name}-{number}-{n}" for n in range(20)]
            if service.send(users):
                acknowledged.update(users)
            time.sleep(0.02)

    senders = [threading.Thread(target=load, args=(service, f"s{n}")) for n, service in enumerate([*nodes, *nodes])]
    for sender in senders:
        sender.start()
    try:
        time.sleep(4)
        shared.before()
        before = set(acknowledged)
        shared.lose()
        due = time.monotonic() + BACK_S
        lost = shared.missing(before)
        print(f"{len(lost)} of {len(before)} acknowledged users are lost", end=", ")
        assert len(lost) > 100
        while lost := shared.missing(before):
            assert time.monotonic() < due, f"{len(lost)} of {len(before)} are not back"
            time.sleep(0.1)
        print(f"and back after {BACK_S - (due - time.monotonic()):.1f} s")
    finally:
        stop.set()
        for sender in senders:
            sender.join()
    assert shared.missing(acknowledged) == set()

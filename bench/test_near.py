"""Page views of visitors who are at hand, out of a shared store, beside the embedded one: over HTTP and in process.

Both services run on one core, in turns, on the same rules and records; the shared store is a real server. Every visitor
has been asked for before, so what is compared is a hit in the near-cache with a read of LMDB.
"""

import asyncio
import shutil
import socket
import subprocess
import time
from contextlib import closing, contextmanager

import pytest
from msgspec import structs

from bench import audiences, http
from bench.service import Service, two_sides
from bench.table import duration, must_be_there, row, short
from bench.turns import in_turns, ratio
from engine.node import STORE_FOLDER, Node
from engine.profiles.lmdb import LmdbStore
from engine.profiles.store import NotAtOnce
from engine.profiles.valkey.address import address
from engine.profiles.valkey.store import ValkeyStore
from engine.settings import Settings
from engine.words import Page, Visit

STORED = 5_000  # so many are asked for in half a second
READY_S = 10
ROUNDS = 5
BESIDE = "LMDB"
SERVER = shutil.which("valkey-server") or shutil.which("redis-server")
NO_SERVER = "neither valkey-server nor redis-server is there: apt-get install redis-server"


@contextmanager
def server():
    """A server with nothing in it, and its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([SERVER, "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL) as process:
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.01)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.kill()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A folder with rules and visitors, and the URL of a server that has the same."""
    if not (http.there() and SERVER) and not must_be_there():
        pytest.skip(http.NO_WRK if SERVER else NO_SERVER)
    folder = tmp_path_factory.mktemp("near")
    http.prepare(folder, STORED)
    with server() as url, closing(LmdbStore(folder / "data" / STORE_FOLDER)) as store:
        shared = ValkeyStore(address(url), node="bench")
        shared.put((key, body) for key, body in store.scan() if type(body) is bytes)
        shared.close()
        store.close()
        yield folder, url


def test_near_over_http(table, stored):
    """Requests in a second of the service's computing."""
    folder, url = stored
    core, _ = two_sides()
    where = ["serve", "--port", "0", "--drain", "0", "--rules", str(folder / "rules")]
    embedded = Service.serving(folder, core)
    near = Service("engine.cli.main", [*where, "--data", str(folder / "other"), "--store", url], core)
    try:
        ready = time.monotonic() + READY_S  # it serves before it has its store, and says so
        while http.ask(near, 0) != http.ask(embedded, 0) and time.monotonic() < ready:
            time.sleep(0.01)
        for number in range(http.COMPARED):
            assert http.ask(near, number) == http.ask(embedded, number)
        turns = {"lane": [], "near": []}
        for service in (near, embedded):
            http.turn(service, "small", 2, STORED)  # every visitor once
        for _ in range(ROUNDS):
            for name, service in (("near", near), ("lane", embedded)):
                turns[name].append(http.turn(service, "small", 1, STORED))
    finally:
        near.end()
        embedded.end()
    ours, theirs = (http.Measured(name, "small", turns[name]) for name in ("near", "lane"))
    computing = [f"{duration(one.middle('cpu_us') / 1e6)} of computing" for one in (ours, theirs)]
    clock = [f"{short(one.middle('requests_s'))}/s" for one in (ours, theirs)]
    table += [
        row("page views, near-cache", computing[0], BESIDE, computing[1], ours.to(theirs), bar="near"),
        row("  by the clock", clock[0], BESIDE, clock[1], ours.by_the_clock(theirs)),
    ]


def test_near_in_process(table, stored):
    """A decision as bytes, as the lane asks for it; every visitor once a lap."""
    folder, url = stored
    settings = Settings(folder / "rules", folder / "process", url)
    visitors = [f"visitor-{number}" for number in range(STORED)]

    async def warmed(node):
        """All of them are at hand."""
        node.start()
        while not node.near.up:  # noqa: ASYNC110 - it is no event of ours
            await asyncio.sleep(0.01)
        for visitor in visitors:
            try:
                node.near.one(b"v:" + visitor.encode())
            except NotAtOnce as missed:
                await asyncio.wait((missed.arrival,))
        took = in_turns({"near": lap(node), "lmdb": lap(embedded)})
        await node.stop()
        return took

    def lap(node):
        node.decide(visitors[0], Page(audiences.PAGE), Visit(), {})  # the page is known from now on
        assert all(node.answer(visitor, audiences.PAGE) for visitor in visitors)
        return lambda: [node.answer(visitor, audiences.PAGE) for visitor in visitors]

    embedded = Node(structs.replace(settings, data=folder / "data", store=None))
    node = Node(settings)
    took = asyncio.run(warmed(node))
    embedded.store.close()
    shown = [duration(sorted(took[name])[len(took[name]) // 2] / STORED) for name in ("near", "lmdb")]
    table.append(
        row("a decision, near-cache", shown[0], BESIDE, shown[1], ratio(took["lmdb"], took["near"]), bar="near")
    )

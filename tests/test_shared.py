"""Nodes on a store that they share: opened as the settings say, read in time, whatever the store does.

Four nodes in one process and one loop stand for two services with two workers each (`web/test_store_faults.py` has the
long form): two data folders, each opened twice.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from engine.node import Node, open_store, utc_now
from engine.profiles.ids import key
from engine.profiles.near.near import Near
from engine.profiles.record import Change
from engine.profiles.store import NotAtOnce, StoreError, StoreUnavailable
from engine.segment.accept import Delivery, accept, opened
from engine.settings import Settings
from engine.shared import is_shared, open_shared, patiently
from engine.words import Decision, Page, Visit

RULES = """\
segments:
  small: {name: Small, when: "traits.employees < 50 || account.employees < 50"}
experiences:
  site:
    name: Site
    pages: ["/**"]
    audiences: [{segment: small, control: 0%, variants: [{key: v, changes: [{selector: h1, text: Hi}]}]}]
"""
PAGE = Page("https://www.example.com/")
SOON_S = 60.0  # only ends what hangs


@pytest.fixture
def settings(tmp_path: Path, valkey_server: Any) -> Settings:
    """Of a node on the server that all tests share."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(RULES)
    return Settings(tmp_path / "rules", tmp_path / "data", valkey_server.url())


@asynccontextmanager
async def started(*settings: Settings) -> AsyncIterator[list[Node]]:
    """Nodes with these settings, at work."""
    nodes = [Node(one) for one in settings]
    try:
        for node in nodes:
            node.start()
        yield nodes
    finally:
        for node in nodes:
            await node.stop()


async def decided(node: Node, visitor: str = "v1") -> Decision:
    """What the node decides, as the service asks it."""
    return await node.patiently(lambda store: node.decide(visitor, PAGE, Visit(), {}, store))


async def until(holds: Callable[[], Any]) -> None:
    """Wait for what is bound to happen; `holds` may be asynchronous."""
    async with asyncio.timeout(SOON_S):
        while True:
            said = holds()
            if await said if asyncio.iscoroutine(said) else said:
                return
            await asyncio.sleep(0.005)


def test_four_nodes_begin_without_their_store(settings: Settings, tmp_path: Path, valkey_servers: Any) -> None:
    """Each decides at once, degraded, and says why; when it comes, what one is told is in the decisions of all."""
    server = valkey_servers.one(aof=True)
    server.kill()
    folders = [tmp_path / "one", tmp_path / "other"] * 2
    each = [Settings(settings.rules, folder, server.url()) for folder in folders]

    async def run() -> None:
        async with started(*each) as nodes:
            assert all([(await decided(node)).degraded for node in nodes])
            await until(lambda: all(server.address in str(node.store_trouble) for node in nodes))
            server.restart()
            for node in nodes:
                await until(lambda node=node: whole(node))
                assert not (await decided(node)).assignments
            message = {"type": "identify", "userId": "u1", "traits": {"employees": 12}}
            link = {"anonymousId": "a1", "traits": {"mutinyVisitorId": "v1"}, "userId": "u1", "type": "identify"}
            await nodes[0].take(lambda: delivery(message, link), 100)
            for node in nodes:
                await until(lambda node=node: shown(node))
                await until(lambda node=node: trouble(node) is None)

    asyncio.run(run())


async def whole(node: Node) -> bool:
    """Is nothing lacking in its decision?"""
    return not (await decided(node)).degraded


async def shown(node: Node) -> bool:
    """Does its decision show something?"""
    return bool((await decided(node)).assignments)


def trouble(node: Node) -> str | None:
    """What is wrong with its store now."""
    node.look_at_store()
    return node.store_trouble


def delivery(*messages: dict[str, Any]) -> Delivery:
    """As a website delivers them."""
    return accept(opened(json.dumps({"batch": messages}).encode(), "batch"), "website", utc_now())


def test_a_profile_comes_in_time_or_in_part(settings: Settings, valkey_server: Any, proxy_to: Any) -> None:
    """Within the budget all of it; where the server is slower what is at hand decides, and says so. What comes too late
    is there for the next decision.
    """
    proxy = proxy_to(valkey_server.port)
    store = open_shared(settings)
    store.apply([Change(key("visitor", "v1"), 1, {}, {"user": "u1"}), Change(key("user", "u1"), 1, {"employees": 12})])
    slow = structs.replace(settings, store=f"redis://127.0.0.1:{proxy.port}", read_budget_ms=1)

    async def run() -> None:
        async with started(settings, slow) as (node, late):
            await until(lambda: whole(node))
            assert (await decided(node)).assignments
            await until(lambda: late.store_trouble is None and isinstance(late.near, Near) and late.near.up)
            proxy.delay_s = 0.01
            assert (await decided(late)).degraded
            await until(lambda: whole(late))
            proxy.delay_s = 0.0
            assert (await decided(late)).assignments
            # The visitor is at hand, and the user is not.
            store.apply([Change(key("user", "u1"), 2, {"employees": 13})])
            proxy.delay_s = 0.05
            await until(lambda: late.near.counts.invalidations)
            half = await decided(late)
            assert half.degraded
            assert not half.assignments

    asyncio.run(run())
    store.close()


def test_who_cannot_wait_is_hurried() -> None:
    """Of what never comes nothing is asked again; what comes is."""
    asked: list[Any] = []

    async def run() -> None:
        arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def ask(store: Any) -> str:
            asked.append(store)
            if store == "near" and len(asked) < 3:
                raise NotAtOnce(arrival)
            return f"by {store}"

        near, hurried = "near", "hurried"
        assert await patiently(near, hurried, ask, 0.001) == "by hurried"  # type: ignore[arg-type]
        assert not arrival.cancelled()
        assert asked == ["near", "hurried"]
        arrival.set_result(None)
        assert await patiently(near, hurried, ask, 60.0, NotAtOnce(arrival)) == "by near"  # type: ignore[arg-type]
        assert asked == ["near", "hurried", "near"]

    asyncio.run(run())


def test_settings_say_where_is_written_and_where_is_read(settings: Settings, valkey_servers: Any) -> None:
    """`--store` is both; what is said of one of them alone counts before it."""
    assert is_shared(settings)
    assert not is_shared(Settings())
    primary = valkey_servers.one()
    replica = valkey_servers.replica(primary)
    only_read = Settings(settings.rules, settings.data, read_store=replica.url())
    with pytest.raises(StoreUnavailable, match="--write-store"):
        open_store(only_read)
    both = structs.replace(only_read, write_store=primary.url())
    written = open_store(both)
    written.apply([Change(key("visitor", "v1"), 1, {"employees": 12})])

    async def run() -> None:
        async with started(both) as (node,):
            await until(lambda: shown(node))

    asyncio.run(run())
    written.close()
    read = open_store(only_read, read_only=True)
    with pytest.raises(StoreError, match="replica"):
        read.apply([Change(key("visitor", "v1"), 2, {"employees": 13})])
    read.close()


def test_who_only_reads_is_told_that_the_store_is_gone(settings: Settings, valkey: Any) -> None:
    """On the command line somebody waits for an answer; a service begins without it."""
    gone = structs.replace(settings, store=f"redis://127.0.0.1:{valkey.free_port()}")
    for opened_ in (lambda: open_store(gone), lambda: Node(gone, read_only=True)):
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            opened_()
    node = Node(gone)
    assert node.ready
    assert "cannot be reached" in str(node.store_trouble)
    node.store.close()


def test_who_shares_nothing_loads_no_client() -> None:
    """Neither the service nor a program with an engine in it."""
    program = "import sys, engine.web.serve; from engine import Engine; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

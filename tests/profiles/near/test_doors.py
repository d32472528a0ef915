"""Ways to servers: over TLS, a socket, Sentinels, to old servers; and what is said where there is none."""

import asyncio
import gc
import warnings
from typing import Any

import pytest
from redis.crc import key_slot
from redis.exceptions import InvalidResponse

from engine.profiles.ids import key
from engine.profiles.near.doors import Door, Doors, told
from engine.profiles.near.kept import Counts, Kept
from engine.profiles.near.shard import Shard
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.valkey.address import BadAddress, address
from engine.profiles.valkey.attempts import Attempts

V1 = key("visitor", "v1")


def read(store: Any) -> Any:
    """The profile of v1."""
    return read_profile(store, "v1")


def test_a_server_that_does_not_know_hello(valkey_server: Any, near_at: Any, asked: Any, proxy_to: Any) -> None:
    """Or a proxy in front of one: it is spoken to as in the old days, and tells of no changes."""
    proxy = proxy_to(valkey_server.port)
    proxy.replaced = b"HELLO", b"HELL0"

    async def run() -> None:
        async with near_at(f"redis://127.0.0.1:{proxy.port}") as near:
            assert not near.tracked
            assert await asked(near, lambda store: store.one(V1)) == (None, 1)

    asyncio.run(run())


@pytest.mark.parametrize("way", ["tls", "socket", "database", "password"])
def test_ways(valkey_servers: Any, written: Any, near_at: Any, asked: Any, way: str) -> None:
    """Each leads to the same."""
    server = valkey_servers.one("user app on >pw ~* +@all", tls=way == "tls")
    url = {
        "tls": f"{server.url()}?ssl_ca_certs={server.authority}",
        "socket": f"unix://{server.socket}",
        "database": server.url(db=3),
        "password": server.url("app", "pw"),
    }.get(way) or server.url()
    written(url).apply([Change(V1, 1, {"a": 1})])

    async def run() -> None:
        async with near_at(url) as near:
            assert (await asked(near, read))[0].traits == {"a": 1}
            assert near.tracked

    asyncio.run(run())


@pytest.mark.parametrize("tls", [True, False])
def test_a_server_that_hangs_is_let_go_of(valkey_servers: Any, near_at: Any, tls: bool) -> None:
    """Over TLS as well, where a polite end would need a word of it."""
    server = valkey_servers.one(tls=tls)
    url = f"{server.url()}?ssl_ca_certs={server.authority}" if tls else server.url()

    async def run() -> None:
        async with near_at(url):
            server.stop()

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        asyncio.run(run())
        gc.collect()
    server.resume()
    assert not [str(one.message) for one in seen if issubclass(one.category, ResourceWarning)]


def test_whoever_is_cancelled_leaves_nothing_open(valkey_servers: Any, valkey: Any) -> None:
    """At whatever moment of opening."""
    server = valkey_servers.one()
    where = address(server.url())
    nobody = Door(where, ("127.0.0.1", valkey.free_port()))

    def connected() -> int:
        return int(server.info("clients")["connected_clients"]) - 1  # who asks

    async def run(turns: int) -> bool:
        shard = Shard(Kept(2**20, Counts()), b"mutiny:")
        doors = [Door(where, ("127.0.0.1", server.port)), Door(where, ("localhost", server.port)), nobody]
        opening = asyncio.ensure_future(Doors(b"", Attempts()).nearest(doors, shard))
        for _ in range(turns):
            await asyncio.sleep(0)
        cancelled = opening.cancel()
        await asyncio.wait((opening,))
        if not cancelled:
            _, link = opening.result()
            await link.close()
        return cancelled

    turns = 0
    while asyncio.run(run(turns)):
        turns += 1 + turns // 16
    assert turns > 10
    gc.collect()  # says what it finds open
    valkey.until(lambda: connected() == 0, "nobody is connected")


def test_before_there_was_a_connection_nothing_is_tracked(near_at: Any, valkey: Any) -> None:
    """Nobody has said so."""

    async def run() -> None:
        async with near_at(f"redis://127.0.0.1:{valkey.free_port()}", up=False) as near:
            assert not near.tracked

    asyncio.run(run())


@pytest.mark.long  # a Sentinel takes its time to be sure, most of it on a busy machine
def test_sentinels_are_asked_who_is_the_primary(
    valkey_servers: Any, valkey: Any, written: Any, near_at: Any, asked: Any, soon: Any
) -> None:
    """Again after each loss: when the primary dies, the replica that took over is read."""
    primary = valkey_servers.one()
    replica = valkey_servers.replica(primary)
    sentinel = valkey_servers.sentinel(primary, down_after_ms=200)
    written(primary.url()).apply([Change(V1, 1, {"a": 1})])
    primary.ask("WAIT", 1, 60_000)
    url = f"redis+sentinel://{sentinel.address}/{valkey.SERVICE}"

    async def run() -> None:
        async with near_at(url) as near:
            assert (await asked(near, read))[0].traits == {"a": 1}
            assert primary.info("clients")["tracking_clients"] == 1
            primary.kill()
            await soon(lambda: not near.up)
            await soon(lambda: near.up and replica.info("clients")["tracking_clients"] == 1)
            assert (await asked(near, read))[0].traits == {"a": 1}
        async with near_at(f"redis+sentinel://{sentinel.address}/other", up=False) as near:
            await soon(lambda: "no Sentinel knows" in str(near.trouble))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("options", "password", "said"),
    [
        (["user app on >pw ~* +@all"], "wrong", "refuses the user or password"),
        (["requirepass secret"], "", "wants a password"),
        (["user app on >pw ~other:* +@all"], "pw", "keys under its prefix"),
    ],
)
def test_what_is_wrong_is_said(
    valkey_servers: Any, near_at: Any, soon: Any, options: list[str], password: str, said: str
) -> None:
    """With the address, and never with the password."""
    server = valkey_servers.one(*options)
    url = server.url("app", password) if password else server.url()

    async def run() -> None:
        async with near_at(url, up=False) as near:
            await soon(lambda: said in str(near.trouble))
            assert server.address in near.trouble
            assert "secret" not in near.trouble
            assert "pw" not in near.trouble
            assert read(near).degraded

    asyncio.run(run())


def test_in_words() -> None:
    """An error without words is a silence."""
    door = Door(address("redis://app:pw@edge.example:7"), ("edge.example", 7))
    assert "does it speak TLS?" in told(Door(address("rediss://edge.example"), ("edge.example", 6379)), TimeoutError())
    assert "is no Redis" in told(door, InvalidResponse("Protocol Error: b'HTTP/1.1 400 Bad Request'"))
    assert told(door, TimeoutError()) == "redis://app@edge.example:7 does not answer"
    assert told(door, OSError("no route")) == "redis://app@edge.example:7 cannot be reached: no route"


def test_a_server_is_named_as_it_was_given() -> None:
    """As whoever writes there names it; of several servers it is the one that is meant."""
    one = address("redis://app:pw@edge.example:7/3")
    several = address("redis+cluster://a:1,b:2")
    assert str(Door(one, one.servers[0])) == str(one)
    assert str(Door(address("unix:///run/store"))) == "unix:///run/store"
    assert str(Door(several, several.servers[1])) == "b:2"


def test_a_cluster_stands_alone(near_at: Any) -> None:
    """It has all records, and no other store has the same."""

    async def run() -> None:
        async with near_at("redis+cluster://a:1,b:2,redis://c:3", up=False):
            pass

    with pytest.raises(BadAddress, match="no other"):
        asyncio.run(run())


def test_a_cluster_that_is_taken_for_one_server(valkey_cluster: Any, near_at: Any, soon: Any) -> None:
    """It is told what it is, and nothing is read."""
    home = valkey_cluster.owner(key_slot(b"mutiny:"))
    other = next(server for server in valkey_cluster.primaries if server is not home)

    async def run() -> None:
        async with near_at(other.url(), up=False) as near:
            await soon(lambda: "redis+cluster://" in str(near.trouble))
            assert not near.up

    asyncio.run(run())


def test_who_was_only_slower_is_not_to_blame(valkey_servers: Any, proxy_to: Any, near_at: Any) -> None:
    """The farther of two is not tried to its end, and whoever else needs it does not find it bad."""
    near_by, far = valkey_servers.one(), valkey_servers.one()
    proxy = proxy_to(far.port)
    proxy.delay_s = 0.05
    attempts = Attempts()

    async def run() -> None:
        doors = Doors(b"mutiny:", attempts)
        shard = Shard(Kept(2**20, Counts()), b"mutiny:")
        ways = [Door(address(f"redis://127.0.0.1:{port}"), ("127.0.0.1", port)) for port in (proxy.port, near_by.port)]
        door, link = await doors.nearest(ways, shard) or (None, None)
        assert door is ways[1]
        await link.close()
        assert [attempts.pause_s(str(way)) for way in ways] == [0.0, 0.0]

    asyncio.run(run())

"""Whichever server goes or comes back, its records are read where they are then; and a dead one costs little."""

import asyncio
import time
from typing import Any

import pytest
from redis.crc import key_slot

from engine import limits
from engine.profiles.ids import key
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.valkey.address import address

V1 = key("visitor", "v1")


def read(store: Any) -> Any:
    """The profile of v1."""
    return read_profile(store, "v1")


def test_a_server_that_is_gone_is_tried_twice_a_second(
    valkey_servers: Any, proxy_to: Any, written: Any, near_at: Any, asked: Any, soon: Any
) -> None:
    """However often somebody asks; and it is read again when it is back. (More faults: `web/test_store_faults.py`.)"""
    server = valkey_servers.one()
    proxy = proxy_to(server.port)
    written(server.url()).apply([Change(V1, 1, {"a": 1})])

    async def run() -> None:
        async with near_at(f"redis://127.0.0.1:{proxy.port}") as near:
            whole, _ = await asked(near, read)
            gone, before = time.monotonic(), len(proxy.connections)
            proxy.refuse()
            await soon(lambda: len(proxy.connections) >= before + 2 and read(near).degraded)
            assert proxy.most_in_a_second(gone) <= 2
            proxy.restore()
            await soon(lambda: near.up)
            assert (await asked(near, read))[0] == whole

    asyncio.run(run())


def test_a_server_that_lets_in_and_throws_out_is_not_run_over(valkey_servers: Any, near_at: Any, soon: Any) -> None:
    """It is tried again after a moment."""
    server = valkey_servers.one()

    async def run() -> None:
        async with near_at(server.url()) as near:
            begun = asyncio.get_running_loop().time()
            server.ask("CLIENT", "KILL", "TYPE", "normal")
            await soon(lambda: not near.up)
            await soon(lambda: near.up)
            assert asyncio.get_running_loop().time() - begun > limits.NEAR_RETRY_S / 2

    asyncio.run(run())


def test_the_nearest_is_read_and_another_one_when_it_is_gone(
    valkey_servers: Any, proxy_to: Any, written: Any, near_at: Any, asked: Any, soon: Any
) -> None:
    """Of a primary behind a long way and its replica next door; the replica is behind once its primary is gone."""
    primary = valkey_servers.one()
    replica = valkey_servers.replica(primary)
    proxy = proxy_to(primary.port)
    proxy.delay_s = 0.02
    store = written(primary.url())
    both = f"redis://127.0.0.1:{proxy.port},{replica.url()}"

    async def run() -> None:
        async with near_at(both) as near:
            assert clients(replica) == 1
            store.apply([Change(V1, 1, {"a": 1})])
            async with asyncio.timeout(60):
                while (await asked(near, read))[0].traits != {"a": 1}:  # noqa: ASYNC110 - it is no event of ours
                    await asyncio.sleep(0.005)
            replica.ask("REPLICAOF", "127.0.0.1", "1")
            await soon(lambda: near.trouble is not None)
            assert replica.address in near.trouble
            assert near.up
            replica.kill()
            await soon(lambda: not near.up)
            await soon(lambda: near.up)
            assert clients(primary) == 1
            assert near.trouble is None

    asyncio.run(run())
    store.close()


def history(server: Any) -> str:
    """Under which it knows what was written to it."""
    return str(server.info("replication")["master_replid"])


def test_a_replica_that_was_promoted_is_not_read(
    valkey_servers: Any, written: Any, near_at: Any, asked: Any, soon: Any
) -> None:
    """Nor is a server that never followed: what is written does not come there. Another address is read, or the store
    that is written; which that is and why is told. When it follows again it is read again.
    """
    primary, stranger = valkey_servers.one(), valkey_servers.one()
    replica = valkey_servers.replica(primary)
    store = written(primary.url())

    async def run() -> None:
        where = {"spare": address(primary.url()), "histories": lambda: frozenset({history(primary)})}
        async with near_at(f"{stranger.url()},{replica.url()}", **where) as near:
            await soon(lambda: clients(replica) == 1)
            assert near.trouble is None
            replica.ask("REPLICAOF", "NO", "ONE")
            await soon(lambda: near.up and "the store that is written is read instead" in str(near.trouble))
            assert "does not follow the store that is written" in near.trouble
            store.apply([Change(V1, 1, {"a": 1})])
            assert (await asked(near, read))[0].traits == {"a": 1}
            replica.ask("REPLICAOF", "127.0.0.1", primary.port)
            await soon(lambda: near.up and near.trouble is None)
            assert clients(replica) == 1

    asyncio.run(run())
    store.close()


def test_when_no_replica_can_be_read_the_store_that_is_written_is(
    valkey_servers: Any, written: Any, near_at: Any, asked: Any, soon: Any
) -> None:
    """And the replica again when it is back; meanwhile it is trouble."""
    primary = valkey_servers.one()
    replica = valkey_servers.replica(primary)
    store = written(primary.url())

    async def run() -> None:
        async with near_at(replica.url(), spare=address(primary.url())) as near:
            replica.kill()
            await soon(lambda: not near.up)
            await soon(lambda: near.up and "is read instead" in str(near.trouble))
            assert replica.address in near.trouble
            store.apply([Change(V1, 1, {"a": 1})])
            assert (await asked(near, read))[0].traits == {"a": 1}
            replica.restart()
            await soon(lambda: near.up and near.trouble is None)
            assert clients(replica) == 1

    asyncio.run(run())
    store.close()


def clients(server: Any) -> int:
    """Of near-caches."""
    return int(server.info("clients")["tracking_clients"])


def test_a_cluster_is_followed(valkey_cluster: Any, written: Any, near_at: Any, asked: Any) -> None:
    """A slot on its way to another server (ASK), one that has arrived there (MOVED), and back: what is read is what was
    written last, and changes are heard of wherever they happen.
    """
    store = written(valkey_cluster.url())
    store.apply([Change(V1, 1, {"n": 1})])
    slot = key_slot(b"mutiny:" + V1)
    home = valkey_cluster.owner(slot)
    away = next(server for server in valkey_cluster.primaries if server is not home)

    async def run() -> None:
        async with near_at(valkey_cluster.url()) as near:

            async def reads(number: int) -> None:
                async with asyncio.timeout(60):
                    while (await asked(near, read))[0].traits != {"n": number}:  # noqa: ASYNC110 - it is no event of ours
                        await asyncio.sleep(0.002)

            await reads(1)
            for number, (source, target) in enumerate(((home, away), (away, home)), 1):
                begin_moving(slot, source, target)
                await reads(2 * number - 1)
                store.apply([Change(V1, 2 * number, {"n": 2 * number})])
                await reads(2 * number)
                end_moving(slot, target, valkey_cluster)
                store.apply([Change(V1, 2 * number + 1, {"n": 2 * number + 1})])
                await reads(2 * number + 1)

    asyncio.run(run())
    store.close()


def begin_moving(slot: int, source: Any, target: Any) -> None:
    """The one record in this slot is at the target, and the slot is not."""
    ids = [str(server.ask("CLUSTER", "MYID").decode()) for server in (source, target)]
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
    who = ("AUTH2", "operator", "of-the-tests", "KEYS", "mutiny:v:v1")
    source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, *who)


def end_moving(slot: int, target: Any, cluster: Any) -> None:
    """The slot is at the target."""
    owner = str(target.ask("CLUSTER", "MYID").decode())
    for server in (target, *cluster.primaries):
        server.ask("CLUSTER", "SETSLOT", slot, "NODE", owner)


@pytest.mark.long
def test_a_replica_takes_over_in_a_cluster(valkey_servers: Any, written: Any, near_at: Any, asked: Any) -> None:
    """It is found, and read."""
    cluster = valkey_servers.cluster(replicas=1)
    store = written(cluster.url())
    visitors = [key("visitor", f"v{number}") for number in range(30)]
    store.apply(Change(visitor, 1, {"a": 1}) for visitor in visitors)
    cluster.primaries[0].ask("WAIT", 1, 60_000)

    async def run() -> None:
        async with near_at(cluster.url()) as near:
            cluster.primaries[0].kill()
            async with asyncio.timeout(60):
                for visitor in visitors:
                    while type((await asked(near, lambda store, of=visitor: store.one(of)))[0]) is not bytes:  # noqa: ASYNC110 - as above
                        await asyncio.sleep(0.01)

    asyncio.run(run())
    store.close()

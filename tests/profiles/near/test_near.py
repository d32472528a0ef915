"""What is remembered is what the store says, or is known not to be; against real servers."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.profiles.ids import Key, id_of, key
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.store import DAMAGED, NotAtOnce, Reads
from engine.profiles.valkey.store import ValkeyStore
from engine.words import Profile

V1 = key("visitor", "v1")
PERSON = [
    Change(V1, 1, {"a": 1}, {"anonymous": "a1"}),
    Change(key("anonymous", "a1"), 1, {"b": 2}, {"user": "u1"}),
    Change(key("user", "u1"), 1, {"email": "x@y.example"}, {"group": "g1"}),
    Change(key("group", "g1"), 1, {"size": 3}),
    Change(key("contact", "x@y.example"), 1, {"Title": "CEO"}),
]
WHOLE = Profile(
    "v1",
    {"a": 1, "b": 2, "email": "x@y.example"},
    {"size": 3},
    {},
    {"Title": "CEO"},
    "u1",
    "g1",
)


def of_v1(store: Reads) -> Profile:
    """The whole profile of a person with every kind of record."""
    return read_profile(store, "v1")


def test_a_profile_is_one_flight_and_then_at_hand(
    valkey_server: Any, written: Callable[[str], ValkeyStore], near_at: Any, asked: Any
) -> None:
    """Visitor, anonymous, user, account, lead and contact in two round trips; that there is no lead is known too."""
    store = written(valkey_server.url())
    store.apply(PERSON)

    async def run() -> None:
        async with near_at(valkey_server.url()) as near:
            before = trips(valkey_server)
            assert await asked(near, of_v1) == (WHOLE, 1)
            assert await asked(near, of_v1) == (WHOLE, 0)
            assert trips(valkey_server) - before == {"eval": 1, "get": 4 + 5}  # four of them in the script
            assert (near.counts.misses, near.counts.entries, near.counts.hits) == (1, 6, 2)
            assert near.one(key("lead", "x@y.example")) is None
            unknown = await asked(near, lambda store: read_profile(store, "v2"))
            assert unknown == (Profile("v2"), 1)
            assert near.one(key("visitor", "v2")) is None

    asyncio.run(run())
    store.close()


def test_each_read_counts_once(valkey_server: Any, near_at: Any, asked: Any) -> None:
    """As a hit or as a miss, though whoever missed something asks again."""

    async def run() -> None:
        async with near_at(valkey_server.url()) as near:
            for number in range(20):
                await asked(near, lambda store, n=number: store.one(key("visitor", f"v{n % 10}")))
            assert (near.counts.hits, near.counts.misses) == (10, 10)
            assert near.hurried.one(key("visitor", "v1")) is None
            assert (near.counts.hits, near.counts.misses) == (10, 10)

    asyncio.run(run())


class Trips(dict[str, int]):
    """How often a server was asked what."""

    def __sub__(self, other: "Trips") -> dict[str, int]:
        return {name: count for name in ("eval", "get") if (count := self.get(name, 0) - other.get(name, 0))}


def trips(server: Any) -> Trips:
    """Of this server, until now."""
    return Trips({name[8:]: said["calls"] for name, said in server.info("commandstats").items()})


def test_what_changes_is_asked_for_anew(
    valkey_server: Any, written: Callable[[str], ValkeyStore], near_at: Any, asked: Any, soon: Any
) -> None:
    """Any record of it, one that was not there, a link that leads elsewhere, and the whole server emptied."""
    store = written(valkey_server.url())
    store.apply(PERSON)

    async def run() -> None:
        async with near_at(valkey_server.url()) as near:

            async def comes(holds: Callable[[Profile], object]) -> None:
                while not holds((await asked(near, of_v1))[0]):  # noqa: ASYNC110 - it is no event of ours
                    await asyncio.sleep(0.001)

            await comes(lambda profile: profile == WHOLE)
            store.apply([Change(key("group", "g1"), 2, {"size": 4})])
            await comes(lambda profile: profile.account == {"size": 4})
            store.apply([Change(key("lead", "x@y.example"), 2, {"Rating": "Hot"})])
            await comes(lambda profile: profile.lead == {"Rating": "Hot"})
            store.apply([Change(key("anonymous", "a1"), 2, {}, {"user": "u2"}), Change(key("user", "u2"), 2, {"c": 5})])
            await comes(lambda profile: profile.user_id == "u2")
            valkey_server.ask("FLUSHALL")
            await comes(lambda profile: profile == Profile("v1"))
            assert near.counts.invalidations == 4

    asyncio.run(run())
    store.close()


def test_a_change_overtakes_no_answer(
    valkey_server: Any, written: Callable[[str], ValkeyStore], near_at: Any, asked: Any, proxy_to: Any, soon: Any
) -> None:
    """A record changes while the answer with its former state is under way: the answer is remembered first, the change
    is told behind it, and the next who asks is told what is true.
    """
    store = written(valkey_server.url())
    proxy = proxy_to(valkey_server.port)

    async def run() -> None:
        async with near_at(f"redis://127.0.0.1:{proxy.port}") as near:
            for number in range(10):
                visitor = key("visitor", f"v{number}")
                store.apply([Change(visitor, 1, {"n": 1})])
                proxy.hold()
                before = trips(valkey_server)
                try:
                    near.one(visitor)
                except NotAtOnce as missed:
                    await soon(lambda before=before: trips(valkey_server) - before)  # it was asked and has answered
                    store.apply([Change(visitor, 2, {"n": 2})])
                    proxy.restore()
                    await asyncio.wait((missed.arrival,))
                for _ in range(1_000):
                    profile, _ = await asked(near, lambda store, n=number: read_profile(store, f"v{n}"))
                    if profile.traits == {"n": 2}:
                        break
                    await asyncio.sleep(0.001)
                assert profile.traits == {"n": 2}

    asyncio.run(run())
    store.close()


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_writers_and_readers_in_any_order(
    valkey_server: Any, written: Callable[[str], ValkeyStore], near_at: Any, asked: Any, proxy_to: Any, seed: int
) -> None:
    """Whatever is read while others write, over a network that holds back answers now and then: nobody is told less
    than before, and in the end all is as it was written last.
    """
    store, chance = written(valkey_server.url()), Random(seed)
    visitors = [key("visitor", f"v{seed}-{number}") for number in range(4)]
    proxy = proxy_to(valkey_server.port)

    async def run() -> None:
        async with near_at(f"redis://127.0.0.1:{proxy.port}", most_bytes=chance.choice([500, 2**20])) as near:
            last = dict.fromkeys(visitors, 0)
            seen = dict.fromkeys(visitors, 0)

            async def read(visitor: Key) -> int:
                profile, _ = await asked(near, lambda store: read_profile(store, id_of(visitor)))
                number = int(profile.traits.get("n", 0))
                assert number >= seen[visitor]
                seen[visitor] = number
                return number

            for step in range(60):
                visitor = chance.choice(visitors)
                if chance.random() < 0.3:
                    last[visitor] = step + 1
                    store.apply([Change(visitor, step + 1, {"n": step + 1})])
                elif chance.random() < 0.2:
                    chance.choice([proxy.hold, proxy.restore])()
                else:
                    reading = asyncio.ensure_future(read(visitor))
                    await asyncio.sleep(chance.choice([0, 0.001]))
                    proxy.restore()
                    await reading
            proxy.restore()
            async with asyncio.timeout(60):
                for visitor, number in last.items():
                    while await read(visitor) != number:  # noqa: ASYNC110 - it is no event of ours
                        await asyncio.sleep(0.001)

    asyncio.run(run())
    store.close()


def test_what_is_stale_is_marked(
    valkey_servers: Any, written: Callable[[str], ValkeyStore], near_at: Any, asked: Any, soon: Any
) -> None:
    """While the server is gone: what was known of a person is all there, and degraded; of others nothing is known. It
    was asked in vain for nobody, and when the server is back everything is asked for anew.
    """
    server = valkey_servers.one(aof=True)
    store = written(server.url())
    store.apply(PERSON)

    async def run() -> None:
        async with near_at(server.url()) as near:
            await asked(near, of_v1)
            misses = near.counts.misses
            server.kill()
            await soon(lambda: not near.up)
            for face in (near, near.hurried):
                read = of_v1(face)
                assert read.degraded
                assert (read.traits, read.account, read.contact) == (WHOLE.traits, WHOLE.account, WHOLE.contact)
                assert read_profile(face, "v2") == Profile("v2", degraded=True)
                assert face.one(V1) is DAMAGED or face is near.hurried
            assert near.counts.misses == misses
            assert near.counts.stale
            assert server.address in str(near.trouble)
            server.restart()
            await soon(lambda: near.up)
            assert await asked(near, of_v1) == (WHOLE, 1)
            assert near.trouble is None

    asyncio.run(run())
    store.close()


def test_who_is_hurried_takes_what_there_is(
    valkey_server: Any, written: Callable[[str], ValkeyStore], near_at: Any, asked: Any
) -> None:
    """What is at hand of a person, and marked; where all of it is, it is not."""
    store = written(valkey_server.url())
    store.apply(PERSON)

    async def run() -> None:
        async with near_at(valkey_server.url()) as near:
            assert of_v1(near.hurried) == Profile("v1", degraded=True)
            await asked(near, lambda store: store.one(V1))
            near._servers.only.kept.drop(key("user", "u1"))
            half = of_v1(near.hurried)
            assert half.degraded
            assert half.traits == {"a": 1, "b": 2}
            await asked(near, of_v1)
            assert of_v1(near.hurried) == WHOLE
            assert near.hurried.get([V1, key("visitor", "v9")])[1] is DAMAGED

    asyncio.run(run())
    store.close()


def test_its_memory_is_bounded(
    valkey_server: Any, written: Callable[[str], ValkeyStore], near_at: Any, asked: Any
) -> None:
    """However many there are, and everybody is read all the same."""
    store = written(valkey_server.url())
    visitors = [key("visitor", f"v{number}") for number in range(500)]
    store.apply(Change(visitor, 1, {"text": "x" * 100}) for visitor in visitors)

    async def run() -> None:
        async with near_at(valkey_server.url(), most_bytes=20_000) as near:
            for visitor in visitors:
                assert type((await asked(near, lambda store, visitor=visitor: store.one(visitor)))[0]) is bytes
                assert near.counts.bytes <= 20_000
            assert near.counts.evictions > 300

    asyncio.run(run())
    store.close()


def test_a_record_that_is_damaged_is_one(valkey_server: Any, near_at: Any, asked: Any) -> None:
    """Bytes that are none of ours, and another type under a key of ours."""
    valkey_server.ask("SET", "mutiny:v:v1", "something")
    valkey_server.ask("RPUSH", "mutiny:v:v2", "something")

    async def run() -> None:
        async with near_at(valkey_server.url()) as near:
            for visitor in ("v1", "v2"):
                read, _ = await asked(near, lambda store, visitor=visitor: read_profile(store, visitor))
                assert read == Profile(visitor, degraded=True)
            assert near.up

    asyncio.run(run())

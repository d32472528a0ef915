"""In a cluster the way to a person's records is hinted, and whoever finds a hint wrong puts it right."""

import asyncio
from typing import Any

from redis.crc import key_slot

from engine import limits
from engine.profiles.encoding import merged
from engine.profiles.ids import key
from engine.profiles.near.hints import Hints
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.store import StoreUnavailable
from engine.profiles.valkey.value import packed, route

V1 = key("visitor", "v1")
PERSON = [
    Change(V1, 1, {"a": 1}, {"anonymous": "a1"}),
    Change(key("anonymous", "a1"), 1, {"b": 2}, {"user": "u1"}),
    Change(key("user", "u1"), 1, {"email": "x@y.example"}, {"group": "g1"}),
    Change(key("group", "g1"), 1, {"size": 3}),
    Change(key("lead", "x@y.example"), 1, {"Rating": "Hot"}),
]


def test_the_second_reader_finds_the_way_in_one_flight(
    valkey_cluster: Any, written: Any, near_at: Any, asked: Any, soon: Any
) -> None:
    """The first one asks its way and notes it."""
    store = written(valkey_cluster.url())
    store.apply(PERSON)

    home = valkey_cluster.owner(key_slot(b"mutiny:" + V1))

    def hinted() -> bool:
        said = route(home.ask("GET", b"mutiny:" + V1))
        return {key("user", "u1"), key("group", "g1"), key("lead", "x@y.example")} <= set(said)

    async def run() -> None:
        async with near_at(valkey_cluster.url()) as near:
            first, waited = await asked(near, lambda store: read_profile(store, "v1"))
            assert waited > 1
            await soon(hinted)
        async with near_at(valkey_cluster.url()) as near:
            assert await asked(near, lambda store: read_profile(store, "v1")) == (first, 1)
        assert first.lead == {"Rating": "Hot"}
        assert not first.degraded

    asyncio.run(run())
    store.close()


def test_only_what_is_missing_is_noted_and_nobody_hears_of_trouble(soon: Any) -> None:
    """A way that is hinted already is not written, and a store that is gone is no error of the reader's."""
    noted: list[Any] = []

    def note(*said: Any) -> None:
        noted.append(said)
        raise StoreUnavailable("gone")

    async def run() -> None:
        hints, user = Hints(note), key("user", "u1")
        body = merged(None, [Change(V1, 1, {"a": 1}, {"user": "u1"})]) or b""
        right, wrong = packed(V1, body, (user, b"l:old")), packed(V1, body, (b"l:old",))
        for raw in (right, wrong):
            hints.seen(V1, raw)
            hints.walked([V1, user], [body, body])
            hints.walked([V1, user], [body, body])
        await soon(lambda: noted)
        assert noted == [(V1, wrong, (user, b"l:old"))]
        for number in range(2 * limits.NEAR_HINTS):
            hints.seen(key("visitor", str(number)), right)
        assert len(hints._read) <= limits.NEAR_HINTS

    asyncio.run(run())

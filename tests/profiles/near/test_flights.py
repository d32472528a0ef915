"""What is missed in one moment is asked for once, and together."""

import asyncio
from collections.abc import Callable
from typing import Any

from engine import limits
from engine.profiles.ids import Key, key
from engine.profiles.near.flights import Flights
from engine.profiles.near.kept import Counts, Kept
from engine.profiles.near.shard import Landed, Shard
from engine.profiles.store import NotAtOnce


class Slow(Shard):
    """A shard whose answers come when the test says so: no server answers in steps."""

    def __init__(self) -> None:
        super().__init__(Kept(2**20, Counts()), b"")
        self.asked: list[tuple[str, list[Key], Landed]] = []

    def fetch_ways(self, keys: Any, landed: Landed) -> None:
        """The first trip."""
        self.asked.append(("ways", list(keys), landed))

    def fetch(self, keys: Any, landed: Landed) -> None:
        """The second."""
        self.asked.append(("alone", list(keys), landed))


def visitors(*numbers: int) -> list[Key]:
    """Some keys."""
    return [key("visitor", f"v{number}") for number in numbers]


def run(test: Callable[[Slow, Flights], Any]) -> None:
    """In a loop."""
    slow = Slow()

    async def running() -> None:
        await test(slow, Flights(lambda _: slow))

    asyncio.run(running())


def test_misses_of_one_moment_fly_together() -> None:
    """Also those of the same record; and who comes later waits for what is on its way."""

    async def test(slow: Slow, flights: Flights) -> None:
        first = [flights.arrival(visitors(number)) for number in (1, 2, 2, 3)]
        await asyncio.sleep(0)
        assert [(how, keys) for how, keys, _ in slow.asked] == [("ways", visitors(1, 2, 3))]
        later = flights.arrival(visitors(3))
        assert {id(one) for one in (*first, later)} == {id(later)}
        slow.asked[0][2](())
        assert later.done()
        assert flights.arrival(visitors(3)) is not later

    run(test)


def test_a_flight_is_two_round_trips_at_most() -> None:
    """What lies on the way and is not remembered comes in the second; what that leads to is for who asks again."""

    async def test(slow: Slow, flights: Flights) -> None:
        arrival = flights.arrival(visitors(1))
        await asyncio.sleep(0)
        slow.kept.put(key("user", "u1"), b"known")
        slow.asked[0][2]([key("user", "u1"), key("group", "g1")])
        assert [(how, keys) for how, keys, _ in slow.asked[1:]] == [("alone", [key("group", "g1")])]
        assert not arrival.done()
        slow.asked[1][2]([key("lead", "x")])
        assert arrival.done()
        assert len(slow.asked) == 2

    run(test)


def test_so_many_are_in_the_air_at_once() -> None:
    """More wait until one lands, and go together then; none is larger than it may be."""

    async def test(slow: Slow, flights: Flights) -> None:
        for number in range(limits.NEAR_FLIGHTS):
            flights.arrival(visitors(number))
            await asyncio.sleep(0)
        waiting = [flights.arrival(visitors(1_000 + number)) for number in range(limits.NEAR_FLIGHT_KEYS + 1)]
        await asyncio.sleep(0)
        assert len(slow.asked) == limits.NEAR_FLIGHTS
        for _, _, landed in slow.asked[:2]:
            landed(())
        sizes = [len(keys) for _, keys, _ in slow.asked[limits.NEAR_FLIGHTS :]]
        assert sizes == [limits.NEAR_FLIGHT_KEYS, 1]
        assert not waiting[0].done()

    run(test)


def test_many_visitors_are_one_script(valkey_server: Any, near_at: Any) -> None:
    """A hundred who come in one moment are one question."""

    async def test() -> None:
        async with near_at(valkey_server.url()) as near:
            before = valkey_server.info("commandstats").get("cmdstat_eval", {"calls": 0})["calls"]
            arrivals = set()
            for visitor in visitors(*range(100)):
                try:
                    near.one(visitor)
                except NotAtOnce as missed:
                    arrivals.add(missed.arrival)
            await asyncio.wait(arrivals)
            assert [near.one(visitor) for visitor in visitors(*range(100))] == [None] * 100
            assert valkey_server.info("commandstats")["cmdstat_eval"]["calls"] == before + 1

    asyncio.run(test())

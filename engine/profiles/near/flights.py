"""Misses become round trips: what is missed in one moment is asked for in one flight.

What lives here: who waits for which flight, how many there are at once. What may not: what is asked (`shard`).

1. A flight leaves when the event loop comes round: whoever missed something in the same moment is on it. Who misses
   what is on its way already waits for that.
2. At most `limits.NEAR_FLIGHTS` are on their way at once, each with at most `limits.NEAR_FLIGHT_KEYS`; more wait for
   one to land, and become fewer that way.
3. **A flight is at most two round trips**: the records that were missed, with the names of all that lies on their
   ways, and then whatever of it is not remembered yet.
4. It lands whatever happens: whoever waits asks again, and finds what there is.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from engine import limits
from engine.profiles.ids import Key
from engine.profiles.near.kept import UNKNOWN
from engine.profiles.near.shard import Names, Shard

_ROUND_TRIPS: Final = 2


class Flights:
    """All flights of a worker; `shard_of` is who answers for a key."""

    def __init__(self, shard_of: Callable[[Key], Shard]) -> None:
        self._shard_of = shard_of
        self._booked: dict[Key, _Flight] = {}
        self._boarding: deque[_Flight] = deque()
        self._in_the_air = 0

    def arrival(self, keys: Iterable[Key]) -> asyncio.Future[None]:
        """Done when asking again for these, one or several, is worth it."""
        for key in keys:
            if key not in self._booked:
                self._booked[key] = self._next()
                self._booked[key].keys.append(key)
        return self._booked[key].arrival

    def _next(self) -> "_Flight":
        if not self._boarding or len(self._boarding[-1].keys) >= limits.NEAR_FLIGHT_KEYS:
            loop = asyncio.get_running_loop()
            if not self._boarding:
                loop.call_soon(self._depart)
            self._boarding.append(_Flight(loop.create_future(), self._shard_of, self._landed))
        return self._boarding[-1]

    def _depart(self) -> None:
        while self._boarding and self._in_the_air < limits.NEAR_FLIGHTS:
            self._in_the_air += 1
            self._boarding.popleft().depart()

    def _landed(self, flight: "_Flight") -> None:
        for key in flight.keys:
            del self._booked[key]
        if not flight.arrival.done():  # or the loop is ending
            flight.arrival.set_result(None)
        self._in_the_air -= 1
        self._depart()


class _Flight:
    """Some keys, on their way over one or several shards."""

    __slots__ = ("_landed", "_names", "_open", "_shard_of", "_trips", "arrival", "keys")

    def __init__(
        self, arrival: asyncio.Future[None], shard_of: Callable[[Key], Shard], landed: Callable[["_Flight"], None]
    ) -> None:
        self.keys: list[Key] = []
        self.arrival = arrival
        self._shard_of = shard_of
        self._landed = landed
        self._names: set[Key] = set()
        self._open = 0
        self._trips = 0

    def depart(self) -> None:
        """The first round trip."""
        self._go(self.keys)

    def _go(self, keys: Sequence[Key]) -> None:
        self._trips += 1
        shares: dict[Shard, list[Key]] = {}
        for key in keys:
            shares.setdefault(self._shard_of(key), []).append(key)
        self._open = len(shares)
        for shard, share in shares.items():
            (shard.fetch_ways if self._trips == 1 else shard.fetch)(share, self._arrived)

    def _arrived(self, names: Names) -> None:
        self._names.update(names)
        self._open -= 1
        if self._open:
            return
        missing = [key for key in self._names if self._shard_of(key).kept.known(key) is UNKNOWN]
        if missing and self._trips < _ROUND_TRIPS:
            self._go(missing)
        else:
            self._landed(self)

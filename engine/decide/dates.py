"""When answers change by themselves: the moments at which live experiences begin or end. Pure: the time is given.

1. Moments are whole seconds since 1970, rounded up: what begins within one second is one moment, the end of it.
2. They say what was, never what comes: whoever looks again and again needs no timer, and a clock that is set, forwards
   or backwards, is one more difference between two looks.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from math import ceil
from operator import itemgetter
from typing import Final

from engine.words import Experience

NEVER: Final = 0  # nothing has begun or ended yet
_moment: Final = itemgetter(0)


class Dates:
    """The moments of some experiences, of which the live ones count."""

    __slots__ = ("_turns",)

    def __init__(self, experiences: Iterable[Experience]) -> None:
        self._turns = sorted(
            (ceil(date.timestamp()), one.key)
            for one in experiences
            for date in (one.start, one.end)
            if date is not None and one.status == "live"
        )

    def newest(self, now: datetime) -> int:
        """When something last began or ended; `NEVER` where nothing has."""
        passed = bisect_right(self._turns, now.timestamp(), key=_moment)
        return self._turns[passed - 1][0] if passed else NEVER

    def between(self, one: int, other: int) -> frozenset[str]:
        """The keys of the experiences that began or ended between these two answers of `newest`, in either order."""
        earlier, later = sorted((one, other))
        return frozenset(key for moment, key in self._turns if earlier < moment <= later)

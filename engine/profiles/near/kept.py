"""What is remembered of the records of a shared store, within so many bytes. Pure.

1. Three generations. What is put in, and what is found in another one, belongs to the `young`. Where there is no room
   records leave the old one, in the order in which they came to it; when it is empty each generation is one older. So
   what is asked for again stays, a hit is one look into a dict that notes nothing, and no call has much to clear away.
2. That there is no such record is remembered as well: most visitors are unknown.
3. What is *stale* was true once, and nobody has heard since whether it still is. It is for answers that cannot wait,
   and the first to make room.
4. `hide` puts away what is fresh while nothing is heard, `show` brings it back: it was right up to there, and what
   changed in between is told before anything else.
"""

from enum import Enum
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from engine.profiles.ids import Key
from engine.profiles.store import Found

# Two objects of bytes, and their place in a dict that is two thirds full in the middle of growing.
ENTRY_BYTES: Final = 33 + 33 + 8 + 2 * 36


class _Mark(Enum):
    UNKNOWN = "unknown"


UNKNOWN: Final = _Mark.UNKNOWN  # nothing is remembered; None is that there is no such record
Remembered: TypeAlias = Found | Literal[_Mark.UNKNOWN]
_Generation: TypeAlias = dict[Key, Found]


class Counts(Struct):
    """What a near-cache has to tell, of all that is kept in it; `stale`: records that stale ones stood in for."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    invalidations: int = 0
    stale: int = 0
    bytes: int = 0
    entries: int = 0


class Kept:
    """The records of one server, within `most_bytes`; but what was just put there is there, whatever its size."""

    __slots__ = (
        "_bytes",
        "_counts",
        "_hidden",
        "_leaving",
        "_old",
        "_older",
        "_stale",
        "lasting",
        "most_bytes",
        "young",
    )

    def __init__(self, most_bytes: int, counts: Counts) -> None:
        self.lasting = True  # what is remembered is right until something else is told
        self.young: _Generation = {}
        self._older: _Generation = {}
        self._old: _Generation = {}
        self._leaving: list[Key] = []  # the keys of the old ones, and of what has left them; the next is the last
        self._bytes = 0
        self._hidden: tuple[_Generation, ...] = ()
        self._stale: _Generation = {}
        self.most_bytes = most_bytes
        self._counts = counts

    def second(self, key: Key) -> Remembered:
        """What is not among the young; `UNKNOWN` where nothing fresh is remembered."""
        if not self.lasting:
            return self.known(key)
        found: Remembered = self._older.pop(key, UNKNOWN)
        if found is UNKNOWN:
            found = self._old.pop(key, UNKNOWN)
        if found is not UNKNOWN:
            self.young[key] = found
        return found

    def known(self, key: Key) -> Remembered:
        """What is fresh, without noting that somebody looked."""
        for generation in (self.young, self._older, self._old):
            if key in generation:
                return generation[key]
        return UNKNOWN

    def lately(self, key: Key) -> Remembered:
        """What was known of this record when it was last heard of."""
        for generation in (*self._hidden, self._stale):
            if key in generation:
                return generation[key]
        return UNKNOWN

    def put(self, key: Key, found: Found) -> None:
        """Remember this."""
        self._forget(key)
        self._weigh(key, found, 1)
        while self._bytes > self.most_bytes and self._evict():
            pass
        if not self._older and not self._old and self._bytes > self.most_bytes // 2:
            self._grow_older()
        self.young[key] = found

    def drop(self, key: Key) -> None:
        """It is another one now."""
        self._counts.invalidations += 1
        self._forget(key)

    def drop_all(self) -> None:
        """They are all others now."""
        self._counts.invalidations += 1
        for generation in self._all():
            for key, found in generation.items():
                self._weigh(key, found, -1)
            generation.clear()

    def outdate(self) -> None:
        """Nobody will hear of changes any more: what is fresh becomes stale."""
        self.show()
        for generation in (self._old, self._older, self.young):
            self._stale = self._over(self._stale, generation)
        self.young, self._older, self._old = {}, {}, {}

    def age(self) -> None:
        """Half of the time is over, where a record is right for a moment only: the older ones become stale."""
        for generation in (self._old, self._older):
            self._stale = self._over(self._stale, generation)
        self.young, self._older, self._old = {}, self.young, {}

    def hide(self) -> None:
        """Put away what is fresh, until `show`."""
        if not self._hidden:
            self._hidden = (self.young, self._older, self._old)
            self.young, self._older, self._old = {}, {}, {}

    def show(self) -> None:
        """Bring back what was put away."""
        if self._hidden:
            (self.young, self._older, self._old), self._hidden = self._hidden, ()

    def _all(self) -> tuple[_Generation, ...]:
        return (self.young, self._older, self._old, *self._hidden, self._stale)

    def _grow_older(self) -> None:
        self.young, self._older, self._old = {}, self.young, self._older

    def _over(self, before: _Generation, after: _Generation) -> _Generation:
        """Both, the latter counting where both know something; the smaller one goes into the larger."""
        if len(after) < len(before):
            for key in after.keys() & before.keys():
                self._weigh(key, before.pop(key), -1)
            before.update(after)
            return before
        for key, found in before.items():
            if key in after:
                self._weigh(key, found, -1)
            else:
                after[key] = found
        return after

    def _forget(self, key: Key) -> None:
        for generation in self._all():
            if key in generation:
                self._weigh(key, generation.pop(key), -1)

    def _evict(self) -> bool:
        """Let one record go, if there is one."""
        if self._stale:
            key, found = self._stale.popitem()
        elif (eldest := self._eldest()) is not None:
            key, found = eldest, self._old.pop(eldest)
        else:
            return False
        self._weigh(key, found, -1)
        self._counts.evictions += 1
        return True

    def _eldest(self) -> Key | None:
        """The next to leave."""
        while True:
            while self._leaving:
                key = self._leaving.pop()
                if key in self._old:
                    return key
            if not self._old:
                if not (self._older or self.young):
                    return None
                self._grow_older()
            self._leaving = list(reversed(self._old))

    def _weigh(self, key: Key, found: Found, sign: int) -> None:
        size = sign * (len(key) + (len(found) if type(found) is bytes else 0) + ENTRY_BYTES)
        self._bytes += size
        self._counts.bytes += size
        self._counts.entries += sign

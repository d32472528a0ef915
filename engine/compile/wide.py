"""Many members of one map, looked up by going through the visitor's own and not through all that rows ask.

What lives here: `Members`, a look at a whole map, and what it needs of a block. What may not: the looks of single
terms (`looks`), which members belong together (`looks` too).

1. Members stand in a fixed order. What passes where a whole stretch of them is absent is known ahead, for every
   stretch whose length is a power of two; two such, overlapping, are any stretch.
2. So a visit takes, for each member that the visitor has, one mask for it and one for the stretch before it, however
   many members the rows of a page ask.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from engine.compile.columns import Column
from engine.compile.functions import Value

Found = list[tuple[int, int]]  # place of a member, class of its value


class Slot(NamedTuple):
    """One thing that is looked up of a member: its place, and the class of the member's value."""

    place: int
    find: Callable[[Value], int]


class Members:
    """The members of one map that rows ask."""

    def __init__(self, slots: Mapping[str, Sequence[Slot]]) -> None:
        self._slots = slots
        self._keys = frozenset(slots)

    def of(self, value: Value) -> Found:
        """What is found of the map, in order; of none, nothing."""
        if type(value) is not dict:
            return []
        slots = self._slots
        found = [(place, find(value[key])) for key in self._keys.intersection(value) for place, find in slots[key]]
        found.sort()
        return found


class Stretches:
    """The masks of members for one block."""

    def __init__(self, columns: Sequence[Column], absent: Sequence[int], whole: int) -> None:
        """`absent` are the masks where each is absent."""
        self._columns = columns
        self._whole = whole
        self._absent = [list(absent)]  # by the power of two: what passes where so many from here on are absent
        length = 1
        while 2 * length <= len(absent):
            half = self._absent[-1]
            self._absent.append([half[at] & half[at + length] for at in range(len(half) - length)])
            length *= 2

    def of(self, found: Found) -> int:
        """The rows that let through what was found, and that all others are absent."""
        mask, at, columns = self._whole, 0, self._columns
        for place, number in found:
            if place > at:
                mask &= self._between(at, place)
            mask &= columns[place][number]
            at = place + 1
        return mask & self._between(at, len(columns)) if at < len(columns) else mask

    def _between(self, start: int, end: int) -> int:
        power = (end - start).bit_length() - 1
        masks = self._absent[power]
        return masks[start] & masks[end - (1 << power)]


def chained(steps: Sequence[Callable[[Value], Value]], find: Callable[[Value], int]) -> Callable[[Value], int]:
    """Takes the steps from a member's value to the term's, and finds its class."""
    if not steps:
        return find

    def found(value: Value) -> int:
        for step in steps:
            value = step(value)
        return find(value)

    return found


def member_of(key: str) -> Callable[[Value], Value]:
    """The step from a map to its member."""

    def member(value: Value) -> Any:
        return value.get(key) if type(value) is dict else None

    return member

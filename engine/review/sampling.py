"""Some of many visitors, drawn so that everybody who asks again gets the same ones. Pure.

What lives here: which visitors are in a sample, and how far a share in it may be from the share among all. What may
not: where ids come from, the draws of experiences (`split.py`): being in a sample says nothing about a group.

1. Every id has a number, a hash of nothing but itself. The sample is the ids with the smallest numbers. So it does not
   depend on the order of the ids, and a store that grows changes it only by those who came.
2. The margin is the way to the farther end of Wilson's 95 % interval, narrowed by how much of the whole the sample
   is: nothing for all of them, and never nothing for a part of them, not even where the share is 0 or 1.
"""

from collections.abc import Iterable
from heapq import nsmallest
from math import sqrt
from typing import Final

import mmh3
from msgspec import Struct

_Z: Final = 1.959964  # of the normal distribution, 95 % lie within so many standard deviations


class Sample(Struct, frozen=True):
    """The ids that were drawn, in their own order, and how many there are to draw from."""

    ids: tuple[str, ...]
    total: int

    @property
    def is_all(self) -> bool:
        """Is nobody left out?"""
        return len(self.ids) == self.total


def sample(ids: Iterable[str], size: int | None) -> Sample:
    """At most `size` of these distinct ids, always the same ones; with None all of them."""
    total = 0

    def counted() -> Iterable[str]:
        nonlocal total
        for id_ in ids:
            total += 1
            yield id_

    chosen = list(counted()) if size is None else nsmallest(size, counted(), key=_number)
    return Sample(tuple(sorted(chosen)), total)


def _number(id_: str) -> tuple[int, str]:
    """The id itself decides between two with one hash."""
    return mmh3.hash(f"sample:{id_}", 0, signed=False), id_


def margin(found: int, drawn: int, total: int) -> float:
    """How far `found / drawn` may be from the share among all `total` (a fraction; 95 % of samples are nearer)."""
    if drawn == 0 or drawn >= total:
        return 0.0
    worth = drawn * (total - 1) / (total - drawn)  # a sample of half of them is worth more than its size
    share = found / drawn
    spread = _Z * sqrt(share * (1 - share) / worth + _Z**2 / (4 * worth**2))
    aside = abs(_Z**2 / (2 * worth) - share * _Z**2 / worth)  # the interval's middle leans to one half
    return (spread + aside) / (1 + _Z**2 / worth)

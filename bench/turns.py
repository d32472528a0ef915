"""Several ways of doing the same, timed in turns, so that whatever else the machine does falls on all of them alike.

1. A *way* is a function that does its work once for every visitor of a list. It is first run alone to see how many
   laps make a turn of some length; then all ways take their turns, one after the other, round by round.
2. What counts is the ratio within a round, and of those the median. How far apart the rounds are is the noise; it is
   printed beside the ratio.
3. Timed is the computing of this process, not what the clock says: another program that takes the core for a while is
   no part of the work. So a way must compute in this process, and wait for nothing.
4. The garbage collector sees nothing of what was there before (the service freezes its ruleset likewise), and is on.
"""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import quantiles
from typing import TypeAlias

from msgspec import Struct

Way: TypeAlias = Callable[[], object]

ROUNDS = 15
TURN_S = 0.03


class Ratio(Struct, frozen=True):
    """The median of the rounds, and the quarter below and above which a quarter of them lie."""

    median: float
    low: float
    high: float


def in_turns(ways: Mapping[str, Way], rounds: int = ROUNDS, turn_s: float = TURN_S) -> dict[str, list[float]]:
    """For each way, the seconds of one lap in every round."""
    gc.collect()
    gc.freeze()
    try:
        laps = {name: _laps(way, turn_s) for name, way in ways.items()}
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                took[name].append(_timed(way, laps[name]) / laps[name])
    finally:
        gc.unfreeze()
    return took


def ratio(over: Sequence[float], under: Sequence[float]) -> Ratio:
    """`over` to `under`, round by round."""
    return ratio_of([a / b for a, b in zip(over, under, strict=True)])


def ratio_of(rounds: Sequence[float]) -> Ratio:
    """The ratio of all rounds together."""
    low, middle, high = quantiles(rounds, n=4) if len(rounds) > 1 else [rounds[0]] * 3
    return Ratio(middle, low, high)


def _laps(way: Way, turn_s: float) -> int:
    _timed(way, 1)  # the first time is like no other
    return max(1, round(turn_s / _timed(way, 1)))


def _timed(way: Way, laps: int) -> float:
    began = time.process_time()
    for _ in range(laps):
        way()
    return time.process_time() - began

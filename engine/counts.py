"""What a process counts while it works, in plain numbers. What lives here: the numbers. What may not: showing them.

1. To count is one addition to a number that is at hand: no lock, no file, no name that is looked up. Whoever shows the
   numbers reads them when it likes (`engine.web.metrics`); what visitors were answered stands in their ruleset's
   tally (`engine.decide.tally`).
2. Names here are those of sources, codes and types, which are few; nothing that a visitor says is one.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import Final

# Seconds; the last group is what took longer. Decisions take microseconds, reads of a shared store a millisecond.
BOUNDS: Final = (
    *(0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5),
    *(0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)
EVERY: Final = 32  # of so many decisions one is timed: to ask the clock twice is a hundredth of one


class Durations:
    """How long something took: how often within each of `BOUNDS`, the last for what took longer, and the sum."""

    __slots__ = ("groups", "sum_s")

    def __init__(self) -> None:
        self.groups = [0] * (len(BOUNDS) + 1)
        self.sum_s = 0.0

    def note(self, seconds: float) -> None:
        """It took so long."""
        self.groups[bisect_left(BOUNDS, seconds)] += 1
        self.sum_s += seconds


class Counts:
    """The numbers of one process.

    `decided` are decisions over HTTP, one of `EVERY`; `read` are reads of the store. `taken` are messages by source and
    type, `rejected` those by source and code, `refused` are requests by code, `shed` those that were turned away.
    `asked` are decisions on the ordinary road, `in_flight` are requests that wait for us; `lag_s` is how late the event
    loop was at worst, of late. `connections` says how many are open.
    """

    __slots__ = (
        "asked",
        "connections",
        "decided",
        "in_flight",
        "lag_s",
        "read",
        "refused",
        "rejected",
        "shed",
        "taken",
    )

    def __init__(self) -> None:
        self.decided = Durations()
        self.read = Durations()
        self.taken: Counter[tuple[str, str]] = Counter()
        self.rejected: Counter[tuple[str, str]] = Counter()
        self.refused: Counter[str] = Counter()
        self.shed: Counter[str] = Counter()
        self.asked = 0
        self.in_flight = 0
        self.lag_s = 0.0
        self.connections: Callable[[], int] = int

    def begun(self) -> float:
        """A decision begins on the ordinary road: when, if it is one of those that are timed."""
        self.asked += 1
        return 0.0 if self.asked % EVERY else perf_counter()

    def ended(self, began: float) -> None:
        """It was answered."""
        if began:
            self.decided.note(perf_counter() - began)

"""How often each group of each audience was decided. Whole numbers in a list; nothing else happens when one is counted.

What lives here: the list, and what stands where in it. What may not: whoever reads it (`engine.web.metrics`), visitors.

1. A ruleset has one tally, and its places are fixed when it is compiled: two for each audience of a live experience,
   control and behind it personalized. So counting is one addition, at a place that is known before the visitor comes.
   An answer in which something applies is not counted again by itself, for most have one entry: what is noted is how
   many entries there are beyond the one by which their answer is counted (`BEYOND`).
2. A decision is pure and counts nothing; whoever answers a visitor notes what came of it. The short way to an answer
   (`usual.py`) has no decision in hand and is given the list. What asks for other reasons (`explain`, `audience`,
   `diff`) is not counted, for it answers no visitor.
3. `faults` counts how often the code made of a segment, or ("") of a page, raised what: never, one hopes (`careful`).
4. One thread notes. Two at once may lose a count, never more.
"""

from typing import Final

from engine.words import Decision

UNMATCHED: Final = 0  # answers in which nothing applies
DEGRADED: Final = 1  # answers that were made of less than there is, whatever is in them
BEYOND: Final = 2
_PLACES: Final = 3


class Tally:
    """The counts of one ruleset."""

    __slots__ = ("_places", "counts", "faults")

    def __init__(self) -> None:
        self.counts = [0] * _PLACES
        self.faults: dict[tuple[str, str], int] = {}
        self._places: dict[tuple[str, str], int] = {}

    def place(self, experience: str, segment: str) -> int:
        """Where the control visitors of this audience are counted; the personalized ones are behind them."""
        known = self._places.setdefault((experience, segment), len(self.counts))
        if known == len(self.counts):
            self.counts += (0, 0)
        return known

    def note(self, decision: Decision) -> None:
        """An answer was given."""
        entries = len(decision.assignments)
        if decision.degraded:
            self.counts[DEGRADED] += 1
            self.counts[BEYOND] += entries
        elif entries:
            self.counts[BEYOND] += entries - 1
        else:
            self.counts[UNMATCHED] += 1
        for one in decision.assignments:
            self.counts[self._places[one.experience, one.segment] + (one.variant is not None)] += 1

    def results(self) -> dict[str, int]:
        """How many answers of each kind."""
        unmatched, degraded, beyond = self.counts[:_PLACES]
        return {"matched": sum(self.counts[_PLACES:]) - beyond, "unmatched": unmatched, "degraded": degraded}

    def groups(self) -> list[tuple[str, str, str, int]]:
        """Experience, segment, group, and how often."""
        return [
            (experience, segment, group, self.counts[place + behind])
            for (experience, segment), place in self._places.items()
            for behind, group in enumerate(("control", "personalized"))
        ]

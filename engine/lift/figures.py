"""What was counted, as the rooms above and the formulas want it. Pure.

1. A `Figures` is one line of the answer: one experience, audience segment and goal, as they are called in the events.
2. *Closed* are visitors whose window for this goal is over; the verdict is about them alone. *Open* ones may still
   convert. What is counted of a day is of those whose window closed on it, so that sums up to a day are what somebody
   saw who looked on that day.
3. A *visitor* here is the unit that drew its group: whom a person's first exposure belongs to (`question`).
"""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import accumulate

from msgspec import Struct

from engine.lift.statistics import Group

NOBODY = Group(0, 0)


class Pair(Struct, frozen=True):
    """The two groups."""

    control: Group = NOBODY
    personalized: Group = NOBODY

    @property
    def visitors(self) -> int:
        """In both."""
        return self.control.visitors + self.personalized.visitors

    def plus(self, other: "Pair") -> "Pair":
        """Both together."""
        return Pair(_sum(self.control, other.control), _sum(self.personalized, other.personalized))


class Figures(Struct, frozen=True):
    """One line. `control_share` is what today's rules say (None: they do not, or not one thing); `since` and
    `until` are when the first visitor came and the last, None where nobody knows; `days` are the closed ones, by the
    day on which their windows closed.
    """

    experience: str
    segment: str
    goal: str
    window_s: int
    control_share: float | None
    closed: Pair
    open: Pair
    saw_both: int
    since: datetime | None
    until: datetime | None
    days: tuple[tuple[date, Pair], ...] = ()

    def looks(self) -> Iterator[tuple[date, Pair]]:
        """What somebody saw who looked at the end of each of these days."""
        sums = accumulate((pair for _, pair in self.days), Pair.plus)
        return zip((day for day, _ in self.days), sums, strict=True)


def _sum(one: Group, other: Group) -> Group:
    return Group(one.visitors + other.visitors, one.converters + other.converters)

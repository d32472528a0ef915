"""Sets of ordered values, as the places where they begin and end: numbers, times, spans.

What lives here: the sets and their algebra. What may not: which values a test lets through (`constraints`).

1. `points` rise, and at each the set turns: from outside to inside or back, the point itself included. `first` says
   what is below the first point. So every set is half-open, and one `bisect` says whether it holds a value.
2. `x > 3` begins at the next value after 3; that is `after`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf, nextafter
from typing import Any, Final, NamedTuple

from engine.compile.functions import EXACT, NUMBERS


class Ranges(NamedTuple):
    """A set of values of one ordered kind."""

    first: bool
    points: tuple[Any, ...]

    def but(self) -> "Ranges":
        """All others."""
        return Ranges(not self.first, self.points)


NONE: Final = Ranges(first=False, points=())
EVERY: Final = Ranges(first=True, points=())


def below(point: Any) -> Ranges:
    """What is less than the point."""
    return Ranges(first=True, points=(point,))


def one(value: Any) -> Ranges:
    """The value alone; raises OverflowError."""
    return Ranges(first=False, points=(value, after(value)))


def after(value: Any) -> Any:
    """The least value that is greater; raises OverflowError where nobody could say."""
    if type(value) in NUMBERS:
        if abs(value) >= EXACT:  # here a whole number may lie between two floats
            raise OverflowError
        return nextafter(value, inf)
    if isinstance(value, datetime | timedelta):
        return value + timedelta.resolution
    raise OverflowError


def meet(a: Ranges, b: Ranges) -> Ranges:
    """What is in both."""
    return _merged(a, b, lambda x, y: x and y)


def join(a: Ranges, b: Ranges) -> Ranges:
    """What is in either."""
    return _merged(a, b, lambda x, y: x or y)


def _merged(a: Ranges, b: Ranges, inside: Callable[[bool, bool], bool]) -> Ranges:
    in_a, in_b = a.first, b.first
    first = state = inside(in_a, in_b)
    points = []
    for point in sorted({*a.points, *b.points}):
        in_a ^= point in a.points
        in_b ^= point in b.points
        if inside(in_a, in_b) is not state:
            state = not state
            points.append(point)
    return Ranges(first, tuple(points))

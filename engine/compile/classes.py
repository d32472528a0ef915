"""From a term's value to the number of its class: values of one class are let through by the same rows.

What lives here: `Classes`, `Prefixes` and `Held`, and the expression that finds a class in generated code. What may
not: rows, masks (`columns`).

1. Classes of a term, by number: the numbers between two neighbouring points, the times, the spans; all texts that no
   row names, then each that some row names; each other kind; last the class that every row lets through (`open`).
2. A prefix's class is the longest prefix in the table that the text has. The nearest one below the text in sorted
   order, or one of that one's own prefixes, is it.
3. What a container holds, of what rows ask, is a list of texts.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from heapq import merge
from typing import Any, Final

from engine.compile.functions import NUMBERS, Value
from engine.compile.ranges import Ranges
from engine.compile.values import Kind, Values

_SORTED_AT_ONCE = 5_000  # sorting holds the GIL: for 1 ms
_KINDS: Final = {type(None): Kind.ABSENT, list: Kind.LIST, dict: Kind.MAP}


class Classes:
    """The classes of one term's values."""

    def __init__(self, asked: Sequence[Values]) -> None:
        self.numbers = points_of(values.numbers for values in asked)
        self.times = points_of(values.times for values in asked)
        self.spans = points_of(values.spans for values in asked)
        self.first_time = len(self.numbers) + 1
        self.first_span = self.first_time + len(self.times) + 1
        self.other_text = self.first_span + len(self.spans) + 1
        named = dict.fromkeys(name for values in asked for name in values.texts.names)
        self.names = {name: number for number, name in enumerate(named, self.other_text + 1)}
        self.first_kind = self.other_text + 1 + len(self.names)
        self.open = self.first_kind + len(Kind)

    def of(self, value: Value) -> int:
        """The class of any value."""
        kind = type(value)
        if kind is str:
            return self.names.get(value, self.other_text)
        if kind is bool:
            return self.first_kind + (Kind.TRUE if value else Kind.FALSE)
        if kind in NUMBERS:
            return bisect_right(self.numbers, value) if value == value else self.first_kind + Kind.NAN  # noqa: PLR0124
        if kind is datetime:
            return self.first_time + bisect_right(self.times, value)
        if kind is timedelta:
            return self.first_span + bisect_right(self.spans, value)
        return self.first_kind + _KINDS.get(kind, Kind.OTHER)

    def expression(self, bind: Callable[[str, Any], str], term: str) -> str:
        """Python for `of` a term, with what this one meets most often in line."""
        steps = [f"{self.first_kind + Kind.ABSENT} if {term} is None else"]
        if self.names:
            steps.append(f"{bind('n', self.names.get)}({term}, {self.other_text}) if type({term}) is str else")
        if self.numbers:
            find = f"{bind('b', bisect_right)}({bind('p', self.numbers)}, {term})"
            steps.append(f"{find} if type({term}) in NUMBERS and {term} == {term} else")
        return f"{' '.join(steps)} {bind('r', self.of)}({term})"


def points_of(ranges: Iterable[Ranges]) -> list[Any]:
    """Where any of the ranges turns, ascending."""
    points = list({point for one in ranges for point in one.points})
    parts = [sorted(points[start : start + _SORTED_AT_ONCE]) for start in range(0, len(points), _SORTED_AT_ONCE)]
    return list(merge(*parts)) if len(parts) > 1 else parts[0] if parts else []


class Prefixes:
    """Prefixes that rows ask for; the class of a text is the longest that it has."""

    def __init__(self, prefixes: Iterable[str]) -> None:
        self._prefixes = sorted(set(prefixes))
        self.none = len(self._prefixes)
        self.open = self.none + 1
        self.numbers = {prefix: number for number, prefix in enumerate(self._prefixes)}
        self._shorter: list[int] = []
        for number, prefix in enumerate(self._prefixes):
            self._shorter.append(self._longest(number - 1, prefix))

    def _longest(self, number: int, text: str) -> int:
        """The longest prefix of the text, given the nearest one below it."""
        if number < 0:
            return self.none
        while number != self.none and not text.startswith(self._prefixes[number]):
            number = self._shorter[number]
        return number

    def of(self, value: Value) -> int:
        """The class of a value: `none` of them, or `open` where it is no text."""
        if type(value) is not str:
            return self.open
        return self._longest(bisect_right(self._prefixes, value) - 1, value)

    def all_of(self, number: int) -> list[int]:
        """The prefix and those that it begins with itself, by number."""
        found = []
        while number != self.none:
            found.append(number)
            number = self._shorter[number]
        return found


class Held:
    """Texts that containers are asked for."""

    def __init__(self, names: Iterable[str]) -> None:
        self.numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}

    def of(self, value: Value) -> list[int] | None:
        """The numbers of those that the container holds; None for what is none."""
        if type(value) is not list and type(value) is not dict:
            return None
        numbers = self.numbers
        return [numbers[name] for name in value if type(name) is str and name in numbers]

"""The answer of a page whose function raised: segment by segment, so that nothing is lost but what nobody can say.

What lives here: that walk. What may not: the usual way (`compile.pages`), the log (whoever reads `tally.faults`).

1. Generated code raises for no visitor; this is law, and tests hold it. Should it do so nevertheless it is a fault of
   ours, and no reason to send the page of everybody else's segments back as an error.
2. Each segment is asked by itself, of a function of its own. One that raises is asked of the reference implementation,
   which never does, and is counted.
3. It is slow, and made only where it is needed: what it has made it keeps.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cel.oracle import truth
from engine.cel.scope import ROOTS
from engine.compile.segments import Matcher
from engine.decide.tally import Tally
from engine.words import Condition, Experience, Segment


class Careful:
    """The segments of a ruleset, asked one by one; `tally` counts those whose own function raises."""

    __slots__ = ("_matchers", "_segments", "_tally")

    def __init__(self, segments: Mapping[str, Segment], tally: Tally) -> None:
        self._segments = segments
        self._tally = tally
        self._matchers: dict[str, Matcher] = {}

    def hits(self, experiences: Sequence[Experience], roots: Sequence[Any], raised: Exception) -> list[tuple[int, int]]:
        """What the function of a page of these experiences, in deciding order, would have said of these roots."""
        before = sum(self._tally.faults.values())
        hits = self._hits(experiences, roots)
        if sum(self._tally.faults.values()) == before:
            self._count("", raised)  # of the page as a whole
        return hits

    def _hits(self, experiences: Sequence[Experience], roots: Sequence[Any]) -> list[tuple[int, int]]:
        hits: list[tuple[int, int]] = []
        decided: set[str] = set()
        now = roots[-1]
        for place, experience in enumerate(experiences):
            group, start, end = experience.exclusion_group, experience.start, experience.end
            if group in decided or (start is not None and now < start) or (end is not None and now >= end):
                continue
            for number, audience in enumerate(experience.audiences):
                if self._matches(audience.segment, roots):
                    hits.append((place, number))
                    decided |= {group} if group is not None else set()
                    break
        return hits

    def _matches(self, key: str, roots: Sequence[Any]) -> bool:
        matcher = self._matchers.setdefault(key, Matcher(self._segments[key]))
        try:
            return matcher.run(*roots)
        except Exception as error:  # noqa: BLE001 - whatever generated code raises
            self._count(key, error)
        bindings = dict(zip(ROOTS, roots, strict=True))

        def holds(condition: Condition) -> bool:
            return truth(condition.checked, bindings) is True

        return all(map(holds, matcher.segment.when)) and not any(map(holds, matcher.segment.excepts))

    def _count(self, key: str, raised: Exception) -> None:
        fault = (key, type(raised).__name__)  # not its message: that may tell of the visitor
        self._tally.faults[fault] = self._tally.faults.get(fault, 0) + 1

"""How many of some visitors are in which segment, which segments share visitors, and who cannot be told (`audience`).

What lives here: profiles in, counts out. What may not: where profiles come from, sampling, words for people.

1. A visitor *matches* where the segment's own generated function says so: the one that decides.
2. They are *not* in it where a `when` is false or an `except` true. Otherwise the segment is *unknown* of them: it
   does not match, and something that is not known could change that. `causes.py` says what.
3. Nobody views a page here: page, visit, device and place are empty. A segment that reads them is told as such
   (`view_reads`); its figures are about what can be said without a page view.
4. The overlap holds only pairs that share somebody: of thousands of segments most do not.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import combinations
from typing import Any, Final

from msgspec import Struct

from engine.compile.segments import segment as compiled
from engine.decide.coerce import Coercions
from engine.decide.decider import salesforce
from engine.review.causes import Cause, Part, Roots, view_reads
from engine.words import Profile, Ruleset, Segment

_NOTHING: Final[dict[str, Any]] = {}


class Tally(Struct, frozen=True):
    """One segment's count; `causes` with their visitors, the most frequent first (a visitor may have several)."""

    segment: str
    name: str
    matched: int
    unmatched: int
    unknown: int
    causes: tuple[tuple[Cause, int], ...]
    view_reads: tuple[str, ...]


class Census(Struct, frozen=True):
    """What was counted: `overlap` by pairs of segments, each pair in the order of `tallies`."""

    visitors: int
    tallies: tuple[Tally, ...]
    overlap: dict[tuple[str, str], int]

    def shared(self, a: str, b: str) -> int:
        """How many visitors are in both."""
        return self.overlap.get((a, b), 0) or self.overlap.get((b, a), 0)


class Count:
    """Counts profiles, one by one. `segments`: the keys to count, or all of them; `now` is the same for all."""

    def __init__(self, ruleset: Ruleset, now: datetime, segments: Iterable[str] | None = None) -> None:
        """Raises KeyError for a segment that is none."""
        keys = ruleset.segments if segments is None else dict.fromkeys(segments)
        self._coercions = Coercions(ruleset.traits.values())
        self._counted = [_Counted(ruleset.segments[key]) for key in keys]
        self._overlap: Counter[tuple[str, str]] = Counter()
        self._now = now
        self._visitors = 0

    def add(self, profile: Profile) -> None:
        """Count one visitor."""
        traits, unusable = self._coercions.apply(profile.traits)
        view = (_NOTHING, _NOTHING, _NOTHING, _NOTHING)
        roots = (traits, profile.account, salesforce(profile), *view, self._now)
        self._visitors += 1
        matched = [counted.key for counted in self._counted if counted.add(roots, unusable)]
        if len(matched) > 1:
            self._overlap.update(combinations(matched, 2))

    def census(self) -> Census:
        """What was counted so far."""
        return Census(self._visitors, tuple(counted.tally() for counted in self._counted), dict(self._overlap))


class _Counted:
    """One segment, and its numbers so far."""

    def __init__(self, segment: Segment) -> None:
        self.key = segment.key
        self._segment = segment
        self._matches = compiled(segment).run
        self._when = [Part(condition) for condition in segment.when]
        self._excepts = [Part(condition) for condition in segment.excepts]
        self._matched = self._unmatched = self._unknown = 0
        self._causes: Counter[Cause] = Counter()

    def add(self, roots: Roots, unusable: tuple[str, ...]) -> bool:
        """Does it match these roots? Counted either way."""
        if self._matches(*roots):
            self._matched += 1
            return True
        if any(part.verdict.false(*roots) for part in self._when) or any(
            part.verdict.true(*roots) for part in self._excepts
        ):
            self._unmatched += 1
            return False
        self._unknown += 1
        unanswered = (part for part in self._when if not part.verdict.true(*roots))
        self._causes.update({cause for part in unanswered for cause in part.causes(roots, unusable)})
        return False

    def tally(self) -> Tally:
        """The numbers."""
        conditions = (*self._segment.when, *self._segment.excepts)
        reads = frozenset[str]().union(*map(view_reads, conditions))
        causes = sorted(self._causes.items(), key=lambda item: (-item[1], item[0]))
        return Tally(
            segment=self.key,
            name=self._segment.name,
            matched=self._matched,
            unmatched=self._unmatched,
            unknown=self._unknown,
            causes=tuple(causes),
            view_reads=tuple(sorted(reads)),
        )

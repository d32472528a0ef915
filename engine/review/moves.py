"""Who of some visitors sees something else after an edit: decided by the old and by the new ruleset. Pure.

What lives here: profiles in, movers out. What may not: where profiles come from, why something changed (`redraws.py`).

1. Every visitor is decided by both deciders, on one page for each pattern of the experiences that the edit reaches
   (`Difference.reached`). Nothing is known of the visit.
2. An answer is compared by experience: segment, group, variant. What was only renamed is the same.
3. A visitor moves at most once in an experience: on the first page where the answer differs. Moving to another segment
   counts as that, whatever the group.
4. Held out and not matched are alike here: no answer.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from engine.decide.decider import Decider
from engine.review.difference import Difference
from engine.review.renames import variant_renames
from engine.rules.notation.example_url import example_url, usual_host
from engine.words import Assignment, Decision, Page, Profile, Ruleset, Visit

Way: TypeAlias = Literal["in", "out", "segment", "to control", "to personalized", "variant"]
Seen: TypeAlias = tuple[str, str | None]  # segment; variant, None is control

EXAMPLES: Final = 3
_VISIT: Final = Visit()


class Example(Struct, frozen=True):
    """A visitor who moves on this page; None is no answer."""

    visitor_id: str
    url: str
    old: Seen | None
    new: Seen | None


class Moved(Struct, frozen=True):
    """Of one experience: how many got an answer on either side, how many move, in which ways, and some of them."""

    experience: str
    seen: int
    moved: int
    ways: dict[Way, int]
    examples: tuple[Example, ...]


class Moves:
    """Compares, profile by profile."""

    def __init__(self, old: Ruleset, new: Ruleset, difference: Difference, now: datetime) -> None:
        self._old, self._new = Decider(old), Decider(new)
        self._called = difference.renames
        self._variants = _variants(old, new, difference)
        self._pages = [Page(url) for url in pages(old, new, difference)]
        self._now = now
        self._counts: dict[str, _Moving] = {}
        self.visitors = 0
        self.moved = 0

    def add(self, profile: Profile) -> None:
        """Decide on one visitor, twice a page."""
        self.visitors += 1
        ways: dict[str, Example | None] = {}
        for page in self._pages:
            before = self._before(self._old.decide(profile, page, _VISIT, self._now))
            after = _by_experience(self._new.decide(profile, page, _VISIT, self._now).assignments)
            for key in before.keys() | after.keys():
                was, now = before.get(key), after.get(key)
                if ways.get(key) is None:
                    ways[key] = None if was == now else Example(profile.visitor_id, page.url, was, now)
        for key, example in ways.items():
            self._counts.setdefault(key, _Moving()).add(example)
        self.moved += any(ways.values())

    def result(self) -> tuple[Moved, ...]:
        """The experiences in which somebody moves, by key."""
        return tuple(counts.moved(key) for key, counts in sorted(self._counts.items()) if counts.ways)

    def _before(self, decision: Decision) -> dict[str, Seen]:
        """The old answers, in the new names."""
        found = {}
        for key, (segment, variant) in _by_experience(decision.assignments).items():
            names = self._variants.get((key, segment), {})
            called = None if variant is None else names.get(variant, variant)
            found[self._called.experience(key)] = (self._called.segment(segment), called)
        return found


class _Moving:
    """The numbers of one experience so far."""

    def __init__(self) -> None:
        self.seen = 0
        self.ways: Counter[Way] = Counter()
        self._examples: list[Example] = []

    def add(self, example: Example | None) -> None:
        self.seen += 1
        if example is not None:
            self.ways[_way(example.old, example.new)] += 1
            if len(self._examples) < EXAMPLES:
                self._examples.append(example)

    def moved(self, key: str) -> Moved:
        return Moved(key, self.seen, self.ways.total(), dict(self.ways), tuple(self._examples))


def pages(old: Ruleset, new: Ruleset, difference: Difference) -> tuple[str, ...]:
    """The pages to try: one for each pattern of the live experiences that the edit reaches."""
    sides: tuple[tuple[Ruleset, dict[str, str]], ...] = ((old, difference.renames.experiences), (new, {}))
    texts = [
        page
        for ruleset, called in sides
        for key, experience in ruleset.experiences.items()
        if experience.status == "live" and called.get(key, key) in difference.reached
        for page in experience.pages
    ]
    host = usual_host(texts)
    found = (example_url(text, host) for text in dict.fromkeys(texts))
    return tuple(dict.fromkeys(url for url in found if url is not None))


def _variants(old: Ruleset, new: Ruleset, difference: Difference) -> dict[tuple[str, str], dict[str, str]]:
    """By old experience and old segment: what its variants are called now."""
    found = {}
    for key, experience in old.experiences.items():
        counterpart = new.experiences.get(difference.renames.experience(key))
        after = {audience.segment: audience for audience in counterpart.audiences} if counterpart else {}
        for audience in experience.audiences:
            now = after.get(difference.renames.segment(audience.segment))
            called = variant_renames(audience, now) if now else {}
            if called:
                found[key, audience.segment] = called
    return found


def _by_experience(assignments: Iterable[Assignment]) -> dict[str, Seen]:
    return {assignment.experience: (assignment.segment, assignment.variant) for assignment in assignments}


def _way(old: Seen | None, new: Seen | None) -> Way:
    if old is None or new is None:
        return "in" if old is None else "out"
    if old[0] != new[0]:
        return "segment"
    if old[1] is None:
        return "to personalized"
    return "to control" if new[1] is None else "variant"

"""What an edit only renamed: a removed and an added thing with the same content are one. Pure.

What lives here: which old key is which new key. What may not: what else changed (`edits.py`), what it does to draws.

1. Only keys that are gone and keys that came are looked at. A pair is made where the content is the same: first with
   the name, then without, and of experiences last where name and pages are the same.
2. Segments first: an experience with a renamed segment still has the same content.
3. Several of the same content are paired in the order of their keys, so the answer is always the same.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from engine.words import Audience, Condition, Experience, Goal, Ruleset, Segment, Variant

T = TypeVar("T")


class Renames(Struct, frozen=True):
    """Old keys by what they are called now; a key that stayed is not in here."""

    segments: dict[str, str]
    experiences: dict[str, str]
    goals: dict[str, str]

    def segment(self, old: str) -> str:
        """What the segment is called now."""
        return self.segments.get(old, old)

    def experience(self, old: str) -> str:
        """What the experience is called now."""
        return self.experiences.get(old, old)


def renames(old: Ruleset, new: Ruleset) -> Renames:
    """What was renamed from one ruleset to the other."""
    segments = _pairs(old.segments, new.segments, (_named_segment, _conditions))
    called = Renames(segments, {}, {})
    contents: tuple[Callable[[Experience], Hashable], ...] = (
        lambda experience: (experience.name, _experience(experience, called)),
        lambda experience: _experience(experience, called),
        lambda experience: (experience.name, experience.pages),
    )
    return Renames(segments, _pairs(old.experiences, new.experiences, contents), _pairs(old.goals, new.goals, (_goal,)))


def variant_renames(old: Audience, new: Audience) -> dict[str, str]:
    """Old keys of variants by what they are called now: those whose changes are the same."""
    return _pairs(_by_key(old), _by_key(new), (lambda variant: repr(variant.changes),))


def _by_key(audience: Audience) -> dict[str, Variant]:
    return {variant.key: variant for variant in audience.variants}


def _pairs(old: Mapping[str, T], new: Mapping[str, T], contents: Sequence[Callable[[T], Hashable]]) -> dict[str, str]:
    gone, came = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    found: dict[str, str] = {}
    for content in contents:
        waiting: dict[Hashable, list[str]] = {}
        for key in reversed(gone):
            if key not in found:
                waiting.setdefault(content(old[key]), []).append(key)
        for key in came:
            same = waiting.get(content(new[key]))
            if same and key not in found.values():
                found[same.pop()] = key
    return found


def _texts(conditions: tuple[Condition, ...]) -> tuple[str, ...]:
    return tuple(sorted(condition.text.strip() for condition in conditions))


def _conditions(segment: Segment) -> Hashable:
    return _texts(segment.when), _texts(segment.excepts)


def _named_segment(segment: Segment) -> Hashable:
    return segment.name, _conditions(segment)


def _goal(goal: Goal) -> Hashable:
    return goal.event, _texts(goal.where), goal.window_s


def _experience(experience: Experience, called: Renames) -> Hashable:
    plain = (experience.pages, experience.status, experience.start, experience.end, experience.holdout_ppm)
    how = (experience.split_by, experience.exclusion_group, experience.priority)
    audiences = tuple(
        (called.segment(audience.segment), audience.control_ppm, audience.salt, _shown(audience))
        for audience in experience.audiences
    )
    return plain, how, audiences


def _shown(audience: Audience) -> Hashable:
    """What is shown and how often, under whatever keys."""
    return tuple((variant.weight, repr(variant.changes)) for variant in audience.variants)

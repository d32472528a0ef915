"""Live experiences that would change the same element of the same page for the same visitor.

What lives here: finding such pairs. What may not: problems' words and places (lint.py), anything a visitor decides.

1. Two experiences are compared only where they name the same selector (in its normal form); a redirect is one, too.
2. They meet where a page, and a moment of both schedules, belongs to both and no exclusion group is common.
3. Two patterns can meet only where what one's path begins with is what the other's begins with, or a part of it, so
   candidates are looked up by that. Of those, up to `limits.COMPARISONS` pairs are compared: beyond that, the check
   gives up rather than take a minute.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct

from engine import limits
from engine.rules.notation import patterns, selectors
from engine.rules.notation.patterns import Pattern
from engine.words import Change, Experience

REDIRECT = "redirect"


class Touch(Struct, frozen=True, eq=False):
    """One change of an experience: `at` is audience, variant and change as indices."""

    experience: Experience
    at: tuple[int, int, int]
    selector: str


class Collision(Struct, frozen=True, eq=False):
    """`later` and `earlier` touch the same element; of two with the same priority the order is by key."""

    later: Touch
    earlier: Touch


def collisions(experiences: Sequence[Experience]) -> Iterator[Collision]:
    """Every pair once, at its first common element."""
    touched: dict[str, dict[str, Touch]] = defaultdict(dict)
    live = [experience for experience in experiences if experience.status == "live"]
    for experience in live:
        for touch in _touches(experience):
            touched[touch.selector].setdefault(experience.key, touch)
    # An empty page was reported by whoever read the file.
    pages = {one.key: [patterns.compile(page) for page in one.pages if page] for one in live}
    pairs = (pair for touches in touched.values() for pair in _pairs(list(touches.values()), pages))
    seen: set[tuple[str, str]] = set()
    for one, other in islice(pairs, limits.COMPARISONS):
        key = one.experience.key, other.experience.key
        if key not in seen and _meet(one.experience, other.experience, pages):
            seen.add(key)
            yield Collision(other, one)


def _touches(experience: Experience) -> Iterator[Touch]:
    for a, audience in enumerate(experience.audiences):
        if audience.control_ppm == limits.PPM:
            continue  # shows nothing to anybody
        for v, variant in enumerate(audience.variants):
            for c, change in enumerate(variant.changes):
                for selector in _elements(change):
                    yield Touch(experience, (a, v, c), selector)


def _elements(change: Change) -> tuple[str, ...]:
    if change.redirect is not None:
        return (REDIRECT,)
    return selectors.read(change.selector) if change.selector else ()


def _pairs(touches: list[Touch], pages: dict[str, list[Pattern]]) -> Iterator[tuple[Touch, Touch]]:
    """Pairs whose pages could meet, the earlier one first."""
    by_prefix: dict[str, list[int]] = defaultdict(list)
    for number, touch in enumerate(touches):
        for prefix in {page.path.prefix for page in pages[touch.experience.key]}:
            by_prefix[prefix].append(number)
    lengths = sorted({len(prefix) for prefix in by_prefix})
    met: set[tuple[int, int]] = set()
    for prefix, numbers in by_prefix.items():
        shorter = [
            by_prefix[prefix[:length]] for length in lengths if length <= len(prefix) and prefix[:length] in by_prefix
        ]
        for pair in ((min(a, b), max(a, b)) for a in numbers for others in shorter for b in others if a != b):
            if pair not in met:
                met.add(pair)
                yield touches[pair[0]], touches[pair[1]]


def _meet(one: Experience, other: Experience, pages: dict[str, list[Pattern]]) -> bool:
    if one.exclusion_group is not None and one.exclusion_group == other.exclusion_group:
        return False
    if one.start and other.end and one.start >= other.end:
        return False
    if other.start and one.end and other.start >= one.end:
        return False
    return any(patterns.overlap(a, b) for a in pages[one.key] for b in pages[other.key])

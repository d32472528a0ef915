"""Texts with `*` and `**` in them, as automata: for hosts and paths of page patterns. Pure.

What lives here: the two kinds of glob, their regular expression, and whether two of one kind can match one text.
What may not: URLs, normal forms (the texts come in normalised), messages.

1. A glob is a chain of steps. A step takes one character: a certain one, or any but some. It may repeat, and it
   may be skipped, alone or together with the steps after it.
2. Its regular expression is written from the same parts.
3. `overlap` walks two chains in step over pairs of positions: at most len(a) * len(b) of them. It is exact: what
   two open steps allow always has a letter in common.
"""

from collections.abc import Iterable, Iterator
from itertools import takewhile

import re2
from msgspec import Struct


class Step(Struct, frozen=True):
    """One character: `literal`, or where that is empty any that is not in `but`.

    `repeat`: as many as there are. `skip`: how many steps from this one on may be left out together.
    """

    literal: str = ""
    but: str = ""
    repeat: bool = False
    skip: int = 0

    def meets(self, other: "Step") -> bool:
        """Is there a character that both take?"""
        if self.literal and other.literal:
            return self.literal == other.literal
        return (not self.literal or self.literal not in other.but) and (
            not other.literal or other.literal not in self.but
        )


class Glob(Struct, frozen=True):
    """A chain of steps, and the regular expression that matches the same whole texts."""

    steps: tuple[Step, ...]
    regex: str

    @property
    def prefix(self) -> str:
        """What every text that matches begins with, as far as it is spelt out."""
        spelt = takewhile(lambda step: step.literal and not step.skip, self.steps)
        return "".join(step.literal for step in spelt)


def _any_number(but: str) -> Glob:
    return Glob((Step(but=but, repeat=True, skip=1),), f"[^{but}]*" if but else ".*")


_WITHIN_SEGMENT = _any_number("/")
_ANYTHING = _any_number("")
_SEGMENT = Glob((Step(but="/"), *_WITHIN_SEGMENT.steps), "[^/]+")
_BELOW = Glob((Step(literal="/", skip=2), *_ANYTHING.steps), "(?:/.*)?")
_WITHIN_LABEL = _any_number("./:")
_LABELS = _any_number("/:")


def path(text: str) -> Glob:
    """A path without its trailing slash: `*` within a segment, `**` across segments, `/**` also for nothing at all."""
    return _chain(part for segment in text.split("/")[1:] for part in _segment(segment))


def host(text: str) -> Glob:
    """A host: `*` within a label, `**` across labels."""
    return _chain(_parts(text, _WITHIN_LABEL, _LABELS))


def _segment(segment: str) -> Iterator[Glob]:
    if segment == "**":
        yield _BELOW
        return
    yield _literal("/")
    yield from [_SEGMENT] if segment == "*" else _parts(segment, _WITHIN_SEGMENT, _ANYTHING)


def _parts(text: str, star: Glob, double: Glob) -> Iterator[Glob]:
    for c in text.replace("**", "\0"):
        yield double if c == "\0" else star if c == "*" else _literal(c)


def _literal(c: str) -> Glob:
    return Glob((Step(literal=c),), re2.escape(c))


def _chain(parts: Iterable[Glob]) -> Glob:
    known = list(parts)
    return Glob(tuple(step for part in known for step in part.steps), "".join(part.regex for part in known))


def overlap(a: Glob, b: Glob) -> bool:
    """Is there a text that both match?"""
    end = (len(a.steps), len(b.steps))
    seen: set[tuple[int, int]] = set()
    todo = [(0, 0)]
    while todo:
        at = todo.pop()
        if at == end:
            return True
        if at not in seen:
            seen.add(at)
            todo.extend(_onwards(a.steps, b.steps, *at))
    return False


def _onwards(a: tuple[Step, ...], b: tuple[Step, ...], i: int, j: int) -> Iterator[tuple[int, int]]:
    """Where both can stand after skipping steps, or after taking one character together."""
    left = a[i] if i < len(a) else None
    right = b[j] if j < len(b) else None
    if left and left.skip:
        yield i + left.skip, j
    if right and right.skip:
        yield i, j + right.skip
    if left and right and left.meets(right):
        # A repeated step is left by skipping it, so taking a character stays in it.
        yield i if left.repeat else i + 1, j if right.repeat else j + 1

"""The experiences of one page as a function: which of them apply to this visitor, with which audience?

What lives here: `page`, and how audiences, schedules and exclusion groups are woven together. What may not:
which experiences a URL has, status, splits, control (`decide`).

1. Experiences come in deciding order. The answer lists (index of experience, index of audience), in that
   order; usually there are none or one.
2. Of an experience, the first audience whose segment matches counts. Of an exclusion group, the first
   experience with such an audience decides, and the later ones of the group are not looked at. An experience
   outside its schedule (start included, end not) is not there.
3. The code is straight-line. What several segments read is read once, up front; what only one reads is read
   when its cheaper tests have held. A segment that several audiences use is asked once. Every line that a
   segment was made of ends with the segment's file, line and key.
4. A page of many segments is a row of such functions, each compiled when it is first asked (`prepare` does it
   ahead of the first visitor). They share what is decided: groups, and experiences that go on in the next one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple
from zlib import crc32

from engine.cel.scope import ROOTS
from engine.compile.form import NEVER, All, Fixed, Formula, Root
from engine.compile.loading import printable
from engine.compile.order import in_order, needed
from engine.compile.segments import formula
from engine.compile.source import Writer
from engine.words import Experience, Segment

Hits = list[tuple[int, int]]
PageFunction = Callable[..., Hits]

MOST_ALONE = 128  # segments of a page that is one function; one more costs such a page half a microsecond
MOST_STRAIGHT = 64  # segments in each function of a larger page: `compile` holds the GIL, for some 2 ms then
_MOST_NESTED = 8  # `if`s within each other; Python allows 100, people read 3


def page(experiences: Sequence[Experience], segments: Mapping[str, Segment]) -> PageFunction:
    """The function of one page; takes the roots in order.

    `experiences` are the live ones of the page in deciding order, `segments` holds at least those they name.
    """
    groups = Counter(e.exclusion_group for e in experiences if e.exclusion_group is not None)
    stretches = [
        _Stretch(parts, segments, frozenset(group for group, count in groups.items() if count > 1))
        for parts in _cut(experiences)
    ]
    return stretches[0].alone if len(stretches) == 1 else _Row(stretches)


def prepare(function: PageFunction) -> None:
    """Compiles now what a page of many segments would compile for its first visitor; takes seconds for 10,000."""
    if isinstance(function, _Row):
        for stretch in function.stretches:
            _ = stretch.in_row


def parts(function: PageFunction) -> tuple[object, ...]:
    """What a page function is made of, in parts that are freed quickly."""
    return function.stretches if isinstance(function, _Row) else (function,)


class _Part(NamedTuple):
    """The experience at one place, or a stretch of its audiences; `goes_on` where another function has others."""

    place: int
    experience: Experience
    audiences: tuple[tuple[int, str], ...]
    goes_on: bool


def _cut(experiences: Sequence[Experience]) -> list[list[_Part]]:
    """The experiences in stretches of at most `most` audiences; there is always one stretch."""
    most = MOST_STRAIGHT if sum(len(e.audiences) for e in experiences) > MOST_ALONE else MOST_ALONE
    stretches: list[list[_Part]] = [[]]
    room = most
    for index, experience in enumerate(experiences):
        waiting = [(number, audience.segment) for number, audience in enumerate(experience.audiences)]
        goes_on = len(waiting) > room
        while waiting:
            if room == 0:
                stretches.append([])
                room = most
            stretches[-1].append(_Part(index, experience, tuple(waiting[:room]), goes_on))
            waiting, room = waiting[room:], room - len(waiting[:room])
    return stretches


class _Row:
    """The functions of a page with many segments, one after the other."""

    def __init__(self, stretches: Sequence["_Stretch"]) -> None:
        self.stretches = tuple(stretches)

    def __call__(self, *roots: Any) -> Hits:
        """The hits for these roots."""
        hits: Hits = []
        decided: set[str | int] = set()
        for stretch in self.stretches:
            stretch.in_row(*roots, hits, decided)
        return hits


class _Stretch:
    """A stretch of a page that is one function: `alone`, or `in_row` with the hits and what is decided so far."""

    def __init__(self, parts: Sequence[_Part], segments: Mapping[str, Segment], groups: frozenset[str]) -> None:
        self._parts = parts
        self._segments = segments
        self._groups = groups

    @cached_property
    def alone(self) -> PageFunction:
        """The function of the roots that gives the hits."""
        return self._weaver(()).function("page_function")

    @cached_property
    def in_row(self) -> Callable[..., None]:
        """The function of the roots, the hits and what is decided, which it adds to."""
        return self._weaver(("hits", "decided")).function("page_function")

    def _weaver(self, state: tuple[str, ...]) -> "_Weaver":
        return _Weaver(self._parts, self._segments, self._groups, state)


class _Weaver:
    """Writes one stretch."""

    def __init__(
        self,
        parts: Sequence[_Part],
        segments: Mapping[str, Segment],
        groups: frozenset[str],
        state: tuple[str, ...],
    ) -> None:
        self._parts = parts
        self._segments = segments
        self._groups = groups
        self._state = state
        self._formulas = {key: formula(segments[key]) for part in parts for _, key in part.audiences}
        self._writer = Writer(ROOTS, _file_of(parts), state)
        self._asked: dict[str, str] = {}  # segment key to the local that holds its answer

    def function(self, name: str) -> Callable[..., Any]:
        """The function, written and loaded."""
        writer = self._writer
        if not self._state:
            writer.line(1, "hits = []")
            if self._groups:
                writer.line(1, "decided = set()")
        self._read_shared_terms()
        self._ask_shared_segments()
        for part in self._parts:
            self._experience(part)
        writer.line(1, "return None" if self._state else "return hits")
        return writer.function(name)

    def _read_shared_terms(self) -> None:
        users = Counter(term for formula in self._formulas.values() for term in needed(formula))
        for term, count in users.items():
            if count > 1:
                self._writer.read_term(term, 1)

    def _ask_shared_segments(self) -> None:
        users = Counter(key for part in self._parts for _, key in part.audiences)
        for key, count in users.items():
            if count > 1:
                self._asked[key] = f"m{len(self._asked)}"
                self._note(key)
                self._writer.read(self._formulas[key], 1)
                self._writer.line(1, f"{self._asked[key]} = {self._writer.expression(self._formulas[key])}")
        self._writer.note = ""

    def _experience(self, part: _Part) -> None:
        """One experience: `while True` is no loop, its end is where every audience leaves to."""
        writer, indent, experience = self._writer, 1, part.experience
        writer.note = printable(experience.key)
        tokens = self._tokens(part)
        conditions = [f"{token} not in decided" for token in tokens]
        if experience.start is not None:
            conditions.append(f"{writer.bind('d', experience.start, experience.start)} <= now")
        if experience.end is not None:
            conditions.append(f"now < {writer.bind('d', experience.end, experience.end)}")
        if conditions:
            writer.line(indent, f"if {' and '.join(conditions)}:")
            indent += 1
        writer.line(indent, "while True:")
        for number, key in part.audiences:
            if self._formulas[key] != NEVER:
                hit = writer.bind("h", (part.place, number), (part.place, number))
                ending = [f"hits.append({hit})", *(f"decided.add({token})" for token in tokens), "break"]
                self._audience(key, indent + 1, ending)
        writer.line(indent + 1, "break")
        writer.note = ""

    def _tokens(self, part: _Part) -> list[str]:
        """What must not be decided yet, and is when an audience of this part matches."""
        group = part.experience.exclusion_group
        tokens: list[str | int] = [group] if group is not None and group in self._groups else []
        tokens += [part.place] if part.goes_on else []
        return [self._writer.bind("g", token, token) for token in tokens]

    def _audience(self, key: str, indent: int, ending: Sequence[str]) -> None:
        """The tests of one audience, nested where one needs what nobody has read yet; then what a match does.

        What is read in here is needed by no other segment, or it would have been read up front.
        """
        writer, tests, nested = self._writer, [self._asked[key]] if key in self._asked else [], 0
        outer_note = writer.note
        self._note(key)
        for part in [] if key in self._asked else self._parts_of(key):
            unread = any(not isinstance(term, Fixed | Root) for term in needed(part, writer.known))
            if tests and unread and nested < _MOST_NESTED:
                writer.line(indent, f"if {' and '.join(tests)}:")
                indent, tests, nested = indent + 1, [], nested + 1
            writer.read(part, indent)
            tests.append(writer.expression(part))
        if tests:
            writer.line(indent, f"if {' and '.join(tests)}:")
            indent += 1
        for line in ending:
            writer.line(indent, line)
        writer.note = outer_note

    def _parts_of(self, key: str) -> list[Formula]:
        whole = self._formulas[key]
        return in_order(whole, self._writer.known) if isinstance(whole, All) else [whole]

    def _note(self, key: str) -> None:
        place = self._segments[key].place
        self._writer.note = printable(f"{place.file}:{place.line} {key}")


def _file_of(parts: Iterable[_Part]) -> str:
    """`<page corporate-website, pricing 3f2a…>`: the checksum keeps pages apart that begin alike."""
    names = [f"{part.experience.key}/{part.audiences[0][0]}" for part in parts if part.audiences]
    keys = list(dict.fromkeys(part.experience.key for part in parts))
    return f"<page {printable(', '.join(keys[:3]))} {crc32(repr(names).encode()):08x}>"

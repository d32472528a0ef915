"""The audiences of a page as rows of bits, cut into blocks.

What lives here: which bit a row has, what a hit strikes out, which rows have to be checked. What may not: terms and
their masks (`columns`), generated code (`index`).

1. An audience has the rows of its segment, and each row asks `now` too where the experience has a schedule. Rows stand
   in deciding order, and an earlier one is a higher bit: the first that is left is found by `bit_length`.
2. A block has at most `MOST_ROWS` of them: the masks of a term are as long as a block and as many as the values that
   its rows name, so what a row costs does not grow with the page. Classes of values are the same in all blocks.
3. A hit strikes out all rows of its experience, and of its exclusion group. What goes on in another block (a group, an
   experience of very many audiences) has a token; once it is decided, every later block leaves out its rows.
4. Rows that do not say all are weak: whoever they are left for is asked the segment. Segments are checked a few
   together, so that a page where most rows are weak costs what straight-line code costs.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from engine.compile.form import Root, Term
from engine.compile.pieces import Check, Pieces, Rest
from engine.compile.ranges import EVERY, Ranges, meet
from engine.compile.rows import Row
from engine.compile.terms import odd_terms
from engine.compile.values import Values
from engine.words import Experience, Segment

MOST_ROWS = 4_096  # of a block: an AND of 50 ns; half as many cost pages of 10,000 time, twice as many memory
CHECKED_TOGETHER = 16  # segments in one function: some microseconds, and 2 ms to compile, in which the GIL is held
NOW = Root("now", "time")

Token = str | int  # an exclusion group, or the place of an experience


class Line(NamedTuple):
    """One row: whose it is, and what it asks."""

    hit: tuple[int, int]  # index of experience, index of audience
    segment: str
    tokens: tuple[Token, ...]
    asks: Row
    exact: bool


def lines(
    experiences: Sequence[Experience], segments: Mapping[str, Segment], pieces: Pieces, rest: Rest
) -> Iterator[Line]:
    """The rows of a page, in deciding order."""
    groups = Counter(e.exclusion_group for e in experiences)
    for place, experience in enumerate(experiences):
        group = experience.exclusion_group
        tokens: tuple[Token, ...] = (place,) if group is None or groups[group] < 2 else (place, group)
        times = _schedule(experience)
        for number, audience in enumerate(experience.audiences):
            rest()
            rows = pieces.rows(segments[audience.segment])
            for row in rows.rows:
                yield Line((place, number), audience.segment, tokens, _at(row, times), rows.exact)


def _schedule(experience: Experience) -> Ranges:
    points = tuple(point for point in (experience.start, experience.end) if point is not None)
    if len(points) == 2 and points[0] >= points[1]:
        return Ranges(first=False, points=())
    return Ranges(experience.start is None, points)


def _at(row: Row, times: Ranges) -> Row:
    if times == EVERY:
        return row
    asked = row.get(NOW)
    return {**row, NOW: Values(times=times if asked is None else meet(asked.times, times))}


def cut(rows: Iterable[Line]) -> Iterator[list[Line]]:
    """The rows in blocks; an experience is cut only if it fills more than a block."""
    block: list[Line] = []
    for experience in _by_experience(rows):
        if block and len(block) + len(experience) > MOST_ROWS:
            yield block
            block = []
        block += experience
        while len(block) > MOST_ROWS:
            yield block[:MOST_ROWS]
            block = block[MOST_ROWS:]
    if block:
        yield block


def _by_experience(rows: Iterable[Line]) -> Iterator[list[Line]]:
    found: list[Line] = []
    for row in rows:
        if found and found[0].hit[0] != row.hit[0]:
            yield found
            found = []
        found.append(row)
    if found:
        yield found


class Checked(NamedTuple):
    """Segments that are checked together: how, which rows each has, and all rows that are none of theirs."""

    check: Check
    rows: tuple[int, ...]
    others: int

    def left(self, *roots: Any) -> int:
        """All rows but those of segments that do not match."""
        left = self.others
        for place in self.check(*roots):
            left |= self.rows[place]
        return left


class Block:
    """Some rows, as bits. Lists are by `bit_length`: the row of bit b is at b + 1."""

    def __init__(self, rows: Sequence[Line], segments: Mapping[str, Segment], pieces: Pieces, rest: Rest) -> None:
        self.bits = len(rows)
        lowest = [*reversed(rows)]
        self.asking: dict[Term, dict[Values, list[int]]] = {}
        for bit, row in enumerate(lowest):
            for term, values in row.asks.items():
                self.asking.setdefault(term, {}).setdefault(values, []).append(bit)
        self.hits: list[tuple[int, int]] = [(0, 0), *(row.hit for row in lowest)]
        self.bits_of = _bits_by(lowest)
        self.tokens: list[tuple[Token, ...]] = [(), *(row.tokens for row in lowest)]
        self.afters = self._afters(lowest)
        self.weak = mask(bit for bit, row in enumerate(lowest) if not row.exact)
        self.odd = mask(bit for bit, row in enumerate(lowest) if any(odd_terms(term) for term in row.asks))
        self.checks = self._checks(lowest, segments, pieces, rest)

    def _afters(self, lowest: Sequence[Line]) -> list[int]:
        """What a hit leaves: of its experience's rows and its group's none, above itself none either."""
        afters, made = [0], dict[tuple[Token, ...], int]()
        for row in lowest:
            if row.tokens not in made:
                below = _below(self.bits_of[row.tokens[0]][0])
                made[row.tokens] = below & self.without(row.tokens[1]) if len(row.tokens) > 1 else below
            afters.append(made[row.tokens])
        return afters

    def without(self, token: Token) -> int:
        """All rows but those of this token."""
        return ((1 << self.bits) - 1) ^ mask(self.bits_of[token])

    def all_tokens(self) -> set[Token]:
        """The tokens that its rows have."""
        return set(self.bits_of)

    def has(self, token: Token) -> bool:
        """Does one of its rows have this token?"""
        return token in self.bits_of

    def _checks(
        self, lowest: Sequence[Line], segments: Mapping[str, Segment], pieces: Pieces, rest: Rest
    ) -> list[Checked | None]:
        checked: list[Checked | None] = [None] * (self.bits + 1)
        doubtful = self.weak | self.odd
        rows: dict[str, list[int]] = {}
        for bit, row in enumerate(lowest):
            if doubtful >> bit & 1:
                rows.setdefault(row.segment, []).append(bit)
        keys = sorted(rows, key=lambda key: -rows[key][-1])
        for start in range(0, len(keys), CHECKED_TOGETHER):
            rest()
            some = keys[start : start + CHECKED_TOGETHER]
            masks = tuple(mask(rows[key]) for key in some)
            one = Checked(
                pieces.check([segments[key] for key in some]),
                masks,
                ((1 << self.bits) - 1) ^ mask(chain.from_iterable(rows[key] for key in some)),
            )
            for bit in chain.from_iterable(rows[key] for key in some):
                checked[bit + 1] = one
        return checked


@cache
def _below(bit: int) -> int:
    """All lower bits; the same in all blocks, so that what hits need stays near the processor."""
    return (1 << bit) - 1


def _bits_by(lowest: Sequence[Line]) -> dict[Token, list[int]]:
    bits: dict[Token, list[int]] = {}
    for bit, row in enumerate(lowest):
        for token in row.tokens:
            bits.setdefault(token, []).append(bit)
    return bits


def mask(bits: Iterable[int]) -> int:
    """The number that has these bits."""
    made = bytearray(MOST_ROWS // 8 + 1)
    for bit in bits:
        made[bit >> 3] |= 1 << (bit & 7)
    return int.from_bytes(made, "little")

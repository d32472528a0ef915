"""Many segments, matched all at once: one look-up and one AND for every term that they ask (DESIGN section 4, 2).

What lives here: `Index`, which puts looks, blocks and the function of a visit together. What may not: which values a
row lets through (`rows`), masks (`columns`), pages that are no index (`pages`).

1. A visit reads every term once and looks its value up. Block by block, the masks that belong to what was found are
   ANDed; what is left are the rows that hold, and the highest bit of them is the first hit.
2. The function of a visit is generated: t0 is a term, k0 what was found of it, m0 its masks in a block.
3. Where a term is `ODD` every row lets it through, and those that ask it are checked.
4. An index of many experiences serves the pages on which only some of them are (`only`): the rows of the others are
   struck out before anything else, by numbers that a page costs, and nothing is compiled.
5. Rows that are weak, or doubtful for an odd term, are checked when they are the first that is left, not before: most
   are struck out by then. `unsure` are those that were not checked yet.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any
from zlib import crc32

from engine.cel.scope import ROOTS
from engine.compile.blocks import Block, Token, cut, lines, mask
from engine.compile.form import Term, Test
from engine.compile.loading import printable
from engine.compile.looks import Look, looks
from engine.compile.pieces import Pieces, Rest
from engine.compile.source import Writer
from engine.compile.terms import odd_terms
from engine.compile.values import Values
from engine.words import Experience, Segment

Hits = list[tuple[int, int]]

_ANDED_AT_ONCE = 24  # in one expression: Python's own parser gives up at some hundreds


class Index:
    """A page of many segments; called with the roots in order. `run` is the shorter way to call it."""

    def __init__(
        self, experiences: Sequence[Experience], segments: Mapping[str, Segment], pieces: Pieces, rest: Rest
    ) -> None:
        keys = [experience.key for experience in experiences]
        filename = f"<index of {printable(', '.join(keys[:3]))} {crc32(repr(keys).encode()):08x}>"
        blocks = [Block(rows, segments, pieces, rest) for rows in cut(lines(experiences, segments, pieces, rest))]
        asked: dict[Term, dict[Values, None]] = {}
        for block in blocks:
            for term, asking in block.asking.items():
                asked.setdefault(term, {}).update(dict.fromkeys(asking))
        found = list(looks({term: list(different) for term, different in asked.items()}))
        self._masks = [[_masks(look, block, rest) for look in found] for block in blocks]
        self._more = [part for block in blocks for part in (block.hits, *block.checks)]
        self._bits_of = [block.bits_of for block in blocks]
        self._rows_at = len(found)
        visit = _Visit(filename, found, blocks, self._masks)
        self._blocks = visit.blocks
        self._written = visit.function()
        self.run = self._over(self._blocks)

    def __call__(self, *roots: Any) -> Hits:
        """The hits for these roots."""
        return self.run(*roots)

    def only(self, places: Collection[int]) -> Callable[..., Hits]:
        """The function of a page that has only the experiences at these places; its hits have the same places."""
        blocks, at = [], self._rows_at
        for block, bits_of in zip(self._blocks, self._bits_of, strict=True):
            rows = mask(bit for place in places for bit in bits_of.get(place, ()))
            if rows:
                blocks.append((*block[:at], rows, *block[at + 1 :]))
        return self._over(blocks)

    def _over(self, blocks: Sequence[Sequence[Any]]) -> Callable[..., Hits]:
        """The function that goes through these blocks."""
        written = self._written
        return FunctionType(written.__code__, written.__globals__, written.__name__, (blocks,))

    def parts(self) -> tuple[object, ...]:
        """What it is made of, in parts that are freed quickly."""
        return (*(masks for block in self._masks for masks in block), *self._more)


def _masks(look: Look, block: Block, rest: Rest) -> Any:
    rest()
    return look.masks(block.asking, block.bits)


class _Visit:
    """Writes the function of a visit."""

    def __init__(
        self, filename: str, found: Sequence[Look], blocks: Sequence[Block], masks: Sequence[Sequence[Any]]
    ) -> None:
        self._looks = found
        self._checks = any(block.weak or block.odd for block in blocks)
        self._going_on = _in_several(blocks)
        self._writer = Writer(ROOTS, filename, more_parameters=("blocks",))
        self.blocks = [(*of_looks, *self._rest_of(block)) for block, of_looks in zip(blocks, masks, strict=True)]

    def _rest_of(self, block: Block) -> Iterator[Any]:
        """What the function takes of a block, besides its masks; `_names` are the same in the same order."""
        yield (1 << block.bits) - 1
        yield block.hits
        yield block.afters
        if self._checks:
            yield block.weak
            yield block.weak | block.odd
            yield block.checks
        if self._going_on:
            yield {token: block.without(token) for token in self._going_on if block.has(token)}
            yield [tuple(token for token in tokens if token in self._going_on) for tokens in block.tokens]

    def _names(self) -> Iterator[str]:
        for number in range(len(self._looks)):
            yield f"m{number}"
        yield from ("rows", "hit", "after")
        if self._checks:
            yield from ("weak", "doubtful", "checks")
        if self._going_on:
            yield from ("without", "tokens")

    def function(self) -> Callable[..., Hits]:
        """The function, written and loaded; it takes the blocks after the roots."""
        writer = self._writer
        for number, look in enumerate(self._looks):
            self._look(number, look)
        if self._checks:
            odd = [term for look in self._looks for term in odd_terms(look.term)]
            writer.line(1, f"odd = {self._any_odd(odd) or False}")
        writer.line(1, "hits = []")
        if self._going_on:
            writer.line(1, "decided = []")
        writer.line(1, f"for {', '.join(self._names())} in blocks:")
        self._rows_left()
        writer.line(2, "while rows:")
        writer.line(3, "top = rows.bit_length()")
        if self._checks:
            self._checked()
        writer.line(3, "hits.append(hit[top])")
        if self._going_on:
            writer.line(3, "decided += tokens[top]")
        writer.line(3, "rows &= after[top]")
        writer.line(1, "return hits")
        return writer.function("index")

    def _look(self, number: int, look: Look) -> None:
        """Reads the term, and looks its value up."""
        writer = self._writer
        writer.read(Test("present", (look.term,)), 1)
        expression = look.find(lambda name, value: writer.bind(name, id(value), value), writer.value(look.term))
        odd = self._any_odd(odd_terms(look.term))
        writer.line(1, f"k{number} = {f'{look.open} if {odd} else ' if odd else ''}{expression}")

    def _any_odd(self, terms: Sequence[Term]) -> str:
        return " or ".join(f"{self._writer.value(term)} is ODD" for term in dict.fromkeys(terms))

    def _rows_left(self) -> None:
        """The rows that hold, and are not decided yet."""
        writer = self._writer
        masks = [f"m{n}(k{n})" if look.called else f"m{n}[k{n}]" for n, look in enumerate(self._looks)]
        for start in range(0, len(masks), _ANDED_AT_ONCE):
            writer.line(2, f"rows &= {' & '.join(masks[start : start + _ANDED_AT_ONCE])}")
        if self._going_on:
            writer.line(2, "for token in decided:")
            writer.line(3, "rows &= without.get(token, rows)")
        if self._checks:
            writer.line(2, "unsure = rows & (doubtful if odd else weak)")

    def _checked(self) -> None:
        """A first row that is unsure is checked, and whoever is first then is looked at anew."""
        writer = self._writer
        writer.line(3, "if unsure.bit_length() >= top:")
        writer.line(4, "unsure &= rows")
        writer.line(4, "if unsure.bit_length() == top:")
        writer.line(5, "check = checks[top]")
        writer.line(5, f"rows &= check.left({', '.join(ROOTS)})")
        writer.line(5, "unsure &= check.others")
        writer.line(5, "continue")


def _in_several(blocks: Sequence[Block]) -> frozenset[Token]:
    """The tokens that have rows in more than one block."""
    seen: set[Token] = set()
    several: set[Token] = set()
    for block in blocks:
        own = block.all_tokens()
        several |= seen & own
        seen |= own
    return frozenset(several)

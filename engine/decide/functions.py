"""Which function matches a page: one of its own, or that of all experiences with the others struck out.

What lives here: the functions of a ruleset's pages, what they weigh, what is taken over from the ruleset before. What
may not: URLs, and how a function is made (`compile.pages`).

1. A page is a set of experiences, by their places in deciding order. A small one is quickest by a function of its own.
2. What functions hold grows with the rows of their segments, so all of them together have `limits.PAGE_ROWS`. Beyond
   that, and where a page has half of all rows anyway, the *common* index serves it: then a page costs some numbers
   that say which rows are its own. So neither memory nor time grows with the number of sets that URLs can make.
3. A function is compiled where nobody waits for it (between `begin` and `end`), or when it is tiny. A set that nobody
   foresaw has the common index.
4. The hits of a function are places in `order`: of the page's experiences, or of all.
5. A ruleset that nobody made ready (`begin`) compiles what is asked for, when it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from engine.compile.pages import Common, common, direct, parts
from engine.compile.pages import page as compile_page
from engine.compile.pieces import Pieces, Rest, meaning
from engine.limits import PAGE_ROWS, PAGE_ROWS_LEAST, ROWS_AT_ONCE
from engine.words import Experience, Segment

PageFunction: TypeAlias = Callable[..., list[tuple[int, int]]]  # gives (place of experience, index of audience)
Places: TypeAlias = tuple[int, ...]

_MANY = 200  # rows; a page of fewer may be straight-line code, which is quicker


class Matching(NamedTuple):
    """A page's function, and the experiences that its hits are places of."""

    function: PageFunction
    order: tuple[Experience, ...]


class Functions:
    """The functions of all pages of a ruleset."""

    __slots__ = ("_ahead", "_common", "_experiences", "_held", "_own", "_pieces", "_rows", "_segments", "_taken")

    def __init__(self, experiences: Sequence[Experience], segments: Mapping[str, Segment]) -> None:
        """`experiences` are the live ones in deciding order."""
        self._experiences = tuple(experiences)
        self._segments = segments
        self._rows = [len(experience.audiences) for experience in experiences]
        self._pieces = Pieces()
        self._own: dict[Places, PageFunction] = {}
        self._held = 0
        self._common: Common | None = None
        self._taken: dict[Any, PageFunction] = {}
        self._ahead = False

    def begin(self, before: "Functions | None", rest: Rest) -> None:
        """Nobody waits for what is asked for from now on; where nothing changed since `before` it is taken over."""
        self._ahead = True
        if before is not None:
            self._pieces = Pieces(before._pieces)
            self._taken = {before._meaning(places): function for places, function in before._own.items()}
            if before._common is not None and self._means_what(before, rest):
                self._common = before._common
        if sum(self._rows) > ROWS_AT_ONCE:
            self._of_all(rest)

    def end(self) -> None:
        """From now on somebody waits."""
        self._pieces.alone(self._segments.values())
        self._taken = {}
        self._ahead = False

    def parts(self) -> Iterator[object]:
        """What they are made of, in parts that are freed quickly."""
        for function in (*self._own.values(), *((self._common,) if self._common else ())):
            yield from parts(function)
        yield from self._pieces.parts()

    def of(self, places: Places, rest: Rest) -> Matching:
        """The function of the page that has the experiences at these places. What `of` said before is said again."""
        own = self._own.get(places)
        if own is None:
            rows = sum(self._rows[place] for place in places)
            if self._shares(rows):
                return Matching(self._of_all(rest).only(places), self._experiences)
            own = self._taken.get(self._meaning(places)) if self._taken else None
            if own is None:
                own = compile_page(self._at(places), self._segments, self._pieces, rest)
            self._own[places] = own
            self._held += rows + PAGE_ROWS_LEAST
        return Matching(direct(own), self._at(places))

    def _shares(self, rows: int) -> bool:
        if self._held + rows + PAGE_ROWS_LEAST > PAGE_ROWS:
            return True
        if self._common is None:
            return False
        return rows > ROWS_AT_ONCE if not self._ahead else rows > _MANY and 2 * rows >= sum(self._rows)

    def _of_all(self, rest: Rest) -> Common:
        if self._common is None:
            self._common = common(self._experiences, self._segments, self._pieces, rest)
        return self._common

    def _at(self, places: Places) -> tuple[Experience, ...]:
        return tuple(self._experiences[place] for place in places)

    def _means_what(self, before: "Functions", rest: Rest) -> bool:
        """Would its common index be ours? One by one: to compare them in one go would hold the interpreter."""
        if len(self._experiences) != len(before._experiences):
            return False
        for ours, theirs in zip(self._experiences, before._experiences, strict=True):
            rest()
            if _meaning(ours, self._segments) != _meaning(theirs, before._segments):
                return False
        return True

    def _meaning(self, places: Places) -> Any:
        """All that a page function takes from experiences, but for the lines in its comments."""
        return tuple(_meaning(self._experiences[place], self._segments) for place in places)


def _meaning(experience: Experience, segments: Mapping[str, Segment]) -> tuple[Any, ...]:
    asked = tuple((audience.segment, meaning(segments[audience.segment])) for audience in experience.audiences)
    return (experience.key, experience.exclusion_group, experience.start, experience.end, asked)

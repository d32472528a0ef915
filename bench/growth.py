"""How does the time of one visitor grow with the number of segments on the page?

1. The function that the engine makes of a page, for pages of 100 segments and more, four to an experience; the same
   visitors for all. Seconds of computing, in turns (`bench.turns`).
2. Two shapes. `alike`: every segment is as wide as any, so that a visitor of 10,000 matches a hundred times as many as
   one of 100, and each hit is an entry of the answer. `narrower`: the more segments there are, the narrower is each, so
   that hits stay about as few: the question is the segments alone.
"""

from collections.abc import Callable, Iterable
from statistics import mean, median

from bench import audiences
from bench.table import Drawn, Row, duration, row
from bench.turns import Way, in_turns, ratio
from engine.compile.pages import page
from engine.words import Ruleset

FIRST = 100
WIDTH, NARROWEST = 200, 2
VISITORS = 200


def alike(_: int) -> int:
    """The width of a segment, whatever the number of segments."""
    return WIDTH


def narrower(segments: int) -> int:
    """The width of a segment where there are so many."""
    return max(NARROWEST, WIDTH * FIRST // segments)


def rows(sizes: Iterable[int], rules: Callable[[int, int], Ruleset], width: Callable[[int], int]) -> list[Row]:
    """Each size beside the first; `rules` makes them, given their number and the width of each."""
    people = audiences.visitors(VISITORS)
    ways, hits = {}, {}
    for size in (FIRST, *sizes):
        ways[str(size)], hits[size] = way(rules(size, width(size)), people)
    took = in_turns(ways)
    visitor_s = {size: median(took[str(size)]) / len(people) for size in hits}
    bars = {10_000: "growth" if width is narrower else "growth with hits", 100_000: "growth far"}
    return [
        row(
            f"match {size:,} segments, {hits[size]:.2g} hits a visitor",
            duration(visitor_s[size]),
            f"{FIRST} segments, {hits[FIRST]:.2g} hits a visitor",
            duration(visitor_s[FIRST]),
            ratio(took[str(size)], took[str(FIRST)]),
            unit="x the time",
            bar=bars.get(size),
            drawn=Drawn(f"growth {width.__name__}", size, visitor_s[size], visitor_s[FIRST]),
        )
        for size in sizes
    ]


def way(ruleset: Ruleset, people: list[audiences.Traits]) -> tuple[Way, float]:
    """What asks the page once for every visitor, and has; and how many hits each has on average."""
    function = page(list(ruleset.experiences.values()), ruleset.segments)
    nothing: audiences.Traits = {}

    def all_visitors() -> list[int]:
        return [len(function(traits, nothing, nothing, nothing, nothing, nothing, nothing, None)) for traits in people]

    return all_visitors, mean(all_visitors())

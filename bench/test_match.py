"""Which segments match: the function of a page beside the reference implementation of CEL, and an index beside code.

1. `test_match`: the same rules, asked segment by segment of the reference implementation.
2. `test_shapes`: rules of several kinds, as straight-line code and as an index; `taken` is what a page would be.
"""

import random
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import cycle
from statistics import median
from typing import Any

import pytest

from bench.audiences import INDUSTRIES, PLANS
from bench.table import duration, row
from bench.turns import in_turns, ratio
from engine.cel.oracle import prepare
from engine.cel.parse import parse
from engine.cel.scope import ROOTS
from engine.compile import pages
from engine.compile.index import Index
from engine.compile.pages import page as compile_page
from engine.compile.pieces import Pieces
from engine.words import Audience, Condition, Experience, Page, Place, Profile, Ruleset, Segment, Visit

SIZES = (20, 100)


def roots_of(profile: Profile, page: Page, visit: Visit, now: datetime) -> tuple[Any, ...]:
    """What conditions see of one view, in the order of generated functions' arguments."""
    fields = {
        "url": page.url,
        "host": "www.example.com",
        "path": "/",
        "query": {"utm_source": "mail"},
        "referrer": page.referrer,
    }
    return profile.traits, profile.account, {}, fields, {"count": visit.count}, visit.device, visit.geo, now


def generated(ruleset: Ruleset) -> Callable[..., list[tuple[int, int]]]:
    """The engine's own way: one function for the page."""
    return compile_page(list(ruleset.experiences.values()), ruleset.segments)


def reference(ruleset: Ruleset) -> Callable[..., list[tuple[int, int]]]:
    """The plain way: ask the reference implementation about each segment, in order."""
    whens = {key: [prepare(when.checked) for when in segment.when] for key, segment in ruleset.segments.items()}
    experiences = list(ruleset.experiences.values())

    def match(*roots: Any) -> list[tuple[int, int]]:
        bindings = dict(zip(ROOTS, roots, strict=True))
        found = []
        for index, experience in enumerate(experiences):
            for place, audience in enumerate(experience.audiences):
                if all(when.truth(bindings) is True for when in whens[audience.segment]):
                    found.append((index, place))
                    break
        return found

    return match


@pytest.mark.parametrize("segments", SIZES)
@pytest.mark.parametrize("way", [generated, reference])
def test_match(benchmark, rules, profiles, page, visit, now, way, segments):
    """Matching one visitor against every segment of the page; both ways give the same answers."""
    benchmark.group = f"match {segments} segments of 4 comparisons"
    ruleset = rules(segments)
    visitors = [roots_of(profile, page, visit, now) for profile in profiles]
    match = way(ruleset)
    other = generated(ruleset)
    assert [match(*roots) for roots in visitors[:100]] == [other(*roots) for roots in visitors[:100]]
    following = cycle(visitors)
    benchmark(lambda: match(*next(following)))


SHAPES: dict[str, Callable[[random.Random], str]] = {
    "two comparisons with `==`": lambda c: (
        f'traits.industry == "{c.choice(INDUSTRIES)}" && traits.plan == "{c.choice(PLANS)}"'
    ),
    "any of two": lambda c: (
        f'traits.employees > {c.randrange(5_000)} && (traits.plan == "{c.choice(PLANS)}" || traits.vip)'
    ),
    "a pattern": lambda c: f'traits.email.matches("^person{c.randrange(1_000)}@example[.]")',
    "a part of a text": lambda c: f'traits.email.contains("person{c.randrange(1_000)}@")',
    "a part of the path": lambda c: f'page.path.startsWith("/products/{c.randrange(1_000)}/")',
    "how long ago": lambda c: f'now - timestamp(traits.created) < duration("{c.randrange(10_000)}h")',
    "50 traits": lambda c: f'traits.t{c.randrange(50)} == "yes" && traits.t{c.randrange(50)} != "no"',
    "1,000 traits": lambda c: f'traits.t{c.randrange(1_000)} == "yes" && traits.plan == "{c.choice(PLANS)}"',
    "what no index narrows": lambda c: f"traits.t{c.randrange(50)} == traits.employees",
}
"""Rules of other kinds: how the two ways compare depends on what is asked."""


def shaped(shape: Callable[[random.Random], str], count: int, page: str) -> tuple[list[Experience], dict[str, Segment]]:
    """A page of so many segments of a kind, each the one audience of an experience."""
    chance, place = random.Random(5), Place("bench", 1, 1)
    texts = [shape(chance) for _ in range(count)]
    segments = {
        f"s{n}": Segment(f"s{n}", text, (Condition(text, place, parse(text)),), (), place)
        for n, text in enumerate(texts)
    }
    experiences = [
        Experience(
            f"e{key}",
            key,
            (page,),
            "live",
            None,
            None,
            0,
            "visitor",
            None,
            0,
            (Audience(key, 0, "", (), place),),
            place,
        )
        for key in segments
    ]
    return experiences, segments


@pytest.mark.parametrize("segments", [20, 100])
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(table, monkeypatch, profiles, page, visit, now, shape, segments):
    """The index beside straight-line code, and which of them is taken."""
    made = shaped(SHAPES[shape], segments, page.url)
    taken = isinstance(compile_page(*made), Index)
    index = Index(*made, Pieces(), lambda: None).run
    monkeypatch.setattr(pages, "_index_cost", lambda *_: float("inf"))
    straight = compile_page(*made)
    visitors = [roots_of(profile, page, visit, now) for profile in profiles[:200]]
    assert [index(*roots) for roots in visitors] == [straight(*roots) for roots in visitors]
    ways = {name: partial(_each, way, visitors) for name, way in (("index", index), ("straight", straight))}
    took = in_turns(ways, rounds=7)
    index_s, straight_s = (duration(median(took[name]) / len(visitors)) for name in ways)
    what = f"{segments} segments, {shape}: index{' (taken)' if taken else ''}"
    table.append(row(what, index_s, "straight-line code", straight_s, ratio(took["straight"], took["index"])))


def _each(way: Callable[..., object], visitors: list[tuple[Any, ...]]) -> None:
    for roots in visitors:
        way(*roots)

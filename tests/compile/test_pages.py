"""Law: a page's function answers what asking the oracle segment by segment answers, whichever function it is."""

import gc
import linecache
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import ModuleType
from typing import Any
from weakref import ref

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from engine.cel.oracle import truth
from engine.compile import pages
from engine.compile.index import Index
from engine.compile.loading import source_of
from engine.compile.pages import common, direct, page, parts
from engine.compile.pieces import Pieces
from engine.words import Experience, Segment


def naive(
    experiences: Sequence[Experience], segments: dict[str, Segment], bindings: dict[str, Any]
) -> list[tuple[int, int]]:
    """The meaning, word for word, with the oracle."""

    def matches(segment: Segment) -> bool:
        return all(truth(c.checked, bindings) is True for c in segment.when) and not any(
            truth(c.checked, bindings) is True for c in segment.excepts
        )

    hits: list[tuple[int, int]] = []
    decided: set[str | None] = set()
    for i, e in enumerate(experiences):
        in_time = (e.start is None or e.start <= bindings["now"]) and (e.end is None or bindings["now"] < e.end)
        if not in_time or e.exclusion_group in decided:
            continue
        j = next((j for j, a in enumerate(e.audiences) if matches(segments[a.segment])), None)
        if j is not None:
            hits.append((i, j))
            decided |= {e.exclusion_group} - {None}
    return hits


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("how", ["straight", "index", "common"])
def test_page_is_naive(grammar: ModuleType, segment_of: Any, experience_of: Any, how: str, data: Any) -> None:
    """With shared segments, groups and schedules, all ways: `common` is an index of more than the page has."""
    simple = st.one_of(grammar.comparisons(), st.sampled_from(["true", "false", 'traits.a == "a"', "traits.b < 3"]))
    texts = simple.filter(lambda text: grammar.checked(text) is not None)
    keys = [f"s{i}" for i in range(data.draw(st.integers(1, 6)))]
    conditions = st.lists(texts, max_size=2)
    segments = {key: segment_of(*data.draw(conditions), excepts=tuple(data.draw(conditions)), key=key) for key in keys}
    times = st.sampled_from([None, None, grammar.NOW, grammar.NOW + timedelta(seconds=1), grammar.NOW - timedelta(1)])
    experiences = [
        experience_of(
            f"e{i}",
            *data.draw(st.lists(st.sampled_from(keys), min_size=1, max_size=5)),
            group=data.draw(st.sampled_from([None, "g", "h"])),
            start=data.draw(times),
            end=data.draw(times),
        )
        for i in range(data.draw(st.integers(0, 5)))
    ]
    places = sorted(data.draw(st.sets(st.sampled_from(range(len(experiences)))))) if experiences else []
    if how == "common":
        whole = common(experiences, segments, Pieces())
        function = whole.only(places)
    else:
        places = [*range(len(experiences))]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pages, "_index_cost" if how == "straight" else "_straight_cost", lambda *_: float("inf"))
            function = page(experiences, segments)
        assert isinstance(function, Index) is (how == "index")
    note(source_of(direct(function)))
    for _ in range(3):
        roots = data.draw(grammar.visitors())
        bindings = dict(zip((*grammar.ROOTS, "now"), roots, strict=True))
        expected = naive([experiences[place] for place in places], segments, bindings)
        assert function(*roots) == [(places[place], audience) for place, audience in expected]
        assert direct(function)(*roots) == function(*roots)


@pytest.mark.parametrize(
    ("count", "text", "index"),
    [
        (5, 'traits.plan == "plan {}"', False),
        (100, 'traits.plan == "plan {}"', True),
        (100, 'traits.t{} == "yes"', False),
        (5, 'traits.email.matches("@company{}[.]org$")', True),
        (pages.MOST_STRAIGHT + 1, 'traits.t{} == "yes"', True),
    ],
    ids=["few", "many", "of many traits", "patterns", "very many"],
)
def test_the_quicker_way_is_taken(segment_of: Any, experience_of: Any, count: int, text: str, index: bool) -> None:
    """Few segments are straight-line code, and so are those of as many traits; many, and patterns, are an index."""
    segments = {f"s{i}": segment_of(text.format(i), key=f"s{i}") for i in range(count)}
    assert isinstance(page([experience_of("e", *segments)], segments), Index) is index


def test_lines_name_their_rule(segment_of: Any, experience_of: Any) -> None:
    """Every line of a segment ends with its file, line and key, on one line whatever the key holds."""
    segments = {"we\nird": segment_of("traits.a == 1", key="we\nird", line=7)}
    source = source_of(page([experience_of("home", "we\nird")], segments))
    body = [line for line in source.splitlines() if "t0" in line or "hits.append" in line]
    assert len(body) == 3
    assert all(line.endswith("  # rules/segments.yaml:7 we?ird") for line in body)


def made(segment_of: Callable[..., Segment], experience_of: Callable[..., Experience], count: int) -> Any:
    """A page of so many segments, all of which have to be checked."""
    texts = ("traits.a.exists(x, x == traits.b)", "traits.a.map(x, x) == [1]", "traits.plan == 'a'")
    segments = {f"s{i}": segment_of(*texts, f"traits.b != {i}", key=f"s{i}") for i in range(count)}
    return page([experience_of(f"e{key}", key) for key in segments], segments, Pieces())


@pytest.mark.parametrize("count", [1, pages.MOST_STRAIGHT + 1])
def test_nothing_is_left_behind(segment_of: Any, experience_of: Any, count: int) -> None:
    """An old page goes at once, without the garbage collector, and so do its lines."""
    gc.disable()
    try:
        before = len(linecache.cache)
        function = made(segment_of, experience_of, count)
        gone = [ref(part) for part in (function, direct(function)) if hasattr(part, "__weakref__") or callable(part)]
        assert len(linecache.cache) > before
        del function
        assert [one() for one in gone] == [None, None]
        assert len(linecache.cache) == before
    finally:
        gc.enable()


def test_parts_hold_what_is_large(segment_of: Any, experience_of: Any) -> None:
    """Who frees the parts one after the other never frees much at once: they are the masks, term by term."""
    straight, index = (made(segment_of, experience_of, count) for count in (1, pages.MOST_STRAIGHT + 1))
    assert parts(straight) == (straight,)
    assert len(parts(index)) > 1

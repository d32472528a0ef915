"""Law: a page's function answers what asking the oracle segment by segment answers."""

import gc
import linecache
from collections.abc import Sequence
from datetime import timedelta
from types import ModuleType
from typing import Any
from weakref import ref

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from engine.cel.oracle import truth
from engine.compile import pages
from engine.compile.loading import source_of
from engine.compile.pages import page, prepare
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


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("most_straight", [128, 3])
def test_page_is_naive(grammar: ModuleType, segment_of: Any, experience_of: Any, most_straight: int, data: Any) -> None:
    """With shared segments, groups and schedules, in one function and in several."""
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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "MOST_STRAIGHT", most_straight)
        patch.setattr(pages, "MOST_ALONE", most_straight)
        function = page(experiences, segments)
    if most_straight == 128:
        note(source_of(function))
    for _ in range(3):
        roots = data.draw(grammar.visitors())
        expected = naive(experiences, segments, dict(zip((*grammar.ROOTS, "now"), roots, strict=True)))
        assert function(*roots) == expected


def test_lines_name_their_rule(segment_of: Any, experience_of: Any) -> None:
    """Every line of a segment ends with its file, line and key, on one line whatever the key holds."""
    segments = {"we\nird": segment_of("traits.a == 1", key="we\nird", line=7)}
    source = source_of(page([experience_of("home", "we\nird")], segments))
    body = [line for line in source.splitlines() if "t0" in line or "hits.append" in line]
    assert len(body) == 3
    assert all(line.endswith("  # rules/segments.yaml:7 we?ird") for line in body)


def test_long_pages(segment_of: Any, experience_of: Any, visitor: Any) -> None:
    """A page of many segments compiles nothing until it is asked or prepared, and answers the same."""
    count = pages.MOST_ALONE + 5
    segments = {f"s{i}": segment_of(f"traits.n == {i}", key=f"s{i}") for i in range(count)}
    function = page([experience_of("all", *segments)], segments)
    before = len(linecache.cache)
    prepare(function)
    assert len(linecache.cache) == before + 3
    assert [function(*visitor(n=n)) for n in (0, count - 1, count)] == [[(0, 0)], [(0, count - 1)], []]


def test_nothing_is_left_behind(segment_of: Any, experience_of: Any) -> None:
    """An old page goes at once, without the garbage collector, and so do its lines."""
    texts = ("traits.a.exists(x, x == traits.b)", "traits.a.map(x, x) == [1]")
    segments = {"s": segment_of(*texts, key="s")}
    gc.disable()
    try:
        before = len(linecache.cache)
        function = page([experience_of("e", "s")], segments)
        gone = ref(function)
        assert len(linecache.cache) > before
        del function
        assert gone() is None
        assert len(linecache.cache) == before
    finally:
        gc.enable()

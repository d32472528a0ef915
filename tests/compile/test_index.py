"""Law: an index answers what straight-line code answers, whatever rules and visitors are like."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from engine.compile import blocks, looks, pages, patterns
from engine.compile.index import Index
from engine.compile.loading import source_of
from engine.compile.pieces import Pieces
from engine.words import Experience, Segment


def index(experiences: Sequence[Experience], segments: dict[str, Segment]) -> Index:
    """The index of a page."""
    return Index(experiences, segments, Pieces(), lambda: None)


def straight(experiences: Sequence[Experience], segments: dict[str, Segment]) -> Any:
    """The page as straight-line code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "_index_cost", lambda *_: float("inf"))
        return pages.page(experiences, segments)


SIZES = st.fixed_dictionaries(
    {
        (blocks, "MOST_ROWS"): st.sampled_from([3, 9, 4_096]),
        (blocks, "CHECKED_TOGETHER"): st.sampled_from([1, 2, 16]),
        (looks, "MOST_ALONE"): st.sampled_from([0, 2, 64]),
        (patterns, "MOST_TOGETHER"): st.sampled_from([1, 2, 200]),
    }
)


def both_ways(grammar: ModuleType, segment_of: Any, experience_of: Any, data: Any, most: int) -> None:
    """One page of at most so many segments, and a few visitors."""
    keys = [f"s{i}" for i in range(data.draw(st.integers(1, most)))]
    conditions = st.lists(grammar.rules, max_size=2)
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
        for i in range(data.draw(st.integers(0, most)))
    ]
    one = straight(experiences, segments)
    with pytest.MonkeyPatch.context() as patch:
        for (module, name), size in data.draw(SIZES).items():
            patch.setattr(module, name, size)
        other = index(experiences, segments)
    note(source_of(one))
    for _ in range(5):
        roots = data.draw(grammar.visitors())
        assert other(*roots) == one(*roots)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_both_ways(grammar: ModuleType, segment_of: Any, experience_of: Any, data: Any) -> None:
    """Blocks of three rows, checks of one segment, every map wide, or as it is: the answers are the same."""
    both_ways(grammar, segment_of, experience_of, data, most=6)


@pytest.mark.long
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("part", range(10))  # Hypothesis remembers every choice of a test: in one, these are gigabytes
def test_both_ways_for_long(grammar: ModuleType, segment_of: Any, experience_of: Any, part: int, data: Any) -> None:
    """The same, with more segments and for minutes."""
    both_ways(grammar, segment_of, experience_of, data, most=12)


VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 1.0, -0.0, 0.0, 2, 2.5, 3, -1, float("nan"), float("inf"), float("-inf")),
    *(2**53, 2**53 + 1, -(2**53) - 1, 2**63, 10**400, -(10**400), 2.0**53),
    *("", "a", "b", "ab", "abc", "A", "é𝄞", "a\nb", "1", "true", "a\0b"),
    *(
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 1, tzinfo=UTC),
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00Z",
    ),
    *([], ["a"], ["b", None, 1], [None], [["a"]], [True, 1], {}, {"a": 1}, {"k": "a", "b": None}, (), b"a"),
)
TEXTS = (
    *("traits.a", "has(traits.a)", "!has(traits.a)", "traits.a == 1", "traits.a != 1", "traits.a == true"),
    *("traits.a != false", 'traits.a == "a"', 'traits.a != "a"', 'traits.a in ["a", "b"]', "traits.a in [1, 2.5, 3]"),
    *('!(traits.a in ["a", ""])', '"a" in traits.a', '!("a" in traits.a)', "traits.a < 1", "traits.a <= 1"),
    *("traits.a > 1.0", "traits.a >= 2.5", "traits.a > 9007199254740992", "traits.a == 9007199254740992"),
    *("!(traits.a < 3)", 'traits.a < "b"', 'traits.a >= ""', 'traits.a.startsWith("a")', '!traits.a.startsWith("ab")'),
    *('traits.a.contains("b")', 'traits.a.endsWith("b")', 'traits.a.matches("^a.?$")', '!traits.a.matches("b")'),
    *("traits.a > 0 && traits.a < 3", 'traits.a == "a" || traits.a == 1', "has(traits.a.k)", 'traits.a.k == "a"'),
    *('traits.a.startsWith("a") && traits.a.startsWith("ab") && traits.a.contains("b") && traits.a.contains("a")',),
    *('traits.a.startsWith("a") || traits.a.endsWith("b") || "a" in traits.a || traits.a == 2',),
    *('"a" in traits.a && "b" in traits.a', '"a" in traits.a || "b" in traits.a', "size(traits.a) == 1"),
    *("int(traits.a) == 1", "int(traits.a) != 1", "traits.a + 1 == 2", 'traits.a.lowerAscii() == "a"'),
    *(
        'timestamp(traits.a) < timestamp("2026-01-01T01:00:00Z")',
        '!(timestamp(traits.a) <= timestamp("2026-01-01T00:00:00Z"))',
    ),
    *('timestamp("2026-01-01T00:00:00Z") >= timestamp(traits.a)', '!(now - timestamp(traits.a) > duration("1h"))'),
    *(
        'timestamp(traits.a) == timestamp("2026-01-01T00:00:00Z")',
        'timestamp(traits.a) != timestamp("2026-01-01T00:00:00Z")',
    ),
    *('traits.?a.orValue("free") == "free"', "traits.a == [1]", "traits.a == traits.b", "traits.a == 1u"),
)


@pytest.mark.parametrize("wide", [0, 64])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_kind_of_value(
    segment_of: Any, experience_of: Any, visitor: Any, monkeypatch: pytest.MonkeyPatch, value: Any, wide: int
) -> None:
    """Each kind of value meets each kind of question, asked for and left out."""
    monkeypatch.setattr(looks, "MOST_ALONE", wide)
    segments = {text: segment_of(text, key=text) for text in TEXTS}
    segments |= {f"not {text}": segment_of("true", excepts=(text,), key=f"not {text}") for text in TEXTS}
    experiences = [experience_of(key, key) for key in segments]
    one, other = _made(experiences, segments, wide)
    for roots in (visitor(a=value), visitor(a=value, b=value), visitor(b=value)):
        assert other(*roots) == one(*roots)


_MADE: dict[int, tuple[Any, Index]] = {}


def _made(experiences: list[Experience], segments: dict[str, Segment], wide: int) -> tuple[Any, Index]:
    if wide not in _MADE:
        _MADE[wide] = straight(experiences, segments), index(experiences, segments)
    return _MADE[wide]


def test_a_page_without_segments(visitor: Any, segment_of: Any, experience_of: Any) -> None:
    """Nothing to ask, or nothing that could ever match: no hits."""
    assert index([], {})(*visitor()) == []
    never = {"s": segment_of("false", key="s")}
    assert index([experience_of("e", "s")], never)(*visitor()) == []


def test_who_always_matches(visitor: Any, segment_of: Any, experience_of: Any) -> None:
    """Rows that ask nothing are there without any term."""
    always = {"s": segment_of("true", key="s")}
    assert index([experience_of("e", "s"), experience_of("f", "s")], always)(*visitor()) == [(0, 0), (1, 0)]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_groups_and_long_experiences_go_on(
    visitor: Any, segment_of: Any, experience_of: Any, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """What is decided in one block is decided in all: an experience that fills several, a group that has many."""
    monkeypatch.setattr(blocks, "MOST_ROWS", size)
    segments = {f"s{n}": segment_of(f"traits.n >= {n}", key=f"s{n}") for n in range(8)}
    some = [
        experience_of("long", *[f"s{n}" for n in range(7, -1, -1)]),
        *(experience_of(f"g{n}", f"s{n}", group="g") for n in (5, 3, 1)),
        experience_of("after", "s0"),
    ]
    page = index(some, segments)
    assert page(*visitor(n=7)) == [(0, 0), (1, 0), (4, 0)]
    assert page(*visitor(n=4)) == [(0, 3), (2, 0), (4, 0)]
    assert page(*visitor(n=0)) == [(0, 7), (4, 0)]
    assert page(*visitor()) == []


def test_it_breathes(segment_of: Any, experience_of: Any) -> None:
    """Whoever makes a large page is asked to rest at every segment and at every mask."""
    rests: list[None] = []
    segments = {f"s{n}": segment_of(f"traits.n == {n}", key=f"s{n}") for n in range(50)}
    Index([experience_of("e", *segments)], segments, Pieces(), lambda: rests.append(None))
    assert len(rests) > len(segments)

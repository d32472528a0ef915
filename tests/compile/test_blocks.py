"""Audiences as bits: their order, what a hit strikes out, where a page is cut."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.compile import blocks
from engine.compile.blocks import Block, cut, lines, mask
from engine.compile.pieces import Pieces


def cut_up(segment_of: Any, experiences: list[Any], **texts: str) -> list[Block]:
    """The blocks of a page."""
    segments = {key: segment_of(text, key=key) for key, text in texts.items()}
    pieces = Pieces()
    rows = cut(lines(experiences, segments, pieces, lambda: None))
    return [Block(row, segments, pieces, lambda: None) for row in rows]


def test_the_first_is_the_highest(segment_of: Any, experience_of: Any) -> None:
    """By `bit_length`: the last audience of the last experience is 1; an any-of has a bit more, `false` none."""
    some = [experience_of("e", "a", "b", "c"), experience_of("f", "a")]
    (block,) = cut_up(segment_of, some, a="traits.a", b="traits.a || traits.b", c="false")
    assert block.hits[1:] == [(1, 0), (0, 1), (0, 1), (0, 0)]
    assert block.bits == 4


def test_what_a_hit_leaves(segment_of: Any, experience_of: Any) -> None:
    """Nothing of its own experience, nothing of its group; all that comes later otherwise."""
    some = [
        experience_of("e", "a", "b", group="g"),
        experience_of("f", "a", group="g"),
        experience_of("h", "a", group="alone"),
    ]
    (block,) = cut_up(segment_of, some, a="traits.a", b="traits.b")
    assert [f"{left:04b}" for left in block.afters[1:]] == ["0000", "0001", "0001", "0001"]
    assert block.without("g") == 0b0001


@pytest.mark.parametrize(("most", "sizes"), [(100, [6]), (4, [4, 2]), (3, [3, 3]), (2, [2, 2, 2]), (1, [1] * 6)])
def test_where_it_is_cut(
    segment_of: Any, experience_of: Any, monkeypatch: pytest.MonkeyPatch, most: int, sizes: list[int]
) -> None:
    """Between experiences where that fits, else within one."""
    monkeypatch.setattr(blocks, "MOST_ROWS", most)
    texts = {key: f"traits.{key}" for key in "abcd"}
    some = [experience_of("e", *"abcd"), experience_of("f", *"ab")]
    assert [block.bits for block in cut_up(segment_of, some, **texts)] == sizes


def test_a_schedule_is_asked_of_now(segment_of: Any, experience_of: Any) -> None:
    """As one more term of every row; beside what the segment itself asks of it."""
    start = datetime(2026, 11, 25, tzinfo=UTC)
    some = [
        experience_of("e", "a", start=start, end=start + timedelta(1)),
        experience_of("f", "a", start=start, end=start),
    ]
    (block,) = cut_up(segment_of, some, a='traits.a && now < timestamp("2026-11-25T12:00:00Z")')
    points = {values.times.points: bits for values, bits in block.asking[blocks.NOW].items()}
    assert points[start, start + timedelta(hours=12)] == [1]
    assert points[()] == [0]


def test_who_is_checked(segment_of: Any, experience_of: Any, visitor: Any) -> None:
    """Rows that do not say all, or whose term may be odd; of a segment all of its rows, at once."""
    some = [experience_of("e", "exact", "weak"), experience_of("f", "weak", "odd")]
    (block,) = cut_up(segment_of, some, exact="traits.a", weak="traits.a == traits.b", odd="int(traits.c) == 1")
    assert (block.weak, block.odd) == (0b0110, 0b0001)
    assert block.checks[4] is None
    check = block.checks[1]
    assert check is not None
    assert check is block.checks[2] is block.checks[3]
    assert check.others == 0b1000
    assert check.left(*visitor(a=1, b=1)) == 0b1110
    assert check.left(*visitor(c="1")) == 0b1001


def test_mask() -> None:
    """Bits as a number."""
    assert mask([0, 3, 11]) == 0b100000001001
    assert mask([]) == 0

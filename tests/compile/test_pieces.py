"""What is made of single segments, and what a reload takes over."""

from typing import Any
from weakref import ref

import pytest

from engine.compile import pieces as pieces_module
from engine.compile.index import Index
from engine.compile.pieces import Pieces, meaning


def test_a_segment_means_its_conditions(segment_of: Any) -> None:
    """Not its key or its place, but whether a condition is one for leaving out."""
    assert meaning(segment_of("traits.a", key="x", line=1)) == meaning(segment_of("traits.a", key="y", line=2))
    assert meaning(segment_of("traits.a")) != meaning(segment_of(excepts=("traits.a",)))


def test_pieces_are_made_once(segment_of: Any) -> None:
    """Equal segments share rows, and equal questions of different segments are one object."""
    pieces = Pieces()
    a, b = (segment_of(text) for text in ('traits.a == "x" && traits.b', 'traits.a == "x"'))
    assert pieces.rows(a) is pieces.rows(segment_of('traits.a == "x" && traits.b', key="other"))
    (term,) = pieces.rows(b).rows[0]
    assert next(key for key in pieces.rows(a).rows[0] if key == term) is term
    assert pieces.rows(a).rows[0][term] is pieces.rows(b).rows[0][term]
    assert pieces.check([a, b]) is pieces.check([a, b])


def test_check(segment_of: Any, visitor: Any) -> None:
    """Which of the segments match, by their place."""
    check = Pieces().check([segment_of(f"traits.n >= {n}", key=f"s{n}") for n in range(3)])
    assert [check(*visitor(n=n)) for n in (-1, 0, 2)] == [[], [0], [0, 1, 2]]


def test_a_reload_makes_only_what_is_new(segment_of: Any, experience_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a page of many segments, one changed: its rows and the check that has it are made, all else is taken over."""
    texts = {f"s{n}": f"traits.n == {n} && traits.a == traits.b" for n in range(40)}
    experiences = [experience_of(key, key) for key in texts]
    pieces = Pieces()
    page = Index(experiences, {key: segment_of(text, key=key) for key, text in texts.items()}, pieces, lambda: None)
    between = Pieces(pieces)
    between.alone([segment_of(text, key=key) for key, text in texts.items()])

    made: list[Any] = []
    formula = pieces_module.formula
    monkeypatch.setattr(pieces_module, "formula", lambda segment: made.append(segment.key) or formula(segment))
    texts["s7"] += " && traits.c"
    after = Pieces(between)
    segments = {key: segment_of(text, key=key, line=99) for key, text in texts.items()}
    assert Index(experiences, segments, after, lambda: None) is not page
    assert made == ["s7", *(f"s{n}" for n in range(16))]
    assert len(list(after.parts())) > 40


def test_checks_go_with_their_pages(segment_of: Any) -> None:
    """What no page uses any more is not kept for the next ruleset."""
    pieces = Pieces()
    check = ref(pieces.check([segment_of("traits.a == traits.b")]))
    assert check() is None

"""Which looks the terms of a page need."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.compile.form import Root, Term, Truth
from engine.compile.looks import MOST_ALONE, looks
from engine.compile.rows import rows_of
from engine.compile.values import Values


def asked(normal: Callable[[str], Truth], *texts: str) -> dict[Term, list[Values]]:
    """What these conditions ask."""
    found: dict[Term, list[Values]] = {}
    for text in texts:
        for row in rows_of(normal(text).true).rows:
            for term, values in row.items():
                found.setdefault(term, []).append(values)
    return found


@pytest.mark.parametrize(
    ("texts", "count", "called"),
    [
        (["traits.a == 1", 'traits.a == "x"'], 1, 0),
        (["traits.a == 1", "traits.b == 1"], 2, 0),
        (['traits.a.startsWith("x")'], 2, 0),
        (['traits.a.contains("x")', 'traits.a.matches("y")'], 2, 1),
        (['"x" in traits.a'], 2, 1),
        (['traits.a.lowerAscii() == "x"', 'traits.a == "X"'], 2, 0),
    ],
)
def test_looks(normal: Callable[[str], Truth], texts: list[str], count: int, called: int) -> None:
    """One by class for each term, and others beside it only where they are asked."""
    found = list(looks(asked(normal, *texts)))
    assert len(found) == count
    assert sum(look.called for look in found) == called


def test_a_map_of_very_many_members_is_one(normal: Callable[[str], Truth]) -> None:
    """But for what can be odd and for patterns; a member's own members belong to it."""
    many = [f"traits.t{n} == 1" for n in range(MOST_ALONE + 1)]
    more = [
        "traits.t0.k == 1",
        "size(traits.t1) == 1",
        "int(traits.t2) == 1",
        "account.t0 == 1",
        'traits.t3.contains("x")',
    ]
    found = list(looks(asked(normal, *many, *more)))
    assert [look.term for look in found if look.term == Root("traits", "map")] == [Root("traits", "map")]
    assert len(found) == 4


def test_what_passes_is_found_there_too(normal: Callable[[str], Truth]) -> None:
    """The mask of a wide map is what the looks of its members would find."""
    texts = [f"traits.t{n} == {n}" for n in range(MOST_ALONE + 1)]
    by_term: Any = asked(normal, *texts)
    (look,) = looks(by_term)
    bound: dict[str, Any] = {}
    source = look.find(lambda name, value: bound.setdefault(name, value) and name, "value")
    masks = look.masks({term: {values[0]: [n]} for n, (term, values) in enumerate(by_term.items())}, len(texts))
    for n in (0, 7, MOST_ALONE):
        assert masks(eval(source, {**bound, "value": {f"t{n}": n, "x": 1}})) == 1 << n
    (first, *_) = by_term
    assert masks(eval(source, {**bound, "value": {}})) == 0
    alone = look.masks({first: {by_term[first][0]: [0]}}, 2)
    assert [alone(eval(source, {**bound, "value": {"t0": n}})) for n in (0, 1)] == [0b11, 0b10]

"""Formulas as rows: how many, of what terms, and whether they say all."""

from collections.abc import Callable

import pytest

from engine.compile.form import Member, Truth
from engine.compile.rows import MOST_ROWS, Rows, rows_of


def asked(rows: Rows) -> list[str]:
    """The members that each row asks, by their keys."""
    return ["".join(sorted(term.key for term in row if isinstance(term, Member))) for row in rows.rows]


@pytest.mark.parametrize(
    ("text", "rows", "exact"),
    [
        ("true", [""], True),
        ("false", [], True),
        ("traits.a > 1 && traits.a < 5 && traits.b", ["ab"], True),
        ("traits.a > 5 && traits.a < 1", [], True),
        ('traits.a == "x" || traits.a == "y" || traits.a == 1', ["a"], True),
        ("traits.a || traits.b", ["a", "b"], True),
        ("(traits.a || traits.b) && (traits.c || traits.d)", ["ac", "ad", "bc", "bd"], True),
        ('has(traits.a) && traits.a != "x"', ["a"], True),
        ("!(traits.a || traits.b)", ["ab"], True),
        ("traits.a == traits.b", ["ab"], False),
        ("traits.c && traits.a == traits.b", ["abc"], False),
        ("traits.c || traits.a.exists(x, x == 1)", ["c", ""], False),
        ('traits.a.contains("x") && traits.a.contains("y")', ["a"], False),
        ('traits.a.startsWith("x") && traits.a.contains("y")', ["a"], True),
        ("traits.a > 9007199254740993", [""], False),
        ("traits.a > 9007199254740992", ["a"], False),
    ],
)
def test_rows(normal: Callable[[str], Truth], text: str, rows: list[str], exact: bool) -> None:
    """All-of multiplies, any-of adds, what cannot be looked up is left open, and that is said."""
    found = rows_of(normal(text).true)
    assert sorted(asked(found)) == sorted(rows)
    assert found.exact is exact


def test_they_are_never_many(normal: Callable[[str], Truth]) -> None:
    """Beyond the most, an any-of is one weaker row: what all of it asks."""
    either = [f'(traits.z == {n} && traits.t{n} == "x")' for n in range(MOST_ROWS + 1)]
    found = rows_of(normal(" || ".join(either)).true)
    assert asked(found) == ["z"]
    assert not found.exact
    pairs = [f"(traits.a{n} || traits.b{n})" for n in range(5)]
    found = rows_of(normal(" && ".join(pairs)).true)
    assert len(found.rows) <= MOST_ROWS
    assert not found.exact


def test_odd_values_are_never_shut_out(normal: Callable[[str], Truth]) -> None:
    """Where every value that is not odd fails, or the terms asked would not show that one is odd, nothing is asked."""
    assert rows_of(normal('!dyn(timestamp(traits.a)).contains("x")').true) == Rows(({},), exact=False)
    assert asked(rows_of(normal("int(traits.a) == 1").true)) == [""]
    assert rows_of(normal("int(traits.a) == 1").true).exact

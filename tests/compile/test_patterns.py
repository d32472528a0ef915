"""Law: asked together, questions about a text have the answers that each has alone."""

import pytest
import re2

from engine.compile import patterns
from engine.compile.form import Fixed, fixed
from engine.compile.patterns import Patterns
from engine.compile.values import Atom

TEXTS = ("", "a", "ab", "a\n", "a\0b", "é𝄞", "aaa", "[a]", "x" * 20_000 + "a")


def matching(pattern: str) -> Atom:
    """The question whether a pattern is found."""
    return Atom("matches", Fixed("any", f"re2 {pattern!r}", re2.compile(pattern).search), holds=True)


ATOMS = [
    *(Atom(name, fixed("text", text), holds=True) for name in ("contains", "ends_with") for text in (*TEXTS[:8], "b")),
    *(matching(pattern) for pattern in ("", "^a$", "a.b", "(?i)A", "^$", "a{3}", "[é]", r"\x00", "a|b")),
]


@pytest.mark.parametrize("together", [1, 2, 200])
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:8]))
def test_together(monkeypatch: pytest.MonkeyPatch, together: int, text: str) -> None:
    """Parts, ends and patterns, in sets of any size."""
    monkeypatch.setattr(patterns, "MOST_TOGETHER", together)
    asked = Patterns(ATOMS)
    assert asked.of(text) is not None
    assert sorted(asked.of(text) or ()) == sorted(asked.numbers[atom] for atom in ATOMS if atom.stands(text))


def test_what_is_no_text() -> None:
    """Is not asked."""
    assert Patterns(ATOMS).of(1) is None


def test_too_large_together() -> None:
    """Patterns that RE2 refuses as one set, or says nothing of for lack of memory, are still answered."""
    large = [matching(f"(?:[a-z]{{1,100}}{n}[0-9]{{1,100}}){{1,9}}$") for n in range(40)]
    asked = Patterns(large)
    for text in ("abc7123", "abc" * 200, "x39" + "9" * 90):
        assert sorted(asked.of(text) or ()) == sorted(asked.numbers[atom] for atom in large if atom.stands(text))

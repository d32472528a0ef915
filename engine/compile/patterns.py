"""Which of many questions about a text hold: patterns, parts, ends, all of them asked at once.

What lives here: `Patterns`, over sets of RE2. What may not: prefixes (`classes` looks those up), masks.

1. Every question is a pattern: a part is itself, escaped; an end is followed by the end of the text.
2. A set that could not be answered for lack of memory says "nothing matches", without a word. So every set holds a
   pattern that always matches: where it does not, the questions are asked one by one.
3. A set that RE2 refuses (too large together) is cut in two.
"""

from collections.abc import Iterable, Mapping, Sequence

import re2

from engine.compile.functions import Value
from engine.compile.relations import QUIET
from engine.compile.values import Atom

MOST_TOGETHER = 200  # compiled in 1 ms, asked in 1 to 10 us; five times as many need thirty times as long


class Patterns:
    """The questions about a text, by number; `of` says which of them hold."""

    def __init__(self, atoms: Iterable[Atom]) -> None:
        """Of an atom, whether it is meant to hold or not does not matter here."""
        asked = sorted({positive(atom) for atom in atoms}, key=lambda atom: (atom.name, atom.constant.shown))
        self.numbers: Mapping[Atom, int] = {atom: number for number, atom in enumerate(asked)}
        self._sets: list[_Set] = []
        for start in range(0, len(asked), MOST_TOGETHER):
            self._sets += _sets(start, asked[start : start + MOST_TOGETHER])

    def of(self, value: Value) -> list[int] | None:
        """The numbers of those that hold; None for what is no text."""
        if type(value) is not str:
            return None
        return [number for one in self._sets for number in one.holding(value)]


class _Set:
    """Some questions, asked together; of one alone it is known that RE2 takes it."""

    def __init__(self, first: int, atoms: Sequence[Atom]) -> None:
        """`first` is the number of the first. Raises `re2.error` where they are too large together."""
        self._first = first
        self._atoms = atoms
        self._set = re2.Set.SearchSet(QUIET)
        for atom in atoms:
            self._set.Add(_pattern(atom))
        self._set.Add("")
        if len(atoms) > 1:
            self._set.Compile()

    def holding(self, text: str) -> list[int]:
        """The numbers of those that hold of this text."""
        first, always = self._first, len(self._atoms)
        found = self._set.Match(text) if always > 1 else None
        if found is None:
            return [first + index for index, atom in enumerate(self._atoms) if atom.stands(text)]
        return [first + index for index in found if index != always]


def _sets(first: int, atoms: Sequence[Atom]) -> list[_Set]:
    try:
        return [_Set(first, atoms)]
    except re2.error:
        half = len(atoms) // 2
        return [*_sets(first, atoms[:half]), *_sets(first + half, atoms[half:])]


def positive(atom: Atom) -> Atom:
    """The question itself, whatever answer is wanted."""
    return atom._replace(holds=True)


def _pattern(atom: Atom) -> str:
    if atom.name == "matches":
        pattern: str = atom.constant.value.__self__.pattern
        return pattern
    part: str = re2.escape(atom.constant.value)
    return rf"{part}\z" if atom.name == "ends_with" else part

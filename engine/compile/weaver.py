"""Several segments in one generated function: what they share is read once, each line says whose it is.

What lives here: `Weaver`. What may not: what a match leads to (`pages`, `checks`), formulas, how a test is written.

1. The code is straight-line. What several segments read is read once, up front; what only one reads is read when its
   cheaper tests have held. A segment that is asked for several times can be asked once.
2. Every line that a segment was made of ends with the segment's file, line and key.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from engine.compile.form import NEVER, All, Fixed, Formula, Root
from engine.compile.loading import printable
from engine.compile.order import in_order, needed
from engine.compile.source import Writer
from engine.words import Segment

_MOST_NESTED = 8  # `if`s within each other; Python allows 100, people read 3


class Weaver:
    """Writes the tests of these segments, given their formulas."""

    def __init__(self, writer: Writer, segments: Mapping[str, Segment], formulas: Mapping[str, Formula]) -> None:
        self._writer = writer
        self._segments = segments
        self._formulas = formulas
        self._asked: dict[str, str] = {}  # segment key to the local that holds its answer

    def read_shared_terms(self) -> None:
        """Reads what more than one segment needs."""
        users = Counter(term for formula in self._formulas.values() for term in needed(formula))
        for term, count in users.items():
            if count > 1:
                self._writer.read_term(term, 1)

    def ask(self, keys: Iterable[str]) -> None:
        """Asks these segments now, once."""
        for key in keys:
            self._asked[key] = f"m{len(self._asked)}"
            self._note(key)
            self._writer.read(self._formulas[key], 1)
            self._writer.line(1, f"{self._asked[key]} = {self._writer.expression(self._formulas[key])}")
        self._writer.note = ""

    def where_matches(self, key: str, indent: int, ending: Sequence[str]) -> None:
        """The tests of one segment, nested where one needs what nobody has read yet; then what a match does.

        What is read in here is needed by no other segment, or it would have been read up front.
        """
        if self._formulas[key] == NEVER:
            return
        writer, tests, nested = self._writer, [self._asked[key]] if key in self._asked else [], 0
        outer_note = writer.note
        self._note(key)
        for part in [] if key in self._asked else self._parts_of(key):
            unread = any(not isinstance(term, Fixed | Root) for term in needed(part, writer.known))
            if tests and unread and nested < _MOST_NESTED:
                writer.line(indent, f"if {' and '.join(tests)}:")
                indent, tests, nested = indent + 1, [], nested + 1
            writer.read(part, indent)
            tests.append(writer.expression(part))
        if tests:
            writer.line(indent, f"if {' and '.join(tests)}:")
            indent += 1
        for line in ending:
            writer.line(indent, line)
        writer.note = outer_note

    def _parts_of(self, key: str) -> list[Formula]:
        whole = self._formulas[key]
        return in_order(whole, self._writer.known) if isinstance(whole, All) else [whole]

    def _note(self, key: str) -> None:
        place = self._segments[key].place
        self._writer.note = printable(f"{place.file}:{place.line} {key}")

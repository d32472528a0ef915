"""What is made of single segments, kept from one page to the next and from one ruleset to the next.

What lives here: `Pieces`: a segment's rows, and functions that check some segments. What may not: pages, bits.

1. A piece is known by the texts of its segments' conditions: where a segment is written does not matter, and which
   experiences have it neither. So a reload makes pieces only of what was changed.
2. Pieces `before` are taken over when they are asked for, and at last those that segments still mean (`alone`): a page
   that was taken over as a whole did not ask. Checks live as long as a page that uses them, so they are held weakly.
3. Terms and sets of values that are equal are one object: thousands of segments ask the same of the same.
4. Two threads that ask for the same at once do the work twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from weakref import WeakValueDictionary
from zlib import crc32

from engine.cel.scope import ROOTS
from engine.compile.form import Formula
from engine.compile.loading import printable
from engine.compile.rows import Rows, rows_of
from engine.compile.segments import formula
from engine.compile.source import Writer
from engine.compile.weaver import Weaver
from engine.words import Segment

Meaning: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
Check: TypeAlias = Callable[..., list[int]]  # of the roots: which of its segments match, by place
Rest: TypeAlias = Callable[[], None]  # called often in long work, and may sleep for a moment


def meaning(segment: Segment) -> Meaning:
    """All that matching takes from a segment. Texts: the bytes of one text are not the same every time it is parsed."""
    return tuple(c.text for c in segment.when), tuple(c.text for c in segment.excepts)


class Pieces:
    """Rows and checks by what they mean."""

    def __init__(self, before: "Pieces | None" = None) -> None:
        self._rows: dict[Meaning, Rows] = {}
        self._checks: WeakValueDictionary[tuple[Meaning, ...], Check]
        self._checks = WeakValueDictionary() if before is None else before._checks
        self._same: dict[object, Any] = {}
        self._before = before

    def alone(self, segments: Iterable[Segment]) -> None:
        """Forget those before, but for what is known of these segments."""
        if self._before is not None:
            for known in map(meaning, segments):
                rows = self._before._rows.get(known)
                if rows is not None:
                    self._rows.setdefault(known, rows)
        self._before = None

    def parts(self) -> Iterator[object]:
        """What it holds, in parts that are freed quickly."""
        yield from self._rows.values()
        yield from self._same.values()

    def rows(self, segment: Segment, whole: Formula | None = None) -> Rows:
        """The segment's rows; `whole` is its formula, where somebody has it already."""
        known = meaning(segment)
        rows = self._rows.get(known)
        if rows is None and self._before is not None:
            rows = self._before._rows.get(known)
        if rows is None:
            rows = rows_of(formula(segment) if whole is None else whole)
            same = self._same.setdefault
            shared = tuple({same(t, t): same(v, v) for t, v in row.items()} for row in rows.rows)
            rows = Rows(shared, rows.exact)
        self._rows[known] = rows
        return rows

    def check(self, segments: Sequence[Segment]) -> Check:
        """The function that says which of the segments match, by their place among these."""
        known = tuple(map(meaning, segments))
        check = self._checks.get(known)
        if check is None:
            check = self._checks[known] = _check(segments)
        return check


def _check(segments: Sequence[Segment]) -> Check:
    keyed: Mapping[str, Segment] = {segment.key: segment for segment in segments}
    checksum = crc32(repr(list(keyed)).encode())
    writer = Writer(ROOTS, f"<segments {printable(', '.join(list(keyed)[:3]))} {checksum:08x}>")
    weaver = Weaver(writer, keyed, {key: formula(segment) for key, segment in keyed.items()})
    writer.line(1, "matching = []")
    weaver.read_shared_terms()
    for place, key in enumerate(keyed):
        weaver.where_matches(key, 1, [f"matching.append({place})"])
    writer.line(1, "return matching")
    return writer.function("check")

"""The experiences of one page as a function: which of them apply to this visitor, with which audience?

What lives here: `page`, and how audiences, schedules and exclusion groups are woven together where they are few. What
may not: which experiences a URL has, status, splits, control (`decide`); how many are found (`index`).

1. Experiences come in deciding order. The answer lists (index of experience, index of audience), in that
   order; usually there are none or one.
2. Of an experience, the first audience whose segment matches counts. Of an exclusion group, the first
   experience with such an audience decides, and the later ones of the group are not looked at. An experience
   outside its schedule (start included, end not) is not there.
3. Few segments are one straight-line function (`weaver`), where a segment that several audiences use is asked once.
   Many are an index. Both give the same answers. The one takes longer with every test, the other with every term, so
   what is estimated to be quicker is taken: for common rules that is the index from some 20 segments on.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from zlib import crc32

from engine.cel.scope import ROOTS
from engine.compile.form import Formula, Test
from engine.compile.index import Hits, Index
from engine.compile.loading import printable
from engine.compile.order import cost, needed, reading_cost
from engine.compile.pieces import Pieces, Rest
from engine.compile.rows import Rows
from engine.compile.segments import formula
from engine.compile.source import Writer
from engine.compile.weaver import Weaver
from engine.words import Experience, Segment

PageFunction = Callable[..., Hits]
Common = Index

MOST_STRAIGHT = 200  # segments of a page that may be one function: compiled in 0.1 s, and rarely quicker beyond 100
_INDEX, _LOOK, _PATTERNS = 20.0, 8.0, 110.0  # tens of nanoseconds, as in `order`: a visit, each term, RE2 for a term


def page(
    experiences: Sequence[Experience],
    segments: Mapping[str, Segment],
    pieces: Pieces | None = None,
    rest: Rest = lambda: None,
) -> PageFunction:
    """The function of one page, ready; takes the roots in order. 10,000 segments take seconds: then `rest` is called.

    `experiences` are the live ones of the page in deciding order, `segments` holds at least those they name. From
    `pieces` is taken what was made before of the same segments.
    """
    pieces = pieces or Pieces()
    if sum(len(experience.audiences) for experience in experiences) <= MOST_STRAIGHT:
        used = {a.segment: segments[a.segment] for experience in experiences for a in experience.audiences}
        formulas = {key: formula(segment) for key, segment in used.items()}
        rows = {key: pieces.rows(used[key], whole) for key, whole in formulas.items()}
        if _straight_cost(formulas.values()) <= _index_cost(
            rows.values(), [formulas[k] for k in used if not rows[k].exact]
        ):
            return _Straight(experiences, used, formulas).function()
    return Index(experiences, segments, pieces, rest)


def _straight_cost(formulas: Collection[Formula]) -> float:
    """What one visit takes by straight-line code, in tens of nanoseconds."""
    return sum(map(reading_cost, {term for whole in formulas for term in needed(whole)})) + sum(map(cost, formulas))


def _index_cost(segments: Iterable[Rows], checked: Iterable[Formula]) -> float:
    """And by an index, where some formulas are still to be asked, once in a while."""
    asked = [(term, values) for rows in segments for row in rows.rows for term, values in row.items()]
    terms = {term for term, _ in asked}
    searched = {term for term, values in asked if any(atom.name != "starts_with" for atom in values.texts.atoms)}
    reading = sum(map(reading_cost, {part for term in terms for part in needed(Test("present", (term,)))}))
    return _INDEX + reading + _LOOK * len(terms) + _PATTERNS * len(searched) + sum(map(cost, checked))


def common(
    experiences: Sequence[Experience], segments: Mapping[str, Segment], pieces: Pieces, rest: Rest = lambda: None
) -> Common:
    """What serves every page that has some of these experiences (`only`), as quickly as if it had them all."""
    return Index(experiences, segments, pieces, rest)


def direct(function: PageFunction) -> PageFunction:
    """The same function, by the shortest way to call it."""
    return function.run if isinstance(function, Index) else function


def parts(function: PageFunction) -> tuple[object, ...]:
    """What a page function is made of, in parts that are freed quickly."""
    return function.parts() if isinstance(function, Index) else (function,)


class _Straight:
    """Writes a page of few segments."""

    def __init__(
        self, experiences: Sequence[Experience], segments: Mapping[str, Segment], formulas: Mapping[str, Formula]
    ) -> None:
        self._experiences = experiences
        self._users = Counter(audience.segment for e in experiences for audience in e.audiences)
        self._writer = Writer(ROOTS, _file_of(experiences))
        self._weaver = Weaver(self._writer, segments, formulas)
        groups = Counter(e.exclusion_group for e in experiences if e.exclusion_group is not None)
        self._groups = {group for group, count in groups.items() if count > 1}

    def function(self) -> PageFunction:
        """The function, written and loaded."""
        writer = self._writer
        writer.line(1, "hits = []")
        if self._groups:
            writer.line(1, "decided = set()")
        self._weaver.read_shared_terms()
        self._weaver.ask(key for key, count in self._users.items() if count > 1)
        for place, experience in enumerate(self._experiences):
            self._experience(place, experience)
        writer.line(1, "return hits")
        return writer.function("page_function")

    def _experience(self, place: int, experience: Experience) -> None:
        """One experience: `while True` is no loop, its end is where every audience leaves to."""
        writer, indent = self._writer, 1
        writer.note = printable(experience.key)
        group = experience.exclusion_group if experience.exclusion_group in self._groups else None
        token = None if group is None else writer.bind("g", group, group)
        conditions = [] if token is None else [f"{token} not in decided"]
        if experience.start is not None:
            conditions.append(f"{writer.bind('d', experience.start, experience.start)} <= now")
        if experience.end is not None:
            conditions.append(f"now < {writer.bind('d', experience.end, experience.end)}")
        if conditions:
            writer.line(indent, f"if {' and '.join(conditions)}:")
            indent += 1
        writer.line(indent, "while True:")
        for number, audience in enumerate(experience.audiences):
            hit = writer.bind("h", (place, number), (place, number))
            deciding = [] if token is None else [f"decided.add({token})"]
            self._weaver.where_matches(audience.segment, indent + 1, [f"hits.append({hit})", *deciding, "break"])
        writer.line(indent + 1, "break")
        writer.note = ""


def _file_of(experiences: Iterable[Experience]) -> str:
    """`<page corporate-website, pricing 3f2a…>`: the checksum keeps pages apart that begin alike."""
    names = [f"{e.key}/{e.audiences[0].segment}" for e in experiences if e.audiences]
    keys = [e.key for e in experiences]
    return f"<page {printable(', '.join(keys[:3]))} {crc32(repr(names).encode()):08x}>"

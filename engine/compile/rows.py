"""From a formula to rows: conjunctions that ask of each term at most one thing (DESIGN section 4, 2).

What lives here: `rows_of`, and what is done where a formula does not fit. What may not: segments, bits, masks.

1. A formula holds only where some row does: of every term that the row asks, the value is let through. Where the
   rows are `exact`, it holds wherever a row does; elsewhere whoever survives the rows has to be asked the formula.
2. All-of is every row of one part met with every row of the others; any-of is the rows of all parts, and those that
   ask nothing but the same term are one where that is exact. Beyond `MOST_ROWS` an any-of is taken as one weaker row:
   of terms that all its rows ask, the values of all of them.
3. What is no test of one term asks nothing, and is not exact.
4. A comparison that may meet `ODD` is taken as if it never did: the terms it is about can be odd themselves, and
   whoever reads them lets odd values through and asks. A comparison whose terms would not show that asks nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import NamedTuple, TypeAlias

from engine.compile.constraints import constraint
from engine.compile.form import All, Any, Asked, Formula, Loop, Term, Test, Unless
from engine.compile.terms import odd_terms
from engine.compile.values import EVERYTHING, Atom, Values, join, meet

MOST_ROWS = 8  # of one segment: three any-of of two; each more is one more bit in every mask

Row: TypeAlias = Mapping[Term, Values]


class Rows(NamedTuple):
    """The rows of a formula, and whether they say all of it."""

    rows: tuple[Row, ...]
    exact: bool


_ALL_PASS = Rows(({},), exact=True)
_UNKNOWN = Rows(({},), exact=False)


def rows_of(formula: Formula) -> Rows:
    """The rows of the formula, at most `MOST_ROWS`; none where it never holds."""
    return _narrow(_read(formula))


def _read(formula: Formula) -> Rows:
    match formula:
        case All(parts):
            return _all(sorted(map(_read, parts), key=lambda rows: len(rows.rows)))
        case Any(parts):
            return _any([_read(part) for part in parts])
        case Test() | Loop():
            found = constraint(formula)
            if found is None:
                return _UNKNOWN
            return Rows(({found.term: found.found.values},), found.found.exact)
        case Unless(odd, inner):
            rows = _read(inner)
            return rows if rows.rows and all(_shows(row, odd) for row in rows.rows) else _UNKNOWN
        case Asked():
            return _UNKNOWN


def _shows(row: Row, odd: tuple[Term, ...]) -> bool:
    """Is every term of the row odd where one of these is, and is there one?"""
    return bool(row) and all(set(odd_terms(term)).issuperset(odd) for term in row)


def _all(parts: Iterable[Rows]) -> Rows:
    return reduce(_both, parts, _ALL_PASS)


def _both(a: Rows, b: Rows) -> Rows:
    if len(a.rows) * len(b.rows) > MOST_ROWS:
        b = _hull(b)
    met = [_met(left, right) for left in a.rows for right in b.rows]
    exact = a.exact and b.exact and all(rows.exact for rows in met)
    return Rows(tuple(row for rows in met for row in rows.rows), exact)


def _met(a: Row, b: Row) -> Rows:
    """One row, or none where some term would have no value left."""
    row, exact = dict(a), True
    for term, values in b.items():
        met = meet(row.get(term, EVERYTHING), values)
        if not met.values.holds_any:
            return Rows((), exact=True)
        row[term] = met.values
        exact = exact and met.exact
    return Rows((row,), exact)


def _any(parts: Sequence[Rows]) -> Rows:
    rows: list[Row] = []
    alone: dict[Term, int] = {}  # where the row is that asks this term only
    for row in (row for part in parts for row in part.rows):
        term = next(iter(row), None)
        if len(row) == 1 and term is not None and term in alone:
            joined, exactly = join(rows[alone[term]][term], row[term])
            if exactly:
                rows[alone[term]] = {term: joined}
                continue
        elif len(row) == 1 and term is not None:
            alone[term] = len(rows)
        rows.append(row)
    found = Rows(tuple(rows), all(part.exact for part in parts))
    return found if len(rows) <= MOST_ROWS else _hull(found)


def _hull(rows: Rows) -> Rows:
    """One row that holds wherever one of the rows does."""
    if len(rows.rows) < 2:
        return rows
    first, *others = rows.rows
    terms = [term for term in first if all(term in row for row in others)]
    hull = {term: reduce(lambda a, b: join(a, b).values, (row[term] for row in rows.rows)) for term in terms}
    return Rows((hull,), exact=False)


def _narrow(rows: Rows) -> Rows:
    """Without what lets everything through; of each term with one atom of a kind that is looked up, at most."""
    narrowed, exact = [], rows.exact
    for row in rows.rows:
        kept = {}
        for term, values in row.items():
            atoms = _few(values.texts.atoms)
            exact = exact and atoms == values.texts.atoms
            asked = values._replace(texts=values.texts._replace(atoms=atoms))
            if asked != EVERYTHING:
                kept[term] = asked
        narrowed.append(kept)
    return Rows(tuple(narrowed), exact)


def _few(atoms: frozenset[Atom]) -> frozenset[Atom]:
    """One prefix and one other: those that most likely narrow most."""
    if len(atoms) < 2:
        return atoms
    ranked = sorted(atoms, key=lambda atom: (not atom.holds, -len(atom.constant.shown), atom.constant.shown, atom.name))
    prefix = [atom for atom in ranked if atom.name == "starts_with"][:1]
    return frozenset(prefix + [atom for atom in ranked if atom.name != "starts_with"][:1])

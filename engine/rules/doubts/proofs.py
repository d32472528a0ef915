"""Proofs that something can never be, whatever visitor comes. Pure.

What lives here: one search (a tableau) over what is claimed of formulas. What may not: rule files, what is worth
proving (tautologies.py, coverage.py, redirects.py).

1. A *claim* says of a formula that it is true, is false, is not true (false or an error) or is not false. CEL's own
   absorption is in the steps: `a && b` is not true where one of them is not true, whatever the other is.
2. Claims are taken apart down to atoms. Claims about one term leave a set of its values (atoms.Space); where none is
   left, that branch is closed. What needs a value leaves only values of what it is taken from.
3. `is_impossible` says yes only where every branch is closed, so a yes is a proof. A no says nothing: terms are looked
   at one by one, and the search gives up after `steps` branches.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct

from engine.rules.doubts.atoms import Atom, Known, Space
from engine.rules.doubts.statements import Choice, Contrary, Fixed, Formula, Junction, Leaf, leaves

STEPS = 500  # branches; what people write closes within some tens
_DEPTH = 100  # branches within branches, so that no condition exhausts Python's stack


class Claim(Struct, frozen=True, eq=False):
    """The formula's truth is `truth`; or, unless it `holds`, is anything else."""

    formula: Formula
    truth: bool = True
    holds: bool = True


Background: TypeAlias = Callable[[Atom], Known]
Alternatives: TypeAlias = Sequence[Sequence[Claim]]


class _GaveUp(Exception):  # noqa: N818  (nobody's mistake)
    pass


def is_impossible(
    claims: Iterable[Claim],
    background: Background,
    *,
    one_of: Iterable[Alternatives] = (),
    there: Iterable[str] = (),
    steps: int = STEPS,
) -> bool:
    """Can these claims surely not be true together? `one_of`: of each of these, one alternative is true as well;
    `there`: terms that have a value."""
    facts, choices = list(claims), list(one_of)
    formulas = [claim.formula for claim in facts]
    formulas += [claim.formula for choice in choices for option in choice for claim in option]
    search = _Search([leaf for formula in formulas for leaf in leaves(formula)], background, steps)
    points = dict(search.points)
    for term in there:
        points[term] &= search.spaces[term].present
    try:
        return search.is_closed(facts, choices, points, 0)
    except _GaveUp:
        return False


class _Search:
    def __init__(self, found: list[Leaf], background: Background, steps: int) -> None:
        atoms: dict[str, list[Atom]] = {}
        for leaf in found:
            atoms.setdefault(leaf.atom.term, []).append(leaf.atom)
        self.spaces = {term: Space(of_term) for term, of_term in atoms.items()}
        self.points = {term: self.spaces[term].all(background(of_term[0])) for term, of_term in atoms.items()}
        self._left = steps

    def is_closed(
        self, claims: Sequence[Claim], choices: list[Alternatives], points: dict[str, int], depth: int
    ) -> bool:
        """`points`: what is left of each term; changed here."""
        self._left -= 1
        if self._left < 0 or depth > _DEPTH:
            raise _GaveUp
        todo = list(claims)
        while todo:
            claim = todo.pop()
            if isinstance(claim.formula, Leaf):
                if not self._narrow(claim.formula, claim, points):
                    return True
            elif isinstance(claim.formula, Fixed):
                if (claim.formula.truth is claim.truth) != claim.holds:
                    return True
            else:
                options = _options(claim)
                if len(options) == 1:
                    todo += options[0]
                elif options:
                    choices.append(options)
                else:
                    return True
        if not choices:
            return False
        chosen = min(range(len(choices)), key=lambda number: len(choices[number]))
        rest = choices[:chosen] + choices[chosen + 1 :]
        return all(self.is_closed(option, list(rest), dict(points), depth + 1) for option in choices[chosen])

    def _narrow(self, leaf: Leaf, claim: Claim, points: dict[str, int]) -> bool:
        """Is anything left?"""
        term = leaf.atom.term
        space = self.spaces[term]
        where = space.true(leaf.atom) if claim.truth else space.false(leaf.atom)
        points[term] &= where if claim.holds else ~where
        if not points[term]:
            return False
        if claim.holds:
            for need in leaf.needs:
                other = self.spaces.get(need.term)
                if other is not None:
                    points[need.term] &= other.map if need.as_map else other.present
                    if not points[need.term]:
                        return False
        return True


def _options(claim: Claim) -> list[list[Claim]]:
    """The claim taken apart by one step: it is true where all claims of one of these are."""
    truth, holds = claim.truth, claim.holds
    match claim.formula:
        case Contrary(part=part):
            return [[Claim(part, not truth, holds)]]
        case Junction(every=every, parts=parts):
            claims = [Claim(part, truth, holds) for part in parts]
            return [claims] if every == (truth == holds) else [[one] for one in claims]
        case Choice(asked=asked, then=then, otherwise=otherwise):
            ways = [[Claim(asked), Claim(then, truth, holds)], [Claim(asked, False), Claim(otherwise, truth, holds)]]  # noqa: FBT003
            neither = [Claim(asked, holds=False), Claim(asked, truth=False, holds=False)]
            return ways if holds else [*ways, neither]
    return [[claim]]

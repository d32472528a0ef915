"""A segment as claims: that it matches a visitor, and the ways in which it does not. Pure.

What lives here: DESIGN 3's "a segment matches where `when` is true and `except` is not known to be true", for proofs.
What may not: proofs (proofs.py), what is worth proving.

1. It matches where every `when` is true and no `except` is. An `except` that is an error leaves nobody out.
2. Each segment of a ruleset is read once, when it is first asked for.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial

from msgspec import Struct

from engine import limits
from engine.cel.oracle import truth
from engine.cel.scope import VISIT, Scope
from engine.cel.tree import Node
from engine.cel.walk import names
from engine.cel.wire import cut, read
from engine.rules.doubts.proofs import Claim
from engine.rules.doubts.statements import Formula, Junction, Leaf, leaves, statement
from engine.words import Condition, Segment


class Matcher(Struct, frozen=True, eq=False):
    """A segment as formulas. `asked`: terms without which it never matches; `terms`: all that it speaks of;
    `roots`: the roots that it reads."""

    when: tuple[Formula, ...]
    excepts: tuple[Formula, ...]
    asked: frozenset[str]
    terms: frozenset[str]
    roots: frozenset[str]


class Matchers:
    """The segments of a ruleset."""

    def __init__(self, segments: Mapping[str, Segment]) -> None:
        self._segments = segments
        self._read: dict[str, Matcher] = {}

    def of(self, key: str) -> Matcher:
        """The segment of this key."""
        known = self._read.get(key)
        if known is None:
            known = self._read[key] = matcher(self._segments[key].when, self._segments[key].excepts)
        return known


def matcher(when: Sequence[Condition], excepts: Sequence[Condition]) -> Matcher:
    """A segment of these conditions."""
    trees = {one: tree(one.checked) for one in (*when, *excepts)}
    lets_in, leaves_out = ([statement(trees[one], constant(one.checked)) for one in some] for some in (when, excepts))
    found = [leaf for one in (*lets_in, *leaves_out) for leaf in leaves(one)]
    spoken = {leaf.atom.term for leaf in found} | {need.term for leaf in found for need in leaf.needs}
    asked = {part.atom.term for one in lets_in for part in _parts(one) if isinstance(part, Leaf)}
    roots = frozenset[str]().union(*map(names, trees.values()))
    return Matcher(tuple(lets_in), tuple(leaves_out), frozenset(asked), frozenset(spoken), roots)


tree = lru_cache(maxsize=limits.CONDITIONS)(read)  # one lint looks at the same condition from several sides


def formula(condition: Condition, scope: Scope = VISIT) -> Formula:
    """One condition as a formula."""
    return statement(tree(condition.checked), constant(condition.checked, scope))


def constant(checked: bytes, scope: Scope = VISIT) -> "partial[bool | None]":
    """What evaluates a part of the condition that asks for nothing."""
    return partial(_evaluated, checked, scope)


def _evaluated(checked: bytes, scope: Scope, part: Node) -> bool | None:
    return truth(cut(checked, part), {}, scope)


def _parts(one: Formula) -> tuple[Formula, ...]:
    return one.parts if isinstance(one, Junction) and one.every else (one,)


def matches(one: Matcher) -> list[Claim]:
    """What is claimed where the segment matches."""
    return [Claim(part) for part in one.when] + [Claim(part, holds=False) for part in one.excepts]


def fails(one: Matcher) -> list[list[Claim]]:
    """The ways in which it does not match."""
    return [[Claim(part, holds=False)] for part in one.when] + [[Claim(part)] for part in one.excepts]

"""Why a condition is neither true nor false of a visitor: which of the facts that it needs are not there. Pure.

What lives here: the paths that a condition reads, and the blame for one that has no answer. What may not: counting,
words for people, profiles.

1. `&&` and `||` have no answer because of those of their parts that have none; a part that has one is not to blame.
   `!` is its operand; `?:` is its question, or else the branch that was taken.
2. Whatever is left is one test. To blame are the paths it needs that are not there. Are they all there, then one of
   them is *unlike*: the innermost part that the reference implementation cannot evaluate names it.
3. A declared trait that came as something else (`"45 people"` for a number) is unlike as well, though rules see none.
4. Page, visit, device and place belong to a page view: of a stored visitor they are never known.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs

from engine.cel.oracle import Failure, Oracle, prepare
from engine.cel.scope import ROOTS
from engine.cel.tree import Call, Comprehension, Node, Select
from engine.cel.walk import children
from engine.cel.wire import cut, read
from engine.compile.conditions import Verdict
from engine.compile.conditions import condition as compiled
from engine.rules.doubts.celtext import path, written
from engine.words import Condition

Path: TypeAlias = tuple[str, ...]
Roots: TypeAlias = tuple[Any, ...]  # in the order of `cel.scope.ROOTS`
Why: TypeAlias = Literal["absent", "unlike", "page view"]

VIEW_ROOTS = ("page", "visit", "device", "geo")


class Cause(Struct, frozen=True, order=True):
    """A path as rules write it, and what is the matter with it; without any path in a test, the test itself."""

    path: str
    why: Why


def view_reads(condition: Condition) -> frozenset[str]:
    """What the condition asks of a page view: `visit.count`, `page.query`; also what it only asks `has()` of."""
    found = _paths(read(condition.checked), frozenset(), asked=True)
    return frozenset(".".join(asked[:2]) for asked in found if asked[0] in VIEW_ROOTS)


class Part:
    """A condition or a part of one; compiled when it is first asked."""

    def __init__(self, condition: Condition, node: Node | None = None) -> None:
        self._condition = condition
        self._node = read(condition.checked) if node is None else node
        self._oracles: dict[int, Oracle] = {}

    @cached_property
    def verdict(self) -> Verdict:
        """Is it true, is it false."""
        return compiled(self._condition)

    @cached_property
    def _parts(self) -> tuple["Part", ...]:
        """The operands of a connective, in their order; none for a test."""
        match self._node:
            case Call(function="_&&_" | "_||_" | "!_" | "_?_:_", args=args):
                whole = self._condition
                return tuple(Part(structs.replace(whole, checked=cut(whole.checked, arg)), arg) for arg in args)
        return ()

    @cached_property
    def _needed(self) -> frozenset[Path]:
        return frozenset(_paths(self._node, frozenset(), asked=False))

    def is_open(self, roots: Roots) -> bool:
        """Is it neither true nor false?"""
        return not self.verdict.true(*roots) and not self.verdict.false(*roots)

    def causes(self, roots: Roots, unusable: Collection[str]) -> Iterator[Cause]:
        """Why it is neither true nor false of these roots; a cause may come twice. `unusable`: traits of point 3."""
        if not self._parts:
            yield from self._test(roots, unusable)
        elif isinstance(self._node, Call) and self._node.function == "_?_:_":
            question, yes, no = self._parts
            to_blame = question if question.is_open(roots) else yes if question.verdict.true(*roots) else no
            yield from to_blame.causes(roots, unusable)
        else:
            for part in self._parts:
                if part.is_open(roots):
                    yield from part.causes(roots, unusable)

    def _test(self, roots: Roots, unusable: Collection[str]) -> Iterator[Cause]:
        known = dict(zip(ROOTS, roots, strict=True))
        missing = [cause for needed in self._needed if (cause := _missing(needed, known, unusable)) is not None]
        if missing:
            yield from missing
            return
        culprit = self._innermost(self._node, known)
        paths = frozenset(_paths(culprit, frozenset(), asked=False)) or self._needed
        for unlike in paths:
            yield Cause(".".join(unlike), "unlike")
        if not paths:
            yield Cause(written(culprit), "unlike")

    def _innermost(self, node: Node, known: Mapping[str, Any]) -> Node:
        """The smallest part without a value; what stands in a loop's body has none of its own."""
        if not isinstance(node, Comprehension):
            for child in children(node):
                if isinstance(self._oracle(child).value(known), Failure):
                    return self._innermost(child, known)
        return node

    def _oracle(self, node: Node) -> Oracle:
        if node.id not in self._oracles:
            self._oracles[node.id] = prepare(cut(self._condition.checked, node))
        return self._oracles[node.id]


def _missing(needed: Path, known: Mapping[str, Any], unusable: Collection[str]) -> Cause | None:
    """What is the matter with a path, if anything is."""
    root, *names = needed
    value, text = known[root], ".".join(needed)
    if root in VIEW_ROOTS:
        return Cause(text, "page view")
    for name in names:
        if type(value) is not dict:
            return Cause(text, "unlike")
        if name not in value:
            return Cause(text, "unlike" if root == "traits" and names[0] in unusable else "absent")
        value = value[name]
    return None


def _paths(node: Node, hidden: frozenset[str], *, asked: bool) -> Iterator[Path]:
    """Every path below a root, the whole of it; `hidden`: names that loops bind.

    Those that the node needs to have a value, or with `asked` all that it looks at (`has(a.b)`, `"b" in a`, `a` alone).
    """
    only_asked = isinstance(node, Select) and node.test_only
    found = path(node) if asked or not only_asked else None
    if found is not None:
        # A root alone is always there.
        if found[0] in ROOTS and found[0] not in hidden and (asked or len(found) > 1):
            yield found
        return
    inner = hidden
    if isinstance(node, Comprehension):
        yield from _paths(node.iter_range, hidden, asked=asked)
        inner = hidden | {node.iter_var, node.iter_var2, node.accu_var}
    for child in children(node):
        if not isinstance(node, Comprehension) or child is not node.iter_range:
            yield from _paths(child, inner, asked=asked)

"""What one part of a condition demands of one term, and whether two demands can both be met. Pure.

What lives here: reading a part as a demand, comparing demands. What may not: whole conditions (contradictions.py),
messages.

1. A *term* is anything without a macro that has a value: a path, `size(traits.tags)`. Equal text, equal value.
2. A demand is what must hold of the term's value wherever the part is true: one of these values, none of those, a
   bound, a kind, a beginning; or that there is no value at all.
3. A part that is read as no demand says nothing. So does the part of a demand that is left out here: two demands
   that are said to exclude each other do so for certain.
"""

from typing import Any, TypeAlias

from msgspec import Struct

from engine.cel.tree import Call, Const, MakeList, Node, Select
from engine.rules.doubts.celtext import MACRO, path, written
from engine.rules.notation import scalars
from engine.rules.notation.mistake import Mistake

Kind: TypeAlias = str
Value: TypeAlias = tuple[Kind, Any]

_FLIPPED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_", "_==_": "_==_", "_!=_": "_!=_"}
_ON_TEXT = frozenset({"startsWith", "endsWith", "contains", "matches"})
_ORDERED = frozenset({"number", "string", "timestamp", "bytes"})


class Demand(Struct, frozen=True):
    """`values`: one of these (`None`: any); `but`: none of these; `low`, `high`: a bound, and if it may be met."""

    term: str
    values: tuple[Value, ...] | None = None
    but: tuple[Value, ...] = ()
    low: tuple[Any, bool] | None = None
    high: tuple[Any, bool] | None = None
    kind: Kind = ""
    prefix: str = ""
    absent: bool = False

    def kinds(self) -> set[Kind] | None:
        """The kinds that a value may have; `None`: any."""
        if self.values is not None:
            return {kind for kind, _ in self.values}
        return {self.kind} if self.kind else None

    def allows(self, value: Value) -> bool:
        """May the term have this value?"""
        kind, plain = value
        if (self.values is not None and value not in self.values) or value in self.but:
            return False
        if self.kind and kind != self.kind:
            return False
        if self.low and not (plain > self.low[0] or (self.low[1] and plain == self.low[0])):
            return False
        if self.high and not (plain < self.high[0] or (self.high[1] and plain == self.high[0])):
            return False
        return not self.prefix or str(plain).startswith(self.prefix)


def excludes(a: Demand, b: Demand) -> bool:
    """Is there no value that meets both demands?"""
    if a.absent or b.absent:
        return a.absent != b.absent
    kinds = [kinds for kinds in (a.kinds(), b.kinds()) if kinds is not None]
    if len(kinds) == 2 and not kinds[0] & kinds[1]:
        return True
    for one, other in ((a, b), (b, a)):
        if one.values is not None and not any(map(other.allows, one.values)):
            return True
        if one.low and other.high and _is_empty(one.low, other.high):
            return True
    return bool(a.prefix and b.prefix) and not (a.prefix.startswith(b.prefix) or b.prefix.startswith(a.prefix))


def _is_empty(low: tuple[Any, bool], high: tuple[Any, bool]) -> bool:
    return bool(low[0] > high[0] or (low[0] == high[0] and not (low[1] and high[1])))


def demand(part: Node, *, odd: bool) -> Demand | None:
    """What the part demands where it is true (where it is false, if `odd`)."""
    if isinstance(part, Select) and part.test_only:
        return Demand(f"{written(part.operand)}.{part.field}", absent=odd)
    if isinstance(part, Call):
        return _called(part, odd=odd)
    if path(part) is not None:
        return Demand(written(part), values=(("boolean", not odd),))
    return None


def _called(part: Call, *, odd: bool) -> Demand | None:
    args = part.args
    if part.function in _FLIPPED:
        left, right = value(args[0]), value(args[1])
        if (left is None) == (right is None):
            return None
        if left is not None:
            return _compared(_FLIPPED[part.function], args[1], left, odd=odd)
        return _compared(part.function, args[0], right, odd=odd) if right is not None else None
    if part.function == "@in" and isinstance(args[1], MakeList):
        values = [value(element) for element in args[1].elements]
        known = tuple(found for found in values if found is not None)
        if len(known) < len(values) or MACRO in written(args[0]):
            return None
        return Demand(written(args[0]), but=known) if odd else Demand(written(args[0]), values=known)
    if part.function in _ON_TEXT and part.target is not None and MACRO not in written(part.target):
        begin = value(args[0]) if part.function == "startsWith" and not odd else None
        return Demand(written(part.target), kind="string", prefix=begin[1] if begin and begin[0] == "string" else "")
    return None


def _compared(function: str, term: Node, constant: Value, *, odd: bool) -> Demand | None:
    """`term function constant`."""
    text, (kind, plain) = written(term), constant
    if MACRO in text:
        return None
    if function in {"_==_", "_!=_"}:
        equal = (function == "_==_") != odd
        return Demand(text, values=(constant,)) if equal else Demand(text, but=(constant,))
    if kind not in _ORDERED:
        return None
    if odd:
        return Demand(text, kind=kind)  # `!(x < 3)` is no `x >= 3`: NaN
    bound = (plain, function in {"_<=_", "_>=_"})
    return Demand(text, kind=kind, high=bound) if function in {"_<_", "_<=_"} else Demand(text, kind=kind, low=bound)


def value(node: Node) -> Value | None:
    """The value of a constant, as kind and plain value; `None` where the node is none."""
    if (
        isinstance(node, Call)
        and node.function == "timestamp"
        and len(node.args) == 1
        and isinstance(node.args[0], Const)
    ):
        try:
            return "timestamp", scalars.timestamp(str(node.args[0].value))
        except Mistake:
            return None
    if isinstance(node, Call) and node.function == "-_" and isinstance(node.args[0], Const):
        inner = value(node.args[0])
        return ("number", -inner[1]) if inner and inner[0] == "number" else None
    if not isinstance(node, Const):
        return None
    match node.value:
        case None:
            return "null", None
        case bool():
            return "boolean", node.value
        case int() | float():
            return "number", node.value
        case str():
            return "string", node.value
    return "bytes", node.value

"""What a single test asks of a term, and the values that a term's tests can tell apart. Pure.

What lives here: reading a test as an `Atom`, exactly; the `Space` of a term, in which every atom is two sets. What may
not: connectives (statements.py), proofs (proofs.py), what a test demands in passing (demands.py).

1. A *term* is anything that has a value. Equal text, equal value; `traits["plan"]` is `traits.plan`.
2. Constants cut the values of a kind into points: each constant, and what lies between two of them. Of all values at
   one point every atom of the space says the same. NaN, lists and maps, "the key is not there" (missing) and "there is
   nothing whose key it could be, or an error" (broken) are points as well.
3. An atom is *true* at some points, *false* at others, and an error at the rest: both sets are exact. What cannot be
   read so exactly (a number that a float does not hold, `null`) is a test of its own: true, false or an error.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, TypeAlias

from msgspec import Struct

from engine.cel.tree import Call, Const, Ident, MakeList, Node, Select
from engine.rules.doubts.celtext import path, written
from engine.rules.doubts.demands import Kind, Value, value
from engine.rules.notation import slots

Path: TypeAlias = tuple[str, ...]
Test: TypeAlias = Literal["same", "below", "above", "begins", "there", "holds"]

KINDS = ("string", "number", "timestamp", "bytes")  # those that constants put in order
_BROKEN, _MISSING, _OTHER, _NAN, _FALSE, _TRUE, _FIRST = 0, 1, 2, 3, 4, 5, 6
_SAFE = 2**53  # up to here a float holds every whole number, so comparing kinds of numbers is comparing numbers
_ORDERS: dict[str, tuple[Test, bool]] = {
    "_<_": ("below", False),
    "_<=_": ("below", True),
    "_>_": ("above", False),
    "_>=_": ("above", True),
}
_FLIPPED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_", "_==_": "_==_", "_!=_": "_!=_"}
_SURROGATES = range(0xD800, 0xE000)
_LAST = 0x10FFFF


class Atom(Struct, frozen=True):
    """`same`: one of `values` (`inverse`: none of them); `below`, `above` the one value (`met`: or it); text that
    `begins` with it; `there`: `has()`; `holds`: the term by itself."""

    term: str
    path: Path | None
    test: Test
    values: tuple[Value, ...] = ()
    inverse: bool = False
    met: bool = False


@lru_cache(maxsize=4_096)  # a folder has some hundreds of paths, and asks for each all the time
def name(found: Path) -> str:
    """The one text of a path."""
    return slots.shown(found)


def term(node: Node) -> tuple[str, Path | None]:
    """The one text of a term, and its path where it is one."""
    found = path(node)
    return (name(found), found) if found is not None else (written(node), None)


def atom(node: Node) -> Atom:
    """What a test without connectives asks."""
    if isinstance(node, Select) and node.test_only:
        return _there(node, node.operand, node.field)
    if isinstance(node, Call):
        return _called(node) or Atom(*term(node), "holds")
    return Atom(*term(node), "holds")


def _there(node: Node, operand: Node, field: str) -> Atom:
    if operand.type.startswith("optional_type"):
        return Atom(*term(node), "holds")  # an optional has a value also where there is none
    above = path(operand)
    if above is not None:
        return Atom(name((*above, field)), (*above, field), "there")
    return Atom(f"{written(operand)}.{field}", None, "there")


def _called(node: Call) -> Atom | None:
    args = node.args
    if node.function in _FLIPPED:
        left, right = _exact(args[0]), _exact(args[1])
        if (left is None) == (right is None):
            return None
        if left is not None:
            return _compared(_FLIPPED[node.function], args[1], left)
        return _compared(node.function, args[0], right) if right is not None else None
    if node.function == "@in":
        return _in(node, *args)
    if node.function == "startsWith" and node.target is not None:
        begin = _exact(args[0])
        return Atom(*term(node.target), "begins", (begin,)) if begin and begin[0] == "string" else None
    return None


def _compared(function: str, left: Node, right: Value) -> Atom | None:
    if function in {"_==_", "_!=_"}:
        return Atom(*term(left), "same", (right,), inverse=function == "_!=_")
    if right[0] not in KINDS:
        return None
    test, met = _ORDERS[function]
    return Atom(*term(left), test, (right,), met=met)


def _in(node: Node, member: Node, container: Node) -> Atom | None:
    if isinstance(container, MakeList):
        values = [_exact(element) for element in container.elements]
        known = tuple(one for one in values if one is not None)
        whole = len(known) == len(values) and not container.optional_indices
        return Atom(*term(member), "same", known) if whole else None
    if isinstance(container, Ident) and isinstance(member, Const) and isinstance(member.value, str):
        return _there(node, container, member.value)  # a root is always a map
    return None


def _exact(node: Node) -> Value | None:
    """A constant that is told exactly from every other value."""
    found = value(node)
    if found is None or found[0] == "null" or (found[0] == "number" and not abs(found[1]) < _SAFE):
        return None
    return found


class Known(Struct, frozen=True):
    """What is known of a term before a visitor comes: its kinds (`None`: any), if it is `always` there, and if it can
    be broken."""

    kinds: frozenset[Kind] | None = None
    always: bool = False
    breakable: bool = True


class Space:
    """The points of one term, as far as these atoms tell them apart. A set of points is the bits of an int."""

    def __init__(self, atoms: Iterable[Atom]) -> None:
        cuts: dict[Kind, set[object]] = {kind: set() for kind in KINDS}
        for one in atoms:
            for kind, plain in one.values:
                if kind in cuts:
                    cuts[kind].add(plain)
                    if one.test == "begins" and (end := _behind(plain)):
                        cuts[kind].add(end)
        self._first: dict[Kind, int] = {}
        self._width: dict[Kind, int] = {}
        self._at: dict[Value, int] = {("boolean", False): _FALSE, ("boolean", True): _TRUE}
        free = _FIRST
        for kind, found in cuts.items():
            self._first[kind], self._width[kind] = free, 2 * len(found) + 1
            for number, plain in enumerate(sorted(found)):  # type: ignore[type-var]
                self._at[kind, plain] = free + 2 * number + 1
            free += self._width[kind]
        self._present = _bits(0, free) & ~(1 << _BROKEN | 1 << _MISSING)
        self.map = 1 << _OTHER

    @property
    def present(self) -> int:
        """Wherever the term has a value."""
        return self._present

    def all(self, known: Known) -> int:
        """The points that what is known leaves."""
        points = self._present
        if known.kinds is not None:
            points = 0
            for kind in known.kinds:
                points |= self._kind(kind)
        if not known.always:
            points |= 1 << _MISSING
            if known.breakable:
                points |= 1 << _BROKEN
        return points

    def true(self, atom: Atom) -> int:
        """Where the atom is true."""
        if atom.test == "same":
            points = self._same(atom)
            return self._present & ~points if atom.inverse else points
        return self._true(atom)

    def false(self, atom: Atom) -> int:
        """Where it is false."""
        match atom.test:
            case "same":
                return self._present & ~self.true(atom)
            case "there":
                return 1 << _MISSING
            case "holds":
                return 1 << _FALSE
        kind = atom.values[0][0]
        nan = 1 << _NAN if kind == "number" else 0
        return (self._kind(kind) | nan) & ~self._true(atom)

    def _same(self, atom: Atom) -> int:
        points = 0
        for one in atom.values:
            points |= 1 << self._at[one]
        return points

    def _true(self, atom: Atom) -> int:
        if atom.test == "there":
            return self._present
        if atom.test == "holds":
            return 1 << _TRUE
        kind, plain = atom.values[0]
        at, first = self._at[kind, plain], self._first[kind]
        end = first + self._width[kind]
        if atom.test == "below":
            return _bits(first, at + atom.met)
        if atom.test == "above":
            return _bits(at + (not atom.met), end)
        behind = _behind(plain)
        return _bits(at, self._at[kind, behind] if behind else end)

    def _kind(self, kind: Kind) -> int:
        """All values of a kind, but for NaN."""
        if kind == "boolean":
            return 1 << _FALSE | 1 << _TRUE
        if kind in self._first:
            return _bits(self._first[kind], self._first[kind] + self._width[kind])
        return 1 << _OTHER


def _bits(start: int, end: int) -> int:
    return (1 << end) - (1 << start) if end > start else 0


def _behind(prefix: str) -> str:
    """The first text behind all that begin with the prefix; empty where there is none."""
    while prefix:
        after = ord(prefix[-1]) + 1
        if after <= _LAST:
            return prefix[:-1] + chr(_SURROGATES.stop if after in _SURROGATES else after)
        prefix = prefix[:-1]
    return ""

"""A condition as connectives over atoms, ready for proofs. Pure.

What lives here: the few node types, and reading a CEL tree as them. What may not: proving (proofs.py), single tests
(atoms.py).

1. `&&`, `||`, `!` and `?:` are taken apart; a part that asks for nothing of a visitor is evaluated once by the
   reference implementation; everything else is a leaf with its atom.
2. A leaf is defined (true or false, no error) only where what it *needs* is there: paths that its operators cannot do
   without, and the maps above them.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from msgspec import Struct

from engine.cel.tree import Call, Comprehension, Const, Ident, MakeList, MakeMap, Node, Select
from engine.cel.walk import walk
from engine.rules.doubts.atoms import Atom, Path, atom, name
from engine.rules.doubts.celtext import conjuncts, disjuncts, facts, is_fact, path


class Need(Struct, frozen=True):
    """A term that has to be there; `as_map`: and be a map, since something in it is asked for."""

    term: str
    as_map: bool


class Leaf(Struct, frozen=True, eq=False):
    """One test."""

    atom: Atom
    needs: tuple[Need, ...]


class Fixed(Struct, frozen=True, eq=False):
    """What comes to the same whatever visitor comes; `None`: an error."""

    truth: bool | None


class Junction(Struct, frozen=True, eq=False):
    """All of the parts (`every`), or any of them."""

    every: bool
    parts: "tuple[Formula, ...]"


class Contrary(Struct, frozen=True, eq=False):
    """`!part`."""

    part: "Formula"


class Choice(Struct, frozen=True, eq=False):
    """`asked ? then : otherwise`."""

    asked: "Formula"
    then: "Formula"
    otherwise: "Formula"


Formula: TypeAlias = Leaf | Fixed | Junction | Contrary | Choice

_NOT_STRICT = frozenset({"_&&_", "_||_", "_?_:_", "_?._", "_[?_]", "or", "orValue", "hasValue", "value"})


def statement(node: Node, constant: Callable[[Node], bool | None]) -> Formula:
    """The tree as a formula; `constant` evaluates a part that asks for nothing."""
    if isinstance(node, Call):
        match node.function:
            case "_&&_":
                return Junction(every=True, parts=tuple(statement(part, constant) for part in conjuncts(node)))
            case "_||_":
                return Junction(every=False, parts=tuple(statement(part, constant) for part in disjuncts(node)))
            case "!_":
                return Contrary(statement(node.args[0], constant))
            case "_?_:_":
                return Choice(*(statement(part, constant) for part in node.args))
    if not any(isinstance(part, Ident) for part in walk(node)):
        return Fixed(constant(node))
    return Leaf(atom(node), tuple(dict.fromkeys(_needs(node))))


def leaves(formula: Formula) -> Iterator[Leaf]:
    """Every leaf, from left to right."""
    match formula:
        case Leaf():
            yield formula
        case Junction(parts=parts):
            for part in parts:
                yield from leaves(part)
        case Contrary(part=part):
            yield from leaves(part)
        case Choice(asked=asked, then=then, otherwise=otherwise):
            for part in (asked, then, otherwise):
                yield from leaves(part)


def _needs(node: Node) -> Iterator[Need]:
    if not all(_is_strict(part) for part in walk(node)):
        return
    for found, _ in facts(node):
        yield from _way(found)
    for part in walk(node):
        if isinstance(part, Select) and part.test_only:
            above = path(part.operand)
            if above is not None and is_fact(above):
                yield from _way(above)
                yield Need(name(above), as_map=True)


def _way(found: Path) -> Iterator[Need]:
    """The path itself, and the maps on the way to it."""
    yield Need(name(found), as_map=False)
    for length in range(2, len(found)):
        yield Need(name(found[:length]), as_map=True)


def _is_strict(node: Node) -> bool:
    """Is an error below the node surely an error of the node?"""
    match node:
        case Comprehension():
            return False
        case MakeList(elements=elements):
            return all(isinstance(element, Const) for element in elements)
        case MakeMap():
            return False
        case Call(function=function):
            return function not in _NOT_STRICT and not node.type.startswith("optional_type")
        case Select():
            return not node.operand.type.startswith("optional_type")
    return True

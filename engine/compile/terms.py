"""From a node in operand position to terms.

What lives here: which nodes are terms, and which CEL functions make terms of terms. What may not: truth
(`normal`, `relations`), Python source.

1. An operand is a list of *cases*: a formula and the term that is meant where it holds. Most nodes are one
   case that always holds; `c ? a : b` is the cases of `a` where `c` is true and those of `b` where it is false;
   a boolean expression is the constants true and false. Where no case holds, the operand is an error.
2. A function of constants only is worked out here, once.
3. A function with `odd` may give `ODD`; whoever tests such a term has to ask the reference implementation then.
4. Whatever is not known raises `Unknown`. So does what would need null: a visitor's maps hold none, and absent
   is written as None.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from itertools import product
from typing import Any, NamedTuple, TypeAlias

from engine.cel.scope import CONVERSION, OPEN_MAP, ROOTS, TIMESTAMP, Scope
from engine.cel.tree import Call, Comprehension, Const, Ident, MakeList, Node, Select, UInt
from engine.compile import functions as f
from engine.compile.form import (
    ALWAYS,
    Applied,
    Element,
    Fixed,
    Formula,
    Kind,
    Member,
    Root,
    Term,
    Truth,
    View,
    both,
    fixed,
    parts_of,
)

MOST_CASES = 8  # nested ternaries multiply; beyond this the reference implementation is the shorter way


class Unknown(Exception):  # noqa: N818 - no mistake of anybody's, but the way to say "ask the reference implementation"
    """This part of an expression is not compiled."""


class Function(NamedTuple):
    """What makes a term of terms: the Python function, the kind it gives, whether it may give `ODD`, its cost."""

    run: Callable[..., Any]
    kind: Kind = "any"
    odd: bool = False
    cost: float = 4


FUNCTIONS: dict[str, Function] = {
    "lowerAscii": Function(f.lower_ascii, "text"),
    "upperAscii": Function(f.upper_ascii, "text"),
    "trim": Function(f.trim, "text"),
    "size": Function(f.size, "number"),
    "_+_": Function(f.add, odd=True),
    "_-_": Function(f.subtract, odd=True),
    "_*_": Function(f.multiply, odd=True),
    "_/_": Function(f.divide, odd=True),
    "_%_": Function(f.modulo, odd=True),
    "-_": Function(f.negate, odd=True),
    "_[_]": Function(f.item, odd=True),
    "timestamp": Function(f.timestamp, "time", odd=True, cost=15),
    "duration": Function(f.duration, "span", odd=True, cost=15),
    "int": Function(f.to_int, "number", odd=True, cost=8),
    "double": Function(f.to_double, "number", odd=True, cost=8),
    "string": Function(f.to_string, "text", odd=True),
    "getFullYear": Function(f.calendar(lambda t: t.year), "number", odd=True),
    "getMonth": Function(f.calendar(lambda t: t.month - 1), "number", odd=True),
    "getDate": Function(f.calendar(lambda t: t.day), "number", odd=True),
    "getDayOfMonth": Function(f.calendar(lambda t: t.day - 1), "number", odd=True),
    "getDayOfWeek": Function(f.calendar(lambda t: t.isoweekday() % 7), "number", odd=True),
    "getDayOfYear": Function(f.calendar(lambda t: t.timetuple().tm_yday - 1), "number", odd=True),
    "getHours": Function(f.calendar(lambda t: t.hour), "number", odd=True),
    "getMinutes": Function(f.calendar(lambda t: t.minute), "number", odd=True),
    "getSeconds": Function(f.calendar(lambda t: t.second), "number", odd=True),
    "orValue": Function(f.or_value),
    "orElse": Function(f.or_else, cost=1),
}
"""By CEL's own names; `a.f(b)` and `f(a, b)` are the same here."""

_ONE_OPERAND = FUNCTIONS.keys() - {"_+_", "_-_", "_*_", "_/_", "_%_", "_[_]", "orValue"}
BOOLEAN_CALLS = frozenset(
    {"_&&_", "_||_", "!_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "contains", "startsWith", "endsWith"}
    | {"matches", "hasValue"}
)
"""Calls whose value is a bool and which `normal` may know."""

TRUE, FALSE = (fixed("bool", answer) for answer in (True, False))

Case: TypeAlias = tuple[Formula, Term]
Elements: TypeAlias = Mapping[str, Element | Fixed]
"""The variables of the loops around a node."""


class Operands:
    """Reads operands; `roots` are a scope's, `truth` reads a boolean expression (`normal.Normal.truth`)."""

    def __init__(self, roots: Mapping[str, Root], truth: Callable[[Node, Elements], Truth]) -> None:
        self._roots = roots
        self._truth = truth

    def of(self, node: Node, elements: Elements) -> list[Case]:
        """The operand's cases; raises `Unknown`."""
        cases = list(self._cases(node, elements))
        if len(cases) > MOST_CASES:
            raise Unknown
        return cases

    def term(self, node: Node, elements: Elements) -> Term:
        """The operand, where it is one term; raises `Unknown`."""
        cases = self.of(node, elements)
        if len(cases) != 1 or cases[0][0] != ALWAYS:
            raise Unknown
        return cases[0][1]

    def _cases(self, node: Node, elements: Elements) -> Iterator[Case]:
        match node:
            case Const(value=value):
                yield ALWAYS, constant(value)
            case MakeList():
                yield ALWAYS, constant_list(node)
            case Ident(name=name):
                yield ALWAYS, self._named(name, elements)
            case Select(operand=operand, field=field, test_only=False) if not is_optional(node):
                for condition, term in self.of(operand, elements):
                    yield condition, Member(term, field)
            case Call(function="dyn", target=None, args=(inner,)):
                yield from self.of(inner, elements)
            case Call(function="_?_:_", args=(question, yes, no)):
                truth = self._truth(question, elements)
                for answer, branch in ((truth.true, yes), (truth.false, no)):
                    for condition, term in self.of(branch, elements):
                        yield both(answer, condition), term
            case Call(function="_[_]", args=(operand, Const(value=str(key)))):
                for condition, term in self.of(operand, elements):
                    yield condition, Member(term, key)
            case Call(function="orValue", target=target, args=(default,)) if target is not None:
                yield ALWAYS, self._or_value(target, default, elements)
            case Call() | Select(test_only=True) | Comprehension() if _is_condition(node):
                truth = self._truth(node, elements)
                yield truth.true, TRUE
                yield truth.false, FALSE
            case Call() if node.function in FUNCTIONS:
                yield from self._applied(node, elements)
            case _:
                raise Unknown

    def _named(self, name: str, elements: Elements) -> Term:
        term = elements.get(name) or self._roots.get(name)
        if term is None:
            raise Unknown
        return term

    def _applied(self, node: Call, elements: Elements) -> Iterator[Case]:
        operands = (*((node.target,) if node.target is not None else ()), *node.args)
        if len(operands) != (1 if node.function in _ONE_OPERAND else 2):
            raise Unknown  # `getHours("Europe/Berlin")` and the like
        for cases in product(*(self.of(operand, elements) for operand in operands)):
            yield both(*(condition for condition, _ in cases)), apply(node.function, tuple(term for _, term in cases))

    def _or_value(self, target: Node, default: Node, elements: Elements) -> Term:
        base, keys = self.optional(target, elements)
        otherwise = self.term(default, elements)
        if not isinstance(otherwise, Fixed) or isinstance(otherwise.value, UInt):
            raise Unknown
        if isinstance(base, Root) and base.kind == "map" and len(keys) == 1:
            return Applied("orElse", (Member(base, keys[0]), otherwise))
        return Applied("orValue", (base, otherwise, *(fixed("text", key) for key in keys)))

    def optional(self, node: Node, elements: Elements) -> tuple[Term, tuple[str, ...]]:
        """`base.?k1.?k2`: the base and the keys; raises `Unknown`."""
        match node:
            case Call(function="_?._" | "_[?_]", args=(operand, Const(value=str(key)))):
                pass
            case Select(operand=operand, field=key, test_only=False) if is_optional(operand):
                pass
            case _:
                raise Unknown
        if is_optional(operand):
            base, keys = self.optional(operand, elements)
            return base, (*keys, key)
        return self.term(operand, elements), (key,)


def parameters(scope: Scope) -> tuple[str, ...]:
    """The names of a generated function's arguments: our own roots by their names, any other by its number."""
    ours = {*ROOTS, *(name for name, _ in CONVERSION.names)}
    return tuple(name if name in ours else f"r{index}" for index, (name, _) in enumerate(scope.names))


@cache
def roots_of(scope: Scope) -> Mapping[str, Root]:
    """The roots of a scope that terms are made of, by name."""
    named = zip(parameters(scope), scope.names, strict=True)
    return {name: Root(parameter, _KINDS[kind]) for parameter, (name, kind) in named if kind in _KINDS}


_KINDS: dict[str, Kind] = {OPEN_MAP: "map", TIMESTAMP: "time"}
"""Roots whose values are known well enough: maps without null, and times. All others are asked about."""


def _is_condition(node: Node) -> bool:
    """Is the node one that `normal` turns into formulas, without asking for its operand again?"""
    if isinstance(node, Comprehension):
        return node.type == "bool"
    return isinstance(node, Select) or (isinstance(node, Call) and node.function in BOOLEAN_CALLS)


def is_optional(node: Node) -> bool:
    """Is the node's value an optional, of which a member is an optional again?"""
    return node.type.startswith("optional_type")


def constant(value: Any) -> Fixed:
    """A literal as a term; raises `Unknown` for null and bytes."""
    match value:
        case bool():
            return fixed("bool", value)
        case UInt():
            return Fixed("number", f"{int(value)}u", value)
        case int() | float():
            return fixed("number", value)
        case str():
            return fixed("text", value)
    raise Unknown


def constant_list(node: MakeList) -> Fixed:
    """A list of literals as a term; raises `Unknown`."""
    if node.optional_indices:
        raise Unknown
    values = [_signed(constant(element.value).value) for element in node.elements if isinstance(element, Const)]
    if len(values) != len(node.elements):
        raise Unknown
    return fixed("list", values)


def plain(term: Term) -> Term:
    """For comparisons, where an unsigned number is a number like any other."""
    return fixed("number", _signed(term.value)) if isinstance(term, Fixed) and isinstance(term.value, UInt) else term


def _signed(value: Any) -> Any:
    return int(value) if isinstance(value, UInt) else value


def apply(function: str, args: tuple[Term, ...]) -> Term:
    """A function of terms; of constants only, its value. Raises `Unknown`."""
    if any(isinstance(arg, Fixed) and isinstance(arg.value, UInt) for arg in args):
        raise Unknown  # arithmetic of unsigned numbers has rules of its own
    values = [arg.value for arg in args if isinstance(arg, Fixed)]
    if len(values) < len(args):
        return Applied(function, args)
    value = FUNCTIONS[function].run(*values)
    if value is None or value is f.ODD:
        raise Unknown
    if isinstance(value, datetime):
        return fixed("time", value)
    return fixed("span", value) if hasattr(value, "total_seconds") else constant(value)


def kind_of(term: Term) -> Kind:
    """What the term is wherever it is there at all."""
    match term:
        case Root(_, kind) | Fixed(kind) | View(kind):
            return kind
        case Applied(function):
            return FUNCTIONS[function].kind
    return "any"


def is_there(term: Term) -> bool:
    """Is the term never absent and never an error?"""
    return isinstance(term, Root | Fixed | Element | View) or (isinstance(term, Applied) and term.function == "orElse")


def odd_terms(*terms: Term) -> tuple[Term, ...]:
    """Those among the terms, and among what they are made of, that may be `ODD`."""
    found: dict[Term, None] = {}
    for term in terms:
        found.update(dict.fromkeys(odd_terms(*parts_of(term))))
        if isinstance(term, Applied) and FUNCTIONS[term.function].odd:
            found[term] = None
    return tuple(found)

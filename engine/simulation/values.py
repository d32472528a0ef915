"""What conditions compare each fact with: values worth trying. Pure.

What lives here: reading constants off conditions. What may not: whether a condition holds (`wishes` asks it).

1. A constant is tried with every path that stands in the same call: itself, and what lies around it, so that
   `traits.employees < 50` meets 49, 50 and 51.
2. A path that is compared with nothing is tried with a bit of everything. One that meets `now`, or is declared a
   timestamp, with times around it.
   These are durations from the moment of the visit on: whoever makes a visit makes times of them.
3. What visitors cannot bring along is left out: Salesforce records, the time, the page's own address.
4. Facts of a view have their types: a query, a device and a place are text, a visit's count is a whole number.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, TypeAlias

from engine.cel.tree import Call, Comprehension, Const, Ident, MakeList, Node, UInt
from engine.cel.walk import children, walk
from engine.cel.wire import read
from engine.rules.doubts.celtext import path as path_of
from engine.words import Condition, TraitDeclaration

Path: TypeAlias = tuple[str, ...]
Facts: TypeAlias = Mapping[Path, Any]
Pool: TypeAlias = dict[Path, tuple[Any, ...]]

_ANYTHING: Final = (True, False, 1, 10, 80, 100, 1000, "some", "other")
_AROUND_NOW: Final = tuple(timedelta(days=days) for days in (-400, -30, -3, -1, 1, 3, 6, 30, 400))
_OPEN: Final = {"traits", "account", "properties"}
_TEXTS: Final = {("page", "referrer"), ("page", "title"), ("device", "type"), ("device", "language")}


def pool(conditions: Iterable[Condition], declared: Mapping[str, TraitDeclaration]) -> Pool:
    """The paths that these conditions ask for, each with values to try."""
    found: dict[Path, dict[str, Any]] = {}
    for condition in conditions:
        tree = read(condition.checked)
        for known, constants, is_dated in _comparisons(tree):
            for one in known:
                kept = found.setdefault(one, {})
                dates = _AROUND_NOW if is_dated or _is_date(one, declared) else ()
                tried = [*(value for constant in constants for value in _around(constant)), *dates]
                kept.update({repr(value): value for value in tried})
    return {one: values for one, kept in found.items() if (values := _fitting(one, [*kept.values()] or _ANYTHING))}


def _comparisons(tree: Node) -> Iterator[tuple[list[Path], list[Any], bool]]:
    """The paths, the constants, and whether `now` is, of every call of the tree, and of the tree itself."""
    yield list(_paths(tree)), [], False
    for node in walk(tree):
        if isinstance(node, Call) and node.function not in {"_&&_", "_||_", "!_", "_?_:_"}:
            below = [*walk(node)]
            constants = [one.value for one in below if isinstance(one, Const) and one.value is not None]
            lists = [_constants(one) for one in below if isinstance(one, MakeList)]
            is_dated = any(isinstance(one, Ident) and one.name == "now" for one in below)
            yield [*_paths(node), *_members(node)], [*constants, *filter(None, lists)], is_dated
        elif isinstance(node, Comprehension):
            inside = [one.value for one in walk(node) if isinstance(one, Const) and type(one.value) in {str, int}]
            yield list(_paths(node.iter_range)), [[value] for value in inside], False


def _paths(node: Node) -> Iterator[Path]:
    """The longest paths."""
    found = path_of(node)
    if found is not None:
        if len(found) > 1:
            yield found
        return
    for child in children(node):
        yield from _paths(child)


def _members(node: Call) -> Iterator[Path]:
    """`"plan" in traits` asks for `traits.plan`; of `"a" in traits.tags` the other side is a list."""
    if node.function == "@in" and isinstance(node.args[0], Const) and isinstance(node.args[1], Ident):
        yield (node.args[1].name, str(node.args[0].value))


def _constants(node: MakeList) -> list[Any]:
    return [one.value for one in node.elements if isinstance(one, Const)]


def _around(constant: Any) -> list[Any]:
    match constant:
        case bool():
            return [True, False]
        case int():
            number = int(constant) if isinstance(constant, UInt) else constant
            return [number, number - 1, number + 1, 2 * number]
        case float():
            return [constant, constant - 1, constant + 1, 2 * constant]
        case str():
            return [constant, f"{constant}.1", f"www.{constant}com", "other", [constant]]
        case list():
            return [*constant, constant]
    return []


def _is_date(path: Path, declared: Mapping[str, TraitDeclaration]) -> bool:
    return path[0] == "traits" and (one := declared.get(path[1])) is not None and one.type == "timestamp"


def _fitting(path: Path, values: Iterable[Any]) -> tuple[Any, ...]:
    """Those that this fact can have."""
    if path[0] in _OPEN:
        return tuple(values)
    if path == ("visit", "count"):
        return tuple(value for value in (*values, 2, 5) if type(value) is int and value > 0)
    if path == ("visit", "new"):
        return (True, False)
    if path in _TEXTS or path[0] == "geo" or path[:2] == ("page", "query"):
        return tuple(value for value in values if isinstance(value, str))
    return ()

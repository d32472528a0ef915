"""Doubts about a condition that is right as CEL, and still cannot mean what somebody meant.

What lives here: parts of a checked condition that come to the same whatever visitor comes. What may not:
errors (that is `parse`), and doubts that need more than one condition to be seen.

1. `null`: a null never reaches a condition, since null is absent. `traits.x == null` is never true.
2. A closed field has a known type, so `visit.count == "3"` is never true, and `page.url > 3` always an error.
3. A constant that is none, `duration("30d")` or `timestamp("2026-01-31")`, is an error for every visitor; so is
   a pattern that RE2 does not read. The reference implementation itself says so.
"""

from collections.abc import Iterator

import re2

from engine.cel.errors import CelError
from engine.cel.oracle import Failure, value
from engine.cel.scope import FIELDS, VISIT, Scope
from engine.cel.tree import Call, Const, Ident, Node, Select
from engine.cel.vocabulary import operator, type_in_words
from engine.cel.walk import walk_free
from engine.cel.wire import cut, read

_EQUALITIES = frozenset({"_==_", "_!=_"})
_ORDERINGS = frozenset({"_<_", "_<=_", "_>_", "_>=_"})
_NUMBERS = frozenset({"int", "uint", "double"})
_UNITS = 'write `duration("720h")`: there are hours, minutes and seconds, no days'
_MOMENT = 'write `timestamp("2026-01-31T00:00:00Z")`, with time and zone'
_PATTERN = "a pattern is a regular expression (RE2): `.` is any character, `\\\\.` a point"


def doubts(checked: bytes, scope: Scope = VISIT) -> list[CelError]:
    """What is doubtful in a checked condition, in the order of its text."""
    found: list[CelError] = []
    roots = {name for name, _ in scope.names}
    for node, bound in walk_free(read(checked)):
        if isinstance(node, Call):
            found += _null(node)
            found += _mixed(node, frozenset(roots - bound))
            found += _constant(checked, node, scope)
    return sorted(found, key=lambda doubt: doubt.offset)


def _null(call: Call) -> Iterator[CelError]:
    if call.function not in _EQUALITIES or not any(isinstance(arg, Const) and arg.value is None for arg in call.args):
        return
    if call.function == "_==_":
        yield CelError(_place(call), 2, "null is absent here, so this is never true", "write `!has(…)`")
    else:
        yield CelError(_place(call), 2, "null is absent here, so this is true of every known value", "write `has(…)`")


def _mixed(call: Call, roots: frozenset[str]) -> Iterator[CelError]:
    if call.function not in _EQUALITIES | _ORDERINGS or len(call.args) != 2:
        return
    left, right = (_known_type(arg, roots) for arg in call.args)
    # What is inside of a list, a type or an optional value may be of any type: `type(traits.x) == string`.
    if (
        left.partition("(")[0] == right.partition("(")[0]
        or {left, right} <= _NUMBERS
        or {left, right} & {"dyn", "null_type"}
    ):
        return
    come = {"_==_": "never true", "_!=_": "true wherever it is known"}.get(call.function, "always an error")
    sign = operator(call.function)
    message = f"`{sign}` of {type_in_words(left)} and {type_in_words(right)} is {come}"
    yield CelError(_place(call), len(sign), message)


def _known_type(node: Node, roots: frozenset[str]) -> str:
    """The static type, or for a field of a closed root its known one."""
    match node:
        case Select(operand=Ident(name=root), field=field, test_only=False) if root in roots:
            return FIELDS.get(root, {}).get(field, node.type)
    return node.type


def _constant(checked: bytes, call: Call, scope: Scope) -> Iterator[CelError]:
    last = call.args[-1] if call.args else None
    if not isinstance(last, Const) or not isinstance(last.value, str):
        return
    match call.function:
        case "duration" if isinstance(value(cut(checked, call), {}, scope), Failure):
            yield _broken(last, f"`{last.value}` is no duration, so this is an error for everybody", _UNITS)
        case "timestamp" if isinstance(value(cut(checked, call), {}, scope), Failure):
            yield _broken(last, f"`{last.value}` is no moment, so this is an error for everybody", _MOMENT)
        case "matches" if not _is_pattern(last.value):
            yield _broken(last, f"`{last.value}` is no pattern, so this is an error for everybody", _PATTERN)


def _is_pattern(text: str) -> bool:
    options = re2.Options()
    options.log_errors = False  # it would write to stderr
    try:
        re2.compile(text, options)
    except re2.error:
        return False
    return True


def _broken(constant: Const, message: str, hint: str) -> CelError:
    width = len(constant.value) + 2 if isinstance(constant.value, str) else 1
    return CelError(max(0, constant.offset), width, message, hint)


def _place(node: Node) -> int:
    return max(0, node.offset)

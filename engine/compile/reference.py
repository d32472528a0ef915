"""What is not compiled: an expression that the reference implementation evaluates.

What lives here: a function of the roots, in order, that asks the oracle. What may not: any judgement of CEL.

1. The expression is cut out of the condition it stands in, with the types and references of the whole.
2. It is planned on its first call: most functions of a ruleset never get to the test that needs it.
3. The reference implementation copies what it is given, every time. So a root is handed over whole only where
   the expression asks for it as a whole, and otherwise with the members that are asked for.
"""

from functools import cached_property
from typing import Any

from engine.cel.oracle import Oracle, prepare
from engine.cel.scope import OPEN_MAP, Scope
from engine.cel.tree import Call, Const, Ident, Node, Select
from engine.cel.walk import children
from engine.cel.wire import cut


class Reference:
    """True, False or None (neither), by the reference implementation; called with the roots in order."""

    def __init__(self, checked: bytes, node: Node, scope: Scope) -> None:
        self._checked = cut(checked, node)
        self._scope = scope
        self._asked = _asked(node, frozenset(name for name, kind in scope.names if kind == OPEN_MAP))
        self._places = tuple((i, name) for i, (name, _) in enumerate(scope.names) if name in self._asked)

    def __call__(self, *roots: Any) -> bool | None:
        """The truth of the expression for these roots."""
        bindings = {}
        for index, name in self._places:
            keys, root = self._asked[name], roots[index]
            bindings[name] = root if keys is None else {key: root[key] for key in keys if key in root}
        return self._oracle.truth(bindings)

    @cached_property
    def _oracle(self) -> Oracle:
        return prepare(self._checked, self._scope)


def _asked(node: Node, maps: frozenset[str]) -> dict[str, set[str] | None]:
    """The names that an expression asks for; of a map its members, None where the map itself is asked for."""
    asked: dict[str, set[str] | None] = {}
    waiting = [node]
    while waiting:
        match waiting.pop():
            case (
                Select(operand=Ident(name=name), field=key)
                | Call(function="_[_]" | "_?._" | "_[?_]", args=(Ident(name=name), Const(value=str(key))))
            ) if name in maps:
                members = asked.setdefault(name, set())
                if members is not None:
                    members.add(key)
            case Ident(name=name):
                asked[name] = None
            case other:
                waiting += children(other)
    return asked

"""What the reference implementation itself says of an expression: the oracle.

What lives here: evaluation of checked bytes over Python values. What may not: opinions. Whatever is compiled
has to give the same answers, and what is not compiled is evaluated here.

1. `prepare` plans an expression once; the `Oracle` then answers for any number of bindings, from any thread
   (the reference implementation holds the GIL while it evaluates).
2. `truth` is three-valued: True, False, and None for an error, an unknown, or a value that is no bool.
3. Nothing that a visitor brings raises. A missing root is an unknown; what the reference implementation
   refuses with an exception is a `Failure`.
"""

from collections.abc import Mapping
from typing import Any

from cel_expr_python import cel
from msgspec import Struct

from engine.cel.literal import split
from engine.cel.scope import VISIT, Scope, environment
from engine.cel.walk import names
from engine.cel.wire import NotChecked, around, read


class Failure(Struct, frozen=True):
    """An error or an unknown: the value of an expression that has none. The text is the reference implementation's."""

    message: str


class Oracle:
    """One expression, planned, to be asked again and again."""

    def __init__(self, checked: bytes, scope: Scope) -> None:
        self._environment = environment(scope)
        self._checked = checked
        self._expression = self._plan(checked)
        root = read(checked)
        self._raw = root.raw
        asked = names(root)
        self._roots = tuple(name for name, _ in scope.names if name in asked)

    def truth(self, bindings: Mapping[str, Any]) -> bool | None:
        """True, False, or None: an error, an unknown, or no bool at all."""
        try:
            result = self._evaluate(bindings)
            return bool(result.value()) if result.type() == cel.Type.BOOL else None
        except Exception:  # noqa: BLE001 - pybind raises whatever the C++ side threw; none of it may escape
            return None

    def value(self, bindings: Mapping[str, Any]) -> Any:
        """The value as Python has it (`bytes` for bytes, `int` for uint as well), or a `Failure`."""
        try:
            result = self._evaluate(bindings)
            value = _plain(result)
        except Exception as error:  # noqa: BLE001 - as above
            return Failure(str(error))
        return Failure(str(value)) if result.type() == cel.Type.ERROR else value

    def _evaluate(self, bindings: Mapping[str, Any]) -> cel.Value:
        """Only the roots that the expression asks for are handed over: each is copied whole, every time."""
        asked = {root: bindings[root] for root in self._roots if root in bindings}
        raw, carried = split(self._raw, asked)
        expression = self._expression if raw is self._raw else self._plan(around(self._checked, raw))
        return expression.eval(self._environment.Activation(carried))

    def _plan(self, checked: bytes) -> cel.Expression:
        try:
            return self._environment.deserialize(checked)
        except RuntimeError as error:
            raise NotChecked(str(error)) from error


def _plain(value: cel.Value) -> Any:
    """A value as Python has it, all the way down.

    The binding (0.1.3) gives away a reference to None that it does not own, each time it is asked for a null, also one
    in a list or a map. Before Python 3.12 made None immortal, that ends the process after some thousand times.
    So no null is ever asked for.
    """
    if value.type() == cel.Type.NULL:
        return None
    found = value.value()
    if isinstance(found, list):
        return [_plain(element) for element in found]
    if isinstance(found, dict):
        return {key: _plain(element) for key, element in found.items()}
    return bytes(found) if isinstance(found, bytearray) else found


def prepare(checked: bytes, scope: Scope = VISIT) -> Oracle:
    """An expression planned for repeated use; raises `NotChecked` for bytes that hold none."""
    return Oracle(checked, scope)


def truth(checked: bytes, bindings: Mapping[str, Any], scope: Scope = VISIT) -> bool | None:
    """`Oracle.truth`, once."""
    return prepare(checked, scope).truth(bindings)


def value(checked: bytes, bindings: Mapping[str, Any], scope: Scope = VISIT) -> Any:
    """`Oracle.value`, once."""
    return prepare(checked, scope).value(bindings)

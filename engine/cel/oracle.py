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
        value = self.value(bindings)
        return value if value is True or value is False else None

    def value(self, bindings: Mapping[str, Any]) -> Any:
        """The value as Python has it (`bytes` for bytes, `int` for uint as well), or a `Failure`."""
        try:
            result = self._evaluate({root: bindings[root] for root in self._roots if root in bindings})
            value = result.plain_value()
        except Exception as error:  # noqa: BLE001 - pybind raises whatever the C++ side threw; none of it may escape
            return Failure(str(error))
        if result.type() == cel.Type.ERROR:
            return Failure(str(value))
        return bytes(value) if isinstance(value, bytearray) else value

    def _evaluate(self, bindings: dict[str, Any]) -> cel.Value:
        """Only the roots that the expression asks for are handed over: each is copied whole, every time."""
        raw, carried = split(self._raw, bindings)
        expression = self._expression if raw is self._raw else self._plan(around(self._checked, raw))
        return expression.eval(self._environment.Activation(carried))

    def _plan(self, checked: bytes) -> cel.Expression:
        try:
            return self._environment.deserialize(checked)
        except RuntimeError as error:
            raise NotChecked(str(error)) from error


def prepare(checked: bytes, scope: Scope = VISIT) -> Oracle:
    """An expression planned for repeated use; raises `NotChecked` for bytes that hold none."""
    return Oracle(checked, scope)


def truth(checked: bytes, bindings: Mapping[str, Any], scope: Scope = VISIT) -> bool | None:
    """`Oracle.truth`, once."""
    return prepare(checked, scope).truth(bindings)


def value(checked: bytes, bindings: Mapping[str, Any], scope: Scope = VISIT) -> Any:
    """`Oracle.value`, once."""
    return prepare(checked, scope).value(bindings)

"""A CEL expression as a small typed tree. What lives here: the node types, plain and frozen. No logic.

1. Every node has the `id` of the parser, the `offset` of its character in the text, and the static `type` that
   the checker gave it. Offsets count code points: of an operator its sign, of a field its dot, of a call its
   parenthesis, of what a macro makes the macro's; -1 where there is none.
2. Operators are calls by CEL's own names: `_&&_ _||_ !_ _?_:_ _==_ _!=_ _<_ _<=_ _>_ _>=_ @in _[_] _+_ -_ …`.
   `has(a.b)` is `Select(test_only=True)`; other macros are `Comprehension`s. `a.?b` is the call `_?._`.
3. `raw` is the node's own `cel.expr.Expr` message, so that a part of an expression can be handed back to
   the reference implementation as it is.
"""

from typing import TypeAlias

from msgspec import Struct


class UInt(int):
    """A CEL `uint` constant: a number apart from `int` in arithmetic, the same in comparisons."""


Constant: TypeAlias = bool | int | UInt | float | str | bytes | None


class _Node(Struct, frozen=True, kw_only=True, eq=False):
    id: int
    offset: int
    type: str  # a CEL type as text: `bool`, `dyn`, `list(string)`, `map(string, dyn)`, `google.protobuf.Timestamp` …
    raw: bytes


class Const(_Node, frozen=True, eq=False):
    value: Constant


class Ident(_Node, frozen=True, eq=False):
    name: str


class Select(_Node, frozen=True, eq=False):
    operand: "Node"
    field: str
    test_only: bool


class Call(_Node, frozen=True, eq=False):
    function: str
    target: "Node | None"
    args: "tuple[Node, ...]"


class MakeList(_Node, frozen=True, eq=False):
    elements: "tuple[Node, ...]"
    optional_indices: tuple[int, ...]


class MakeMap(_Node, frozen=True, eq=False):
    """A map, or with a `message_name` a message (its keys are then field names as text constants)."""

    message_name: str
    entries: "tuple[tuple[Node, Node, bool], ...]"  # key, value, optional


class Comprehension(_Node, frozen=True, eq=False):
    iter_var: str
    iter_var2: str
    iter_range: "Node"
    accu_var: str
    accu_init: "Node"
    loop_condition: "Node"
    loop_step: "Node"
    result: "Node"


Node: TypeAlias = Const | Ident | Select | Call | MakeList | MakeMap | Comprehension

"""A goal's condition in SQL, over the columns that Segment's warehouse destination makes of properties. Pure.

What lives here: the part of CEL that SQL says with the same meaning. What may not: dialects (the text is DuckDB's, and
`warehouse` has it rewritten), running anything.

1. A property is a column, a nested one `outer_inner`; one that is absent is NULL. CEL's error and SQL's NULL absorb
   alike under and, or and not, and a condition counts where it is true: so the three values are the same three.
2. Said are: `&& || ! ?:`, `==` and `!=` with a constant, `< <= > >=` with a number, `in` a list of constants, `has()`,
   `"name" in properties`, `startsWith endsWith contains` with a constant, `lowerAscii()`, `.?name.orValue(constant)`.
3. What is left out would mean something else there, or fail for the whole table: arithmetic (CEL keeps whole numbers
   and decimals apart, event by event), text in order (every database has an order of its own), lists (they are text
   there), conversions, regular expressions, times. `CannotSay` names the place.
"""

from string import ascii_lowercase, ascii_uppercase
from typing import Final

from engine.cel.tree import Call, Const, Ident, MakeList, Node, Select
from engine.cel.wire import read
from engine.lift.question import quoted
from engine.lift.snakecase import stored_name
from engine.problems import Problem
from engine.words import Condition, Place

_CONNECTIVES: Final = {"_&&_": "AND", "_||_": "OR"}
_EQUAL: Final = {"_==_": "=", "_!=_": "<>"}
_ORDER: Final = {"_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">="}
_TEXT_TESTS: Final = {
    "startsWith": "STARTS_WITH({0}, {1})",
    "endsWith": "ENDS_WITH({0}, {1})",
    "contains": "STRPOS({0}, {1}) > 0",
}
_SAID: Final = (
    "said there: && || ! ?: == != in has() startsWith endsWith contains lowerAscii() .?name.orValue(), and < <= > >="
    " with a number; or ask the log (`mutiny-edge lift` without --sql)"
)


class CannotSay(ValueError):  # noqa: N818 - the name says what is wrong
    """Part of a condition that has no counterpart in SQL; `problem` says which."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def cel_sql(condition: Condition, table: str) -> str:
    """The condition as an expression over this table's columns. Raises CannotSay."""
    return _Condition(condition, table).truth(read(condition.checked))


class _Condition:
    """One condition, while it is said."""

    def __init__(self, condition: Condition, table: str) -> None:
        self._condition = condition
        self._table = table

    def truth(self, node: Node) -> str:
        """A node that is true, false or neither."""
        match node:
            case Const(value=bool(value)):
                return str(value).upper()
            case Call(function="_&&_" | "_||_" as name, args=(a, b)):
                return f"({self.truth(a)} {_CONNECTIVES[name]} {self.truth(b)})"
            case Call(function="!_", args=(a,)):
                return f"(NOT {self.truth(a)})"
            case Call(function="_?_:_", args=(asked, a, b)):
                said = self.truth(asked)
                return f"CASE WHEN {said} THEN {self.truth(a)} WHEN NOT {said} THEN {self.truth(b)} END"
            case Call(function=name, args=(a, b)) if name in _EQUAL or name in _ORDER:
                return self._relation(node, name, a, b)
            case Call(function="@in", args=(a, b)):
                return self._membership(node, a, b)
            case Call(function=name, target=target, args=(Const(value=str(text)),)) if name in _TEXT_TESTS and target:
                test = _TEXT_TESTS[name].format(self.value(target), quoted(text))
                return f"({test})" if text else f"({self.value(target)} IS NOT NULL OR NULL)"
            case Select(test_only=True):
                return f"({self._column(node)} IS NOT NULL)"
        return self.value(node)

    def value(self, node: Node) -> str:
        """A node that has a value, or none."""
        match node:
            case Const(value=bool(value)):
                return str(value).upper()
            case Const(value=str(value)):
                return quoted(value)
            case Const(value=int() | float() as number):
                return repr(number + 0)
            case Select() | Call(function="_[_]"):
                return self._column(node)
            case Call(function="lowerAscii", target=target) if target is not None:
                return f"TRANSLATE({self.value(target)}, '{ascii_uppercase}', '{ascii_lowercase}')"
            case Call(function="orValue", target=Call(function="_?._") as optional, args=(Const() as default,)):
                return f"COALESCE({self._column(optional)}, {self.value(default)})"
        raise self._cannot(node)

    def _relation(self, node: Node, name: str, a: Node, b: Node) -> str:
        constants = [side.value for side in (a, b) if isinstance(side, Const)]
        if len(constants) != 1 or constants[0] is None:
            raise self._cannot(node)
        if name in _ORDER and type(constants[0]) in {str, bytes, bool}:
            raise self._cannot(node)
        return f"({self.value(a)} {(_EQUAL | _ORDER)[name]} {self.value(b)})"

    def _membership(self, node: Node, a: Node, b: Node) -> str:
        if isinstance(a, Const) and isinstance(a.value, str) and isinstance(b, Ident):
            return f"({self._named((a.value,), node)} IS NOT NULL)"
        if not isinstance(b, MakeList) or isinstance(a, Const):
            raise self._cannot(node)
        constants = [element for element in b.elements if isinstance(element, Const) and element.value is not None]
        if len(constants) != len(b.elements) or len({self._sort(constant) for constant in constants}) > 1:
            raise self._cannot(node)
        if not constants:
            return f"({self.value(a)} IS NULL AND NULL)"
        return f"({self.value(a)} IN ({', '.join(map(self.value, constants))}))"

    def _sort(self, constant: Const) -> str:
        return "number" if type(constant.value) in {int, float} else type(constant.value).__name__

    def _column(self, node: Node) -> str:
        path: list[str] = []
        inner = node
        while not isinstance(inner, Ident):
            match inner:
                case Select(operand=operand, field=field):
                    path.insert(0, field)
                    inner = operand
                case Call(function="_[_]" | "_?._", args=(operand, Const(value=str(field)))):
                    path.insert(0, field)
                    inner = operand
                case _:
                    raise self._cannot(node)
        return self._named(tuple(path), node)

    def _named(self, path: tuple[str, ...], node: Node) -> str:
        column = stored_name(*path)
        if not column.strip("_"):
            raise self._cannot(node)
        return f'{self._table}."{column}"'

    def _cannot(self, node: Node) -> CannotSay:
        condition = self._condition
        offset = max(0, node.offset)
        place = condition.place
        if "\n" not in condition.text:
            place = Place(place.file, place.line, place.column + offset)
        message = "this part of the condition cannot be said in SQL with the same meaning"
        return CannotSay(Problem(place, "not-in-sql", message, _SAID))

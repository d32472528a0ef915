"""A CEL tree written as CEL again, and what checks ask of trees. Pure.

What lives here: `written`, conjuncts and disjuncts, the facts (paths) that an expression needs. What may not:
judging a condition (surprises.py, contradictions.py).

1. `written` is one text a meaning: equal trees have equal texts, and equal texts mean the same. A comprehension
   (`exists`, `all`, …) has no text of its own any more: its text is marked with `MACRO` and serves for comparing only.
2. A *fact* is a path below `traits`, `account` or a Salesforce record: what may be unknown of a visitor.
"""

from collections.abc import Iterator
from typing import TypeAlias

from engine.cel.tree import Call, Comprehension, Const, Ident, MakeList, MakeMap, Node, Select, UInt
from engine.cel.walk import children

Fact: TypeAlias = tuple[str, ...]

MACRO = "⟨macro⟩"
_BINARY = {
    "_||_": ("||", 1), "_&&_": ("&&", 2), "_==_": ("==", 3), "_!=_": ("!=", 3), "_<_": ("<", 3), "_<=_": ("<=", 3),
    "_>_": (">", 3), "_>=_": (">=", 3), "@in": ("in", 3), "_+_": ("+", 4), "_-_": ("-", 4), "_*_": ("*", 5),
    "_/_": ("/", 5), "_%_": ("%", 5),
}  # fmt: skip
_UNARY, _ATOM = 6, 7


def written(node: Node) -> str:
    """The expression as CEL text."""
    return _write(node)[0]


def _write(node: Node) -> tuple[str, int]:
    """The text, and how tightly its outermost operator binds."""
    match node:
        case Const(value=value):
            text = _constant(value)
            return text, _UNARY if text.startswith("-") else _ATOM
        case Ident(name=name):
            return name, _ATOM
        case Select(operand=operand, field=field, test_only=test_only):
            path = f"{_inner(operand, _ATOM)}.{field}"
            return (f"has({path})" if test_only else path), _ATOM
        case Call():
            return _call(node)
        case MakeList(elements=elements, optional_indices=optional):
            items = ("?" * (number in optional) + written(element) for number, element in enumerate(elements))
            return f"[{', '.join(items)}]", _ATOM
        case MakeMap(message_name=message, entries=entries):
            pairs = ("?" * optional + f"{written(key)}: {written(value)}" for key, value, optional in entries)
            return message + "{" + ", ".join(pairs) + "}", _ATOM
        case Comprehension(iter_var=one, iter_var2=two, accu_var=sum_):
            return f"{MACRO}({_listed(children(node))}, {one}, {two}, {sum_})", _ATOM


def _call(node: Call) -> tuple[str, int]:
    args = node.args
    if node.function in _BINARY and len(args) == 2:
        sign, binds = _BINARY[node.function]
        # Comparisons do not chain, and what stands right of `-` or `/` belongs together.
        right = _inner(args[1], binds if binds < 3 else binds + 1)
        return f"{_inner(args[0], binds if binds != 3 else 4)} {sign} {right}", binds
    if node.function in {"!_", "-_"}:
        return node.function[0] + _inner(args[0], _ATOM), _UNARY  # the parser takes `!!x` for `x`
    if node.function == "_?_:_":
        return f"{_inner(args[0], 1)} ? {_inner(args[1], 1)} : {_inner(args[2], 0)}", 0
    if node.function == "_[_]":
        return f"{_inner(args[0], _ATOM)}[{written(args[1])}]", _ATOM
    if node.function in {"_?._", "_[?_]"}:
        field = args[1]
        if node.function == "_?._" and isinstance(field, Const):
            return f"{_inner(args[0], _ATOM)}.?{field.value!s}", _ATOM
        return f"{_inner(args[0], _ATOM)}[?{written(field)}]", _ATOM
    target = f"{_inner(node.target, _ATOM)}." if node.target is not None else ""
    return f"{target}{node.function}({_listed(args)})", _ATOM


def _inner(node: Node, least: int) -> str:
    text, binds = _write(node)
    return text if binds >= least else f"({text})"


def _listed(nodes: tuple[Node, ...]) -> str:
    return ", ".join(map(written, nodes))


def _constant(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case UInt():
            return f"{int(value)}u"
        case str():
            return quoted(value)
        case bytes():
            return "b" + quoted(value.decode("latin-1"))
    return repr(value)


def quoted(text: str) -> str:
    """A text as a CEL string literal."""
    for c, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(c, escape)
    return f'"{text}"'


def conjuncts(node: Node) -> list[Node]:
    """The parts of `a && b && …`, from left to right."""
    return _parts(node, "_&&_")


def disjuncts(node: Node) -> list[Node]:
    """The parts of `a || b || …`, from left to right."""
    return _parts(node, "_||_")


def _parts(node: Node, function: str) -> list[Node]:
    found, todo = [], [node]
    while todo:
        part = todo.pop()
        if isinstance(part, Call) and part.function == function:
            todo += reversed(part.args)
        else:
            found.append(part)
    return found


def path(node: Node) -> tuple[str, ...] | None:
    """`traits.plan` and `traits["plan"]` as `("traits", "plan")`; `None` where it is no plain path."""
    names: list[str] = []
    while not isinstance(node, Ident):
        if isinstance(node, Select):
            names.append(node.field)
            node = node.operand
        elif isinstance(node, Call) and node.function == "_[_]" and isinstance(node.args[1], Const):
            name = node.args[1].value
            if not isinstance(name, str):
                return None
            names.append(name)
            node = node.args[0]
        else:
            return None
    return (node.name, *reversed(names))


def is_fact(found: tuple[str, ...] | None) -> bool:
    """Is it a path to something that may be unknown of a visitor?"""
    if found is None:
        return False
    return len(found) > (2 if found[0] == "salesforce" else 1) and found[0] in {"traits", "account", "salesforce"}


def facts(node: Node) -> Iterator[tuple[Fact, Node]]:
    """Every fact whose value the expression needs, with its node; what `has()` asks for is not among them."""
    if isinstance(node, Select) and node.test_only:
        return
    found = path(node)
    if found is not None and is_fact(found):
        yield found, node
        return
    for child in children(node):
        yield from facts(child)


def start(node: Node) -> int:
    """The offset of the expression's first character, parentheses left aside; -1 where the parser made it up."""
    at = node.offset
    if isinstance(node, Call) and node.target is None and node.function[0].isalpha():
        at -= len(node.function)  # the parser puts a call at its parenthesis
    if isinstance(node, Select) and node.test_only:
        at -= len("has")
    offsets = [at] if node.offset >= 0 else []
    offsets += [below for below in map(start, children(node)) if below >= 0]
    return min(offsets, default=-1)

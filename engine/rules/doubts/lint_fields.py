"""Doubts about rules that ask Salesforce records for what the org does not have.

What lives here: fields that there are not, comparisons with a kind of value that a field never holds, values that a
picklist does not have. What may not: mirrors (what is known comes in as `Fields`), doubts that files alone raise.

1. Only records whose fields are known are looked at: without a sync or an import nothing is said.
2. A field is doubted once a condition or template, at its first place; one that there is not is not asked for kinds.
3. A comparison is doubted only where it can never be true; `!= ""` means "is there".
4. A picklist may hold values that are not in its list (Salesforce lets programs write them), so this is a doubt too.
"""

from collections.abc import Iterable, Iterator

from engine.cel.tree import Call, Comprehension, Const, Ident, MakeList, Node, Select
from engine.cel.walk import walk_free
from engine.cel.wire import read
from engine.problems import Problem
from engine.rules.desk import Desk, Parsed
from engine.rules.doubts.celtext import path, start, written
from engine.rules.doubts.fields import ROOT, Fields, KnownField, nearest_value
from engine.rules.doubts.lint_traits import MANY, ONE, Comparison, comparisons
from engine.rules.notation import slots

_INDEXING = frozenset({"_[_]", "_[?_]", "_?._"})
_LATER = "right only where it is about to be made; `mutiny-edge salesforce fields` shows all"
_SHOWN = 6  # values of a picklist, in one message
FieldPath = tuple[str, str]


def unknown_fields(desks: Iterable[Desk], fields: Fields) -> Iterator[Problem]:
    """Every doubt about what rules ask Salesforce records for."""
    for desk in desks:
        for parsed in desk.parsed:
            if parsed.path[0] == "segments" and ROOT in parsed.condition.text:
                yield from _condition(parsed, fields)
        for at, text in desk.templates:
            yield from _template(desk, at, text, fields)
        for number, text in enumerate(desk.document.shape.insertable):
            yield from _insertable(desk, ("insertable", number), text, fields)


def _insertable(desk: Desk, at: tuple[str | int, ...], text: str, fields: Fields) -> Iterator[Problem]:
    found = slots.read_path(text)[0]
    if len(found) == 3 and found[0] == ROOT and found[1] in fields.records and fields.of(found[1], found[2]) is None:
        message, hint = _nowhere(found[1], found[2], fields)
        yield desk.document.problem(at, "unknown-field", message, hint, severity="warning")


def _condition(parsed: Parsed, fields: Fields) -> Iterator[Problem]:
    text, told = parsed.condition.text, set[FieldPath]()
    tree = read(parsed.condition.checked)
    for (record, name), near in _asked(tree):
        if record in fields.records and fields.of(record, name) is None and (record, name) not in told:
            told.add((record, name))
            found = text.find(name, near)
            at, width = (found, len(name)) if found >= 0 else (near, 1)
            yield parsed.doubt("unknown-field", *_nowhere(record, name, fields), at, width)
    for one in comparisons(tree):
        known = fields.of(*one.trait[1:]) if one.trait[0] == ROOT else None
        if known is not None and known.kind not in one.kinds and one.trait[1:] not in told:
            told.add((one.trait[1], one.trait[2]))
            yield parsed.doubt("field-type", *_unlike(one, known), max(0, start(one.node)), len(written(one.node)))
    for (record, name), value, node in _values(tree):
        known = fields.of(record, name)
        if known is not None and known.values and value not in known.values and (record, name) not in told:
            said = _no_value(record, name, known, value)
            yield parsed.doubt("unknown-value", *said, max(0, node.offset), len(written(node)))


def _template(desk: Desk, at: tuple[str | int, ...], text: str, fields: Fields) -> Iterator[Problem]:
    parts = slots.cut(text, desk.known.insertable)[0] if ROOT in text else []
    told = set[FieldPath]()
    for part in parts:
        if not isinstance(part, slots.Hole) or part.path[0] != ROOT or part.path[1] not in fields.records:
            continue
        record, name = part.path[1:3]
        if fields.of(record, name) is None and (record, name) not in told:
            told.add((record, name))
            message, hint = _nowhere(record, name, fields)
            yield desk.document.problem(
                at, "unknown-field", message, hint, offset=part.offset, width=part.width, severity="warning"
            )


def _asked(tree: Node) -> Iterator[tuple[FieldPath, int]]:
    """Every field that is asked for, each with an offset at or before its name."""
    for node, bound in walk_free(tree):
        if ROOT in bound:
            continue
        match node:
            case Select(operand=operand, field=str() as name):
                record = operand
            case Call(function=function, args=(record, Const(value=str() as name))) if function in _INDEXING:
                pass
            case Call(function="@in", args=(Const(value=str() as name), record)):
                pass
            case _:
                continue
        found = path(record)
        if found is not None and len(found) == 2 and found[0] == ROOT:
            yield (found[1], name), max(0, start(node))


def _values(tree: Node) -> Iterator[tuple[FieldPath, str, Const]]:
    """Every text that a field, or an element of it, is compared with for being equal, or looked for in."""
    for node, bound in walk_free(tree):
        if ROOT in bound:
            continue
        for one, text in _pairs(node):
            found = _field(one)
            if found is not None:
                yield found, str(text.value), text
        if isinstance(node, Comprehension):
            found = _field(node.iter_range)
            inside = walk_free(node.loop_step) if found is not None else ()
            for one, text in (pair for part, hidden in inside if node.iter_var not in hidden for pair in _pairs(part)):
                if found is not None and isinstance(one, Ident) and one.name == node.iter_var:
                    yield found, str(text.value), text


def _pairs(node: Node) -> Iterator[tuple[Node, Const]]:
    """What is compared with a text, and the text."""
    if not isinstance(node, Call) or node.function not in {"_==_", "_!=_", "@in"}:
        return
    left, right = node.args
    pairs = [(left, right), (right, left)]
    if node.function == "@in" and isinstance(right, MakeList):
        pairs = [(left, element) for element in right.elements]
    for one, other in pairs:
        if isinstance(other, Const) and isinstance(other.value, str) and other.value:
            yield one, other


def _field(node: Node) -> FieldPath | None:
    """The field that is asked for, or of which an element is."""
    if isinstance(node, Call) and node.function == "_[_]" and isinstance(node.args[1], Const):
        node = node.args[0] if isinstance(node.args[1].value, int) else node
    found = path(node)
    return (found[1], found[2]) if found is not None and len(found) == 3 and found[0] == ROOT else None


def _nowhere(record: str, name: str, fields: Fields) -> tuple[str, str]:
    message = f"Salesforce has no field `{slots.shown((ROOT, record, name))}` here"
    return message, fields.nearest(record, name) or _LATER


def _unlike(one: Comparison, known: KnownField) -> tuple[str, str]:
    name = slots.shown(one.trait)
    with_ = " or ".join(ONE[kind] for kind in sorted(one.kinds))
    function = one.node.function if isinstance(one.node, Call) else ""
    what = "is compared with" if one.constant or function.startswith("_") else "is asked for"
    message = f"`{name}` {what} {with_}, but this field holds {MANY[known.kind]}"
    if known.kind == "list" and one.constant and function in {"_==_", "_!=_"}:
        inside = f"{one.constant} in {name}"
        return message, f"`{inside}`" if function == "_==_" else f"`!({inside})`"
    digits = one.constant.strip('"')
    if known.kind == "number" and digits.isdecimal() and function in {"_==_", "_!=_"}:
        return message, f"`{name} {function.strip('_')} {digits}`"
    if known.kind == "timestamp" and one.constant:
        return message, f'compare it with a time: `{name} > timestamp("2026-01-01T00:00:00Z")`'
    return message, ""


def _no_value(record: str, name: str, known: KnownField, value: str) -> tuple[str, str]:
    shown = slots.shown((ROOT, record, name))
    listed = ", ".join(f"`{one}`" for one in known.values[:_SHOWN])
    more = f" and {len(known.values) - _SHOWN} more" if len(known.values) > _SHOWN else ""
    near = nearest_value(value, known.values)
    return f"the picklist `{shown}` has no value `{value}`", near or f"it has {listed}{more}"

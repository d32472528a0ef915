"""The bytes of a checked expression, read into the tree. Pure; no dependency on protobuf.

What lives here: a reader for the dozen protobuf messages of `cel/expr/{syntax,checked}.proto`, and the way
back for a part of an expression. What may not: names in scope, evaluation, messages for people.

1. `checked` is what `Expression.serialize()` gives: a `google.protobuf.Any` (type_url 1, value 2) around a
   `CheckedExpr` (reference_map 2, type_map 3, expr 4, source_info 5). A `ParsedExpr` (expr 2, source_info 3),
   which is an expression that nobody checked, is read as well: all its types are `dyn`.
2. A message is a run of fields; `_fields` yields (field number, value), the value being a number or bytes.
   Unknown fields are stepped over, as protobuf wants it.
3. Types come from `type_map`, offsets from `source_info.positions`; both by node id. The checker leaves
   `dyn` out of the map, so a node without a type is `dyn`. Positions count code points (held by a test).
4. `cut` keeps types, references and positions and puts another node at the root, so that the reference
   implementation evaluates a part exactly as it was checked within the whole.
"""

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from engine.cel.tree import Call, Comprehension, Const, Constant, Ident, MakeList, MakeMap, Node, Select, UInt

_PRIMITIVES = ("dyn", "bool", "int", "uint", "double", "string", "bytes")
_WELL_KNOWN = ("dyn", "google.protobuf.Any", "google.protobuf.Timestamp", "google.protobuf.Duration")
_FIXED = {1: 8, 5: 4}  # wire types of fixed width, in bytes


class _Layout(NamedTuple):
    """Field numbers of the message in the `Any`; 0 is no field."""

    types: int
    expr: int
    source_info: int


_LAYOUTS = {
    b"type.googleapis.com/cel.expr.CheckedExpr": _Layout(types=3, expr=4, source_info=5),
    b"type.googleapis.com/cel.expr.ParsedExpr": _Layout(types=0, expr=2, source_info=3),
}


class NotChecked(ValueError):
    """The bytes are no `Any` of a well-formed `CheckedExpr`."""


def read(checked: bytes) -> Node:
    """The tree of a checked expression; raises `NotChecked` for bytes that hold none."""
    try:
        _, layout, message = _open(checked)
        return _Reader(layout, message).root()
    except (IndexError, KeyError, TypeError, UnicodeDecodeError, struct.error) as error:
        raise NotChecked("these bytes are no checked expression") from error


def cut(checked: bytes, node: Node) -> bytes:
    """The same checked expression with `node` (one of its own nodes) as its root."""
    return around(checked, node.raw)


def around(checked: bytes, raw: bytes) -> bytes:
    """The same checked expression with another `Expr` message as its root."""
    url, layout, message = _open(checked)
    kept = [field(number, _bytes(value)) for number, value in _fields(message) if number != layout.expr]
    return field(1, url) + field(2, b"".join([*kept, field(layout.expr, raw)]))


def _open(checked: bytes) -> tuple[bytes, _Layout, bytes]:
    one = _single(checked)
    url = _bytes(one.get(1, b""))
    if url not in _LAYOUTS:
        raise NotChecked("these bytes are no checked expression")
    return url, _LAYOUTS[url], _bytes(one.get(2, b""))


class _Reader:
    """One reading of one expression."""

    def __init__(self, layout: _Layout, message: bytes) -> None:
        self._types: dict[int, str] = {}
        self._offsets: dict[int, int] = {}
        self._expr = b""
        for number, value in _fields(message):
            if number == layout.types:
                key, type_ = _entry(_bytes(value))
                self._types[key] = _type(_bytes(type_))
            elif number == layout.expr:
                self._expr = _bytes(value)
            elif number == layout.source_info:
                self._read_positions(_bytes(value))

    def root(self) -> Node:
        return self._node(self._expr)

    def _read_positions(self, source_info: bytes) -> None:
        for number, value in _fields(source_info):
            if number == 4:
                key, offset = _entry(_bytes(value))
                self._offsets[key] = _int(offset)

    def _node(self, raw: bytes) -> Node:
        """Expr: id 2, then one of const 3, ident 4, select 5, call 6, list 7, struct 8, comprehension 9."""
        id_, kind, body = 0, 0, b""
        for number, value in _fields(raw):
            if number == 2:
                id_ = _signed(_int(value))
            elif 3 <= number <= 9:
                kind, body = number, _bytes(value)
        type_, offset = self._types.get(id_, "dyn"), self._offsets.get(id_, -1)
        match kind:
            case 3:
                return Const(id=id_, offset=offset, type=type_, raw=raw, value=_constant(body))
            case 4:
                return Ident(id=id_, offset=offset, type=type_, raw=raw, name=_text_field(body, 1))
            case 5:
                return self._select(id_, offset, type_, raw, body)
            case 6:
                return self._call(id_, offset, type_, raw, body)
            case 7:
                return self._list(id_, offset, type_, raw, body)
            case 8:
                return self._map(id_, offset, type_, raw, body)
            case 9:
                return self._comprehension(id_, offset, type_, raw, body)
        raise NotChecked("an expression without a kind")

    def _select(self, id_: int, offset: int, type_: str, raw: bytes, body: bytes) -> Node:
        """Select: operand 1, field 2, test_only 3."""
        one = _single(body)
        return Select(
            id=id_,
            offset=offset,
            type=type_,
            raw=raw,
            operand=self._node(_bytes(one[1])),
            field=_text(one.get(2, b"")),
            test_only=bool(one.get(3, 0)),
        )

    def _call(self, id_: int, offset: int, type_: str, raw: bytes, body: bytes) -> Node:
        """Call: target 1, function 2, args 3 (repeated)."""
        target, function, args = None, "", []
        for number, value in _fields(body):
            if number == 1:
                target = self._node(_bytes(value))
            elif number == 2:
                function = _text(value)
            elif number == 3:
                args.append(self._node(_bytes(value)))
        return Call(id=id_, offset=offset, type=type_, raw=raw, function=function, target=target, args=tuple(args))

    def _list(self, id_: int, offset: int, type_: str, raw: bytes, body: bytes) -> Node:
        """CreateList: elements 1 (repeated), optional_indices 2 (repeated, packed)."""
        elements, optional = [], []
        for number, value in _fields(body):
            if number == 1:
                elements.append(self._node(_bytes(value)))
            elif number == 2:
                optional += [value] if isinstance(value, int) else _packed(value)
        return MakeList(
            id=id_, offset=offset, type=type_, raw=raw, elements=tuple(elements), optional_indices=tuple(optional)
        )

    def _map(self, id_: int, offset: int, type_: str, raw: bytes, body: bytes) -> Node:
        """CreateStruct: message_name 1, entries 2 (repeated)."""
        name, entries = "", []
        for number, value in _fields(body):
            if number == 1:
                name = _text(value)
            elif number == 2:
                entries.append(self._map_entry(_bytes(value)))
        return MakeMap(id=id_, offset=offset, type=type_, raw=raw, message_name=name, entries=tuple(entries))

    def _map_entry(self, body: bytes) -> tuple[Node, Node, bool]:
        """Entry: id 1, field_key 2 or map_key 3, value 4, optional_entry 5."""
        one = _single(body)
        id_ = _signed(_int(one.get(1, 0)))
        key: Node
        if 3 in one:
            key = self._node(_bytes(one[3]))
        else:
            name = _bytes(one.get(2, b""))
            key = Const(
                id=id_,
                offset=self._offsets.get(id_, -1),
                type="string",
                raw=field(3, field(6, name)),  # no Expr of its own on the wire: the constant that says the same
                value=name.decode(),
            )
        return key, self._node(_bytes(one[4])), bool(one.get(5, 0))

    def _comprehension(self, id_: int, offset: int, type_: str, raw: bytes, body: bytes) -> Node:
        """Comprehension: iter_var 1, iter_range 2, accu_var 3, accu_init 4, loop 5 and 6, result 7, iter_var2 8."""
        one = _single(body)
        return Comprehension(
            id=id_,
            offset=offset,
            type=type_,
            raw=raw,
            iter_var=_text(one.get(1, b"")),
            iter_var2=_text(one.get(8, b"")),
            iter_range=self._node(_bytes(one[2])),
            accu_var=_text(one.get(3, b"")),
            accu_init=self._node(_bytes(one[4])),
            loop_condition=self._node(_bytes(one[5])),
            loop_step=self._node(_bytes(one[6])),
            result=self._node(_bytes(one[7])),
        )


def _constant(body: bytes) -> Constant:
    """Constant: null 1, bool 2, int64 3, uint64 4, double 5, string 6, bytes 7."""
    for number, value in _fields(body):
        match number:
            case 1:
                return None
            case 2:
                return bool(value)
            case 3:
                return _signed(_int(value))
            case 4:
                return UInt(_int(value))
            case 5:
                return float(struct.unpack("<d", _bytes(value))[0])
            case 6:
                return _text(value)
            case 7:
                return _bytes(value)
    raise NotChecked("a constant without a kind")


@lru_cache(maxsize=1_024)  # conditions of one ruleset have a handful of types, thousands of times
def _type(message: bytes) -> str:
    """Type: one field, by its kind; as CEL writes it, with a space after each comma."""
    for number, value in _fields(message):
        match number:
            case 2:
                return "null_type"
            case 3:
                return _PRIMITIVES[_int(value)]
            case 4:
                return f"wrapper({_PRIMITIVES[_int(value)]})"
            case 5:
                return _WELL_KNOWN[_int(value)]
            case 6 | 7:
                return _composite(
                    "list" if number == 6 else "map", [_type(_bytes(v)) for _, v in _fields(_bytes(value))]
                )
            case 9 | 10:
                return _text(value)
            case 11:
                inner = _type(_bytes(value)) if value else ""
                return _composite("type", [inner] if inner else [])
            case 14:
                parts = list(_fields(_bytes(value)))
                name = next((_text(v) for n, v in parts if n == 1), "")
                return _composite(name, [_type(_bytes(v)) for n, v in parts if n == 2])
    return "dyn"


def _composite(name: str, parameters: list[str]) -> str:
    return f"{name}({', '.join(parameters)})" if parameters else name


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: number and value. Numbers are unsigned; fixed-width values are bytes.

    This loop is most of the time of reading; nearly all its varints have one byte.
    """
    at, size = 0, len(message)
    while at < size:
        tag, at = (message[at], at + 1) if message[at] < 0x80 else _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = (message[at], at + 1) if message[at] < 0x80 else _varint(message, at)
            yield tag >> 3, value
            continue
        if kind == 2:
            length, at = (message[at], at + 1) if message[at] < 0x80 else _varint(message, at)
        else:
            length = _FIXED[kind]
        end = at + length
        if end > size:
            raise NotChecked("a field that ends after its message")
        yield tag >> 3, message[at:end]
        at = end


def _varint(message: bytes, at: int) -> tuple[int, int]:
    byte = message[at]
    if byte < 0x80:
        return byte, at + 1
    value, shift = byte & 0x7F, 7
    while byte >= 0x80:
        at += 1
        byte = message[at]
        value |= (byte & 0x7F) << shift
        shift += 7
    return value, at + 1


def _packed(run: bytes) -> list[int]:
    values, at = [], 0
    while at < len(run):
        value, at = _varint(run, at)
        values.append(value)
    return values


def field(number: int, content: bytes) -> bytes:
    """One length-delimited field: a message, a string or bytes."""
    return bytes([number << 3 | 2]) + _as_varint(len(content)) + content


def number(number: int, value: int) -> bytes:
    """One varint field; negative numbers in two's complement, as protobuf's int64 wants it."""
    return bytes([number << 3]) + _as_varint(value & (1 << 64) - 1)


def fixed64(number: int, value: float) -> bytes:
    """One double field."""
    return struct.pack("<Bd", number << 3 | 1, value)


def _as_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _single(message: bytes) -> dict[int, int | bytes]:
    """A message whose fields do not repeat."""
    return dict(_fields(message))


def _entry(message: bytes) -> tuple[int, int | bytes]:
    """A map entry with a whole number as key: key 1, value 2.

    Two thirds of a checked expression are entries, nearly all with lengths and numbers of one byte: those first.
    """
    size = len(message)
    if size >= 4 and message[0] == 0x08 and message[1] < 0x80 and message[3] < 0x80:
        if message[2] == 0x10 and size == 4:
            return message[1], message[3]
        if message[2] == 0x12 and size == 4 + message[3]:
            return message[1], message[4:]
    one = _single(message)
    return _signed(_int(one.get(1, 0))), one.get(2, 0)


def _text_field(message: bytes, number: int) -> str:
    return _text(_single(message).get(number, b""))


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _int(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise NotChecked("expected a number")
    return value


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise NotChecked("expected a message")
    return value


def _text(value: int | bytes) -> str:
    return _bytes(value).decode()

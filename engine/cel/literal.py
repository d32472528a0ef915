"""Values that the reference implementation's Python binding cannot carry, written into the expression instead.

What lives here: which values the binding carries faithfully, and the `Expr` messages for the others. What may
not: evaluation (that is `oracle`).

1. The binding (cel-expr-python 0.1.3) refuses a `datetime` inside a map, and with it the whole map; it cuts a
   string at its first NUL; it throws at a lone surrogate. CEL itself knows the first two perfectly well.
2. So such a root is split: the members that the binding carries are handed over, and the whole root is put
   together again in front of the expression, as `cel.bind` would do it:
   `cel.bind(traits, {"plan": traits["plan"], "since": <timestamp>}, EXPRESSION)`.
3. What CEL cannot hold at all (a lone surrogate, an integer beyond 64 bits signed, any other Python type,
   nesting beyond the limit) is absent, and a list that holds it is absent as a whole.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.cel.wire import field, fixed64, number
from engine.limits import VALUE_DEPTH

_DEPTH = VALUE_DEPTH + 2  # a Salesforce record's values begin two levels below their root
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EMPTY_LIST = field(7, b"")
_FALSE = field(3, number(2, 0))


def is_carried(value: Any, depth: int = _DEPTH) -> bool:
    """Does the binding hand this value over as it is?"""
    kind = type(value)
    if kind is str:
        return "\0" not in value and (value.isascii() or _is_text(value))
    if kind is int:
        return _is_int64(value)
    if kind is dict:
        return depth > 0 and all(is_carried(k) and is_carried(v, depth - 1) for k, v in value.items())
    if kind is list:
        return depth > 0 and all(is_carried(element, depth - 1) for element in value)
    return kind is bool or kind is float or kind is bytes or value is None


def split(raw: bytes, bindings: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """The expression and its bindings, changed so that the binding carries them and the value is the same."""
    carried = dict(bindings)
    for root, value in bindings.items():
        if is_carried(value) or isinstance(value, datetime):  # a root typed as a timestamp is carried
            continue
        members = value if isinstance(value, dict) else {}
        carried[root] = {key: member for key, member in members.items() if is_carried(key) and is_carried(member)}
        raw = _bind(root, _rebuilt(root, members, carried[root]), raw)
    return raw, carried


def _rebuilt(root: str, members: dict[Any, Any], carried: dict[Any, Any]) -> bytes:
    """The root as a map literal: carried members by reference, the others as literals."""
    entries = []
    for key, member in members.items():
        name = _literal(key, 1)
        value = _index(_ident(root), name) if name is not None and key in carried else _literal(member, _DEPTH - 1)
        if name is not None and value is not None:
            entries.append((name, value))
    return _struct(entries)


def _literal(value: Any, depth: int) -> bytes | None:
    """The `Expr` that makes the value; None for what is absent."""
    if depth == 0:
        return None
    if isinstance(value, dict):
        pairs = [(_literal(key, 1), _literal(member, depth - 1)) for key, member in value.items()]
        return _struct([(key, member) for key, member in pairs if key is not None and member is not None])
    if isinstance(value, list):
        elements = [_literal(element, depth - 1) for element in value]
        return None if None in elements else field(7, b"".join(field(1, e) for e in elements if e is not None))
    constant = _constant(value)
    return None if constant is None else field(3, constant)


def _constant(value: Any) -> bytes | None:
    """Constant: bool 2, int64 3, double 5, string 6, bytes 7, timestamp 9."""
    match value:
        case None:
            return number(1, 0)
        case bool():
            return number(2, int(value))
        case int():
            return number(3, value) if _is_int64(value) else None
        case float():
            return fixed64(5, value)
        case str():
            return field(6, value.encode()) if _is_text(value) else None
        case bytes():
            return field(7, value)
        case datetime():
            return field(9, _timestamp(value))
    return None


def _timestamp(moment: datetime) -> bytes:
    """google.protobuf.Timestamp: seconds 1, nanos 2. One without a zone is UTC."""
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    seconds, micros = divmod(since // _MICROSECOND, 1_000_000)
    return number(1, seconds) + number(2, micros * 1_000)


def _bind(name: str, value: bytes, raw: bytes) -> bytes:
    """What the macro `cel.bind` expands to: a comprehension over nothing whose accumulator is the name."""
    return field(
        9,
        field(1, b"#unused")
        + field(2, _EMPTY_LIST)
        + field(3, name.encode())
        + field(4, value)
        + field(5, _FALSE)
        + field(6, _ident(name))
        + field(7, raw),
    )


def _ident(name: str) -> bytes:
    return field(4, field(1, name.encode()))


def _index(operand: bytes, key: bytes) -> bytes:
    return field(6, field(2, b"_[_]") + field(3, operand) + field(3, key))


def _struct(entries: list[tuple[bytes, bytes]]) -> bytes:
    return field(8, b"".join(field(2, field(3, key) + field(4, value)) for key, value in entries))


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_int64(value: int) -> bool:
    return -(1 << 63) <= value < 1 << 63

"""CEL's functions on Python values. Generated code calls these where an operator alone would not say the same.

What lives here: total functions over trait values (`bool int float str list dict datetime`, and `timedelta`
in between). What may not: trees, source text, anything that asks the reference implementation.

1. `None` as an argument is an absent value or an earlier error, and as a result CEL's error. No trait is null.
2. `ODD` as a result means: a value that only the reference implementation treats exactly (nanoseconds, a
   strange timestamp text, the rim of a range). Whoever gets it asks there; nothing here guesses.
3. `bool` is no number, although Python says so; `int` and `float` stand on one number line, where an int meets
   a float *as a float* (the reference implementation rounds, Python would compare exactly).
4. Relations are three-valued: True, False, or None for unlike types.
5. Nothing here raises, whatever a visitor brings.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import isinf
from typing import Any, Final

import re2

Value = Any


class _Odd:
    """The one value of `ODD`."""

    def __repr__(self) -> str:
        return "ODD"


ODD: Final = _Odd()
NUMBERS: Final = frozenset({int, float})
CONTAINERS: Final = frozenset({list, dict})
EXACT: Final = 2**53  # every whole number up to here is a float as well
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_SPAN = timedelta(days=290 * 365)  # CEL holds durations as 64-bit nanoseconds: 292 years; nearer to that is ODD

_DIGITS = str.maketrans("123456789", "000000000")
_TIMESTAMPS = frozenset(
    f"0000-00-00T00:00:00{fraction}{zone}"
    for fraction in ("", *(f".{'0' * digits}" for digits in range(1, 7)))
    for zone in ("Z", "+00:00", "-00:00")
)
"""Every shape of a plain RFC 3339 timestamp, with 0 for any digit: much faster than RE2 on short texts."""
_LONGEST = max(map(len, _TIMESTAMPS))
_DURATION = re2.compile(r"(-?)(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?")
_INT = re2.compile(r"-?\d{1,18}")
_DOUBLE = re2.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


# --- relations: True, False, None ----------------------------------------------------------------------------


def same(a: Value, b: Value) -> bool:
    """`==` of two values that are there: deep, and false between unlike types."""
    kind, other = type(a), type(b)
    if kind in NUMBERS and other in NUMBERS:
        return a == b if kind is other else float(a) == float(b)
    if kind is not other:
        return False
    if kind is list:
        return len(a) == len(b) and all(map(same, a, b))
    if kind is dict:
        return len(a) == len(b) and all(key in b and same(value, b[key]) for key, value in a.items())
    return bool(a == b)


def equal(a: Value, b: Value) -> bool | None:
    """`==`, an error where one of the two is absent."""
    return None if a is None or b is None else same(a, b)


def less(a: Value, b: Value) -> bool | None:
    """`<`."""
    kind = _ordered(a, b)
    return None if kind is None else bool(kind(a) < kind(b))


def less_or_equal(a: Value, b: Value) -> bool | None:
    """`<=`."""
    kind = _ordered(a, b)
    return None if kind is None else bool(kind(a) <= kind(b))


def _ordered(a: Value, b: Value) -> Callable[[Value], Value] | None:
    """How the two are made comparable, or None where they are not."""
    kind, other = type(a), type(b)
    if kind is other:
        return _as_is if kind in (int, float, str, bool, datetime, timedelta) else None
    return float if kind in NUMBERS and other in NUMBERS else None


def _as_is(value: Value) -> Value:
    return value


def is_in(a: Value, b: Value) -> bool | None:
    """`a in b`: an element of a list, or a key of a map (whose keys are all text)."""
    if a is None:
        return None
    if type(b) is list:
        return any(same(a, element) for element in b)
    if type(b) is not dict:
        return None
    if type(a) is str:
        return a in b
    return False if type(a) in (int, float, bool) else None


def contains(text: Value, part: Value) -> bool | None:
    """`text.contains(part)`."""
    return part in text if type(text) is str and type(part) is str else None


def starts_with(text: Value, part: Value) -> bool | None:
    """`text.startsWith(part)`."""
    return text.startswith(part) if type(text) is str and type(part) is str else None


def ends_with(text: Value, part: Value) -> bool | None:
    """`text.endsWith(part)`."""
    return text.endswith(part) if type(text) is str and type(part) is str else None


# --- text ----------------------------------------------------------------------------------------------------


def lower_ascii(text: Value) -> str | None:
    """`text.lowerAscii()`: A to Z only."""
    if type(text) is not str:
        return None
    return text.lower() if text.isascii() else text.translate(_LOWER)


def upper_ascii(text: Value) -> str | None:
    """`text.upperAscii()`: a to z only."""
    if type(text) is not str:
        return None
    return text.upper() if text.isascii() else text.translate(_UPPER)


def trim(text: Value) -> str | None:
    """`text.trim()`: Unicode white space off both ends."""
    return text.strip(_SPACE) if type(text) is str else None


def size(value: Value) -> int | None:
    """`size(value)`: code points of a text, elements of a list, keys of a map."""
    return len(value) if type(value) in (str, list, dict) else None


# --- parts of values -----------------------------------------------------------------------------------------


def item(value: Value, index: Value) -> Value:
    """`value[index]` with a whole number or a key that is only known now."""
    if type(value) is list and type(index) is int:
        if not 0 <= index < len(value):
            return None
        return ODD if value[index] is None else value[index]
    if type(value) is dict:
        return value.get(index) if type(index) is str else None
    return None if value is None or index is None else ODD


def or_else(value: Value, default: Value) -> Value:
    """`root.?key.orValue(default)`: a root is always a map."""
    return default if value is None else value


def or_value(value: Value, default: Value, *keys: str) -> Value:
    """`value.?k1.?k2.orValue(default)`: the default where a key is missing, an error where there is no map."""
    for key in keys:
        if type(value) is not dict:
            return None
        value = value.get(key)
        if value is None:
            return default
    return value


# --- numbers and times: exact, or ODD ------------------------------------------------------------------------


def add(a: Value, b: Value) -> Value:
    """`a + b`."""
    kind, other = type(a), type(b)
    if kind is other:
        if kind is int:
            return _int64(a + b)
        if kind is float or kind is str:
            return a + b
    return _moved(a, b) if kind is datetime else _moved(b, a) if other is datetime else _unheld(a, b)


def subtract(a: Value, b: Value) -> Value:
    """`a - b`."""
    kind, other = type(a), type(b)
    if kind is other:
        if kind is int:
            return _int64(a - b)
        if kind is float:
            return a - b
        if kind is datetime:
            span = a - b
            return span if -_SPAN < span < _SPAN else ODD
    return _moved(a, -b) if kind is datetime and other is timedelta else _unheld(a, b)


def multiply(a: Value, b: Value) -> Value:
    """`a * b`."""
    if type(a) is int and type(b) is int:
        return _int64(a * b)
    return a * b if type(a) is float and type(b) is float else _unheld(a, b)


def divide(a: Value, b: Value) -> Value:
    """`a / b`: whole numbers towards zero."""
    if type(a) is int and type(b) is int:
        if b == 0:
            return None
        quotient = abs(a) // abs(b)
        return _int64(quotient if (a < 0) == (b < 0) else -quotient)
    if type(a) is float and type(b) is float:
        return a / b if b else ODD
    return _unheld(a, b)


def modulo(a: Value, b: Value) -> Value:
    """`a % b`: the sign of the dividend."""
    if type(a) is int and type(b) is int:
        if b == 0 or (a == _INT_MIN and b == -1):
            return None if b == 0 else ODD
        return abs(a) % abs(b) * (-1 if a < 0 else 1)
    return _unheld(a, b)


def negate(a: Value) -> Value:
    """`-a`."""
    if type(a) is int:
        return _int64(-a)
    return -a if type(a) is float else _unheld(a, a)


def _int64(number: int) -> int | None:
    return number if _INT_MIN <= number <= _INT_MAX else None


def _moved(moment: datetime, by: Value) -> Value:
    if type(by) is not timedelta:
        return _unheld(moment, by)
    try:
        return moment + by
    except OverflowError:
        return ODD


def _unheld(a: Value, b: Value) -> _Odd | None:
    """Absent stays absent; operands of any other kind are for the reference implementation to judge."""
    return None if a is None or b is None else ODD


# --- conversions: exact, or ODD ------------------------------------------------------------------------------


def timestamp(value: Value) -> Value:
    """`timestamp(value)`: texts in plain RFC 3339 with at most microseconds; a timestamp is itself."""
    if type(value) is datetime or value is None:
        return value
    if type(value) is not str or len(value) > _LONGEST or value.translate(_DIGITS) not in _TIMESTAMPS:
        return ODD
    if value[-1] != "Z" and value[-2:] > "59":
        return ODD  # Python takes 75 minutes as an offset
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return ODD


def duration(value: Value) -> Value:
    """`duration(value)`: texts of whole hours, minutes and seconds."""
    if type(value) is timedelta or value is None:
        return value
    match = _DURATION.fullmatch(value) if type(value) is str else None
    if match is None or not any(match[part] for part in (2, 3, 4)):
        return ODD
    span = timedelta(hours=int(match[2] or 0), minutes=int(match[3] or 0), seconds=int(match[4] or 0))
    return ODD if span >= _SPAN else -span if match[1] else span


def to_int(value: Value) -> Value:
    """`int(value)`: whole numbers, and their plain decimal texts."""
    if type(value) is int or value is None:
        return value
    return int(value) if type(value) is str and _INT.fullmatch(value) else ODD


def to_double(value: Value) -> Value:
    """`double(value)`: numbers, and their plain decimal texts."""
    if type(value) is float or value is None:
        return value
    if type(value) is int or (type(value) is str and _DOUBLE.fullmatch(value)):
        return float(value)
    return ODD


def to_string(value: Value) -> Value:
    """`string(value)` of texts, whole numbers and bools."""
    if type(value) is str or value is None:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    return str(value) if type(value) is int else ODD


# --- parts of a timestamp, in UTC ----------------------------------------------------------------------------


def calendar(part: Callable[[datetime], int]) -> Callable[[Value], Value]:
    """A function of a timestamp; of a duration the same name means something else, so that is ODD."""

    def of(value: Value) -> Value:
        if type(value) is datetime:
            return part(value)
        return None if value is None else ODD

    return of


def safe_number(value: Value) -> bool:
    """Is this constant compared by Python as by CEL, whatever int or float it meets?"""
    if type(value) is float:
        return isinf(value) or abs(value) < EXACT
    return type(value) is int and abs(value) <= EXACT

"""A value of Salesforce as conditions see it. Pure: the same value from REST, from Bulk CSV and from an export.

What lives here: what each type of field accepts. What may not: guessing. A value either means exactly one value of its
type, or it is unusable, and then it is absent and counted.

1. Null and empty text are absent: Salesforce knows no empty text.
2. Numbers come as text, or from JSON as `Decimal`; both are read as decimal numbers, so nothing is lost on either road.
   Without decimals they become whole numbers (of fields that have none), else floats.
3. `date` and `datetime` are UTC timestamps; a date is the beginning of its day. `multipicklist` is a list.
4. Ids have 18 characters; those of 15, as reports show them, get the three that are computed from them.
5. In text a line ends with one character, whatever the road made of it, and NUL is left out.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from engine.profiles.values import normalise
from engine.salesforce.fields import Field, FieldKind

_TRUTHS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_NUMBER: Final = frozenset("0123456789+-.eE")
_DIGITS_MOST: Final = 40  # before the point; beyond it a number is no number of Salesforce
_INT64: Final = range(-(2**63), 2**63)
_CHECK: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT_ID: Final = 15
_LONG_ID: Final = 18


class Unusable(ValueError):
    """A value that is none of its field's type."""


def typed(field: Field, raw: Any) -> Any:
    """The value; None where there is none. Raises Unusable."""
    if raw is None or raw == "":
        return None
    if field.type in {"id", "reference"}:
        return long_id(str(raw))
    return _AS[field.kind](field, raw)


def long_id(id_: str) -> str:
    """The id with 18 characters. Raises Unusable."""
    if not (id_.isascii() and id_.isalnum() and len(id_) in {_SHORT_ID, _LONG_ID}):
        raise Unusable("Id: expected 15 or 18 letters and digits")
    if len(id_) == _LONG_ID:
        return id_
    pieces = (id_[at : at + 5] for at in (0, 5, 10))
    return id_ + "".join(_CHECK[sum(c.isupper() << bit for bit, c in enumerate(piece))] for piece in pieces)


def _boolean(_: Field, raw: Any) -> bool:
    found = raw if isinstance(raw, bool) else _TRUTHS.get(str(raw).strip().lower())
    if found is None:
        raise Unusable("expected true or false")
    return found


def _number(field: Field, raw: Any) -> int | float:
    number = _decimal(raw)
    if field.is_whole and number == number.to_integral_value():
        whole = int(number)
        return whole if whole in _INT64 else float(whole)
    return float(number)


def _decimal(raw: Any) -> Decimal:
    text = str(raw).strip()
    try:
        number = Decimal(text) if _NUMBER.issuperset(text) else Decimal("NaN")
    except InvalidOperation:
        raise Unusable("expected a number") from None
    if not number.is_finite() or number.adjusted() > _DIGITS_MOST:
        raise Unusable("expected a number")
    return number


def _timestamp(field: Field, raw: Any) -> datetime:
    text = str(raw).strip()
    try:
        if field.type == "date":
            return datetime.combine(date.fromisoformat(text[:10]), time(), UTC)
        moment = datetime.fromisoformat(text)
        return _aware(moment).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unusable("expected a date, or a date and a time with its zone") from None


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return moment


def _list(_: Field, raw: Any) -> list[str]:
    return [text for one in str(raw).split(";") if (text := _lines(one.strip()))]


def _string(_: Field, raw: Any) -> str:
    text = str(raw) if isinstance(raw, str | Decimal) else json.dumps(raw, default=str)
    return _lines(text)


def _lines(text: str) -> str:
    found: str = normalise(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""))
    return found


_AS: Final[dict[FieldKind, Callable[[Field, Any], Any]]] = {
    "boolean": _boolean,
    "number": _number,
    "timestamp": _timestamp,
    "list": _list,
    "string": _string,
}

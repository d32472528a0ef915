"""A record of Salesforce as the mirror keeps it. Pure.

What lives here: from names and raw values to a `Row`. What may not: types of single values (`typed`), keeping rows.

1. A row knows by itself what decides about it: id, address, when it was last modified, whether it is deleted, and the
   contact that a converted lead became. All its values are MessagePack, equal values equal bytes.
2. An address is trimmed and lower-cased, as `profiles.read` looks it up; what cannot be a key is none.
3. Values that are unusable are absent, and counted by field; a row without an id is none.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from engine import limits
from engine.profiles.ids import BadId, key
from engine.profiles.record import canonical, time_ms
from engine.salesforce.fields import Field
from engine.salesforce.typed import Unusable, long_id, typed

Records: TypeAlias = "csv.DictReader[str]"  # names and raw values; `line_num` is the line on which the last one ended

_values: Final = msgspec.msgpack.Decoder(dict[str, Any]).decode
_MODIFIED: Final = ("SystemModstamp", "LastModifiedDate", "CreatedDate")


class Row(Struct, frozen=True, gc=False):
    """One record. `converted`: the contact that a converted lead became; empty: it is not known which; None: none."""

    id: str
    email: str | None
    modified_ms: int
    converted: str | None
    is_deleted: bool
    body: bytes

    @property
    def values(self) -> dict[str, Any]:
        """Its fields that have a value."""
        return _values(self.body)


def read_csv(lines: Iterable[str]) -> Records:
    """The records of CSV whose first row is the names. A record with fewer values has None for them, one with more has
    the rest under None. What is no CSV, as a quote that is never closed, raises csv.Error."""
    csv.field_size_limit(limits.SALESFORCE_FIELD_CHARS)
    return csv.DictReader(lines, strict=True)


def row(fields: Mapping[str, Field], raw: Mapping[str, Any], unusable: Counter[str]) -> Row:
    """The record that these raw values are. `fields` by name; other names are left out. Raises Unusable."""
    values: dict[str, Any] = {"Id": long_id(str(raw.get("Id") or ""))}
    for name, field in fields.items():
        try:
            value = typed(field, raw.get(name))
        except Unusable:
            unusable[name] += 1
            continue
        if value is not None:
            values[name] = value
    return made(values)


def made(values: Mapping[str, Any]) -> Row:
    """The row of values that are typed already; one of them is the Id."""
    modified = next((values[name] for name in _MODIFIED if name in values), None)
    return Row(
        values["Id"],
        address(values.get("Email")),
        0 if modified is None else time_ms(modified),
        values.get("ConvertedContactId", "") if values.get("IsConverted") else None,
        values.get("IsDeleted", False),
        canonical(values),
    )


def address(email: Any) -> str | None:
    """As it is looked up; None for none."""
    if not isinstance(email, str):
        return None
    found = email.strip().lower()
    try:
        key("lead", found)
    except BadId:
        return None
    return found

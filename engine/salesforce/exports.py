"""A CSV export (Data Loader) into the mirror: for people without API access.

What lives here: which columns are which fields, their types where nobody described them, reading in two passes and
constant memory. What may not: opening files, printing, the clock.

1. Columns have the names of the API, in any letters: Data Loader has written `ID` for `Id`. Names with a point belong
   to another record (`Owner.Name`) and are left out.
2. Types are those of the org's description where a sync ever asked for it, then what `types` says, then those that
   every org gives to the well-known names. Of other columns all values decide: true and false, numbers (without zeros
   in front, those are codes), dates, times with a zone; anything else is text.
3. A file adds and changes records, by their Id. With `whole` it is everything there is: records that are not in it are
   gone. A column that is not in the file is a field without a value. After it a sync reads everything anew.
4. A line that is no record (no id, or another object's; more or fewer values than columns) is left out, with its number
   and the reason; the others go in. Then nothing is taken away, not even with `whole`.
5. Before anything counts the whole file is read once. One that is no CSV, as with a quote that is never closed, and one
   of another object's records, is refused.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, TextIO

from msgspec import Struct
from msgspec.structs import replace

from engine import limits
from engine.problems import did_you_mean
from engine.salesforce.fields import STANDARD, Field, Object
from engine.salesforce.mirror import Kept, Mirror
from engine.salesforce.rows import Records, Row, read_csv, row
from engine.salesforce.state import State
from engine.salesforce.trouble import Refused
from engine.salesforce.typed import Unusable, long_id, typed

TYPES: Final[Mapping[str, tuple[str, int]]] = {
    "text": ("string", 0), "number": ("double", 15), "boolean": ("boolean", 0), "date": ("date", 0),
    "timestamp": ("datetime", 0), "list": ("multipicklist", 0),
}  # fmt: skip
_GUESSES: Final = {
    "boolean": Field("", "boolean"),
    "whole": Field("", "double"),
    "number": Field("", "double", scale=15),
    "date": Field("", "date"),
    "datetime": Field("", "datetime"),
}
PREFIXES: Final[Mapping[Object, str]] = {"Lead": "00Q", "Contact": "003"}  # of ids, in every org
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
_NAME_CHARS: Final = 80  # of a column, in a message
_DATE_CHARS: Final = 10
_NUMBER_CHARS: Final = 15  # longer ones are ids of something


class Rejected(Struct, frozen=True):
    """A record that was left out: the line on which it ends, and why."""

    line: int
    reason: str


class Imported(Struct, frozen=True):
    """What became of a file. `left_out`: columns that are none of this object's."""

    total: int
    kept: Kept
    rejected: int
    reasons: tuple[Rejected, ...]
    unusable: dict[str, int]
    left_out: tuple[str, ...]


def import_csv(
    file: TextIO,
    object_: Object,
    mirror: Mirror,
    types: Mapping[str, str],
    *,
    whole: bool,
    progress: Callable[[int], None],
) -> Imported:
    """Take in `file`, which can be read twice. `progress` is told how many records are in.

    Raises Refused, MirrorBroken, UnicodeError.
    """
    fields = columns(file, object_, mirror, types)
    known = {field.name.lower(): field for field in mirror.fields(object_)}
    merged = known | {field.name.lower(): field for field in fields.values() if field is not None}
    state = mirror.state(object_)
    state = replace(state, number=state.number + 1, full=None, imported=False, unusable=() if whole else state.unusable)
    by_name = sorted(merged.values(), key=lambda field: field.name)
    mirror.describe(object_, by_name, state)
    file.seek(0)
    taken = {name: field for name, field in fields.items() if field is not None}
    reading = _Reading(read_csv(file), taken, object_)
    kept = Kept()

    def behind() -> State:
        return state.noting(reading.unusable)

    while rows := list(islice(reading, limits.SALESFORCE_PAGE_RECORDS)):
        kept.add(mirror.page(object_, rows, behind, state.number))
        progress(reading.total)
    if whole and reading.total and not reading.rejected:
        kept.gone += mirror.settle(object_, state.number, behind())
    mirror.keep(object_, replace(behind(), imported=True))
    left_out = tuple(name for name, field in fields.items() if field is None)
    reasons, unusable = tuple(reading.reasons), dict(reading.unusable)
    return Imported(reading.total, kept, reading.rejected, reasons, unusable, left_out)


class _Reading:
    """The rows of a file, one after the other; what is no record is counted."""

    def __init__(self, records: Records, fields: Mapping[str, Field], object_: Object) -> None:
        self._records = records
        self._object: Object = object_
        self._width = len(records.fieldnames or ())
        self._columns = {field.name: name for name, field in fields.items()}
        self._fields = {field.name: field for field in fields.values()}
        self.total = self.rejected = 0
        self.reasons: list[Rejected] = []
        self.unusable = Counter[str]()

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        for record in self._records:
            self.total += 1
            raw = {name: record[column] for name, column in self._columns.items()}
            try:
                _check_width(record, self._width)
                _check_prefix(str(raw["Id"]), self._object)
                return row(self._fields, raw, self.unusable)
            except Unusable as unusable:
                self.rejected += 1
                if len(self.reasons) < limits.IMPORT_REASONS:
                    self.reasons.append(Rejected(self._records.line_num, str(unusable)))
        raise StopIteration


def columns(file: TextIO, object_: Object, mirror: Mirror, types: Mapping[str, str]) -> dict[str, Field | None]:
    """The field of each column, None for one that is left out. It reads the whole file. Raises Refused."""
    records = _Whole(file, object_)
    names = records.names
    _check(object_, names, types)
    described = mirror.state(object_).described is not None
    known = {field.name.lower(): field for field in mirror.fields(object_)} if described else STANDARD
    wanted = {name.lower(): type_ for name, type_ in types.items()}
    found: dict[str, Field | None] = {}
    for name in names:
        field = known.get(name.lower())
        if name.lower() in wanted and not described:
            type_, scale = TYPES[wanted[name.lower()]]
            field = Field(field.name if field else name, type_, scale=scale)
        if field is not None or described or "." in name or not name:
            found[name] = field
    unknown = [name for name in names if name not in found]
    guessed = guess(records, unknown)
    records.check()
    return {name: guessed[name] if name in guessed else found[name] for name in names}


def _check(object_: Object, names: Sequence[str], types: Mapping[str, str]) -> None:
    lower = [name.lower() for name in names]
    for needed in ("Id", "Email"):
        if needed.lower() not in lower:
            listed = ", ".join(name[:_NAME_CHARS] for name in names[:8])
            shown = f"its first line names {listed}" if names else "it is empty"
            do = _separated(names) or f"export {object_}s with Id and Email"
            raise Refused("", f"the file has no column {needed} ({shown}); {do}".replace("\0", ""))
    for name in types:
        if name.lower() not in lower:
            raise Refused("", f"the file has no column {name}; {did_you_mean(name, names) or 'see its first line'}")


def _separated(names: Sequence[str]) -> str:
    """What to do about a first line that is one column, or written in two bytes a character."""
    first = names[0] if names else ""
    if "\0" in first:
        return "it looks like UTF-16: give --encoding utf-16-le, or utf-16-be"
    found = next((said for sign, said in _SEPARATORS.items() if len(names) == 1 and sign in first), "")
    return f"its columns are separated by {found}: save it with commas" if found else ""


def _check_width(record: Mapping[Any, Any], width: int) -> None:
    """A value for each column. Raises Unusable."""
    values = sum(value is not None for name, value in record.items() if name is not None)
    values += len(record.get(None) or ())
    if values != width:
        raise Unusable(f"{values:,} value{'s' * (values != 1)}, and the first line names {width:,} columns")


def _check_prefix(id_: str, object_: Object) -> None:
    """An id of this object's. Raises Unusable."""
    if long_id(id_)[:3] != PREFIXES[object_]:
        other = _object_of(id_)
        whose = f"a {other}'s" if other else "of another object"
        raise Unusable(f"Id: {id_[:3]}… is {whose}; those of {object_}s begin with {PREFIXES[object_]}")


def _object_of(id_: str) -> Object | None:
    return next((object_ for object_, prefix in PREFIXES.items() if id_.startswith(prefix)), None)


class _Whole:
    """The records of a file, read before any of them counts: is it CSV to its end, and whose ids are in it?"""

    def __init__(self, file: TextIO, object_: Object) -> None:
        self._object: Object = object_
        self._others = Counter[Object | None]()
        self._records = read_csv(file)
        self.names: list[str] = []
        with self._telling():
            self.names = list(self._records.fieldnames or ())
        self._id = next((name for name in self.names if name.lower() == "id"), "")

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        with self._telling():
            for record in self._records:
                id_ = str(record[self._id] or "")
                if id_.isascii() and id_.isalnum():
                    self._others[_object_of(id_)] += 1
                yield record

    def check(self) -> None:
        """Raises Refused if all of its records are another object's."""
        if not self._others or self._object in self._others:
            return
        other = next((object_ for object_ in self._others if object_ is not None), None)
        theirs = (
            f"these are {other}s (their Ids begin with {PREFIXES[other]})" if other else "these are others' records"
        )
        do = f"give --object {other}" if other else "export them with the Id of the API"
        raise Refused("", f"{theirs}, and {self._object}s begin with {PREFIXES[self._object]}; {do}")

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except csv.Error as error:
            at = f"line {self._records.line_num + 1:,}"
            do = "a quote is not closed, or stands undoubled in a value; mend it, or export it again"
            raise Refused(
                "", f"the record that begins on {at} is no CSV ({error}), and nothing was read: {do}"
            ) from None


def guess(records: Iterable[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Field]:
    """The fields that these columns are, by all their values."""
    open_ = {name: dict(_GUESSES) for name in names}
    seen = set[str]()
    for record in records:
        for name, guesses in open_.items():
            value = record[name]
            if value and guesses:
                seen.add(name)
                for kind in [kind for kind in guesses if not _may_be(kind, value)]:
                    del guesses[kind]
    of = {name: next(iter(guesses.values()), None) if name in seen else None for name, guesses in open_.items()}
    return {name: Field(name, "string") if field is None else replace(field, name=name) for name, field in of.items()}


def _may_be(kind: str, text: str) -> bool:
    match kind:
        case "boolean":
            return text.lower() in {"true", "false"}
        case "whole" | "number":
            digits = text.removeprefix("-")
            code = len(text) > _NUMBER_CHARS or (digits[:1] == "0" and digits[1:2].isdigit()) or text[:1] == "+"
            return not code and (kind == "number" or digits.isdecimal()) and _reads(kind, text)
        case "date":
            return len(text) == _DATE_CHARS and _reads(kind, text)
        case _:
            return len(text) > _DATE_CHARS and _reads(kind, text)


def _reads(kind: str, text: str) -> bool:
    try:
        return typed(_GUESSES[kind], text) is not None
    except Unusable:
        return False

"""`lift --counts`: what a warehouse answered to `lift --sql`, read back as figures.

1. CSV with a head line; columns are found by name, in any case (Snowflake shouts) and order. `open_…`, `saw_both`,
   `first_exposure` and `last_exposure` may be missing: then nothing is said of them.
2. A row is a group. What cannot be read ends the command, and says in which line and what would be right.
3. Experiences and goals are those that are asked for; of rows of others nothing is said, but of goals that are none.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

import click

from engine import limits
from engine.cli.explain_text import safe
from engine.cli.screen import fail, say
from engine.lift.asking import Asking, control_share, in_order
from engine.lift.counting import Counted
from engine.lift.figures import NOBODY, Figures, Pair
from engine.lift.statistics import Group

NEEDED: Final = ("experience", "audience_segment", "goal", "personalized", "visitors", "converters")
_CELL_LETTERS: Final = 131_072  # of one cell; more is no name of anything
GROUPS: Final = {"0": 0, "1": 1, "false": 0, "true": 1}

NUMBERS: Final = ("visitors", "converters", "open_visitors", "open_converters", "saw_both")
TIMES: Final = ("first_exposure", "last_exposure")
ABSENT: Final = {"", "null", "\\n"}  # as warehouses write a time that there is not
DIGITS: Final = 12  # of a number of visitors; more people there are not
SHOWN: Final = 40  # characters of what was wrong
GOALS_SHOWN: Final = 8
MARKS: Final = {";": "semicolons", "\t": "tabs"}
EXPECTED: Final = "expected what `mutiny-edge lift --sql` asks for, as CSV with a head line"

Row: TypeAlias = Mapping[str, str]
_Line: TypeAlias = tuple[str, str, str]  # experience, segment, goal


def read_counts(file: Path, asking: Asking) -> Counted:
    """The figures in this file."""
    found: dict[_Line, dict[int, Row]] = {}
    for number, row in _rows(file, _text(file)):
        wrong = _wrong(row)
        if wrong:
            fail(f"{file}:{number}: {wrong}")
        line, group = (row["experience"], row["audience_segment"], row["goal"]), GROUPS[row["personalized"].lower()]
        if group in found.setdefault(line, {}):
            fail(f"{file}:{number}: a second row for {', '.join(line)} and this group; expected one of each")
        found[line][group] = row
    _tell_unknown(found, asking)
    figures = [made for line, groups in found.items() if (made := _figures(line, groups, asking)) is not None]
    return Counted(tuple(in_order(figures, asking.ruleset)))


def _text(file: Path) -> str:
    """What stands in it, up to a size that no answer has."""
    with click.open_file(str(file), "rb") as opened:
        content: bytes = opened.read(limits.LIFT_COUNTS_BYTES + 1)
    if len(content) > limits.LIFT_COUNTS_BYTES:
        fail(f"{file}: more than {limits.LIFT_COUNTS_BYTES // 2**20} MB; {EXPECTED}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        fail(f"{file}: not UTF-8; {EXPECTED}, saved as UTF-8")
    if "\0" in text:
        fail(f"{file}: no text; {EXPECTED}")
    return text


def _wrong(row: Row) -> str:
    """What is wrong with a row, and what would be right."""
    if row["personalized"].lower() not in GROUPS:
        return f"personalized: expected 0 or 1, got {_short(row['personalized'])}"
    for column in NUMBERS:
        if not row.get(column, "0").isdecimal() or len(row.get(column, "0")) > DIGITS:
            return f"{column}: expected a whole number of at most {DIGITS} digits, got {_short(row[column])}"
    for which in ("", "open_"):
        visitors, converters = row.get(f"{which}visitors", "0"), row.get(f"{which}converters", "0")
        if int(converters) > int(visitors):
            return f"{which}converters: expected at most the {visitors} visitors, got {converters}"
    for column in TIMES:
        text = row.get(column, "")
        if text.lower() not in ABSENT and _moment(text) is None:
            return f"{column}: expected a time as 2026-11-01 00:00:07+00:00, or nothing, got {_short(text)}"
    return ""


def _short(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")


def _tell_unknown(lines: Iterable[_Line], asking: Asking) -> None:
    """Rows are left out that no rule can explain: on stderr."""
    unknown = sorted({goal for _, _, goal in lines if goal not in asking.ruleset.goals})
    if unknown:
        goals = ", ".join(map(safe, unknown[:GOALS_SHOWN]))
        say(f"left out: rows of {goals}{' …' if len(unknown) > GOALS_SHOWN else ''}, which the rules name no goal")


def _rows(file: Path, text: str) -> Iterable[tuple[int, Row]]:
    """Every row with the number of its line, columns by their names in small letters."""
    csv.field_size_limit(_CELL_LETTERS)  # the interpreter's own, which other libraries lift
    reader = csv.DictReader(io.StringIO(text))
    try:
        yield from _read(file, reader)
    except csv.Error as error:
        fail(f"{file}:{reader.line_num}: {error}; {EXPECTED}")


def _read(file: Path, reader: "csv.DictReader[str]") -> Iterable[tuple[int, Row]]:
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    missing = [name for name in NEEDED if name not in names]
    if missing:
        other = next((name for mark, name in MARKS.items() if any(mark in column for column in names)), "")
        hint = f"; columns are parted by commas here, not by {other}" if other else ""
        fail(f"{file}:1: no column {', '.join(missing)}; {EXPECTED}{hint}")
    reader.fieldnames = names
    for row in reader:
        if None in row.values() or None in row:
            fail(f"{file}:{reader.line_num}: expected {len(names)} columns as in the head line")
        yield reader.line_num, {name: value.strip() for name, value in row.items()}


def _figures(line: tuple[str, str, str], groups: Mapping[int, Row], asking: Asking) -> Figures | None:
    experience, segment, key = line
    goal = next((goal for goal in asking.goals if goal.key == key), None)
    if goal is None or (asking.experiences is not None and experience not in asking.experiences):
        return None
    firsts, lasts = _moments(groups, "first_exposure"), _moments(groups, "last_exposure")
    return Figures(
        experience,
        segment,
        key,
        goal.window_s,
        control_share(asking.ruleset, experience, segment),
        _pair(groups, ""),
        _pair(groups, "open_"),
        sum(int(row.get("saw_both", "0")) for row in groups.values()),
        min(firsts, default=None),
        max(lasts, default=None),
    )


def _pair(groups: Mapping[int, Row], which: str) -> Pair:
    control, personalized = (
        Group(int(groups[group].get(f"{which}visitors", "0")), int(groups[group].get(f"{which}converters", "0")))
        if group in groups
        else NOBODY
        for group in (0, 1)
    )
    return Pair(control, personalized)


def _moments(groups: Mapping[int, Row], column: str) -> list[datetime]:
    """The times in this column."""
    found = (_moment(row.get(column, "")) for row in groups.values())
    return [moment for moment in found if moment is not None]


def _moment(text: str) -> datetime | None:
    """A time as warehouses write it: `… UTC`, `… +0000`, `…+00`, or without a zone, which is UTC too."""
    try:
        moment = datetime.fromisoformat(text.replace(" UTC", "+00:00").replace(" +", "+").replace(" -", "-"))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None

"""`lift --counts`: what a warehouse answered to `lift --sql`, read back as figures.

1. CSV with a head line; columns are found by name, in any case (Snowflake shouts) and order. `open_…`, `saw_both`,
   `first_exposure` and `last_exposure` may be missing: then nothing is said of them.
2. A row is a group. What cannot be read ends the command, and says in which line and what would be right.
3. Experiences and goals are those of the rules that are asked for; of rows of others nothing is said.
"""

import csv
import io
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.cli.screen import fail
from engine.lift.asking import Asking, control_share, in_order
from engine.lift.counting import Counted
from engine.lift.figures import NOBODY, Figures, Pair
from engine.lift.statistics import Group

NEEDED: Final = ("experience", "audience_segment", "goal", "personalized", "visitors", "converters")
GROUPS: Final = {"0": 0, "1": 1, "false": 0, "true": 1}

Row = Mapping[str, str]


def read_counts(file: Path, asking: Asking) -> Counted:
    """The figures in this file."""
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    found: dict[tuple[str, str, str], dict[int, Row]] = {}
    for number, row in _rows(file, text):
        group = GROUPS.get(row["personalized"].lower())
        if group is None:
            fail(f"{file}:{number}: personalized: expected 0 or 1, got {row['personalized']!r}")
        for column in ("visitors", "converters", "open_visitors", "open_converters", "saw_both"):
            if not row.get(column, "0").isdecimal():
                fail(f"{file}:{number}: {column}: expected a whole number, got {row[column]!r}")
        if int(row["converters"]) > int(row["visitors"]):
            fail(
                f"{file}:{number}: converters: expected at most the {row['visitors']} visitors, got {row['converters']}"
            )
        line = (row["experience"], row["audience_segment"], row["goal"])
        if group in found.setdefault(line, {}):
            fail(f"{file}:{number}: a second row for {', '.join(line)} and this group; expected one of each")
        found[line][group] = row
    figures = [made for line, groups in found.items() if (made := _figures(line, groups, asking)) is not None]
    return Counted(tuple(in_order(figures, asking.ruleset)))


def _rows(file: Path, text: str) -> Iterable[tuple[int, Row]]:
    """Every row with the number of its line, columns by their names in small letters."""
    reader = csv.DictReader(io.StringIO(text))
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    missing = [name for name in NEEDED if name not in names]
    if missing:
        expected = "expected what `mutiny-edge lift --sql` asks for, with a head line"
        fail(f"{file}:1: no column {', '.join(missing)}; {expected}")
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
    """The times in this column, as far as they can be read: every warehouse writes them in its own way."""
    found = []
    for row in groups.values():
        with suppress(ValueError):
            moment = datetime.fromisoformat(row.get(column, "").replace(" UTC", "+00:00"))
            found.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return found

"""The question, asked of the log: what comes out is figures.

What lives here: the order of the steps, and the last one. What may not: their meaning (`question`), formulas.

1. One step after the other becomes a table; `told` is called after each, so that somebody who waits sees it move.
2. Figures come in the order of the rules: experiences by key, segments as the experience lists them; then what the
   rules do not name (any more). Each goal has a line.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import reduce
from typing import Final, TypeAlias

from msgspec import Struct

from engine.lift.asking import Asking, control_share, in_order, splits_of
from engine.lift.figures import NOBODY, Figures, Pair
from engine.lift.goals import make_conversions
from engine.lift.log import EXPOSURE, TABLES, Log, opened
from engine.lift.question import needs_accounts, quoted, steps
from engine.lift.statistics import Group
from engine.words import Goal, SplitBy

_COUNTED: Final = """
SELECT experience, segment, goal, personalized, CASE WHEN closes <= $now THEN CAST(closes AS DATE) END AS day,
  count(*), sum(converted)
FROM outcomes WHERE $since IS NULL OR time >= $since
GROUP BY ALL ORDER BY ALL
"""
_UNCLEAR: Final = "SELECT sum(viewings) FROM kinds AS k WHERE"
_UNSAID: Final = "(coalesce(k.segment, '') = '' OR k.personalized IS NULL)"
_UNCLEAR_ONCE: Final = f"""
SELECT count(DISTINCT e.message_id) FROM events AS e JOIN kinds AS k ON k.properties IS NOT DISTINCT FROM e.properties
WHERE e.event = '{EXPOSURE}' AND"""  # noqa: S608 - a name of ours
_SPANS: Final = """
SELECT experience, segment, min(time), max(time), sum(saw_both)
FROM starts WHERE $since IS NULL OR time >= $since GROUP BY ALL
"""


_Name: TypeAlias = tuple[str, str, str]  # experience, segment, goal
_Days: TypeAlias = dict[date | None, dict[int, Group]]  # by the day on which windows closed (None: open), by group


class Counted(Struct, frozen=True):
    """The answer, and what was left out on the way: lines of the log, exposures that do not say what of.

    `logs` are the folders that were counted.
    """

    figures: tuple[Figures, ...]
    unreadable: int = 0
    unclear: int = 0
    logs: tuple[str, ...] = ()


def count(folders: Sequence[str], asking: Asking, told: Callable[[], None] = lambda: None) -> Counted:
    """Raises `log.LogUnreadable`, OSError."""
    splits = splits_of(asking.ruleset)
    with opened(folders, asking.now, told) as log:
        unclear = _make_tables(log, asking, splits, told)
        make_conversions(log, asking.goals)
        told()
        for step in steps(splits, asking.goals):
            log.make(step.name, step.select, kept=step.kept)
            told()
        figures = _figures(log, asking)
        told()
        return Counted(tuple(figures), log.unreadable, unclear, log.logs)


def rounds(asking: Asking) -> int:
    """How often `count` tells that it moved on."""
    splits = splits_of(asking.ruleset)
    return len(_tables(splits)) + len(steps(splits, asking.goals)) + 3  # the lines, conversions, counting


def _tables(splits: Mapping[str, SplitBy]) -> list[str]:
    return [name for name in TABLES if name != "group_links" or needs_accounts(splits)]


def _make_tables(log: Log, asking: Asking, splits: Mapping[str, SplitBy], told: Callable[[], None]) -> int:
    """What the question stands on; how many exposures were unclear."""
    named = f"k.experience IN ({', '.join(map(quoted, asking.experiences))})" if asking.experiences else ""
    only = f" AND {named}" if named else ""
    for name in _tables(splits):
        log.make(name, TABLES[name] + (only if name == "exposures" else ""))
        told()
    unsaid = f"({named} AND {_UNSAID})" if named else _UNSAID
    unclear = f" (coalesce(k.experience, '') = '' OR {unsaid})"
    return log.number(_UNCLEAR_ONCE + unclear) if log.number(_UNCLEAR + unclear) else 0


def _figures(log: Log, asking: Asking) -> list[Figures]:
    """The lines of the answer."""
    since = {"since": _plain(asking.since)}
    counted = log.connection.execute(_COUNTED, {"now": _plain(asking.now), **since}).fetchall()
    spans = {
        (row[0], row[1]): (row[2], row[3], int(row[4])) for row in log.connection.execute(_SPANS, since).fetchall()
    }
    lines: dict[_Name, _Days] = {}
    for *name, personalized, day, visitors, converters in counted:
        days = lines.setdefault(tuple(name), {})
        days.setdefault(day, {})[personalized] = Group(visitors, int(converters))
    goals = {goal.key: goal for goal in asking.goals}
    made = [_line(asking, name, goals[name[2]], days, spans[name[:2]]) for name, days in lines.items()]
    return in_order(made, asking.ruleset)


def _line(asking: Asking, name: _Name, goal: Goal, days: _Days, span: tuple[datetime, datetime, int]) -> Figures:
    experience, segment, _ = name
    first, last, both = span
    closed = [(day, _pair(days[day])) for day in sorted(day for day in days if day is not None)]
    return Figures(
        experience,
        segment,
        goal.key,
        goal.window_s,
        control_share(asking.ruleset, experience, segment),
        reduce(Pair.plus, (pair for _, pair in closed), Pair()),
        _pair(days.get(None, {})),
        both,
        first.replace(tzinfo=UTC),
        last.replace(tzinfo=UTC),
        tuple(closed),
    )


def _pair(groups: dict[int, Group]) -> Pair:
    return Pair(groups.get(0, NOBODY), groups.get(1, NOBODY))


def _plain(moment: datetime | None) -> datetime | None:
    """As the log's times are: UTC without saying so."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)

"""Which events are conversions, by today's rules: so a goal that was added today counts yesterday's events.

What lives here: a goal's condition as a function of an event's properties, and the table `conversions`. What may not:
who converted, and when it counts (`question`).

1. Candidates are the events of a goal's name.
2. Where a goal has conditions, Python asks the compiled ones (`compile.conditions`), once for each different text of
   properties, however many events have it.
3. An error is neither true nor false, so it is no conversion: a missing property, an unlike type, properties that are
   no object or that no trait could hold.
"""
# ruff: noqa: S608 - what is put into the text is quoted, or a name of ours; events are never put into it

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from engine.cel.scope import CONVERSION
from engine.compile.conditions import condition
from engine.lift.log import Log
from engine.lift.question import quoted
from engine.profiles.values import BadValue, normalise_traits
from engine.words import Goal

_FETCHED: Final = 20_000  # texts at once: some megabytes
_CANDIDATES: Final = "SELECT event, anonymous_id, user_id, time, properties FROM events WHERE event IN ({names})"
_TEXTS: Final = (
    "SELECT row_number() OVER () AS text, event, properties FROM candidates WHERE event IN ({names}) GROUP BY ALL"
)
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Predicate:
    """The conditions of a goal, compiled: are all of them true?"""

    def __init__(self, goal: Goal) -> None:
        self._conditions: list[Callable[..., bool]] = [condition(one, CONVERSION).true for one in goal.where]

    def __call__(self, properties: str | None) -> bool:
        """Of these properties, as JSON."""
        try:
            found = normalise_traits(_decode(properties or "{}"))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, BadValue):
            return False
        values = {name: value for name, value in found.items() if value is not None}
        return all(is_true(values) for is_true in self._conditions)


def make_conversions(log: Log, goals: Sequence[Goal]) -> None:
    """The table `conversions`, from `events`."""
    log.make("candidates", _CANDIDATES.format(names=_names(goals)))
    log.connection.execute("CREATE TEMP TABLE accepted (goal VARCHAR, text BIGINT)")
    asking = [goal for goal in goals if goal.where]
    if asking:
        log.make("texts", _TEXTS.format(names=_names(asking)))
        for goal in asking:
            _accept(log, goal)
    ways = [_conversions(goal) for goal in goals]
    log.make("conversions", "\nUNION ALL\n".join(ways), kept=False)


def _accept(log: Log, goal: Goal) -> None:
    """Note the texts of properties of which the goal's conditions are true."""
    holds = Predicate(goal)
    found: list[int] = []
    texts = log.connection.execute("SELECT text, properties FROM texts WHERE event = $event", {"event": goal.event})
    while batch := texts.fetchmany(_FETCHED):
        found += [number for number, properties in batch if holds(properties)]
    log.connection.execute(
        "INSERT INTO accepted SELECT $goal, unnest(from_json($found, '[\"BIGINT\"]'))",
        {"goal": goal.key, "found": msgspec.json.encode(found).decode()},
    )


def _conversions(goal: Goal) -> str:
    taken = f"SELECT {quoted(goal.key)} AS goal, c.anonymous_id, c.user_id, c.time FROM candidates AS c"
    where = f" WHERE c.event = {quoted(goal.event)}"
    if not goal.where:
        return taken + where
    texts = " JOIN texts AS t ON t.event = c.event AND t.properties IS NOT DISTINCT FROM c.properties"
    return f"{taken}{texts} JOIN accepted AS a ON a.text = t.text AND a.goal = {quoted(goal.key)}{where}"


def _names(goals: Sequence[Goal]) -> str:
    return ", ".join(quoted(name) for name in sorted({goal.event for goal in goals}))

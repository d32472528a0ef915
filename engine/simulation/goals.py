"""Events that count as a conversion, and such as look alike and do not. Pure.

What lives here: the properties of goal events. What may not: who converts (`stream`), counting.

1. The properties are found as facts of segments are: from the constants of `where`, by trying.
2. One event can count for several goals; `covers` says for which, and the truth counts it for each of them. Where there
   is a choice, an event is taken that counts for few.
"""

from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from engine.cel.scope import CONVERSION
from engine.simulation.chance import Chance
from engine.simulation.facts import nested
from engine.simulation.values import Facts, Path, pool
from engine.simulation.wishes import Wish, drawn, fulfilments
from engine.words import Goal, Ruleset

_TRIES: Final = 20


class Event(Struct, frozen=True):
    """How one goal is reached: the event, properties of which any will do, and the goals that it counts for.

    `others` are properties with which it counts for none; `properties` is empty where none were found.
    """

    goal: str
    name: str
    window_s: int
    properties: tuple[dict[str, Any], ...]
    covers: frozenset[str]
    others: tuple[dict[str, Any], ...]


def events(ruleset: Ruleset, now: datetime, chance: Chance) -> list[Event]:
    """One for each goal of the rules."""
    wishes = {goal.key: Wish(goal.where, (), CONVERSION) for goal in ruleset.goals.values()}
    return [_event(goal, ruleset, wishes, now, chance) for goal in ruleset.goals.values()]


def _event(goal: Goal, ruleset: Ruleset, wishes: dict[str, Wish], now: datetime, chance: Chance) -> Event:
    alike = [one for one in ruleset.goals.values() if one.event == goal.event]
    tried = pool([condition for one in alike for condition in one.where], {})

    def properties(facts: Facts) -> dict[str, Any]:
        return dict(nested(facts, now).get("properties", {}))

    def counts_for(facts: Facts) -> frozenset[str]:
        roots = (properties(facts),)
        return frozenset(one.key for one in alike if wishes[one.key].held(roots) == wishes[one.key].most)

    found = fulfilments(wishes[goal.key], tried, lambda facts: (properties(facts),), chance)
    covers = min(map(counts_for, found), key=len, default=frozenset({goal.key}))
    drawn_: list[dict[Path, Any]] = [drawn(tried, chance) for _ in range(_TRIES)]
    return Event(
        goal.key,
        goal.event,
        goal.window_s,
        tuple(properties(facts) for facts in found if counts_for(facts) == covers),
        covers,
        tuple(properties(facts) for facts in drawn_ if not counts_for(facts)),
    )

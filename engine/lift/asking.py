"""What is asked: by which rules, of which experiences, for which goals, as of when. Pure.

1. Events name experiences and audience segments by the names that they were sent under; here is where the rules' keys
   and those names meet.
2. What the rules say today holds for all that was seen: a goal that was added today counts yesterday's events. The
   control share is the exception that cannot be undone; where it is not one, it is not known.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from engine.lift.figures import Figures
from engine.limits import PPM
from engine.words import Experience, Goal, Ruleset, SplitBy


class Asking(Struct, frozen=True):
    """What is asked: by these rules, of these experiences (names as they are sent; None: all), for these goals, as of
    `now`, about those who were first exposed from `since` on.
    """

    ruleset: Ruleset
    goals: tuple[Goal, ...]
    now: datetime
    experiences: tuple[str, ...] | None = None
    since: datetime | None = None


def splits_of(ruleset: Ruleset) -> dict[str, SplitBy]:
    """What experiences are split by, by the names that they are sent under."""
    return {experience.name: experience.split_by for experience in ruleset.experiences.values()}


def control_share(ruleset: Ruleset, experience: str, segment: str) -> float | None:
    """Which part of this segment the rules make control; None where they do not say one thing."""
    shares = {
        audience.control_ppm
        for one in ruleset.experiences.values()
        for audience in one.audiences
        if one.name == experience and ruleset.segments[audience.segment].name == segment
    }
    return shares.pop() / PPM if len(shares) == 1 else None


def in_order(figures: Iterable[Figures], ruleset: Ruleset) -> list[Figures]:
    """As the rules list experiences and their segments; what they do not name comes last, by name."""
    places = _places(ruleset.experiences.values(), ruleset)
    nowhere = len(places)

    def place(one: Figures) -> tuple[int, str, str, str]:
        return places.get((one.experience, one.segment), nowhere), one.experience, one.segment, one.goal

    return sorted(figures, key=place)


def _places(experiences: Iterable[Experience], ruleset: Ruleset) -> dict[tuple[str, str], int]:
    pairs = [(one.name, ruleset.segments[audience.segment].name) for one in experiences for audience in one.audiences]
    return {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}

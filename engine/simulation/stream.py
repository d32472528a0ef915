"""The whole stream, in the order in which it comes. Pure.

What lives here: how many come when, and how long it takes until the last window is closed. What may not: what one of
them sends (`visitor`), taking it in.

1. Visitors come over some days, more by day than by night. The last one comes so long before the end that by then
   every goal's window is closed for everybody: lift counts nobody else. The days are whole ones, so that the same seed
   over the same rules draws the same today and tomorrow.
2. Of those who came only what they still send is held in memory.
3. A split is broken by losing exposures of one group, so that the groups stand as it was asked for.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush
from math import pi, sin
from typing import Final

from msgspec import Struct

from engine.decide.decider import Decider
from engine.limits import PPM
from engine.profiles.record import time_ms
from engine.simulation import goals
from engine.simulation.chance import Chance
from engine.simulation.crowd import Crowd
from engine.simulation.truth import Effect, Truth
from engine.simulation.visitor import Said, Visitor, World
from engine.words import Experience

_DAY_MS: Final = 86_400_000
_AGAIN: Final = timedelta(days=3)
_LATEST: Final = timedelta(hours=1)


class Wanted(Struct, frozen=True):
    """What is asked for: how many come in how many days, the rate of conversion, the lift (a fraction), and which part
    of the exposures are personalized ones, if not what the rules say."""

    visitors: int
    days: int
    rate: float
    lift: float
    personalized: float | None = None


class Simulation:
    """A stream of these experiences that ends before `now`; it is gone through once."""

    def __init__(
        self, decider: Decider, experiences: Sequence[Experience], wanted: Wanted, now: datetime, chance: Chance
    ) -> None:
        events = goals.events(decider.ruleset, now, chance)
        windows = [timedelta(seconds=one.window_s) for one in events] or [_AGAIN]
        again = min(_AGAIN, min(windows) / 2)
        latest = now - max(windows) - again - _LATEST
        self.ends = latest.replace(hour=0, minute=0, second=0, microsecond=0)
        self.begins = self.ends - timedelta(days=wanted.days)
        self.missing_goals = [one.goal for one in events if not one.properties]
        self._truth = Truth()
        self._crowd = Crowd(decider, experiences, self.ends, chance)
        self._wanted = wanted
        self._chance = chance
        self._world = World(
            decider, tuple(events), wanted.rate, wanted.lift, max(4, again // timedelta(milliseconds=1)),
            self._crowd.asked, _kept(experiences, wanted.personalized), self._truth,
        )  # fmt: skip

    @property
    def missing(self) -> list[tuple[str, str]]:
        """Audiences, as (experience, segment), that nobody could be made up for."""
        return self._crowd.missing

    def effects(self) -> list[Effect]:
        """What is true of what has come so far."""
        return self._truth.effects()

    def messages(self) -> Iterator[Said | None]:
        """Every message, in the order in which they come; None for every visitor who has come."""
        waiting: list[Said] = []
        for number, at_ms in enumerate(self._times(), 1):
            while waiting and waiting[0].received_ms < at_ms - _DAY_MS:
                yield heappop(waiting)
            kind = self._crowd.drawn(self._chance)
            if kind is not None:
                for said in Visitor(self._world, kind, number, at_ms, self._chance).messages():
                    heappush(waiting, said)
            yield None
        while waiting:
            yield heappop(waiting)

    def _times(self) -> list[int]:
        """When they come, by day twice as many as by night."""
        begins, length = time_ms(self.begins), self._wanted.days * _DAY_MS
        times: list[int] = []
        while len(times) < self._wanted.visitors:
            at_ms = begins + int(length * self._chance.random())
            if self._chance.random() * 3 < 2 + sin((at_ms % _DAY_MS / _DAY_MS - 0.3) * 2 * pi):
                times.append(at_ms)
        return sorted(times)


def _kept(experiences: Sequence[Experience], personalized: float | None) -> dict[tuple[str, str], tuple[float, float]]:
    """Which part of control's and of personalized exposures is not lost, so that so many of them are personalized."""
    if personalized is None:
        return {}
    kept: dict[tuple[str, str], tuple[float, float]] = {}
    for experience in experiences:
        for audience in experience.audiences:
            control = audience.control_ppm / PPM
            ratio = personalized * control / ((1 - personalized) * (1 - control)) if control < 1 else 1.0
            kept[experience.key, audience.segment] = (min(1.0, 1 / ratio) if ratio else 1.0, min(1.0, ratio or 1.0))
    return kept

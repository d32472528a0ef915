"""When too much is asked at once: who is turned away, and since when. In front of the work, never by closing the door.

What lives here: when a process has too much to do, and the word that goes to the log. What may not: how somebody is
turned away (`engine.web`).

1. Too much is: more than `limits.IN_FLIGHT` requests that have come in whole wait for us (for the disk, for a store),
   or the event loop is late. Then a decision is "nothing applies", marked as degraded, and what Segment sends is 429
   with `Retry-After`; its libraries come back with it. Everything else goes on: nobody could look at what happens
   otherwise. Clients that are slow to say what they want wait for nobody but themselves, and do not count. How much may
   wait to be written is bounded apart, by the time that it takes (`engine.intake`): then decisions go on, and it is
   over when none was turned away for `limits.INTAKE_QUIET_S`, since the bound comes and goes with every group.
2. The loop is late when a timer comes late *because of what this thread had to do*: of the delay only what it computed
   itself counts. A machine that gives us no core, a thread that compiles rules, a process that was stopped are no
   load that turning somebody away would lessen.
3. And it is late only when `limits.LATE_TIMES` timers in a row were, longer than `limits.LATE_S`: a pass of the garbage
   collector or one large request makes one late, not one after the other.
4. It ends when as many in a row were early again, and few wait: well below the bounds, so that it does not flicker.
5. The log tells of the beginning and the end, once each; counts tell how many were turned away.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine import limits
from engine.counts import Counts

log = logging.getLogger("mutiny_edge.load")

AT_EASE = 0.5  # below this part of a bound it is over


class Load:
    """What one worker has to do. `sheds`: it has too much; `piles`: more waits to be written than may."""

    def __init__(self, counts: Counts) -> None:
        self.sheds = False
        self.piles = False
        self._piled = 0  # turned away since that began
        self._quiet = 0  # looks since the last of them
        self._counts = counts
        self._late = 0
        self._early = 0
        self._before = 0  # turned away before this time began

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """One more request waits. Whether that is too many is seen at once: a timer would see it too late."""
        self._counts.in_flight += 1
        if self._counts.in_flight > limits.IN_FLIGHT and not self.sheds:
            self._turn(f"{limits.IN_FLIGHT} requests wait for their answers")
        try:
            yield
        finally:
            self._counts.in_flight -= 1

    def pile(self, why: str) -> None:
        """One was turned away because so much waits to be written."""
        if not self.piles:
            self._piled = 0
            log.warning("what Segment sends is turned away: %s", why, extra={"trouble": "overload"})
        self.piles = True
        self._piled += 1
        self._quiet = 0

    def _look_at_pile(self) -> None:
        self._quiet += 1
        if self.piles and self._quiet * limits.LOAD_LOOK_S >= limits.INTAKE_QUIET_S:
            self.piles = False
            log.warning("what Segment sends is taken again; %d requests were turned away", self._piled)

    def look(self, late_s: float, computed_s: float) -> None:
        """A timer came so late; meanwhile this thread computed for so long."""
        self._look_at_pile()
        own_s = min(late_s, computed_s)
        self._counts.lag_s = max(late_s, self._counts.lag_s * limits.LAG_FADES)
        self._late = self._late + 1 if own_s > limits.LATE_S else 0
        self._early = self._early + 1 if own_s < limits.LATE_S * AT_EASE else 0
        if not self.sheds and self._late >= limits.LATE_TIMES:
            self._turn(f"the event loop was {own_s * 1000:.0f} ms late, {self._late} times in a row")
        elif self.sheds and self._early >= limits.LATE_TIMES and self._counts.in_flight < limits.IN_FLIGHT * AT_EASE:
            self._turn("")

    def _turn(self, why: str) -> None:
        self.sheds = bool(why)
        self._early = 0
        shed = self._counts.shed.total()
        if why:
            self._before = shed
            log.warning("too much is asked at once, requests are turned away: %s", why, extra={"trouble": "overload"})
        else:
            log.warning("no request is turned away any more; %d were", shed - self._before)

    async def watch(self) -> None:
        """Look, for ever."""
        while True:  # the loop's own clock stands still within a turn of it
            due, computed = time.monotonic() + limits.LOAD_LOOK_S, time.thread_time()
            await asyncio.sleep(limits.LOAD_LOOK_S)
            self.look(time.monotonic() - due, time.thread_time() - computed)

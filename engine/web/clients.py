"""All connections of one process, and the clock that their deadlines are counted by.

What lives here: the sweep over connections, the flag for draining, counts of refusals. What may not: what a connection
does about its own deadline (`guard.py`).

1. One timer a process, none a connection: every `limits.SWEEP_S` each connection is shown the clock.
2. The clock counts sweeps, not seconds. While this process could not run (stopped, or busy elsewhere) no client could
   be heard, and no client's time passes.
3. What every answer says (the date) is put into bytes when it changes, not for every answer.
4. Refusals are counted by code, and told in one line every `limits.REFUSALS_LOG_S` at most: what a client can do ten
   thousand times a second must not fill a disk.
"""

import asyncio
import logging
import math
from collections import Counter
from typing import Final, Protocol, cast

from uvicorn.server import ServerState

from engine import limits

log = logging.getLogger("mutiny_edge.web")

NEVER: Final = 2**62  # a tick that does not come


def ticks(seconds: float) -> int:
    """So many sweeps take at least that long, and at most one sweep longer."""
    return math.ceil(seconds / limits.SWEEP_S) + 1


_LOG_TICKS: Final = ticks(limits.REFUSALS_LOG_S)


class Watched(Protocol):
    """A connection, as the sweep sees it."""

    def sweep(self, tick: int) -> None:
        """See what time it is."""


class Clients(ServerState):
    """uvicorn's state of one server, with the clock.

    `draining`: the next answer on each connection is its last. `last_tick`: no request may still be arriving then.
    """

    def __init__(self, refused: Counter[str] | None = None) -> None:
        """`refused` counts refusals by code, beside those of others."""
        super().__init__()
        self.tick = 0
        self.draining = False
        self.last_tick = NEVER
        self.refused: Counter[str] = Counter() if refused is None else refused
        self._untold: Counter[str] = Counter()
        self._next_line = 0
        self._lines = b""
        self._lines_of: object = None

    @property
    def lines(self) -> bytes:
        """The headers of every answer, as they are sent."""
        if self._lines_of is not self.default_headers:  # uvicorn makes a new list every second
            self._lines = b"".join(b"%b: %b\r\n" % header for header in self.default_headers)
            self._lines_of = self.default_headers
        return self._lines

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Sweep from now on, for as long as the loop runs."""

        def once() -> None:
            loop.call_later(limits.SWEEP_S, once)
            self.sweep()

        loop.call_later(limits.SWEEP_S, once)

    def sweep(self) -> None:
        """The clock moves on, and every connection sees it."""
        self.tick += 1
        for client in tuple(cast("set[Watched]", self.connections)):
            try:
                client.sweep(self.tick)
            except Exception:
                log.exception("a connection could not be looked at")
        if self._untold and self.tick >= self._next_line:
            self._tell()

    def end(self, seconds: float) -> None:
        """No request has longer than so to arrive."""
        self.last_tick = self.tick + ticks(seconds)

    def count(self, code: str) -> None:
        """A request was refused."""
        self.refused[code] += 1
        self._untold[code] += 1

    def _tell(self) -> None:
        self._next_line = self.tick + _LOG_TICKS
        counted = ", ".join(f"{code} {times}" for code, times in sorted(self._untold.items()))
        log.warning("refused: %s", counted, extra={"refused": dict(self._untold)})
        self._untold.clear()

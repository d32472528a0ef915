"""A shared store, asked from any thread: what is remembered of it lives in an event loop, and that in a thread.

What lives here: the thread, and the way there and back. What may not: how anything is remembered (`profiles.near`), how
long one waits for it (`shared.patiently`).

1. Who decides on a page that looks at nobody stays in their own thread. Everybody else decides in the loop's, for only
   there may be asked what is remembered; of a visitor who is, that is all it costs.
2. An answer takes no longer than the budget, whatever the store does.
3. Nothing is written, not even a hint that turned out to be wrong.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import Final, TypeVar

from engine.jobs import Jobs
from engine.profiles.ids import Key
from engine.profiles.near.near import Near
from engine.profiles.store import Following, Found, Reads
from engine.settings import Settings
from engine.shared import open_near, patiently

T = TypeVar("T")

_GLANCE_S: Final = 0.001  # between two looks whether there is a connection, where the first decision may wait for it
_BUSY_S: Final = 5.0  # beyond the budget, on a machine that hardly moves; then the answer never comes


class Elsewhere(Exception):  # noqa: N818 - it is no fault, it says where to ask
    """The store may not be asked in this thread."""


class Closed(Exception):  # noqa: N818 - it is no fault, another one is open or will be
    """Nobody answers here any more."""


class _NotHere:
    """In place of a store, for a thread that may not ask it."""

    def get(self, keys: Sequence[Key]) -> list[Found]:  # noqa: ARG002 - as every store
        """Raises Elsewhere."""
        raise Elsewhere

    def one(self, key: Key) -> Found:  # noqa: ARG002 - as every store
        """Raises Elsewhere."""
        raise Elsewhere

    def chain(self, first: Key, following: Following) -> list[Found]:  # noqa: ARG002 - as every store
        """Raises Elsewhere."""
        raise Elsewhere


_not_here: Final = _NotHere()


class Distant:
    """What is remembered of one shared store, in a thread of its own."""

    def __init__(self, settings: Settings, patience_s: float) -> None:
        """Wait so long for the first connection, or until it has failed. Raises BadAddress."""
        self.near: Near = open_near(settings)
        self._budget_s = settings.read_budget_ms / 1_000
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._closing = False
        self._door = threading.Lock()
        self._thread = threading.Thread(target=self._live, name="mutiny-edge-store", daemon=True)
        at_first = self.near.trouble
        self._thread.start()
        for _ in range(round(patience_s / _GLANCE_S)):
            if self.near.trouble != at_first:
                break
            time.sleep(_GLANCE_S)

    def ask(self, decide: Callable[[Reads], T]) -> T:
        """What `decide` makes of what can be read within the budget. Raises what it raises, and Closed."""
        try:
            return decide(_not_here)
        except Elsewhere:
            pass
        with self._door:  # who is in before it closes is answered, or told that nobody answers
            if self._closing:
                raise Closed
            answer = patiently(self.near, self.near.hurried, decide, self._budget_s)
            future = asyncio.run_coroutine_threadsafe(answer, self._loop)
        try:
            return future.result(self._budget_s + _BUSY_S)
        except CancelledError:
            raise Closed from None

    def close(self) -> None:
        """Let go of connections and thread. Closing twice is harmless."""
        with self._door:
            if self._closing:
                return
            self._closing = True
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _live(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._keep())

    async def _keep(self) -> None:
        jobs = Jobs()
        jobs.start("store-near", self.near.run)
        await self._ended.wait()
        await jobs.stop()

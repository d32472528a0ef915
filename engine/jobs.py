"""Background work, watched. What lives here: the one way to start a background job. What may not: any job's own work.

1. A job has a name and is *vital* or not: readiness goes off while a vital one is down.
2. A job that raises is logged and started again after a pause that doubles from `FIRST_PAUSE_S` to `LONGEST_PAUSE_S`;
   after `STEADY_S` of running well the next pause is short again. Every restart is counted, and the last error kept.
3. Stopping cancels every job and waits until it is gone. Nothing here outlives the event loop, and no error is lost.
4. What a job does in one go is a *step*. Whoever wants to know of steps listens (`on_step`).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from engine.faults import in_short

log = logging.getLogger("mutiny_edge.jobs")

FIRST_PAUSE_S = 0.5  # most failures are over at once (a file being replaced)
LONGEST_PAUSE_S = 30.0  # a job that can run again should not stay away for minutes
FORGOTTEN_S = 1.0  # after which a job that has not ended is cancelled again
STEADY_S = 60.0  # longer than the longest pause: whoever ran this long was not failing at every start

Result = TypeVar("Result")
# A step's name, when it began (monotonic), how long it took, and what it raised.
Listener: TypeAlias = Callable[[str, float, float, BaseException | None], None]


class Job:
    """One background job: `down` from its failure until it is started again. `error` is the last one, in short."""

    def __init__(self, name: str, work: Callable[[], Awaitable[None]], *, vital: bool) -> None:
        self.name = name
        self.vital = vital
        self.down = False
        self.restarts = 0
        self.error: str | None = None
        self._work = work

    async def run(self) -> None:
        """Run the work for ever; ends when the work ends by itself, or is cancelled."""
        clock = asyncio.get_running_loop().time
        pause_s = FIRST_PAUSE_S
        while True:
            started = clock()
            try:
                return await self._work()
            except Exception as error:
                self.error = in_short(error)
                fault = None if isinstance(error, OSError) else error  # the machine's says all in its message
                words = "background job %s failed (%s); it is started again"
                log.exception(words, self.name, self.error, exc_info=fault, extra={"job": self.name})
            if clock() - started > STEADY_S:
                pause_s = FIRST_PAUSE_S
            self.down = True
            await asyncio.sleep(pause_s)
            self.down = False
            self.restarts += 1
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


class Jobs:
    """All background jobs of a process."""

    def __init__(self) -> None:
        self.all: list[Job] = []
        self.on_step: Listener | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, work: Callable[[], Awaitable[None]], *, vital: bool = False) -> None:
        """Run `work()` until `stop`. Needs a running event loop."""
        job = Job(name, work, vital=vital)
        self.all.append(job)
        self._tasks.append(asyncio.get_running_loop().create_task(job.run(), name=name))

    async def step(self, name: str, work: Callable[[], Result]) -> Result:
        """`work()` in a thread, as one step of a job."""
        began = time.monotonic()
        raised: BaseException | None = None
        try:
            return await asyncio.to_thread(work)
        except BaseException as error:
            raised = error
            raise
        finally:
            if self.on_step is not None:
                self.on_step(name, began, time.monotonic() - began, raised)

    async def stop(self) -> None:
        """Cancel every job and wait until it has ended."""
        left = set(self._tasks)
        while left:  # a group of tasks may forget that it was cancelled, if something went wrong in the same moment
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=FORGOTTEN_S)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self.all.clear()

    def vital_are_up(self) -> bool:
        """Is no vital job down?"""
        return not any(job.vital and job.down for job in self.all)

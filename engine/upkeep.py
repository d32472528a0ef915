"""What is done to log and store beside the requests: after a crash, for a deletion, at the end of an hour.

What lives here: each of these as a step that a background job or a request has done in a thread. What may not: when
they are done (`node`), how (`segment`, `events`), HTTP.

1. `catch_up`: what processes left in the log when they died goes into the store. Any process may do it for any other.
2. `erase`: a person's deletion. It is noted before it is begun, and `finish` carries out what was noted and never
   finished: by a process that died, for a full disk, or because Segment asked for it in a message.
3. One step at a time, in this process and, for deletions, in all of them. `end` waits for the step at work, which
   stops where it can, and nothing is done afterwards: the store is about to be closed.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from engine import limits
from engine.events.disk import LogError, LogUnavailable
from engine.intake import Intake
from engine.profiles.ids import Key
from engine.profiles.store import Store, StoreError, StoreUnavailable
from engine.segment.accept import Delivery
from engine.segment.applying import catch_up
from engine.segment.erasure import Asked, Erased, Logs, erase
from engine.segment.message import Message

log = logging.getLogger("mutiny_edge.upkeep")

_ENDED: Final = "this process is ending"


class _Ended(StoreUnavailable):
    """A step was to go on, and the process ends."""


class Upkeep:
    """The steps, for the store and the logs of one process. `trouble` is told of what goes wrong in the background."""

    def __init__(self, intake: Intake, store: Store, logs: Logs, trouble: Callable[[str, str], None]) -> None:
        self._intake = intake
        self._store = store
        self._logs = logs
        self._trouble = trouble
        self._turn = threading.Lock()
        self._ending = False

    def catch_up(self) -> None:
        """What is in the log and not in the store goes there; and a file whose hour is over is closed."""
        try:
            with self._step():
                self._intake.settle()
                applied = catch_up(self._logs.events, self._store, self._go_on)
        except _Ended:
            return
        except (StoreError, LogError) as error:
            self._trouble("log", f"what is in the log could not be applied to the store: {error}")
            return
        if applied.events or applied.damaged or applied.torn:
            log.warning(
                "log: %d events that the store did not know are in it now; left out: %d damaged lines, %d torn ends",
                applied.events,
                applied.damaged,
                applied.torn,
            )

    def erase(self, key: Key, now_ms: int) -> Erased:
        """Forget the person behind this identity, in store and logs.

        Once it is noted it is carried out in any case. Raises StoreError, LogError.
        """
        with self._step(), self._alone():
            return self._carry_out(self._intake.erasures.ask(key, now_ms))

    def finish(self) -> None:
        """Carry out the deletions that were noted and not finished."""
        try:
            if self._intake.erasures.unfinished():
                with self._step(), self._alone():
                    for asked in self._intake.erasures.unfinished():
                        self._carry_out(asked)
        except _Ended:
            return
        except (StoreError, LogError, OSError) as error:
            self._trouble("deletion", f"could not be finished, it is tried again: {error}")

    def end(self) -> None:
        """Wait for the step at work; none begins afterwards."""
        self._ending = True
        with self._turn:
            pass

    @contextmanager
    def _step(self) -> Iterator[None]:
        with self._turn:
            self._go_on()
            yield

    def _go_on(self, _: int = 0) -> None:
        if self._ending:
            raise _Ended(_ENDED)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other process carries out a deletion; what the system refuses is trouble with the log."""
        try:
            with self._intake.erasures.alone():
                yield
        except OSError as error:
            raise LogUnavailable(f"a deletion cannot be carried out: {error.filename}: {error.strerror}") from error

    def _carry_out(self, asked: Asked) -> Erased:
        def write(messages: Sequence[Message]) -> None:
            self._intake.submit(lambda: Delivery(list(messages), [], 0), 0).result()

        def pause() -> None:
            time.sleep(limits.ERASURE_PAUSE_S)

        erasures = self._intake.erasures
        erased = erase(asked, erasures, self._store, self._logs, write=write, pause=pause)
        erasures.cross_out(asked)
        log.info("deleted: %s, %d events, %d rejected messages", erased.identities, erased.events, erased.rejected)
        return erased

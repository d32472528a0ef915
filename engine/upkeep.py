"""What is done to log and store beside the requests: after a crash, for a deletion, at the end of an hour.

What lives here: each of these as a step that a background job or a request has done in a thread. What may not: when
they are done (`node`), how (`segment`, `events`), HTTP.

1. `catch_up`: what processes left in the log when they died goes into the store. Any process may do it for any other.
2. `erase`: a person's deletion. It is noted before it is begun, and `finish` carries out what was noted and never
   finished: by a process that died, for a full disk, or because Segment asked for it in a message.
3. `compact`: what is finished becomes Parquet, in a process of its own (`segment.compactor`).
4. One step of a kind at a time, in this process and, but for catching up, in all of them. `end` waits for those at
   work, which stop where they can, and nothing is done afterwards: the store is about to be closed.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from engine import limits
from engine.events.archive import DAMAGED_FOLDER
from engine.events.disk import LogError, LogUnavailable
from engine.intake import Intake
from engine.profiles.ids import Key
from engine.profiles.store import Store, StoreError, StoreUnavailable
from engine.segment.accept import Delivery
from engine.segment.applying import catch_up
from engine.segment.compacting import applied, due
from engine.segment.compactor import compacted, turn
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
        self._catching_up = threading.Lock()
        self._deleting = threading.Lock()
        self._compacting = threading.Lock()
        self._ending = threading.Event()

    def catch_up(self) -> None:
        """What is in the log and not in the store goes there; and a file whose hour is over is closed."""
        try:
            with self._step(self._catching_up):
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

    def compact(self, now: datetime) -> None:
        """Have Parquet made of what is due; by this process, if no other one does it already."""
        folder = self._logs.events
        try:
            with self._step(self._compacting), turn(folder) as lock:
                paths = [] if lock is None else due(applied(folder, self._store), now)
                if lock is None or not paths:
                    return
                made = compacted(self._logs, paths, lock, self._go_on)
        except _Ended:
            return
        except (StoreError, LogError, OSError) as error:
            self._trouble("compacting", f"the log stays as lines, it is tried again: {error}")
            return
        log.info("log: %d events of %d files are Parquet now", made.events, made.files)
        if made.damaged:
            log.warning("log: %d damaged lines are kept in %s", made.damaged, folder / DAMAGED_FOLDER)

    def erase(self, key: Key, now_ms: int) -> Erased:
        """Forget the person behind this identity, in store and logs.

        Once it is noted it is carried out in any case. Raises StoreError, LogError.
        """
        with self._step(self._deleting), self._alone():
            return self._carry_out([self._intake.erasures.ask(key, now_ms)])

    def finish(self) -> None:
        """Carry out the deletions that were noted and not finished, all at once."""
        try:
            if self._intake.erasures.unfinished():
                with self._step(self._deleting), self._alone():
                    self._carry_out(self._intake.erasures.unfinished())
        except _Ended:
            return
        except (StoreError, LogError, OSError) as error:
            self._trouble("deletion", f"could not be finished, it is tried again: {error}")

    def unfinished(self) -> int:
        """How many deletions are noted and not finished. Raises OSError."""
        return len(self._intake.erasures.unfinished())

    def end(self) -> None:
        """Wait for the steps at work, which stop where they can; none begins afterwards."""
        self._ending.set()
        for step in (self._catching_up, self._deleting, self._compacting):
            with step:
                pass

    @contextmanager
    def _step(self, turn: threading.Lock) -> Iterator[None]:
        with turn:
            self._go_on()
            yield

    def _go_on(self, _: int = 0) -> None:
        if self._ending.is_set():
            raise _Ended(_ENDED)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other process carries out deletions; what the system refuses is trouble with the log."""
        try:
            with self._intake.erasures.alone():
                yield
        except OSError as error:
            raise LogUnavailable(f"a deletion cannot be carried out: {error.filename}: {error.strerror}") from error

    def _carry_out(self, asked: Sequence[Asked]) -> Erased:
        def write(messages: Sequence[Message]) -> None:
            self._intake.submit(lambda: Delivery(list(messages), [], 0), 0).result()

        def pause() -> None:
            self._ending.wait(limits.ERASURE_PAUSE_S)
            self._go_on()

        erasures = self._intake.erasures
        erased = erase(asked, erasures, self._store, self._logs, write=write, pause=pause, go_on=self._go_on)
        for one in asked:
            erasures.cross_out(one)
        log.info("deleted: %s, %d events, %d rejected messages", erased.identities, erased.events, erased.rejected)
        return erased

"""What is done to log and store beside the requests: after a crash, for a deletion, at the end of an hour.

What lives here: each of these as a step that a background job or a request has done in a thread. What may not: when
they are done (`node`), how (`segment`, `events`), HTTP.

1. `catch_up`: what processes left in the log when they died goes into the store. Any process may do it for any other.
   So does what the store lost, if it did: `restore` brings back what is compacted. Until that is done people are
   missing there, and `lacking` says so.
2. `erase`: a person's deletion. It is noted before it is begun, and `finish` carries out what was noted and never
   finished: by a process that died, for a full disk, or because Segment asked for it in a message. It waits while the
   store lacks part of the log, for then nobody knows who belongs together.
   What was carried out elsewhere, on another node with the same store, is carried out on this one's log (`elsewhere`).
3. `compact`: what is finished becomes Parquet, in a process of its own (`segment.compactor`).
4. One step of a kind at a time, in this process and, but for catching up, in all of them. `end` waits for those at
   work, which stop where they can, and nothing is done afterwards: the store is about to be closed.
5. What goes wrong in the background is told when it begins and when it is over (`troubles`).
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from engine import limits
from engine.events.archive import DAMAGED_FOLDER
from engine.events.disk import LogError, LogUnavailable
from engine.intake import Intake
from engine.profiles.ids import Key
from engine.profiles.store import Found, Store, StoreBehind, StoreError, StoreUnavailable
from engine.segment import elsewhere
from engine.segment.accept import Delivery
from engine.segment.compacting import applied, due
from engine.segment.compactor import compacted, turn
from engine.segment.erasure import Asked, Erased, Logs, erase
from engine.segment.message import Message
from engine.segment.restoring import Archive, catch_up
from engine.troubles import Troubles

log = logging.getLogger("mutiny_edge.upkeep")

_ENDED: Final = "this process is ending"
_LACKING: Final = "it lacks part of this node's log, which is being applied again; until then some profiles are missing"


class _Ended(StoreUnavailable):
    """A step was to go on, and the process ends."""


@contextmanager
def _watching(troubles: Troubles, failed: str) -> Iterator[None]:
    """A step, which fails quietly."""
    try:
        yield
    except _Ended:
        return
    except (StoreError, LogError, OSError) as error:
        troubles.fails(failed, error)
        return
    troubles.goes_well(failed)


class Upkeep:
    """The steps, for the store and the logs of one process."""

    def __init__(self, intake: Intake, store: Store, logs: Logs, rest: Callable[[], None] = lambda: None) -> None:
        """`rest` is called often by what takes long."""
        self._intake = intake
        self._store = store
        self._logs = logs
        self._in_log, self._in_compacting, self._in_deleting = map(Troubles, ("log", "compacting", "deletion"))
        self._catching_up = threading.Lock()
        self._restoring = threading.Lock()
        self._deleting = threading.Lock()
        self._compacting = threading.Lock()
        self._ending = threading.Event()
        self._rest = rest
        self._notes = elsewhere.Notes(logs.erasures)
        self._told: list[Found] | None = None  # what other nodes told, and was heard
        self._archive = Archive(logs.events, store, self._breathe)
        self._applies = False  # lines that the store did not know

    @property
    def lacking(self) -> str | None:
        """That the store does not hold all of the log, in one line."""
        return _LACKING if self._applies or self._archive.lacks else None

    def catch_up(self) -> None:
        """What is in the log and not in the store goes there; and a file whose hour is over is closed."""
        with _watching(self._in_log, "what is in the log could not be applied to the store"):
            try:
                with self._step(self._catching_up):
                    self._intake.settle()
                    applied = catch_up(self._logs.events, self._store, self._intake.look(), self._applying)
                    self._applies = False
            except StoreBehind as error:
                log.warning("log: %s", error)  # by the next look
                return
            if applied.events or applied.damaged or applied.torn:
                log.warning(
                    "log: %d events that the store did not know are in it now; "
                    "left out: %d damaged lines, %d torn ends",
                    applied.events,
                    applied.damaged,
                    applied.torn,
                )

    def restore(self) -> None:
        """What is compacted and not in the store any more goes there."""
        failed = "what is compacted could not be applied to the store, it is tried again"
        with _watching(self._in_log, failed), self._step(self._restoring):
            self._archive.restore()

    def compact(self, now: datetime) -> None:
        """Have Parquet made of what is due; by this process, if no other one does it already."""
        folder = self._logs.events
        with _watching(self._in_compacting, "the log stays as lines, it is tried again"):
            with self._step(self._compacting), turn(folder) as lock:
                paths = [] if lock is None else due(applied(folder, self._store), now)
                if lock is None or not paths:
                    return
                made = compacted(self._logs, paths, lock, self._archive.taken, self._go_on)
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
        with _watching(self._in_deleting, "could not be finished, it is tried again"):
            if self._intake.erasures.unfinished():
                with self._step(self._deleting), self._alone():
                    self._carry_out(self._intake.erasures.unfinished())

    def hear(self) -> None:
        """Carry out here what other nodes with the same store have carried out, and let them hear what this one has."""
        with _watching(self._in_log, "the deletions of other nodes could not be carried out, it is tried again"):
            said = elsewhere.told(self._store)
            if said != self._told:
                with self._step(self._deleting), self._alone():
                    self._hear(elsewhere.heard(said))
                self._told = said

    def unfinished(self) -> int:
        """How many deletions are noted and not finished. Raises OSError."""
        return len(self._intake.erasures.unfinished())

    def end(self) -> None:
        """Wait for the steps at work, which stop where they can; none begins afterwards."""
        self._ending.set()
        for step in (self._catching_up, self._restoring, self._deleting, self._compacting):
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

    def _applying(self, _: int) -> None:
        self._applies = True
        self._go_on()

    def _breathe(self) -> None:
        self._go_on()
        self._rest()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other process carries out deletions; what the system refuses is trouble with the log."""
        try:
            with self._intake.erasures.alone():
                yield
        except OSError as error:
            raise LogUnavailable(f"a deletion cannot be carried out: {error.filename}: {error.strerror}") from error

    def _carry_out(self, asked: Sequence[Asked]) -> Erased:
        if lost := self._archive.lost():
            raise StoreUnavailable(
                f"the store lacks {len(lost)} compacted parts of the log, which are being applied again; the deletion "
                "is noted, and carried out after that"
            )
        erased = self._erase(asked, self._write)
        erasures = self._intake.erasures
        those = {(one.key, one.time_ms) for one in asked}
        for one in erasures.unfinished():
            if (one.key, one.time_ms) in those:
                self._notes.add(elsewhere.gone(one))
                erasures.cross_out(one)
        self._told = None
        return erased

    def _hear(self, said: Mapping[Key, elsewhere.Gone]) -> None:
        """What was carried out by other nodes, here too; and they hear of what was here, if the store forgot it."""
        noted = self._notes.read()
        if new := elsewhere.lacking(said, noted):
            self._erase(elsewhere.asked(new), lambda _: None)
            self._notes.add(new)
        if untold := elsewhere.lacking(noted, said):
            elsewhere.tell(self._store, untold)

    def _erase(self, asked: Sequence[Asked], write: Callable[[Sequence[Message]], None]) -> Erased:
        erasures = self._intake.erasures
        erased = erase(asked, erasures, self._store, self._logs, write=write, pause=self._pause, go_on=self._go_on)
        log.info("deleted: %s, %d events, %d rejected messages", erased.identities, erased.events, erased.rejected)
        return erased

    def _write(self, messages: Sequence[Message]) -> None:
        self._intake.submit(lambda: Delivery(list(messages), [], 0), 0).result()

    def _pause(self) -> None:
        self._ending.wait(limits.ERASURE_PAUSE_S)
        self._go_on()

"""The way in for what Segment sends: group by group into the log, then into the store, and only then acknowledged.

What lives here: the thread that writes, how much may wait for it, what becomes of trouble. What may not: HTTP, what a
message means (`segment`), how lines and records are kept (`events`, `profiles`).

1. One thread writes. While it waits for the disk more deliveries come; they are taken together, so that hundreds share
   one fsync, and none waits longer than for the group before it.
2. **Log before store before answer.** A delivery is done when its lines are durable in the log and what they say is
   durable in the store, with the mark how far the log is applied. So an acknowledged event is in both.
3. Trouble with disk or store is everybody's in the group: nothing is acknowledged, and whoever sent it tries again.
   What is then in the log and not in the store is applied before the next group is; until then nothing is appended.
4. A store that lost something has the group all the same, so that is no trouble of the group's. But its file is let go
   of: as any finished file it is applied again from where the store knows it (`segment.restoring`), and nobody waits
   for that. `look` finds it out where nothing comes that would; and it finds out that trouble is over: what was left in
   the log is applied then, and if that is done the trouble is forgotten. Only a look tells that it is over: on a disk
   that is almost full every other group may find room.
5. What waits is bounded, by what it holds (`limits.INTAKE_BYTES`) and by how long writing it would take at the pace of
   late (`limits.INTAKE_S`): whoever waits longer than they have patience sends again, and it is done twice. Beyond that
   it is `TooBusy`, at once.
6. What is not acceptable goes into the rejected log in the same group, so that it is as safe as the rest.
7. What somebody's deletion covers, and only now arrives, is not kept (`segment.deletion`).
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from tempfile import TemporaryFile

from msgspec import Struct

from engine import limits
from engine.events.disk import DISK, Disk, LogError, told
from engine.events.line import encode
from engine.events.log import EventLog, Position
from engine.events.rejected import RejectedLog
from engine.events.rejected import encode as encode_rejected
from engine.profiles.store import Span, Store, StoreBehind, StoreError
from engine.segment.accept import Delivery, Rejection
from engine.segment.applying import Applying, not_deleted
from engine.segment.erasure import SOURCE, Erasures, Logs
from engine.segment.identity import meant
from engine.segment.message import Message
from engine.segment.standing import acquainted
from engine.troubles import Troubles

_NOT_TAKEN = "what comes cannot be taken"


class TooBusy(Exception):  # noqa: N818 - it is a state, and it passes
    """More waits to be written than may; how much, in words. Without words it ends, and nothing is taken any more."""


class _Waiting(Struct, eq=False):
    """One request's part: what will make its delivery, how much it holds, and who waits for it."""

    deliver: Callable[[], Delivery]
    size: int
    future: Future[Delivery]
    done: Delivery | Exception | None = None


class Intake:
    """The writer of one process. `now` is the clock."""

    def __init__(
        self,
        logs: Logs,
        store: Store,
        now: Callable[[], datetime],
        *,
        disk: Disk = DISK,
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing is made in the folders of `logs` before it is needed. `rest` is called often while it computes."""
        self.erasures = Erasures(logs.erasures)
        self._logs = logs
        self._log = EventLog(logs.events, now, disk=disk)
        self._rejected = RejectedLog(logs.rejected, now, disk=disk)
        self._store = store
        self._applying = Applying(store, rest)
        self._rest = rest
        self._disk = disk
        self._behind: dict[str, int] = {}  # from where on files of ours hold what the store does not know yet
        self._trouble: LogError | StoreError | None = None  # with the last group
        self._told = Troubles("intake")
        self._applied: Position | None = None  # how far our newest file is in the store
        self._queue: deque[_Waiting] = deque()
        self._bytes = 0
        self._byte_s = limits.INTAKE_BYTE_S  # what writing one of them took of late
        self._wake = threading.Condition()
        self._ending = False
        self._thread: threading.Thread | None = None

    def stop(self) -> None:
        """Write what waits, then end. Nothing is taken afterwards."""
        with self._wake:
            self._ending = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
        self._log.close()
        self._rejected.close()

    def settle(self) -> None:
        """Close a file of the log whose hour is over, though nothing comes that would."""
        self._log.settle()

    @property
    def trouble(self) -> str | None:
        """Why what comes cannot be taken now."""
        return None if self._trouble is None else str(self._trouble)

    def look(self) -> dict[str, int]:
        """The store's marks; a file of ours of which it knows less than was applied is let go of. Raises StoreError.

        Where the last group could not be written the writer tries whether it can by now, though nothing comes.
        """
        self._tell()
        applied = self._applied  # before the marks: what is applied meanwhile is not lost
        _, marks = acquainted(self._store)
        if applied is not None and marks.get(applied.file, 0) < applied.end:
            self._log.leave(applied.file)
        trouble = self._trouble
        if trouble is not None and (isinstance(trouble, StoreError) or self._has_room()):
            with suppress(TooBusy):
                self.submit(lambda: Delivery([], [], 0), 0)  # the writer does what it left, as before any group
        return marks

    def _tell(self) -> None:
        trouble = self._trouble
        if trouble is None:
            self._told.goes_well(_NOT_TAKEN)
        else:
            self._told.fails(_NOT_TAKEN, trouble)

    def _has_room(self) -> bool:
        """Does the disk of the log take a file? It has no name, and is gone again."""
        folder = self._logs.events
        try:
            self._disk.make_folder(folder)
            with TemporaryFile(dir=folder) as file:
                file.write(bytes(limits.PROBED_BYTES))
                file.flush()
                self._disk.sync(file.fileno())
        except OSError:
            return False
        return True

    async def take(self, deliver: Callable[[], Delivery], size: int) -> Delivery:
        """As `submit`, for an event loop. Raises TooBusy, and what the future holds."""
        return await asyncio.wrap_future(self.submit(deliver, size))

    def submit(self, deliver: Callable[[], Delivery], size: int) -> Future[Delivery]:
        """What `deliver` gives, once it is durable; it is called in the thread that writes, and may raise.

        `size` is about how many bytes wait with it. Raises TooBusy. The future may hold LogError, StoreError, or what
        `deliver` raises.
        """
        waiting = _Waiting(deliver, size, Future())
        with self._wake:
            if self._ending:
                raise TooBusy
            # Without its own: with nothing in front of it, it is taken.
            if self._bytes * self._byte_s > limits.INTAKE_S:
                raise TooBusy(f"to write what waits takes more than {limits.INTAKE_S:g} s")
            if self._bytes + size > limits.INTAKE_BYTES:
                raise TooBusy(f"more than {limits.INTAKE_BYTES / 2**20:g} MiB wait to be written")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
                self._thread.start()
            self._bytes += size
            self._queue.append(waiting)
            self._wake.notify()
        return waiting.future

    def write(self, deliveries: Sequence[Delivery]) -> None:
        """All of it into log and store, durably. Not beside `take`. Raises LogError, StoreError."""
        self._mend()
        self._rest()
        messages = not_deleted([message for one in deliveries for message in one.messages], self._store)
        rejected = [rejection for delivery in deliveries for rejection in delivery.rejected]
        self._reject(rejected)
        if messages:
            self._keep(messages)

    def _run(self) -> None:
        while group := self._next_group():
            begun = time.monotonic()
            self._write_group(group)
            self._note_pace(sum(waiting.size for waiting in group), time.monotonic() - begun)
            for waiting in group:
                _settle(waiting)

    def _note_pace(self, size: int, took_s: float) -> None:
        """A whole group shows what a byte takes; a small one, which waits for the disk as long, that it takes less."""
        byte_s = took_s / max(size, 1)
        if size >= limits.INTAKE_GROUP_BYTES or byte_s < self._byte_s:
            self._byte_s = (self._byte_s + byte_s) / 2

    def _next_group(self) -> list[_Waiting]:
        """What waits now, up to a bound; nothing when it is time to end."""
        with self._wake:
            while not self._queue and not self._ending:
                self._wake.wait()
            group: list[_Waiting] = []
            size = 0
            while self._queue and size < limits.INTAKE_GROUP_BYTES:
                waiting = self._queue.popleft()
                size += waiting.size
                group.append(waiting)
            self._bytes -= size
            return group

    def _write_group(self, group: Sequence[_Waiting]) -> None:
        """Each delivery made, then all of them written; what becomes of each stands in it."""
        for waiting in group:
            try:
                waiting.done = waiting.deliver()
            except Exception as error:  # noqa: BLE001 - it is its request's, and told there
                waiting.done = error
        made = [waiting for waiting in group if isinstance(waiting.done, Delivery)]
        try:
            self.write([waiting.done for waiting in made if isinstance(waiting.done, Delivery)])
            self._trouble = None
        except Exception as error:  # noqa: BLE001 - it is told to whom it concerns
            if isinstance(error, LogError | StoreError):
                self._trouble = error
                self._tell()
            if len(made) > 1 and not isinstance(error, LogError | StoreError):
                for waiting in made:  # a fault of ours with one of them must not be everybody's
                    self._write_group([waiting])
            else:
                for waiting in made:
                    waiting.done = error

    def _keep(self, messages: Sequence[Message]) -> None:
        """Into the log, then into the store. What could go wrong for a message's own sake goes wrong before."""
        said = self._applying.said(messages)
        lines = list(map(self._line, messages))
        self._note_deletions(messages)
        self._applying.meet()
        position = self._log.append(lines)
        begin = position.end - sum(map(len, lines))
        try:
            self._applying.keep(said, {position.file: Span(begin, position.end)})
        except StoreBehind:
            self._log.leave(position.file)
        except StoreError:
            self._behind.setdefault(position.file, begin)
            raise
        self._applied = position

    def _line(self, message: Message) -> bytes:
        self._rest()
        return encode(message.received_ms, message.source, message.body)

    def _note_deletions(self, messages: Sequence[Message]) -> None:
        """So that they are carried out in any case. Raises LogError."""
        try:
            for message in messages:
                if message.type == "delete" and message.source != SOURCE:
                    self.erasures.ask(meant(message), message.time_ms, by_time=True)
        except OSError as error:
            raise told(self._logs.erasures, error) from error

    def _mend(self) -> None:
        """What is in our files and not in the store goes there first. Raises StoreError, LogError."""
        if self._behind:
            self._store.apply(())  # one that takes no writes now says so, before anything is read for it
        for name, begin in sorted(self._behind.items()):
            try:
                self._applying.file(self._logs.events / name, begin)
            except StoreBehind:
                self._log.leave(name)
            except FileNotFoundError:
                pass  # removed by hand
            except OSError as error:
                raise told(self._logs.events, error) from error
            del self._behind[name]

    def _reject(self, rejections: Sequence[Rejection]) -> None:
        if rejections:
            self._rejected.append(
                [encode_rejected(one.received_ms, one.source, one.code, one.reason, one.raw) for one in rejections]
            )


def _settle(waiting: _Waiting) -> None:
    """Tell whoever waits, unless they have gone."""
    if not waiting.future.set_running_or_notify_cancel():
        return
    if isinstance(waiting.done, Exception):
        waiting.future.set_exception(waiting.done)
    elif waiting.done is not None:
        waiting.future.set_result(waiting.done)

"""From messages to the store: live, from the log after a crash, and from the whole log again. One way for all three.

What lives here: changes and sightings of messages gathered into one batch; files of the event log applied from any
place on. What may not: appending to the log, HTTP, printing, the clock.

1. A batch is applied together with its mark, how many bytes of which file of the log are in the store now. Applying
   more of it again is free of harm, so a mark that is too small costs time and nothing else.
2. Names of traits, events and sources are noted once an hour, not once an event: what was noted is remembered.
3. What is no line, or says what cannot be understood, is counted and left out; a torn end is where a file ends. A file
   that is damaged as a whole is named, and costs only itself.
4. A file that somebody writes is applied as far as it goes at this moment.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.events import archive, parquet
from engine.events.disk import LogDamaged, LogError, told
from engine.events.reading import Damaged, Torn, after_blanks, entries, files, is_finished
from engine.events.recovery import recover
from engine.limits import CATALOGUE_NOTED, REPLAY_BATCH
from engine.profiles.ids import Key
from engine.profiles.record import Change
from engine.profiles.store import NO_MARKS, Store
from engine.segment.deletion import deleted, ever_deleted, left_over
from engine.segment.identity import changes, identities, sightings
from engine.segment.logged import message as message_of
from engine.segment.message import Message, understood

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Applied(Struct):
    """What came of a file of the log: events that are in the store, damaged lines, and whether its end was torn.

    `unreadable`: of damaged files, what is wrong with each and what to do.
    """

    events: int = 0
    damaged: int = 0
    torn: int = 0
    unreadable: list[str] = []

    def add(self, other: "Applied") -> None:
        """Of another file, too."""
        self.events += other.events
        self.damaged += other.damaged
        self.torn += other.torn
        self.unreadable += other.unreadable


class Said(Struct):
    """What some messages change, and which names are noted with that."""

    changes: list[Change] = []
    noted: list[tuple[Key, int, str]] = []


def catch_up(folder: Path, store: Store, read: Callable[[int], None] = lambda _: None) -> Applied:
    """What finished files of the log hold and the store does not know, into the store; torn ends are set aside.

    Finished is a file whose writer is gone: after a crash its last lines may be in the log alone. Any process may do
    this at any time. `read` is told how many bytes were read, and may end it by an exception. Raises StoreError,
    LogError.
    """
    applied = Applied(torn=len(recover(folder).torn))
    marks = store.marks()
    applying = Applying(store)
    paths = _files(folder)
    for path in paths:
        try:
            if marks.get(path.name, 0) < path.stat().st_size and is_finished(path):
                applied.add(applying.file(path, marks.get(path.name, 0), read))
        except FileNotFoundError:
            continue  # compacted, or removed by hand
        except OSError as error:
            raise told(folder, error) from error
    store.forget_marks(marks.keys() - {path.name for path in paths})
    return applied


def _files(folder: Path) -> list[Path]:
    try:
        return files(folder)
    except OSError as error:
        raise told(folder, error) from error


def replay(folder: Path, store: Store, read: Callable[[int], None] = lambda _: None) -> Applied:
    """The whole log into the store: its lines, what is Parquet by now, and what was too damaged for that.

    Nobody has to wait for it: a file that is compacted before its turn comes is there as Parquet then. One that cannot
    be read keeps none of the others from being applied. Raises StoreError, LogError, OSError.
    """
    applying, applied = Applying(store), Applied()
    done: set[Path] = set()
    trouble: LogError | None = None
    while new := [path for path in all_files(folder) if path not in done]:
        for path in new:
            done.add(path)
            try:
                is_parquet = path.suffix == archive.PARQUET_SUFFIX
                applied.add(applying.archived(path, read) if is_parquet else applying.file(path, 0, read))
            except FileNotFoundError:
                continue
            except LogDamaged as error:
                applied.unreadable.append(str(error))
            except LogError as error:
                trouble = trouble or error
    if trouble is not None:
        raise trouble
    return applied


def all_files(folder: Path) -> list[Path]:
    """Every file that holds lines or events of the log. Raises OSError."""
    found = archive.parts(folder)
    return [*found.parquet, *archive.damaged(folder), *found.lines]


class Applying:
    """The way into one store. Of one thread at a time."""

    def __init__(self, store: Store, rest: Callable[[], None] = lambda: None) -> None:
        """`rest` is called before each message that is gone through."""
        self._store = store
        self._rest = rest
        self._noted: set[tuple[Key, int, str]] = set()

    def apply(self, messages: Sequence[Message], marks: Mapping[str, int] = NO_MARKS) -> None:
        """What these messages say, durably in the store. Raises StoreError."""
        self.keep(self.said(messages), marks)

    def said(self, messages: Sequence[Message]) -> Said:
        """What these messages say, for `keep`; whatever a message does to us, it does here."""
        said = Said()
        for message in messages:
            self._rest()
            said.changes += changes(message)
            for name in sightings(message):
                what = (name.key, name.time_ms, name.origin)
                if what not in self._noted:
                    said.changes.append(name)
                    said.noted.append(what)
        return said

    def keep(self, said: Said, marks: Mapping[str, int] = NO_MARKS) -> None:
        """That, durably in the store. Raises StoreError."""
        self._store.apply(said.changes, marks)
        if len(self._noted) > CATALOGUE_NOTED:
            self._noted.clear()
        self._noted.update(said.noted)

    def file(self, path: Path, start: int = 0, read: Callable[[int], None] = lambda _: None) -> Applied:
        """All that stands in this file of the log from `start` on; `read` is told how many bytes that were.

        Raises StoreError, OSError.
        """
        applied = Applied()
        batch: list[Message] = []
        end = start
        for found in entries(path, start):
            if isinstance(found, Torn):
                applied.torn += 1
                break
            message = None if isinstance(found, Damaged) else message_of(found)
            if message is not None:
                batch.append(message)
            elif isinstance(found, Damaged) or found.message is not None:
                applied.damaged += 1
            before, end = end, found.end
            read(end - before)
            if len(batch) == REPLAY_BATCH:
                self._batch(path, batch, end, applied)
        self._batch(path, batch, after_blanks(path, end), applied)
        return applied

    def archived(self, path: Path, read: Callable[[int], None] = lambda _: None) -> Applied:
        """All that stands in this Parquet file; `read` is told how many bytes those were.

        Raises StoreError, LogError, OSError.
        """
        applied = Applied()
        batch: list[Message] = []
        for found in parquet.entries(path):
            message = message_of(found)
            if message is None:
                applied.damaged += 1
            else:
                batch.append(message)
            if len(batch) == REPLAY_BATCH:
                self._batch(path, batch, 0, applied)
        self._batch(path, batch, 0, applied)
        read(path.stat().st_size)
        return applied

    def _batch(self, path: Path, batch: list[Message], end: int, applied: Applied) -> None:
        self.apply(batch, {path.name: end} if end else NO_MARKS)
        applied.events += len(batch)
        batch.clear()


def not_deleted(messages: Sequence[Message], store: Store) -> list[Message]:
    """The messages as far as they are of nobody who was deleted later than what they say: some are shorter, or gone.

    They came late, from a device that was offline; neither log nor store may learn again what was deleted.
    Raises StoreError.
    """
    ever = ever_deleted(store, sorted({key for message in messages for key in identities(message)}))
    if not ever:
        return list(messages)
    kept: list[Message] = []
    for message in messages:
        gone = frozenset() if ever.isdisjoint(identities(message)) else deleted(store, message)
        rest = message if not gone else _rest(message, gone)
        if rest is not None:
            kept.append(rest)
    return kept


def _rest(message: Message, gone: frozenset[Key]) -> Message | None:
    rest = left_over(_decode(message.body), gone)
    return None if rest is None else understood(rest, message.source, message.received_ms)

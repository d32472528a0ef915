"""From messages to the store: live, from the log after a crash, and from the whole log again. One way for all three.

What lives here: changes and sightings of messages gathered into one batch; files of the event log applied from any
place on. What may not: appending to the log, which files are applied when (`restoring`), HTTP, printing, the clock.

1. A batch is applied together with its mark, how many bytes of which file of the log are in the store now. Applying
   more of it again is free of harm, so a mark that is too small costs time and nothing else. No mark is set where the
   store lost what was before (`standing`).
2. Names of traits, events and sources are noted once an hour, not once an event: what was noted is remembered.
3. What is no line, or says what cannot be understood, is counted and left out; a torn end is where a file ends. A file
   that is damaged as a whole is named, and costs only itself.
4. A file that somebody writes is applied as far as it goes at this moment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.events import archive, parquet
from engine.events.disk import LogDamaged
from engine.events.line import Entry
from engine.events.reading import Damaged, Torn, after_blanks, entries
from engine.limits import CATALOGUE_NOTED, REPLAY_BATCH
from engine.profiles.ids import Key
from engine.profiles.record import Change
from engine.profiles.store import NO_MARKS, Span, Store, StoreBehind
from engine.segment.deletion import deleted, ever_deleted, left_over
from engine.segment.identity import changes, identities, sightings
from engine.segment.logged import message as message_of
from engine.segment.message import Message, understood
from engine.segment.standing import WHOLE, acquainted

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


class Applying:
    """The way into one store. Of one thread at a time."""

    def __init__(self, store: Store, rest: Callable[[], None] = lambda: None) -> None:
        """`rest` is called before each message that is gone through."""
        self._store = store
        self._rest = rest
        self._noted: set[tuple[Key, int, str]] = set()
        self._acquaintance: Mapping[str, Span] | None = None

    def apply(self, messages: Sequence[Message], marks: Mapping[str, Span] = NO_MARKS) -> None:
        """What these messages say, durably in the store. Raises StoreError, StoreBehind."""
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

    def meet(self) -> Mapping[str, Span]:
        """What has to be true of the store whenever a mark is set; asked once. Raises StoreError."""
        if self._acquaintance is None:
            self._acquaintance, _ = acquainted(self._store)
        return self._acquaintance

    def keep(self, said: Said, marks: Mapping[str, Span] = NO_MARKS) -> None:
        """That, durably in the store; with marks, where it has what was before. Raises StoreError, StoreBehind."""
        try:
            self._store.apply(said.changes, {**marks, **self.meet()} if marks else NO_MARKS)
        except StoreBehind:
            self._acquaintance = None
            self._noted.clear()
            raise
        if len(self._noted) > CATALOGUE_NOTED:
            self._noted.clear()
        self._noted.update(said.noted)

    def file(self, path: Path, start: int = 0, read: Callable[[int], None] = lambda _: None) -> Applied:
        """All that stands in this file of the log from `start` on; `read` is told how many bytes that were.

        Where the store does not hold what stands before that, all of it is applied as well, and not marked: then it
        raises StoreBehind in the end. Raises StoreError, OSError.
        """
        applied = Applied()
        behind: StoreBehind | None = None
        for batch, batch_end in self._batches(entries(path, start), start, applied, read):
            end = after_blanks(path, batch_end)
            try:
                self.apply(batch, {path.name: Span(start, end)})
            except StoreBehind as error:
                behind = error
            applied.events += len(batch)
            start = end
        if behind is not None:
            raise behind
        return applied

    def archived(self, mark: str, paths: Iterable[Path], read: Callable[[int], None] = lambda _: None) -> Applied:
        """All that one compaction made; `read` is told how many bytes those were. Its mark is set anew.

        It is whole only if all of the files could be read: those that cannot be are named. Raises StoreError,
        StoreBehind, LogError, OSError.
        """
        applied = Applied()
        self._store.forget_marks([mark])
        for path in paths:
            try:
                self._archived(mark, path, applied)
            except LogDamaged as error:
                applied.unreadable.append(str(error))
            read(path.stat().st_size)
        if not applied.unreadable:
            self.apply((), {mark: Span(applied.events, WHOLE)})
        return applied

    def _archived(self, mark: str, path: Path, applied: Applied) -> None:
        found = parquet.entries(path) if path.suffix == archive.PARQUET_SUFFIX else entries(path)
        for batch, _ in self._batches(found, 0, applied, lambda _: None):
            self.apply(batch, {mark: Span(applied.events, applied.events + len(batch))})
            applied.events += len(batch)

    def _batches(
        self, found: Iterable[Entry | Damaged | Torn], start: int, applied: Applied, read: Callable[[int], None]
    ) -> Iterator[tuple[list[Message], int]]:
        """What they say, some at a time, and where that ends; what is none is counted."""
        batch: list[Message] = []
        end = start
        for one in found:
            if isinstance(one, Torn):
                applied.torn += 1
                break
            message = None if isinstance(one, Damaged) else message_of(one)
            if message is not None:
                batch.append(message)
            elif isinstance(one, Damaged) or one.message is not None:
                applied.damaged += 1
            before, end = end, one.end
            read(end - before)
            if len(batch) == REPLAY_BATCH:
                yield batch, end
                batch = []
        yield batch, end


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

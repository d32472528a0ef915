"""A person's deletion, carried out: in the store, in the event log and the rejected log; finished also if it was cut.

What lives here: the deletions that were asked for and are not finished, and the steps of one. What may not: who is
meant and what stays of a message (`deletion`), how lines are overwritten (`events.scrub`), the clock.

1. What is asked for is noted first, durably, then who is meant by it, and it is crossed out last (`Erasures`). So
   whatever cuts it short, it is finished by whoever looks next. Each step can be done again without harm.
2. Deletion messages for all identities of the person go into the log and the store, by the way that everything goes:
   from then on no decision knows them, and events from before that come late change nothing.
3. Then the lines of both logs are gone through, of every process, and what is the person's is overwritten in place. And
   once more what was appended meanwhile, by a process that had looked into the store before the deletion was there.
   They are cut out of what is Parquet by now (`cutting`), at last; nothing is compacted meanwhile (`Erasures.alone`).
   However many deletions wait, the logs are gone through once for all of them.
4. Torn ends that were set aside, and damaged lines and rejected messages in which one of the ids stands, are removed:
   nobody can say whose they are. What was rejected was not understood, mostly because an id or a name stands where
   none belongs; so whatever member holds the id, the rest may be the person's.
5. An admin deletes what is there now, whatever time its clock said (`moment`). Segment's deletions have a time, are
   delivered again and out of order, and so take what happened until then: any order and any repeats end the same.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from errno import EINVAL
from hashlib import sha256
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from msgspec import Struct, structs

from engine.events import archive, rejected
from engine.events.disk import listed
from engine.events.line import Entry
from engine.events.reading import files
from engine.events.recovery import forget_torn
from engine.events.scrub import GONE, KEEP, Verdict, rewrite
from engine.profiles.ids import Key, id_of, kind_of
from engine.profiles.store import Store
from engine.segment.cutting import cut_out
from engine.segment.deletion import Names, left_over, moment, people
from engine.segment.identity import identities
from engine.segment.ledger import Ledger, alone
from engine.segment.message import Deleted, Message, deletion, understood
from engine.segment.reasons import Unacceptable

SOURCE: Final = "deletion"  # whose word the deletions of a person's other identities are, in log and origins
_LOCK_FILE: Final = "lock"
_SUFFIX: Final = ".json"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_encode: Final = msgspec.json.Encoder().encode


class Asked(Struct, frozen=True):
    """A deletion that was asked for: of whom, and when. `by_time`: of what happened until then, whenever it came.

    Once they are known, all who are meant, and until what time: that is kept, for a store that has forgotten half of
    them does not know any more who belonged together.
    """

    key: bytes
    time_ms: int
    by_time: bool = False
    gone: tuple[bytes, ...] = ()
    until_ms: int = 0


class Erased(Struct):
    """What is gone: identities by their kind, events and rejected messages in part or whole."""

    identities: dict[str, int] = {}
    events: int = 0
    rejected: int = 0


class Logs(Struct, frozen=True):
    """The folders of what was sent: accepted, rejected, and the deletions that are not finished."""

    events: Path
    rejected: Path
    erasures: Path


class Erasures:
    """The deletions of one data folder that are not finished; each is a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ask(self, key: Key, time_ms: int, *, by_time: bool = False) -> Asked:
        """Note it, durably. Raises OSError."""
        return self._note(Asked(key, time_ms, by_time))

    def meant(self, asked: Asked, gone: frozenset[Key], until_ms: int) -> Asked:
        """Note who is meant, durably. Raises OSError."""
        return self._note(structs.replace(asked, gone=tuple(sorted(gone)), until_ms=until_ms))

    def unfinished(self) -> list[Asked]:
        """Those that are noted. Raises OSError."""
        found = (Ledger(path).read() for path in listed(self._folder, _SUFFIX))
        try:
            return [msgspec.json.decode(content, type=Asked) for content in found if content]
        except msgspec.MsgspecError:
            raise OSError(EINVAL, "a file is no deletion that was noted; move it away", str(self._folder)) from None

    def cross_out(self, asked: Asked) -> None:
        """It is finished. Raises OSError."""
        self._path(asked).unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While no other process carries out any. Raises OSError."""
        with alone(self._folder / _LOCK_FILE):
            yield

    def _note(self, asked: Asked) -> Asked:
        self._folder.mkdir(0o700, parents=True, exist_ok=True)
        Ledger(self._path(asked)).write(msgspec.json.encode(asked))
        return asked

    def _path(self, asked: Asked) -> Path:
        return self._folder / f"{sha256(b'%d %b' % (asked.time_ms, asked.key)).hexdigest()[:32]}{_SUFFIX}"


def erase(
    asked: Sequence[Asked],
    erasures: Erasures,
    store: Store,
    logs: Logs,
    *,
    write: Callable[[Sequence[Message]], None],
    pause: Callable[[], None],
    go_on: Callable[[], None] = lambda: None,
) -> Erased:
    """Forget the people behind these identities, all in one pass. `write` brings messages into log and store, durably;
    `pause` is as long as a process may need to write what it was about to when the deletion came
    (`limits.ERASURE_PAUSE_S`); `go_on` is called often, and may end it by an exception.

    Raises StoreError, LogError, OSError; then all of it can be done again.
    """
    known = [*_known(asked, erasures, store)]
    write([_deletion(Key(key), one.until_ms) for one in known for key in one.gone])
    scrub = _Scrub(known, go_on)
    sizes: dict[Path, int] = {}
    events = scrub.all(logs.events, sizes)
    pause()
    events += scrub.all(logs.events, sizes)
    forget_torn(logs.events)
    refused = rejected.forget(logs.rejected, lambda one: scrub.names.stand_in(one.message), scrub.names.stand_in)
    events += cut_out(logs.events, frozenset(map(id_of, scrub.gone)), scrub.decide)  # last, for a file may be damaged
    return Erased(dict(Counter[str](map(kind_of, scrub.gone))), events, refused)


def _known(asked: Sequence[Asked], erasures: Erasures, store: Store) -> Iterator[Asked]:
    """The same, each with who is meant, and until when; noted where it was not known yet."""
    yield from (one for one in asked if one.gone)
    unknown = [one for one in asked if not one.gone]
    for one, meant in zip(unknown, people(store, [Key(one.key) for one in unknown]), strict=True):
        yield erasures.meant(one, meant, one.time_ms if one.by_time else moment(store, meant, one.time_ms))


class _Scrub:
    """What stays of the lines of a log."""

    def __init__(self, asked: Sequence[Asked], go_on: Callable[[], None]) -> None:
        self.gone: dict[Key, Asked] = {}
        for one in sorted(asked, key=attrgetter("until_ms")):
            self.gone |= dict.fromkeys(map(Key, one.gone), one)  # of two about one identity the later one
        self.names = Names(self.gone)
        self._go_on = go_on

    def all(self, folder: Path, sizes: dict[Path, int]) -> int:
        """Go through every file of lines that is not of this size; how many events were changed."""
        changed = 0
        for path in [*files(folder), *archive.damaged(folder)]:
            size = path.stat().st_size
            if sizes.get(path) != size:
                changed += rewrite(path, self.decide, self.names.stand_in)
                sizes[path] = size
        return changed

    def decide(self, entry: Entry) -> Verdict:
        """What shall stand in the place of this event."""
        self._go_on()
        if entry.message is None or not self.names.stand_in(entry.message):
            return KEEP
        try:
            body = _decode(entry.message)
            message = understood(body, entry.source, entry.received_ms)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Unacceptable):
            return GONE
        rest = left_over(body, {key for key in identities(message) if self._is_gone(key, message)})
        if rest is body:
            return KEEP
        return GONE if rest is None else _encode(rest)

    def _is_gone(self, key: Key, message: Message) -> bool:
        """Was it said before they asked to be forgotten?"""
        asked = self.gone.get(key)
        if asked is None:
            return False
        return message.time_ms <= asked.until_ms or (not asked.by_time and message.received_ms <= asked.time_ms)


def _deletion(key: Key, time_ms: int) -> Message:
    at = _EPOCH + time_ms * (datetime.resolution * 1000)
    return deletion(cast("Deleted", kind_of(key)), id_of(key), SOURCE, at)

"""A person's deletion, carried out: in the store, in the event log and the rejected log; finished also if it was cut.

What lives here: the deletions that were asked for and are not finished, and the steps of one. What may not: who is
meant and what stays of a message (`deletion`), how lines are overwritten (`events.scrub`), the clock.

1. What is asked for is noted first, durably, then who is meant by it, and it is crossed out last (`Erasures`). So
   whatever cuts it short, it is finished by whoever looks next. Each step can be done again without harm.
2. Deletion messages for all identities of the person go into the log and the store, by the way that everything goes:
   from then on no decision knows them, and events from before that come late change nothing.
3. Then the lines of both logs are gone through, of every process, and what is the person's is overwritten in place. And
   once more what was appended meanwhile, by a process that had looked into the store before the deletion was there.
4. Torn ends that were set aside, and damaged lines that name one of the ids, are removed: nobody can say whose they
   are.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from msgspec import Struct, structs

from engine.events import rejected
from engine.events.line import Entry
from engine.events.reading import files
from engine.events.recovery import forget_torn
from engine.events.scrub import GONE, KEEP, Verdict, rewrite
from engine.profiles.ids import Key, id_of, kind_of
from engine.profiles.store import Store
from engine.segment.deletion import Names, left_over, moment, person
from engine.segment.ledger import Ledger, alone
from engine.segment.message import Message, Person, deletion, understood
from engine.segment.reasons import Unacceptable

SOURCE: Final = "deletion"  # whose word the deletions of a person's other identities are, in log and origins
_LOCK_FILE: Final = "lock"
_SUFFIX: Final = ".json"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_encode: Final = msgspec.json.Encoder().encode


class Asked(Struct, frozen=True):
    """A deletion that was asked for: of whom, and when; once it is known, all who are meant, and until what time.

    That is kept: a store that has forgotten half of them does not know any more who belonged together.
    """

    key: bytes
    time_ms: int
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

    def ask(self, key: Key, time_ms: int) -> Asked:
        """Note it, durably. Raises OSError."""
        return self._note(Asked(key, time_ms))

    def meant(self, asked: Asked, gone: frozenset[Key], until_ms: int) -> Asked:
        """Note who is meant, durably. Raises OSError."""
        return self._note(structs.replace(asked, gone=tuple(sorted(gone)), until_ms=until_ms))

    def unfinished(self) -> list[Asked]:
        """Those that are noted. Raises OSError."""
        found = (Ledger(path).read() for path in sorted(self._folder.glob(f"*{_SUFFIX}")))
        return [msgspec.json.decode(content, type=Asked) for content in found if content]

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
    asked: Asked,
    erasures: Erasures,
    store: Store,
    logs: Logs,
    *,
    write: Callable[[Sequence[Message]], None],
    pause: Callable[[], None],
) -> Erased:
    """Forget the person behind this identity. `write` brings messages into log and store, durably; `pause` is as long
    as a process may need to write what it was about to when the deletion came (`limits.ERASURE_PAUSE_S`).

    Raises StoreError, LogError, OSError; then all of it can be done again.
    """
    if not asked.gone:
        meant = person(store, Key(asked.key))
        asked = erasures.meant(asked, meant, moment(store, meant, asked.time_ms))
    gone = frozenset(map(Key, asked.gone))
    write([_deletion(key, asked.until_ms) for key in sorted(gone)])
    scrub = _Scrub(gone, asked)
    sizes: dict[Path, int] = {}
    events = scrub.all(logs.events, sizes)
    pause()
    events += scrub.all(logs.events, sizes)
    forget_torn(logs.events)
    counted = Counter[str](kind_of(key) for key in gone)
    return Erased(dict(counted), events, rejected.forget(logs.rejected, lambda one: scrub.names.stand_in(one.message)))


class _Scrub:
    """What stays of the lines of a log."""

    def __init__(self, gone: frozenset[Key], asked: Asked) -> None:
        self.names = Names(gone)
        self._gone = gone
        self._asked = asked

    def all(self, folder: Path, sizes: dict[Path, int]) -> int:
        """Go through every file of the log that is not of this size; how many events were changed."""
        changed = 0
        for path in files(folder):
            size = path.stat().st_size
            if sizes.get(path) != size:
                changed += rewrite(path, self.decide, self.names.stand_in)
                sizes[path] = size
        return changed

    def decide(self, entry: Entry) -> Verdict:
        """What shall stand in the place of this event."""
        if entry.message is None or not self.names.stand_in(entry.message):
            return KEEP
        try:
            body = _decode(entry.message)
            happened_ms = understood(body, entry.source, entry.received_ms).time_ms
            if happened_ms > self._asked.until_ms and entry.received_ms > self._asked.time_ms:
                return KEEP  # told after they asked to be forgotten
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Unacceptable):
            return GONE
        rest = left_over(body, self._gone)
        if rest is body:
            return KEEP
        return GONE if rest is None else _encode(rest)


def _deletion(key: Key, time_ms: int) -> Message:
    at = _EPOCH + time_ms * (datetime.resolution * 1000)
    return deletion(cast("Person", kind_of(key)), id_of(key), SOURCE, at)

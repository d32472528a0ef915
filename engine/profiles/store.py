"""The one interface of every store, and how stores fail. No store lives here.

1. A store keeps bodies (encoded records, `encoding`) under keys (`ids`). It knows nothing of what they mean but how
   changes merge into them (`encoding.merged`), so that every store ends in the same bytes.
2. **`get` answers at once.** A store that may have to wait (over a network, on a miss in its near-cache) raises
   `NotAtOnce` and gets to work; whoever can wait waits for `arrival` and asks again, and everybody in between (read a
   profile, decide, answer) stays an ordinary function. The embedded store never raises it.
3. **`apply` has stored a batch when it returns**, as durably as the store can. It may block for milliseconds (fsync,
   another process's turn, a network), so a server calls it from a thread. Repeating a batch is free of harm, so one
   that fails halfway is tried again as a whole.
4. **Marks** say how many bytes of which file of this node's event log are in the store. One never stands for what is
   not there: it comes with or after the batch that it is about, grows from where that batch begins, and **never jumps
   over a gap**: a store that has lost its mark, or knows less (a replica that became the primary, one that was emptied)
   keeps the batch, refuses the mark, and says so (`StoreBehind`); whoever has the file applies it again from there.
5. A record that cannot be trusted is `DAMAGED`: it reads as absent, the profile is marked degraded, `stats()`
   counts it. The next change to it starts it anew; the event log heals it wholly.
6. Everything else that goes wrong is one of three: `StoreDamaged` (do not go on, a person must look),
   `StoreFull` (writes fail, reads go on, try again when there is room), `StoreUnavailable` (cannot be reached or
   opened now). Messages name the file or address and what to do; they never hold a trait.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Final, Literal, Protocol, TypeAlias

from msgspec import Struct

from engine.profiles.ids import Key, Kind
from engine.profiles.record import Change


class _Mark(Enum):
    DAMAGED = "damaged"


DAMAGED: Final = _Mark.DAMAGED
Found: TypeAlias = bytes | Literal[_Mark.DAMAGED] | None  # a record's body, one that cannot be trusted, none
Following: TypeAlias = Callable[[bytes], Key | None]
CHAIN_LONGEST: Final = 4  # visitor, anonymous, user, group


class StoreError(Exception):
    """The store could not do what it was asked."""


class StoreDamaged(StoreError):
    """What is stored is not what was written, or not ours: a person must look before anything is written."""


class StoreFull(StoreError):
    """There is no room to write. What was stored can be read, and the same batch may be tried again."""


class StoreUnavailable(StoreError):
    """The store cannot be opened or reached, or has too many readers."""


class StoreBehind(StoreError):
    """The store holds less of a file of the log than was applied before: it has lost something.

    What came with it is stored, its mark is not. Apply the files again from what `marks` says.
    """


class NotAtOnce(Exception):
    """The answer is on its way. `arrival`, which others wait for too, is done when asking again is worth it."""

    def __init__(self, arrival: Awaitable[None]) -> None:
        super().__init__("the answer is on its way")
        self.arrival = arrival


class Span(Struct, frozen=True):
    """From here to there, in bytes of a file of the log."""

    begin: int
    end: int


NO_MARKS: Final[Mapping[str, Span]] = MappingProxyType({})


class StoreStats(Struct, frozen=True):
    """What a store says of itself. `damaged` counts the records that this process found damaged, each once."""

    kind: str
    records: int
    used_bytes: int
    damaged: int
    damaged_keys: tuple[Key, ...]  # the first few, for `doctor` and the log
    map_bytes: int | None = None  # how far the file may grow before its map has to
    readers: int = 0  # places in use in the table of readers, over all processes
    readers_most: int | None = None


class Reads(Protocol):
    """What a decision needs of a store."""

    def get(self, keys: Sequence[Key]) -> list[Found]:
        """The bodies under these keys, in their order. Raises StoreError, NotAtOnce."""
        ...

    def one(self, key: Key) -> Found:
        """The body under this key. Raises StoreError, NotAtOnce."""
        ...

    def chain(self, first: Key, following: Following) -> list[Found]:
        """The body under `first`, then the one under the key that `following` makes of it, and so on, as they were at
        one moment; it ends where nothing is found or follows. Raises StoreError, NotAtOnce.

        `following` is asked of every body, in their order. When it has to begin anew, it is asked of all of them again.
        """
        ...


class Store(Reads, Protocol):
    """What every store can do."""

    def apply(self, changes: Iterable[Change], marks: Mapping[str, Span] = NO_MARKS) -> int:
        """Merge a batch, durably; how many records are now other than before. Raises StoreError, StoreBehind.

        `marks`: the bytes of which log files it comes from. The end of each is kept, unless what is kept is greater;
        none is, where of any of them what is kept is less than its beginning.
        """
        ...

    def put(self, records: Iterable[tuple[Key, bytes]]) -> int:
        """Merge whole records of another store; how many are now other than before. Raises StoreError, BadRecord."""
        ...

    def marks(self) -> dict[str, int]:
        """How many bytes of which of this node's log files are applied. Raises StoreError."""
        ...

    def forget_marks(self, names: Iterable[str]) -> None:
        """Of log files that are gone. Raises StoreError."""
        ...

    def scan(self, kind: Kind | None = None) -> Iterator[tuple[Key, Found]]:
        """Every record (of one kind), each once. What changes meanwhile may be seen or not. Raises StoreError."""
        ...

    def delete(self, keys: Iterable[Key]) -> int:
        """Remove these records, durably; how many there were. Raises StoreError."""
        ...

    def stats(self) -> StoreStats:
        """Raises StoreError."""
        ...

    def close(self) -> None:
        """Let go of files and connections; nothing may be asked afterwards. Closing twice is harmless."""
        ...

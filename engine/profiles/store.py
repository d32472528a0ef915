"""The one interface of every store, and how stores fail. No store lives here.

1. A store keeps bodies (encoded records, `record`) under keys (`ids`). It knows nothing of what they mean but how
   changes merge into them (`record.merged`), so that every store ends in the same bytes.
2. **`get` answers at once.** A store that may have to wait (over a network, on a miss in its near-cache) raises
   `NotAtOnce` and gets to work; whoever can wait awaits `arrival` and asks again, and everybody in between (read a
   profile, decide, answer) stays an ordinary function. The embedded store never raises it.
3. **`apply` is durable when it returns**, and merges a batch as one. It may block for milliseconds (fsync, the
   other process's turn), so a server calls it from a thread. Repeating a batch is free of harm.
4. A record that cannot be trusted is `DAMAGED`: it reads as absent, the profile is marked degraded, `stats()`
   counts it. The next change to it starts it anew; the event log heals it wholly.
5. Everything else that goes wrong is one of three: `StoreDamaged` (do not go on, a person must look),
   `StoreFull` (writes fail, reads go on, try again when there is room), `StoreUnavailable` (cannot be reached or
   opened now). Messages name the file or address and what to do; they never hold a trait.
"""

from collections.abc import Awaitable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Final, Literal, Protocol, TypeAlias

from msgspec import Struct

from engine.profiles.ids import Key, Kind
from engine.profiles.record import Change


class _Mark(Enum):
    DAMAGED = "damaged"


DAMAGED: Final = _Mark.DAMAGED
Found: TypeAlias = bytes | Literal[_Mark.DAMAGED] | None  # a record's body, one that cannot be trusted, none


class StoreError(Exception):
    """The store could not do what it was asked."""


class StoreDamaged(StoreError):
    """What is stored is not what was written, or not ours: a person must look before anything is written."""


class StoreFull(StoreError):
    """There is no room to write. What was stored can be read, and the same batch may be tried again."""


class StoreUnavailable(StoreError):
    """The store cannot be opened or reached, or has too many readers."""


class NotAtOnce(Exception):
    """The answer is on its way. `arrival` is done when asking again is worth it; it raises StoreError if it is not."""

    def __init__(self, arrival: Awaitable[None]) -> None:
        super().__init__("the answer is on its way")
        self.arrival = arrival


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


class Store(Protocol):
    """What every store can do."""

    def get(self, keys: Sequence[Key]) -> list[Found]:
        """The bodies under these keys, in their order. Raises StoreError, NotAtOnce."""
        ...

    def apply(self, changes: Iterable[Change]) -> int:
        """Merge a batch, all or nothing, durably; how many records are now other than before. Raises StoreError."""
        ...

    def scan(self, kind: Kind | None = None) -> Iterator[tuple[Key, Found]]:
        """Every record (of one kind), by key. What changes meanwhile may be seen or not. Raises StoreError."""
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

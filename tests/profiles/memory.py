"""A store in a dict: for laws that want thousands of stores, and held to the contract of every store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from engine.profiles.encoding import joined, merged
from engine.profiles.ids import Key, Kind, prefix
from engine.profiles.record import Change
from engine.profiles.store import (
    CHAIN_LONGEST,
    NO_MARKS,
    Following,
    Found,
    Span,
    StoreBehind,
    StoreStats,
    StoreUnavailable,
)

SCANNED_AT_ONCE = 256


class MemoryStore:
    """A `Store` that is gone with its process."""

    def __init__(self) -> None:
        self.bodies: dict[Key, bytes] = {}
        self._marks: dict[str, int] = {}
        self._open = True

    def get(self, keys: Sequence[Key]) -> list[Found]:
        """As every store."""
        self._refuse_closed()
        return [self.bodies.get(key) for key in keys]

    def one(self, key: Key) -> Found:
        """As every store."""
        self._refuse_closed()
        return self.bodies.get(key)

    def chain(self, first: Key, following: Following) -> list[Found]:
        """As every store."""
        self._refuse_closed()
        found: list[Found] = []
        key: Key | None = first
        while key is not None and len(found) < CHAIN_LONGEST:
            body = self.bodies.get(key)
            found.append(body)
            key = None if body is None else following(body)
        return found

    def apply(self, changes: Iterable[Change], marks: Mapping[str, Span] = NO_MARKS) -> int:
        """As every store."""
        self._refuse_closed()
        by_key: dict[Key, list[Change]] = {}
        for change in changes:
            by_key.setdefault(change.key, []).append(change)
        after = {key: merged(self.bodies.get(key), of) for key, of in by_key.items()}
        different = {key: body for key, body in after.items() if body is not None and body != self.bodies.get(key)}
        self.bodies |= different
        if any(self._marks.get(name, 0) < span.begin for name, span in marks.items()):
            raise StoreBehind("the store has lost something")
        self._marks |= {name: span.end for name, span in marks.items() if span.end > self._marks.get(name, -1)}
        return len(different)

    def put(self, records: Iterable[tuple[Key, bytes]]) -> int:
        """As every store."""
        self._refuse_closed()
        before = dict(self.bodies)
        after: dict[Key, bytes] = {}
        for key, body in records:
            after[key] = joined(after.get(key, before.get(key)), body)
        self.bodies |= after
        return sum(before.get(key) != body for key, body in after.items())

    def lose(self) -> None:
        """As a server that is emptied."""
        self.bodies.clear()
        self._marks.clear()

    def marks(self) -> dict[str, int]:
        """As every store."""
        return dict(self._marks)

    def forget_marks(self, names: Iterable[str]) -> None:
        """As every store."""
        for name in names:
            self._marks.pop(name, None)

    def scan(self, kind: Kind | None = None) -> Iterator[tuple[Key, Found]]:
        """As every store."""
        beginning = b"" if kind is None else prefix(kind)
        last = b""
        while keys := sorted(key for key in self.bodies if key > last and key.startswith(beginning))[:SCANNED_AT_ONCE]:
            yield from [(key, self.bodies[key]) for key in keys]
            last = keys[-1]

    def delete(self, keys: Iterable[Key]) -> int:
        """As every store."""
        return sum(self.bodies.pop(key, None) is not None for key in set(keys))

    def stats(self) -> StoreStats:
        """As every store."""
        used = sum(len(key) + len(body) for key, body in self.bodies.items())
        return StoreStats("memory", len(self.bodies), used, 0, ())

    def close(self) -> None:
        """As every store."""
        self._open = False

    def _refuse_closed(self) -> None:
        if not self._open:
            raise StoreUnavailable("the store is closed")

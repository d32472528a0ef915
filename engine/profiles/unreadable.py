"""In place of a store that may not be read: everybody who asks is told why.

For a process that has to go on without profiles, because others rely on it: decisions are made on page and visit alone
and say that they are `degraded`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NoReturn

from engine.profiles.ids import Key, Kind
from engine.profiles.record import Change
from engine.profiles.store import NO_MARKS, Following, Found, Span, StoreDamaged, StoreStats


class UnreadableStore:
    """A `Store` that answers every question with `StoreDamaged` and the reason."""

    def __init__(self, why: str) -> None:
        self._why = why

    def _refuse(self) -> NoReturn:
        raise StoreDamaged(self._why)

    def get(self, keys: Sequence[Key]) -> list[Found]:  # noqa: ARG002 - as every store
        """Raises StoreDamaged."""
        self._refuse()

    def one(self, key: Key) -> Found:  # noqa: ARG002 - as every store
        """Raises StoreDamaged."""
        self._refuse()

    def chain(self, first: Key, following: Following) -> list[Found]:  # noqa: ARG002 - as every store
        """Raises StoreDamaged."""
        self._refuse()

    def apply(self, changes: Iterable[Change], marks: Mapping[str, Span] = NO_MARKS) -> int:  # noqa: ARG002 - as every store
        """Raises StoreDamaged."""
        self._refuse()

    def put(self, records: Iterable[tuple[Key, bytes]]) -> int:  # noqa: ARG002 - as every store
        """Raises StoreDamaged."""
        self._refuse()

    def marks(self) -> dict[str, int]:
        """Raises StoreDamaged."""
        self._refuse()

    def forget_marks(self, names: Iterable[str]) -> None:  # noqa: ARG002 - as every store
        """Raises StoreDamaged."""
        self._refuse()

    def scan(self, kind: Kind | None = None) -> Iterator[tuple[Key, Found]]:  # noqa: ARG002 - as every store
        """Raises StoreDamaged."""
        self._refuse()

    def delete(self, keys: Iterable[Key]) -> int:  # noqa: ARG002 - as every store
        """Raises StoreDamaged."""
        self._refuse()

    def stats(self) -> StoreStats:
        """Raises StoreDamaged."""
        self._refuse()

    def close(self) -> None:
        """There is nothing to let go of."""

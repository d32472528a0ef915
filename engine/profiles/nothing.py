"""In place of a store where nothing is stored, for whoever only asks: a question makes no store.

Everything reads as absent, and nothing can be written.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NoReturn

from engine.profiles.ids import Key, Kind
from engine.profiles.record import Change
from engine.profiles.store import NO_MARKS, Following, Found, Span, StoreStats, StoreUnavailable


class NothingStored:
    """A `Store` without records; `why` is what somebody is told who would write."""

    def __init__(self, why: str) -> None:
        self._why = why

    def _refuse(self) -> NoReturn:
        raise StoreUnavailable(self._why)

    def get(self, keys: Sequence[Key]) -> list[Found]:
        """None of them is there."""
        return [None] * len(keys)

    def one(self, key: Key) -> Found:  # noqa: ARG002 - as every store
        """It is not there."""
        return None

    def chain(self, first: Key, following: Following) -> list[Found]:  # noqa: ARG002 - as every store
        """It ends at once."""
        return [None]

    def apply(self, changes: Iterable[Change], marks: Mapping[str, Span] = NO_MARKS) -> int:  # noqa: ARG002 - as every store
        """Raises StoreUnavailable."""
        self._refuse()

    def put(self, records: Iterable[tuple[Key, bytes]]) -> int:  # noqa: ARG002 - as every store
        """Raises StoreUnavailable."""
        self._refuse()

    def marks(self) -> dict[str, int]:
        """Nothing is applied."""
        return {}

    def forget_marks(self, names: Iterable[str]) -> None:  # noqa: ARG002 - as every store
        """Raises StoreUnavailable."""
        self._refuse()

    def scan(self, kind: Kind | None = None) -> Iterator[tuple[Key, Found]]:  # noqa: ARG002 - as every store
        """There are none."""
        return iter(())

    def delete(self, keys: Iterable[Key]) -> int:  # noqa: ARG002 - as every store
        """Raises StoreUnavailable."""
        self._refuse()

    def stats(self) -> StoreStats:
        """No records, no bytes."""
        return StoreStats("nothing", 0, 0, 0, ())

    def close(self) -> None:
        """There is nothing to let go of."""

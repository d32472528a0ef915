"""Many profiles one after the other, read in few trips: for whoever goes through a store that is far away.

1. Of some hundred visitors, `read` is asked for each profile; where a record is not at hand, that one waits, and all
   that they wait for is fetched at once. Links are at most as long as a chain, so that is over in a few rounds.
2. What cannot be read ends it, unlike a decision: a store that went away is no store full of damaged records.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from engine.profiles.ids import Key
from engine.profiles.read import read_profile
from engine.profiles.store import CHAIN_LONGEST, Following, Found, Reads
from engine.words import Profile

_VISITORS: Final = 200  # of which all that is read is held in memory; a record may have some hundred KiB


class _NotHereError(Exception):
    """A record has to be fetched first."""


class _AtHand:
    """What was fetched, to be read as a store is; and what is missing."""

    def __init__(self) -> None:
        self.found: dict[Key, Found] = {}
        self.missing: set[Key] = set()

    def get(self, keys: Sequence[Key]) -> list[Found]:
        """Those bodies; what is not here is missing."""
        missing = [key for key in keys if key not in self.found]
        if missing:
            self.missing.update(missing)
            raise _NotHereError
        return [self.found[key] for key in keys]

    def one(self, key: Key) -> Found:
        """That body."""
        return self.get([key])[0]

    def chain(self, first: Key, following: Following) -> list[Found]:
        """That body, and those that follow."""
        found: list[Found] = []
        key: Key | None = first
        while key is not None and len(found) < CHAIN_LONGEST:
            body = self.one(key)
            found.append(body)
            key = following(body) if isinstance(body, bytes) else None
        return found


def profiles(store: Reads, ids: Iterable[str]) -> Iterator[Profile]:
    """The profiles of these visitors, in their order. Raises StoreError."""
    rest = iter(ids)
    while some := list(islice(rest, _VISITORS)):
        yield from _together(store, some)


def _together(store: Reads, ids: Sequence[str]) -> Iterator[Profile]:
    at_hand = _AtHand()
    made: dict[str, Profile] = {}
    while True:
        for id_ in ids:
            if id_ not in made and (profile := _read(at_hand, id_)) is not None:
                made[id_] = profile
        if not at_hand.missing:
            return map(made.__getitem__, ids)
        keys = sorted(at_hand.missing)
        at_hand.missing.clear()
        at_hand.found.update(zip(keys, store.get(keys), strict=True))


def _read(at_hand: _AtHand, id_: str) -> Profile | None:
    try:
        return read_profile(at_hand, id_)
    except _NotHereError:
        return None

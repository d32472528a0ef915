"""Every record of a store looked at: how many of each kind, how large, and which are damaged. It prints nothing.

1. A record is damaged if its checksum does not fit, or if what it holds is no record; on a server also if it is of
   another type, for then somebody else wrote it.
2. Damaged records are told by kind and a hash of their id: ids are personal, and may be mail addresses.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from msgspec import Struct

from engine.profiles.encoding import BadRecord, decode
from engine.profiles.ids import Key, kind_of
from engine.profiles.store import DAMAGED, Found

HASH_DIGITS: Final = 12
UNKNOWN_KIND: Final = "unknown"  # the key itself is damaged


class Held(Struct):
    """What the store holds of one kind."""

    records: int = 0
    bytes: int = 0


class Bad(Struct, frozen=True):
    """A damaged record: `id_hash` is the beginning of the SHA-256 of the id, in hexadecimal digits."""

    kind: str
    id_hash: str
    why: str


class Survey(Struct):
    """What was seen."""

    kinds: dict[str, Held]
    damaged: list[Bad]

    @property
    def records(self) -> int:
        """Of all kinds, damaged ones too."""
        return sum(held.records for held in self.kinds.values())


def survey(rows: Iterable[tuple[Key, Found]]) -> Survey:
    """Look at every record of a scan."""
    seen = Survey({}, [])
    for key, found in rows:
        kind = _kind(key)
        held = seen.kinds.setdefault(kind, Held())
        held.records += 1
        held.bytes += len(key) + (len(found) if isinstance(found, bytes) else 0)
        why = fault(found)
        if why is not None:
            seen.damaged.append(bad(key, why))
    return seen


def bad(key: Key, why: str) -> Bad:
    """The record under this key, as it is told of."""
    return Bad(_kind(key), sha256(key[2:]).hexdigest()[:HASH_DIGITS], why)


def fault(found: Found) -> str | None:
    """Why this is no record; None for one that is."""
    if found is DAMAGED:
        return "its checksum or its type does not fit"
    try:
        decode(found or b"")
    except BadRecord as error:
        return str(error)
    return None


def _kind(key: Key) -> str:
    try:
        return kind_of(key)
    except KeyError:
        return UNKNOWN_KIND

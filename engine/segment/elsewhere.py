"""Deletions that one node carried out, told to all the others by the store that they share.

What lives here: what is told and heard, and this node's notes of what it carried out. What may not: carrying it out
(`erasure`), when that is done (`upkeep`).

1. A node's deletion reaches the store, and its own log. Other nodes have lines of the same person in their logs. So
   whoever carried out a deletion *tells* it: a register for each identity, of the time until which it is deleted, in
   one of a few records of the kind `name`. They merge as all do, and the newest stay (`limits.RECORD_REGISTERS`).
2. Who *hears* of one that its notes do not hold carries it out on its own log, and notes it. Nothing is told by that,
   so nobody answers anybody; and of two that are told of one identity the later one counts.
3. The notes are kept beside the deletions that are not finished. What the store does not hold of them is told again,
   with the tombstones: so it survives a store that was emptied, also if the node that began it is gone by then.
4. With a store of its own a node only ever hears of itself.
"""

from collections.abc import Mapping
from errno import EINVAL
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec
from msgspec import Struct

from engine.limits import RECORD_REGISTERS
from engine.profiles.encoding import BadRecord, decode
from engine.profiles.ids import Key, key
from engine.profiles.record import Change
from engine.profiles.store import Found, Store
from engine.segment.erasure import Asked
from engine.segment.ledger import Ledger

_PARTS: Final = 32  # of the list: 64,000 identities, before the oldest fall out
_KEYS: Final = [key("name", f"deletions:{number}") for number in range(_PARTS)]
_FILE: Final = "carried-out"


class Gone(Struct, frozen=True, array_like=True):
    """Until what time of events; and until what time all that had come is meant, whenever it happened (0: none)."""

    until_ms: int
    came_ms: int = 0


def told(store: Store) -> list[Found]:
    """The list as the store has it. Raises StoreError."""
    return store.get(_KEYS)


def heard(found: list[Found]) -> dict[Key, Gone]:
    """What it says; a damaged part of it says nothing."""
    said: dict[Key, Gone] = {}
    for body in found:
        try:
            held = decode(body).traits if isinstance(body, bytes) else {}
        except BadRecord:
            continue
        said |= {Key(name.encode()): Gone(one.time_ms, one.value) for name, one in held.items()}
    return said


def tell(store: Store, gone: Mapping[Key, Gone]) -> None:
    """Of these everybody hears, and no older event brings them back. Raises StoreError."""
    changes = [
        change
        for one, until in gone.items()
        for change in (
            Change(_KEYS[crc32(one) % _PARTS], until.until_ms, {one.decode(): until.came_ms}),
            Change(one, until.until_ms, deletes=True),
        )
    ]
    store.apply(changes)


def lacking(gone: Mapping[Key, Gone], of: Mapping[Key, Gone]) -> dict[Key, Gone]:
    """What these know and those do not, or not so late."""
    return {one: until for one, until in gone.items() if one not in of or of[one].until_ms < until.until_ms}


def asked(gone: Mapping[Key, Gone]) -> list[Asked]:
    """The deletions that this node has to carry out."""
    return [
        Asked(one, until.came_ms, not until.came_ms, gone=(one,), until_ms=until.until_ms)
        for one, until in gone.items()
    ]


def gone(carried_out: Asked) -> dict[Key, Gone]:
    """What a deletion was about, once it is known who is meant."""
    came_ms = 0 if carried_out.by_time else carried_out.time_ms
    return {Key(one): Gone(carried_out.until_ms, came_ms) for one in carried_out.gone}


class Notes:
    """What this node carried out, the newest. Who changes them is alone (`Erasures.alone`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ledger = Ledger(folder / _FILE)

    def read(self) -> dict[Key, Gone]:
        """All of them. Raises OSError."""
        path, content = self._ledger.path, self._ledger.read()
        try:
            noted = msgspec.json.decode(content, type=dict[str, Gone]) if content else {}
        except msgspec.MsgspecError:
            raise OSError(EINVAL, "the file holds no notes of deletions; move it away", str(path)) from None
        return {Key(name.encode()): until for name, until in noted.items()}

    def add(self, carried_out: Mapping[Key, Gone]) -> None:
        """Note these too, durably. Raises OSError."""
        noted = self.read()
        noted |= lacking(carried_out, noted)
        newest = sorted(noted.items(), key=lambda one: one[1].until_ms)[-_PARTS * RECORD_REGISTERS :]
        self._folder.mkdir(0o700, parents=True, exist_ok=True)
        self._ledger.write(msgspec.json.encode({one.decode(): until for one, until in newest}))

"""The hints of a cluster's records, put right by whoever finds them wrong.

What lives here: when a hint is wrong. What may not: how it is written (`valkey.store`), reading.

1. In a cluster the way from a record is read by what the record itself says of it: where it leads, which is always
   true, and by hints what lies behind, which may have changed since. A wrong hint costs each reader another round trip.
2. So the value of a record that was just read is kept for a moment, and compared with the way that its reader then
   found. What is missing in its hints is noted, in a thread: nobody waits for it, and if it fails the next one does it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TypeAlias

from engine import limits
from engine.profiles.ids import Key
from engine.profiles.store import Found, StoreError
from engine.profiles.valkey.value import ROUTE_KEYS, Route, along, route

log = logging.getLogger("mutiny_edge.store")

Note: TypeAlias = Callable[[Key, bytes, Route], object]  # a record's key, its value as it was read, its route


class Hints:
    """The values of records just read. `note` writes a route; it may block, and raise StoreError."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._read: dict[Key, bytes] = {}

    def seen(self, key: Key, raw: bytes) -> None:
        """A record that leads on was read."""
        self._read[key] = raw
        if len(self._read) > limits.NEAR_HINTS:
            self._read.clear()

    def walked(self, keys: Sequence[Key], found: Sequence[Found]) -> None:
        """A way was found, from its first record on."""
        raw = self._read.pop(keys[0], None) if self._read else None
        if raw is None or len(found) < 2:
            return
        true = along((key, body) for key, body in zip(keys, found, strict=True) if type(body) is bytes)
        hinted = route(raw)
        if not set(true) <= set(hinted):
            better = tuple(dict.fromkeys([*true, *hinted]))[:ROUTE_KEYS]
            asyncio.get_running_loop().run_in_executor(None, self._write, keys[0], raw, better)

    def _write(self, key: Key, raw: bytes, better: Route) -> None:
        try:
            self._note(key, raw, better)
        except StoreError as error:
            log.debug("a hint could not be noted: %s", error)

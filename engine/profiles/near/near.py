"""What decisions read where profiles are in a shared store: what a worker remembers of it, kept right by the server.

What lives here: `Near`, its answers and who has to wait. What may not: how anything is remembered, asked or connected.

1. What is remembered answers at once. What is not is on its way (`NotAtOnce`), if there is a server to ask.
2. **A store that is down costs nothing**: nobody waits for it. A record that nobody can ask for reads as `DAMAGED`, or
   as it was when it was last heard of; and whatever is made of that is marked, for such a chain ends in `DAMAGED`.
3. `hurried` is the same for who cannot wait any longer: it never waits.
4. Each of its answers counts once: as a hit, or as a miss, however often it is asked again afterwards, of `again`.
5. In a cluster the hints of a record that was just read are compared with the way that was found (`Hints`).
"""

from collections.abc import Callable, Sequence

from engine.profiles.ids import Key
from engine.profiles.near.doors import Doors, Histories
from engine.profiles.near.flights import Flights
from engine.profiles.near.hints import Hints, Note
from engine.profiles.near.kept import UNKNOWN, Counts, Kept, Remembered
from engine.profiles.near.servers import Alone, Clustered
from engine.profiles.near.shard import Shard
from engine.profiles.store import CHAIN_LONGEST, DAMAGED, Following, Found, NotAtOnce, Reads
from engine.profiles.valkey.address import Address, BadAddress, checked_prefix
from engine.profiles.valkey.attempts import Attempts


class Near:
    """What is remembered of a shared store, and its figures (`counts`). While `run` does not run nobody is asked."""

    def __init__(self, servers: Alone | Clustered, counts: Counts, hints: Hints | None) -> None:
        self.counts = counts
        self.again: Reads = _Uncounted(self, waits=True)
        self.hurried: Reads = _Uncounted(self, waits=False)
        self._servers = servers
        self._only = servers.only
        self._of = servers.of
        self._flights = Flights(servers.of)
        self._hints = hints

    async def run(self) -> None:
        """Keep links to the servers, until it is cancelled."""
        await self._servers.run()

    @property
    def trouble(self) -> str | None:
        """Why something cannot be read now, or is not what it should be."""
        return self._servers.trouble

    @property
    def up(self) -> bool:
        """Can all servers be asked?"""
        return self._servers.up

    @property
    def tracked(self) -> bool:
        """Do the servers say what has changed, as far as there ever were links to them?"""
        return any(shard.tracked for shard in self._servers.shards) and all(
            shard.link is None or shard.tracked for shard in self._servers.shards
        )

    def one(self, key: Key) -> Found:
        """The body under this key. Raises NotAtOnce."""
        shard = self._only or self._of(key)
        found: Remembered = shard.kept.young.get(key, UNKNOWN)
        if found is UNKNOWN:
            found = shard.kept.second(key)
            if found is UNKNOWN:
                if shard.up:
                    self.counts.misses += 1
                    raise self._missed((key,))
                return DAMAGED
        self.counts.hits += 1
        return found

    def get(self, keys: Sequence[Key]) -> list[Found]:
        """The bodies under these keys, in their order. Raises NotAtOnce."""
        return self._counted(lambda: self.found(keys, waits=True))

    def chain(self, first: Key, following: Following) -> list[Found]:
        """The body under `first`, and those that follow. Raises NotAtOnce."""
        return self._counted(lambda: self.way(first, following, waits=True))

    def found(self, keys: Sequence[Key], *, waits: bool) -> list[Found]:
        """As `get`."""
        known = [self._known(key) for key in keys]
        missing = [key for key, found in zip(keys, known, strict=True) if found is UNKNOWN]
        asked = [key for key in missing if self._shard(key).up] if waits else ()
        if asked:
            raise self._missed(asked)
        return [self._instead(key) if found is UNKNOWN else found for key, found in zip(keys, known, strict=True)]

    def way(self, first: Key, following: Following, *, waits: bool) -> list[Found]:
        """As `chain`; what is not known for certain ends in `DAMAGED`."""
        found: list[Found] = []
        keys: list[Key] = []
        key: Key | None = first
        while key is not None and len(found) < CHAIN_LONGEST:
            body = self._known(key)
            if body is UNKNOWN:
                if waits and self._shard(key).up:
                    raise self._missed((key,))
                return self._way_of_old(found, key, following)
            found.append(body)
            keys.append(key)
            key = following(body) if type(body) is bytes else None
        if self._hints is not None:
            self._hints.walked(keys, found)
        return found

    def _way_of_old(self, found: list[Found], key: Key | None, following: Following) -> list[Found]:
        """The rest of a way, by what is known and what was."""
        while key is not None and len(found) < CHAIN_LONGEST:
            body = self._known(key)
            if body is UNKNOWN:
                body = self._lately(key)
            if type(body) is not bytes:
                break
            found.append(body)
            key = following(body)
        return [*found, DAMAGED]

    def _instead(self, key: Key) -> Found:
        # With one server that is down a chain is marked already. Else what is old must not pass for what is so.
        found = self._lately(key) if self._only is not None and not self._only.up else UNKNOWN
        return DAMAGED if found is UNKNOWN else found

    def _known(self, key: Key) -> Remembered:
        kept = self._shard(key).kept
        found: Remembered = kept.young.get(key, UNKNOWN)
        return kept.second(key) if found is UNKNOWN else found

    def _counted(self, answer: Callable[[], list[Found]]) -> list[Found]:
        try:
            found = answer()
        except NotAtOnce:
            self.counts.misses += 1
            raise
        if DAMAGED not in found:  # or nobody knows
            self.counts.hits += 1
        return found

    def _lately(self, key: Key) -> Remembered:
        found = self._shard(key).kept.lately(key)
        if found is not UNKNOWN:
            self.counts.stale += 1
        return found

    def _shard(self, key: Key) -> Shard:
        return self._only or self._of(key)

    def _missed(self, keys: Sequence[Key]) -> NotAtOnce:
        return NotAtOnce(self._flights.arrival(keys))


class _Uncounted:
    """A `Near` that was asked before, by the same; without `waits` it never waits."""

    def __init__(self, near: Near, *, waits: bool) -> None:
        self._near = near
        self._waits = waits

    def one(self, key: Key) -> Found:
        """The body under this key."""
        return self._near.found((key,), waits=self._waits)[0]

    def get(self, keys: Sequence[Key]) -> list[Found]:
        """The bodies under these keys, in their order."""
        return self._near.found(keys, waits=self._waits)

    def chain(self, first: Key, following: Following) -> list[Found]:
        """The body under `first`, and those that follow."""
        return self._near.way(first, following, waits=self._waits)


def near_to(
    addresses: Sequence[Address],
    *,
    prefix: str,
    most_bytes: int,
    attempts: Attempts,
    note: Note,
    replicas: bool,
    spare: Address | None = None,
    histories: Histories = frozenset,
) -> Near:
    """A `Near` for the store at this address, or for the nearest of several that have all the same.

    `replicas`: those of a cluster or of a service that Sentinels watch may be read. `spare`: what is read while none of
    these answers; `histories`: the names under which the servers that are written know what was written to them, as far
    as they are known now. Raises BadAddress.
    """
    counts = Counts()
    begin = checked_prefix(prefix).encode()
    doors = Doors(begin, attempts, histories)
    if all(address.form != "cluster" for address in addresses):
        kept = Kept(most_bytes, counts)
        return Near(Alone(addresses, doors, kept, begin, replicas=replicas, spare=spare), counts, None)
    if len(addresses) > 1:
        raise BadAddress("a cluster is one address, with its servers by commas; no other can stand beside it")
    hints = Hints(note)
    cluster = Clustered(addresses[0], doors, counts, begin, hints, most_bytes=most_bytes, replicas=replicas)
    return Near(cluster, counts, hints)

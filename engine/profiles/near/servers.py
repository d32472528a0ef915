"""Which server answers for which record, and one link to each as long as the process lives.

What lives here: `Alone`, for a store each of whose servers has all records, and `Clustered`. What may not: opening a
link (`doors`), what goes over it (`shard`).

1. `run` never ends: a link that is lost is replaced, by the nearest of the servers that can be read then. One that was
   hardly there is not replaced at once, so that a server which lets in and throws out is not run over.
2. A cluster is asked over any link which server has which slots: at the start, when a server says that a record has
   moved, and again and again while a link is missing. Each server that has slots is a shard, with its replicas as
   further doors where replicas may be read.
3. Where none of the servers to be read can be, one that is written may stand in for them (`spare`). Meanwhile they are
   tried all the time, and as soon as one answers it is read again.
4. A record that is on its way from one server to another is asked for where it is said to be (`ASK`), and is looked for
   there until the slots are asked for anew.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from redis.crc import key_slot
from redis.exceptions import AskError, MovedError, RedisError

from engine import limits
from engine.profiles.ids import Key
from engine.profiles.near.doors import Door, Doors, told
from engine.profiles.near.hints import Hints
from engine.profiles.near.kept import Counts, Kept
from engine.profiles.near.link import Reply, first
from engine.profiles.near.shard import Landed, Shard
from engine.profiles.valkey.address import Address, Server
from engine.profiles.valkey.slots import SLOTS
from engine.profiles.valkey.slots import server as server_of

log = logging.getLogger("mutiny_edge.store")

_UNTRACKED: Final = (
    f", which does not say what has changed: what was read is believed for {limits.NEAR_UNTRACKED_S:g} s"
)
_SPARE: Final = ", the store that is written, for no address of --read-store can be read"


class Alone:
    """A store of one server, or of several that all have the same; of the latter the nearest is read.

    `replicas`: where Sentinels are asked, those of the primary may be read too. `spare`: what is read in their place.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        doors: Doors,
        kept: Kept,
        prefix: bytes,
        *,
        replicas: bool,
        spare: Address | None,
    ) -> None:
        self._shard = Shard(kept, prefix)
        self.only: Shard | None = self._shard
        self.shards = (self._shard,)
        self._addresses = addresses
        self._doors = doors
        self._replicas = replicas
        self._spare = spare

    @property
    def up(self) -> bool:
        """Can all be asked?"""
        return self._shard.up

    @property
    def trouble(self) -> str | None:
        """What is wrong, in one line."""
        return self._shard.trouble

    def of(self, _: Key) -> Shard:
        """Who answers for this key."""
        return self._shard

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            known = await self._known()
            if await _keep_up(self._shard, self._doors, known) or self._spare is None:
                continue
            self._shard.instead = True
            try:
                async with asyncio.TaskGroup() as tasks:
                    back = tasks.create_task(self._look_back())
                    await _keep_up(self._shard, self._doors, await self._known_at(self._spare, replicas=False))
                    back.cancel()
            finally:
                self._shard.instead = False

    async def _look_back(self) -> None:
        """Until one of those that should be read answers, and then end the link to the other one."""
        while True:
            await asyncio.sleep(limits.NEAR_RETRY_S)
            known = await self._known()
            found = await self._doors.nearest(known, self._shard) if known else None
            if found is not None:
                await found[1].close()
                if self._shard.link is not None:
                    self._shard.link.fail(ConnectionError(f"{found[0]} can be read again"))
                return

    async def _known(self) -> list[Door]:
        """The servers, as far as they are known now."""
        each = [await self._known_at(address, replicas=self._replicas) for address in self._addresses]
        return [door for doors in each for door in doors]

    async def _known_at(self, address: Address, *, replicas: bool) -> list[Door]:
        if address.form != "sentinel":
            return [Door(address, server) for server in address.servers or (None,)]
        known = await self._doors.by_sentinels(address, replicas=replicas)
        if not known:
            self._shard.note_trouble(f"{address}: no Sentinel knows a primary")
        return known


class Clustered:
    """A cluster. `replicas`: they may be read too. Its servers share `most_bytes` evenly."""

    def __init__(
        self,
        address: Address,
        doors: Doors,
        counts: Counts,
        prefix: bytes,
        hints: Hints,
        *,
        most_bytes: int,
        replicas: bool,
    ) -> None:
        self.only: Shard | None = None
        self._address = address
        self._doors = doors
        self._counts = counts
        self._most_bytes = most_bytes
        self._prefix = prefix
        self._hints = hints
        self._replicas = replicas
        self._shards: dict[Server, Shard] = {}
        self._ways: dict[Server, tuple[Door, ...]] = {}
        self._tasks: dict[Server, asyncio.Task[None]] = {}
        self._nobody = Shard(Kept(0, counts), prefix)
        self._slots = [self._nobody] * SLOTS
        self._moving: dict[Key, Shard] = {}
        self._due = asyncio.Event()

    @property
    def shards(self) -> tuple[Shard, ...]:
        """Those of the servers that have slots; before that is known, of those that are asked for it."""
        return tuple(self._shards.values())

    @property
    def up(self) -> bool:
        """Can all be asked?"""
        return all(shard.up for shard in self._answering())

    @property
    def trouble(self) -> str | None:
        """What is wrong, in one line."""
        return next((shard.trouble for shard in self._answering() if shard.trouble), None)

    def _answering(self) -> tuple[Shard, ...]:
        """Who has slots, and who stands in for those that nobody is known to have."""
        return (*self._shards.values(), *([self._nobody] if self._nobody in (self._slots[0], self._slots[-1]) else []))

    def of(self, key: Key) -> Shard:
        """Who answers for this key."""
        return (self._moving and self._moving.get(key)) or self._slots[key_slot(self._prefix + key)]

    async def run(self) -> None:
        """Until it is cancelled."""
        self._shards.clear()  # should it be begun anew: whoever served them is gone
        async with asyncio.TaskGroup() as tasks:
            self._settle(tasks, {server: (Door(self._address, server),) for server in self._address.servers})
            while True:
                up = [shard for shard in self._shards.values() if shard.up]
                patience_s = None if len(up) == len(self._shards) else limits.NEAR_SLOTS_S
                self._due.clear()
                if up:
                    self._take_slots(tasks, await _asked(up[0], b"CLUSTER", b"SLOTS"), self._server_of(up[0]))
                try:
                    await asyncio.wait_for(self._due.wait(), patience_s)
                except TimeoutError:
                    continue

    def _take_slots(self, tasks: asyncio.TaskGroup, said: Reply, asked: Server) -> None:
        if isinstance(said, Exception):
            self._nobody.note_trouble(told(Door(self._address, asked), said))
            return
        ways: dict[Server, tuple[Door, ...]] = {}
        for _, _, primary, *replicas in said:
            others = replicas if self._replicas else ()
            ways[server_of(primary, asked)] = (
                Door(self._address, server_of(primary, asked)),
                *(Door(self._address, server_of(replica, asked), replica=True) for replica in others),
            )
        self._settle(tasks, ways)
        self._moving.clear()
        for begin, end, primary, *_ in said:
            self._slots[begin : end + 1] = [self._shards[server_of(primary, asked)]] * (end + 1 - begin)

    def _settle(self, tasks: asyncio.TaskGroup, ways: dict[Server, tuple[Door, ...]]) -> None:
        """Have a shard for each of these, and for no other."""
        for server in self._shards.keys() - ways.keys():
            self._tasks.pop(server).cancel()
            self._shards.pop(server).kept.drop_all()
        self._ways = ways
        for server in ways.keys() - self._shards.keys():
            self._shards[server] = Shard(Kept(0, self._counts), self._prefix, self._elsewhere, self._hints.seen)
            self._tasks[server] = tasks.create_task(self._serve(server, self._shards[server]))
        for shard in self._shards.values():
            shard.kept.most_bytes = self._most_bytes // len(self._shards)

    async def _serve(self, server: Server, shard: Shard) -> None:
        while True:
            await _keep_up(shard, self._doors, self._ways[server], self._due.set)

    def _server_of(self, shard: Shard) -> Server:
        return next(server for server, one in self._shards.items() if one is shard)

    def _elsewhere(self, key: Key, error: AskError, landed: Landed) -> None:
        """A server says that another one has this record."""
        shard = self._shards.get(error.node_addr)
        if isinstance(error, MovedError) or shard is None:
            self._due.set()
        if isinstance(error, MovedError):
            self._moving.pop(key, None)
            if shard is not None:
                self._slots[error.slot_id] = shard
        elif shard is not None:
            self._moving[key] = shard
            shard.fetch_moving(key, landed)
            return
        landed(())


async def _keep_up(
    shard: Shard, doors: Doors, known: Sequence[Door], opened: Callable[[], None] = lambda: None
) -> bool:
    """Once through the life of a link: find the nearest server, use the link to it until it is lost. Was there one?"""
    clock = asyncio.get_running_loop().time
    begun = clock()
    found = await doors.nearest(known, shard) if known else None
    if found is None:
        await asyncio.sleep(0 if known else limits.NEAR_RETRY_S)
        return False
    door, link = found
    if shard.read_from != (read_from := f"{door}{'' if link.tracked else _UNTRACKED}{_SPARE if shard.instead else ''}"):
        shard.read_from = read_from
        is_well = link.tracked and not shard.instead
        log.log(logging.INFO if is_well else logging.WARNING, "store: reading from %s", read_from)
    opened()
    begun = clock()
    try:
        await shard.serve(link, str(door))
    except* (RedisError, OSError) as lost:
        doors.lost(door, clock() - begun)
        shard.note_trouble(told(door, first(lost)))
    opened()
    await asyncio.sleep(max(0.0, begun + limits.NEAR_RETRY_S - clock()))
    return True


async def _asked(shard: Shard, *command: bytes) -> Reply:
    """The answer of an open link, or an exception."""
    answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def take(reply: Reply) -> None:
        if not answered.done():
            answered.set_result(reply)

    if shard.link is not None:
        shard.link.ask(take, *command)
    try:
        return await asyncio.wait_for(answered, limits.NEAR_ATTEMPT_S)
    except TimeoutError as late:
        return late

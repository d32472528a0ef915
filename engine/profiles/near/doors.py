"""Ways to the servers of a shared store, and the nearest of several.

What lives here: opening a link, whose turn it is to try, asking Sentinels. What may not: what goes over a link.

1. Every attempt asks `Attempts` first, which all of the worker's connections share; it waits in the event loop. Each is
   bounded by `limits.NEAR_ATTEMPT_S`, so that a server that takes connections and says nothing is one that is down.
2. **The nearest** of several servers is the one that first answered a question, all of them having been asked at once.
   Only what can be read counts: a server that is loading, or a replica that refuses because its primary is gone, has
   not answered. Nor has one that does not have the history of the store that is written (`histories`), as far as that
   is known.
3. Sentinels are asked each time, for they know who is the primary now.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from msgspec import Struct
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import AskError, RedisError, ResponseError
from redis.exceptions import TimeoutError as Unanswered

from engine import limits
from engine.profiles.near.link import Astray, Link, end, transport
from engine.profiles.near.shard import Shard
from engine.profiles.valkey.address import Address, Server, named
from engine.profiles.valkey.attempts import Attempts, NotTried
from engine.profiles.valkey.errors import OfCluster
from engine.profiles.valkey.failures import failure

Histories: TypeAlias = Callable[[], frozenset[str]]

_LATEST: Final = 3  # RESP: with messages among the answers
_OLDEST: Final = 2


class Door(Struct, frozen=True):
    """One server of a store, and whether it has to be told that a replica is meant."""

    address: Address
    server: Server | None = None  # none: a socket
    replica: bool = False

    @property
    def name(self) -> str:
        """By which attempts are counted; whoever writes to the same server has the same."""
        return self.address.path if self.server is None else named(self.server)

    def __str__(self) -> str:
        """As it was given, without a password; of a store of several servers, which one."""
        return self.name if self.address.form in {"cluster", "sentinel"} else str(self.address)


class Doors:
    """Opens links. `prefix` stands in front of every key; `histories`: those of the store that is written, if known."""

    def __init__(self, prefix: bytes, attempts: Attempts, histories: Histories = frozenset) -> None:
        self._probe = prefix
        self._attempts = attempts
        self._histories = histories
        self._old: set[str] = set()  # servers that do not speak the latest protocol
        self._failed: set[str] = set()  # those that did not answer the last time

    async def nearest(self, doors: Sequence[Door], shard: Shard) -> tuple[Door, Link] | None:
        """The one that answers first, each being tried once; none where none does, and then the shard knows why."""
        loop = asyncio.get_running_loop()
        opened: list[tuple[Door, Link]] = []  # whoever is cancelled here leaves none of them open
        trying = {loop.create_task(self._tried(door, shard, opened)) for door in doors}
        try:
            while trying and not opened:
                done, trying = await asyncio.wait(trying, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            for task in trying:
                task.cancel()
            await asyncio.gather(*trying, return_exceptions=True)
            return opened.pop(0) if opened else None
        finally:
            for task in trying:
                task.cancel()
            for _, link in opened:
                await link.close()

    async def _tried(self, door: Door, shard: Shard, opened: list[tuple[Door, Link]]) -> None:
        name = door.name
        await self._turn(name)
        protocol = _OLDEST if name in self._old else _LATEST
        link = Link(connection(door, protocol), shard.changed, shard.turned, self._strays)
        is_open = False
        try:
            async with asyncio.timeout(limits.NEAR_ATTEMPT_S):
                await link.open(self._probe, clustered=door.address.form == "cluster", replica=door.replica)
            is_open = True
            opened.append((door, link))
            self._failed.discard(name)
        except (RedisError, OSError) as error:
            self._failed.add(name)
            if protocol == _LATEST and _is_about_hello(error):
                self._old.add(name)
            shard.note_trouble(told(door, error))
        finally:
            self._attempts.ended(name, well=name not in self._failed)  # who was only slower is not to blame
            if not is_open:
                await link.close()

    def lost(self, door: Door, lived_s: float) -> None:
        """A link to it is lost, after so long."""
        self._attempts.lost(door.name, lived_s)

    def _strays(self, history: bytes) -> bool:
        known = self._histories()
        return bool(history and known) and history.decode() not in known

    async def _turn(self, name: str) -> None:
        while True:
            await asyncio.sleep(self._attempts.pause_s(name))
            try:
                return self._attempts.begin(name, wait=False)
            except NotTried:
                continue

    async def by_sentinels(self, address: Address, *, replicas: bool) -> list[Door]:
        """The primary that they know, and its replicas. Empty where none of them answers."""
        for server in address.servers:
            name = named(server)
            await self._turn(name)
            arguments = {"driver_info": None, **address.sentinel_arguments()}
            asking = (SSLConnection if address.tls else Connection)(
                host=server[0], port=server[1], protocol=_OLDEST, **arguments
            )
            answered, went_over = False, None
            try:
                async with asyncio.timeout(limits.NEAR_ATTEMPT_S):
                    await asking.connect()  # type: ignore[no-untyped-call] # redis-py's
                    went_over = transport(asking)
                    found = await _asked(asking, address.service, replicas=replicas)
                answered = True
            except (RedisError, OSError):
                continue
            finally:
                self._attempts.ended(name, well=answered)
                await end(asking, went_over)
            if found:
                return [Door(address, one) for one in found]
        return []


def connection(door: Door, protocol: int) -> AbstractConnection:
    """Not yet open; it has no time-outs of its own, for whoever uses it watches over it."""
    arguments: dict[str, Any] = {**door.address.arguments(), "protocol": protocol}
    arguments |= {"socket_timeout": None, "driver_info": None}
    if door.server is None:
        return UnixDomainSocketConnection(path=door.address.path, **arguments)
    host, port = door.server
    made = SSLConnection if door.address.tls else Connection
    return made(host=host, port=port, socket_connect_timeout=limits.NEAR_ATTEMPT_S, **arguments)


def told(door: Door, error: Exception) -> str:
    """What is wrong, in one line for people."""
    if isinstance(error, AskError):
        error = OfCluster((error.host, error.port))
    if isinstance(error, Astray):
        return f"{door} {error}"
    if isinstance(error, RedisError):
        return str(failure(door, error, door.address))
    if isinstance(error, TimeoutError) and not str(error):
        return told(door, Unanswered())
    return f"{door} cannot be reached: {error}"


async def _asked(sentinel: AbstractConnection, service: str, *, replicas: bool) -> list[Server]:
    """What a Sentinel knows of a service; it is connected. Raises RedisError, OSError."""
    await sentinel.send_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", service)
    primary = await sentinel.read_response()
    found = [] if primary is None else [_server(*primary)]
    if found and replicas:
        await sentinel.send_command("SENTINEL", "REPLICAS", service)
        for said in await sentinel.read_response():
            replica = dict(zip(said[::2], said[1::2], strict=False))
            if b"down" not in replica[b"flags"]:
                found.append(_server(replica[b"ip"], replica[b"port"]))
    return found


def _server(host: bytes, port: bytes) -> Server:
    return host.decode(), int(port)


def _is_about_hello(error: Exception) -> bool:
    """Does the server not know how to speak as it was asked to? Everything else that it may not know is not needed."""
    words = str(error).lower()
    return isinstance(error, ResponseError) and ("unknown command" in words or "noproto" in words or "hello" in words)

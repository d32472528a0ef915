"""Which servers a shared store is made of, and which of them is asked: one, one that Sentinels know, or a cluster.

What lives here: finding servers, following a cluster's redirections. What may not: what is asked (`store`, `scripts`).

1. Everything is asked in a `Session`. In it there is at most one line to each server, held to its end: what a mark
   says of a batch it says of the server that took that batch, for between the two nothing is connected anew, and no
   other server is found to be the primary (`stay`).
2. Commands for several servers go out to all of them before the first answer is read: one trip, however many. When one
   of them does not answer, no other one is connected to any more: several that hang are waited for as long as one.
3. A cluster's map of slots is what any of its nodes says. `MOVED` has it read again, `ASK` and `TRYAGAIN` are followed:
   a slot that is under way to another server is read and written there or here.
4. When something broke or a primary became a replica, `renew` looks who is there now. If that is somebody else, the
   whole of what was asked may be asked again, in a new session; else the trouble is real.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import sleep
from typing import Any, Final, Protocol

from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    MovedError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as Unconnected
from redis.exceptions import TimeoutError as Unanswered

from engine.limits import VALKEY_REDIRECTS
from engine.profiles.valkey import slots
from engine.profiles.valkey.address import Address, Server, named
from engine.profiles.valkey.attempts import Attempts
from engine.profiles.valkey.errors import NoSuchService, OfCluster, SentinelRefuses, Shifted
from engine.profiles.valkey.scripts import Asked, Command
from engine.profiles.valkey.wire import Line, Wire, to_server, to_socket, value

_PAUSE_S: Final = 0.01  # keys of a slot that moves come one by one, in fractions of a millisecond
_NO_TAG: Final = (b"",)  # one server: its marks need no place of their own


class Servers(Protocol):
    """The servers of one store."""

    is_cluster: bool

    def wire(self, key: bytes) -> Wire:
        """To the server that has this key. Raises RedisError."""
        ...

    def node(self, server: Server) -> Wire:
        """To the server of this name, which another one has sent us to. Raises RedisError."""
        ...

    def moved(self, slot: int, server: Server) -> None:
        """That slot is this server's by now. Raises RedisError."""
        ...

    def primaries(self) -> list[Wire]:
        """To all that keep records. Raises RedisError."""
        ...

    def tags(self) -> tuple[bytes, ...]:
        """Places for marks: one on every primary, or more. Raises RedisError."""
        ...

    def renew(self) -> bool:
        """Look who is there now; is that somebody else than before?"""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


class Session:
    """Who asks the servers of a store, with one line to each."""

    def __init__(self, servers: Servers) -> None:
        """Opened by `session`."""
        self.servers = servers
        self._lines: dict[str, Line] = {}
        self._has_shifted = False
        self._stays = False
        self._hanging: Unanswered | None = None

    def stay(self) -> None:
        """From now on nothing is asked of a server that has just been found. Raises Shifted where it was before."""
        self._stays = True
        if self._has_shifted:
            raise Shifted

    def ask(self, asked: list[Asked]) -> list[Any]:
        """The answer to each, or the exception. Raises Shifted."""
        answers: list[Any] = [None] * len(asked)
        asking: dict[int, Wire] = {}
        waiting = list(range(len(asked)))
        for trip in range(VALKEY_REDIRECTS):
            if trip > 1:  # nodes that do not agree yet, or keys under way
                sleep(_PAUSE_S)
            went = self._trip(asked, waiting, asking, answers)
            waiting = [number for number in waiting if isinstance(answers[number], AskError | TryAgainError)]
            if not waiting:
                break
            asking = {}
            for number in waiting:
                answer = answers[number]
                if isinstance(answer, AskError):  # MovedError is one
                    server = answer.host or went[number].host, answer.port
                    if isinstance(answer, MovedError):
                        self.servers.moved(answer.slot_id, server)
                        self._has_shifted = True
                    else:
                        asking[number] = self.servers.node(server)
            if self._stays:
                self.stay()
        return answers

    def each(self, *commands: Command) -> list[list[Any]]:
        """The answers of every primary to these. Raises RedisError."""
        lines = [self.line(wire) for wire in self.servers.primaries()]
        for line in lines:
            line.send(commands)
        return [[value(answer) for answer in line.answers()] for line in lines]

    def line(self, wire: Wire) -> Line:
        """The line to this server. Raises RedisError."""
        line = self._lines.get(wire.name)
        if line is None:
            if self._hanging is not None:
                raise self._hanging
            try:
                line = self._lines[wire.name] = wire.line()
            except Unanswered as error:
                self._hanging = error
                raise
        return line

    def release(self) -> None:
        """Give all lines back."""
        for line in self._lines.values():
            line.release()

    def _trip(
        self, asked: list[Asked], numbers: list[int], asking: dict[int, Wire], answers: list[Any]
    ) -> dict[int, Wire]:
        """Put these commands, all at once, and note what is said; to whom each went."""
        went: dict[int, Wire] = {}
        sent: dict[str, list[int]] = {}
        for number in numbers:
            try:
                wire = asking.get(number) or self.servers.wire(asked[number][0])
                self.line(wire)
            except RedisError as error:
                answers[number] = error
            else:
                went[number] = wire
                sent.setdefault(wire.name, []).append(number)
        for name, of in sent.items():
            commands: list[Command] = []
            for number in of:
                commands += [("ASKING",)] if number in asking else []
                commands.append(asked[number][1])
            self._lines[name].send(commands)
        for name, of in sent.items():
            said = iter(self._lines[name].answers())
            for number in of:
                if number in asking:
                    next(said)
                answers[number] = next(said)
        return went


@contextmanager
def session(servers: Servers) -> Iterator[Session]:
    """A session; its lines are given back in the end."""
    opened = Session(servers)
    try:
        yield opened
    finally:
        opened.release()


class _NoCluster:
    """One server has all."""

    is_cluster = False

    def node(self, server: Server) -> Wire:
        """It is no server alone. Raises OfCluster."""
        raise OfCluster(server)

    def moved(self, slot: int, server: Server) -> None:  # noqa: ARG002 - as of a cluster
        """It is no server alone. Raises OfCluster."""
        raise OfCluster(server)

    def tags(self) -> tuple[bytes, ...]:
        """None is needed."""
        return _NO_TAG


class Alone(_NoCluster):
    """One server."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def wire(self, key: bytes) -> Wire:  # noqa: ARG002 - as of a cluster
        """There is one."""
        return self._wire

    def primaries(self) -> list[Wire]:
        """There is one."""
        return [self._wire]

    def renew(self) -> bool:
        """There is nobody else; but its name is looked up anew."""
        self._wire.let_go()
        return False

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()


class Watched(_NoCluster):
    """The primary of a service that Sentinels watch."""

    def __init__(self, address: Address, attempts: Attempts) -> None:
        arguments = address.sentinel_arguments()
        self._sentinels = [to_server(server, arguments, attempts, tls=address.tls) for server in address.servers]
        self._address = address
        self._attempts = attempts
        self._lock = Lock()
        self._primary: Wire | None = None

    def wire(self, key: bytes) -> Wire:  # noqa: ARG002 - as of a cluster
        """The primary. Raises RedisError."""
        return self._primary or self._found()

    def primaries(self) -> list[Wire]:
        """There is one. Raises RedisError."""
        return [self.wire(b"")]

    def renew(self) -> bool:
        """Ask the Sentinels. Raises RedisError."""
        before = self._primary
        return self._found() is not before

    def close(self) -> None:
        """Close all connections."""
        for wire in [*self._sentinels, *([] if self._primary is None else [self._primary])]:
            wire.close()

    def _found(self) -> Wire:
        with self._lock:
            server = self._said()
            before = self._primary
            if before is not None and before.name == named(server):
                return before
            arguments = self._address.arguments()
            self._primary = found = to_server(server, arguments, self._attempts, tls=self._address.tls)
            if before is not None:
                before.let_go()
            return found

    def _said(self) -> Server:
        trouble: RedisError = NoSuchService(f"the Sentinels know no primary of {self._address.service!r}")
        for wire in self._sentinels:
            try:
                [answer] = wire.ask(("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._address.service))
                if value(answer) is not None:
                    return answer[0].decode(), int(answer[1])
            except AuthenticationError as error:
                trouble = SentinelRefuses(*error.args)
            except RedisError as error:
                trouble = error
        raise trouble


class Cluster:
    """The primaries that share a cluster's slots."""

    is_cluster = True

    def __init__(self, address: Address, attempts: Attempts) -> None:
        self._address = address
        self._attempts = attempts
        self._lock = Lock()
        self._wires: dict[Server, Wire] = {}
        self._owners: list[Server | None] = []
        self._tags: tuple[bytes, ...] = ()

    def wire(self, key: bytes) -> Wire:
        """To the primary of this key's slot. Raises RedisError."""
        owner = self._map()[key_slot(key)]
        if owner is None:
            raise ClusterDownError(f"the slot {key_slot(key)} has no primary")
        return self._wires.get(owner) or self.node(owner)

    def node(self, server: Server) -> Wire:
        """To the node of this name."""
        with self._lock:
            wire = self._wires.get(server)
            if wire is None:
                arguments = self._address.arguments()
                wire = self._wires[server] = to_server(server, arguments, self._attempts, tls=self._address.tls)
            return wire

    def moved(self, slot: int, server: Server) -> None:
        """The server that has the slot knows best of all whose the others are. Raises RedisError."""
        if self._map()[slot] != server:
            owners = self._asked([server])
            owners[slot] = server
            self._note(owners)

    def primaries(self) -> list[Wire]:
        """Those that have slots. Raises RedisError."""
        return [self.node(server) for server in sorted({*filter(None, self._map())})]

    def tags(self) -> tuple[bytes, ...]:
        """As `slots` has it. Raises RedisError."""
        self._map()
        return self._tags

    def renew(self) -> bool:
        """Ask any node for the map of slots. Raises RedisError."""
        before = self._owners
        self._note(self._asked(dict.fromkeys([*filter(None, before), *self._address.servers])))
        return self._owners != before

    def close(self) -> None:
        """Close all connections."""
        for wire in self._wires.values():
            wire.close()

    def _map(self) -> list[Server | None]:
        if not self._owners:
            self.renew()
        return self._owners

    def _note(self, owners: list[Server | None]) -> None:
        self._tags = slots.tags(owners)
        self._owners = owners

    def _asked(self, nodes: Iterable[Server]) -> list[Server | None]:
        trouble: RedisError = Unconnected("no node is known")
        wires = [(self.node(server), server) for server in nodes]
        for wire, server in sorted(wires, key=lambda one: not one[0].answers):  # who hung a moment ago is asked last
            try:
                [answer] = wire.ask(("CLUSTER", "SLOTS"))
                owners = slots.owners(value(answer), server)
                if any(owners):
                    return owners
                trouble = ClusterDownError("no slot has a primary")
            except ResponseError:
                raise
            except RedisError as error:
                trouble = error
        raise trouble


def servers_of(address: Address, attempts: Attempts) -> Servers:
    """The servers under this address. Nothing is opened."""
    if address.form == "cluster":
        return Cluster(address, attempts)
    if address.form == "sentinel":
        return Watched(address, attempts)
    if address.form == "socket":
        return Alone(to_socket(address.path, address.arguments(), attempts))
    return Alone(to_server(address.servers[0], address.arguments(), attempts, tls=address.tls))

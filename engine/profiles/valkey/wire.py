"""One server of a shared store: its connections, and many commands on one of them in a single trip.

What lives here: connections that ask `attempts` before they are made, and a `Line`, which is one of them while somebody
has it. What may not: which server a key belongs to (`topology`), what an error means to people (`failures`).

1. redis-py connects, speaks the protocol and knows the errors. It never tries again by itself: whoever asked decides
   that, for a write must not be finished on another connection than the one on which it was begun.
2. A connection counts as made when the server has answered `PING` on it. One that hangs, loads its data or wants a
   password is no connection.
3. **An answer is a value or an exception**, never raised here: of a thousand commands those that succeeded have.
4. Where a line breaks, what was not answered by then is answered with the reason, and the idle connections to that
   server are closed: they are most likely as dead. A server that has not answered for `VALKEY_ANSWER_S` since it was
   asked is one that hangs, also where others were waited for meanwhile: several hang no longer than one.
5. The names of server and program are not told to the server (`CLIENT SETINFO`): two trips, and a right more to grant.
"""

from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Final

from redis.connection import AbstractConnection, Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as Unanswered

from engine.limits import VALKEY_ANSWER_S, VALKEY_CONNECT_S
from engine.profiles.valkey.address import Server, named
from engine.profiles.valkey.attempts import Attempts
from engine.profiles.valkey.scripts import Command

_GLANCE_S: Final = 0.05  # for what has most likely come already
_FORM: Final[Mapping[str, Any]] = {"protocol": 2, "driver_info": None}


class _Asking(AbstractConnection):
    """A connection that is made when `attempts` says so, and proves itself."""

    def __init__(self, *, attempts: Attempts, name: str, **arguments: Any) -> None:
        self._attempts = attempts
        self._name = name
        self.made_s = float("-inf")
        super().__init__(**arguments)

    def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 - redis-py's
        """Raises RedisError."""
        if self.is_connected:
            return
        self._attempts.lost(self._name, monotonic() - self.made_s)  # it was made before, and found to be dead
        self._attempts.begin(self._name)
        well = False
        try:
            super().connect_check_health(check_health=False, retry_socket_connect=False)
            self.send_command("PING", check_health=False)  # type: ignore[no-untyped-call]
            self.read_response()
            made: Any = self._sock
            made.settimeout(self.socket_timeout)
            well, self.made_s = True, monotonic()
        finally:
            if not well:
                self.disconnect()  # type: ignore[no-untyped-call]
            self._attempts.ended(self._name, well=well)

    def _connect(self) -> Any:
        made = super()._connect()  # type: ignore[no-untyped-call, safe-super]
        made.settimeout(VALKEY_CONNECT_S)  # until it has proved itself: everybody else waits for that
        return made


class _Plain(_Asking, Connection):
    pass


class _Secured(_Asking, SSLConnection):
    pass


class _Local(_Asking, UnixDomainSocketConnection):
    pass


class Line:
    """A connection while somebody has it. `told` hears of an answer, or why there is none."""

    def __init__(self, pool: ConnectionPool, told: Callable[[RedisError | None], None]) -> None:
        """Raises RedisError."""
        self._pool = pool
        self._told = told
        self._connection: Any = pool.get_connection()
        self._sent = 0
        self._sent_s = 0.0
        self._broken: RedisError | None = None

    def send(self, commands: Sequence[Command]) -> None:
        """Send these; `answers` must follow."""
        self._sent, self._sent_s = len(commands), monotonic()
        if self._broken is None:
            self._guarded(lambda: self._connection.send_packed_command(self._connection.pack_commands(commands)))

    def answers(self) -> list[Any]:
        """What the server says to each, or the exception."""
        answers: list[Any] = []
        self._wait(max(_GLANCE_S, self._sent_s + VALKEY_ANSWER_S - monotonic()))
        while len(answers) < self._sent and self._broken is None:
            self._guarded(lambda: answers.append(self._answer()))
            if len(answers) == 1:
                self._wait(VALKEY_ANSWER_S)
        answers += [self._broken] * (self._sent - len(answers))
        self._sent = 0
        self._told(self._broken)
        return answers

    def release(self) -> None:
        """Give it back."""
        if self._sent:  # what was asked is not read
            self._connection.disconnect()
        self._pool.release(self._connection)

    def _wait(self, most_s: float) -> None:
        """For the next piece of an answer."""
        if self._broken is None:
            self._connection._sock.settimeout(most_s)

    def _answer(self) -> Any:
        try:
            return self._connection.read_response()
        except ResponseError as error:
            return error

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except RedisError as error:
            self._broken = error
            self._connection.disconnect()
            self._pool.disconnect(inuse_connections=False)
        except BaseException:
            self._connection.disconnect()
            raise


class Wire:
    """One server and the connections to it."""

    def __init__(self, name: str, pool: ConnectionPool, attempts: Attempts, host: str = "") -> None:
        """Made by `to_server` and `to_socket`; nothing is opened before the first question."""
        self.name = name
        self.host = host
        self.answers = True  # the last time that it was asked; and before that it may
        self._pool = pool
        self._attempts = attempts

    def line(self) -> Line:
        """A connection to it. Raises RedisError."""
        return Line(self._pool, self._note)

    def ask(self, *commands: Command) -> list[Any]:
        """The answers to these in one trip, each a value or an exception. Raises RedisError."""
        line = self.line()
        try:
            line.send(commands)
            return line.answers()
        finally:
            line.release()

    def _note(self, broken: RedisError | None) -> None:
        self.answers = broken is None
        if isinstance(broken, Unanswered):
            self._attempts.hangs(self.name)

    def let_go(self) -> None:
        """Close those connections that nobody has now."""
        self._pool.disconnect(inuse_connections=False)

    def close(self) -> None:
        """Close all connections."""
        self._pool.disconnect()


def to_server(server: Server, arguments: Mapping[str, Any], attempts: Attempts, *, tls: bool) -> Wire:
    """A server that is reached over the network."""
    host, port = server
    where = {"host": host, "port": port, "socket_connect_timeout": VALKEY_CONNECT_S}
    return _wire(named(server), _Secured if tls else _Plain, where | dict(arguments), attempts, host)


def to_socket(path: str, arguments: Mapping[str, Any], attempts: Attempts) -> Wire:
    """A server on this machine."""
    return _wire(path, _Local, {"path": path} | dict(arguments), attempts)


def _wire(name: str, kind: Any, arguments: dict[str, Any], attempts: Attempts, host: str = "") -> Wire:
    known: dict[str, Any] = {
        "name": name,
        "attempts": attempts,
        "socket_timeout": VALKEY_ANSWER_S,
        **_FORM,
        **arguments,
    }
    return Wire(name, ConnectionPool(kind, **known), attempts, host)


def value(answer: Any) -> Any:
    """An answer that is no exception. Raises RedisError."""
    if isinstance(answer, Exception):
        raise answer
    return answer


def fields(text: bytes) -> dict[str, str]:
    """The lines `name:value` of what INFO answers."""
    pairs = (line.partition(":") for line in text.decode().splitlines())
    return {name: said for name, colon, said in pairs if colon}


def is_of_another_type(answer: Any) -> bool:
    """Is what lies there of another type than was asked for?"""
    return isinstance(answer, ResponseError) and str(answer).startswith("WRONGTYPE")

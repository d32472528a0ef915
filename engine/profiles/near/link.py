"""One connection to one server of a shared store, on which a worker asks, is answered, and hears what has changed.

What lives here: the connection, the order on it, when it is silent. What may not: what is asked and what is remembered.

1. **One stream.** Questions go out in turn and answers come back in turn, and among them, where the server keeps track
   of what was asked for (`CLIENT TRACKING`, RESP3), what has changed since. Both are on the same connection, so nothing
   that is told is older than an answer before it: there is no race, and no change is lost while the connection lives.
2. Where the server refuses to keep track (no permission, too old, a proxy), the link is not `tracked`.
3. A server is *silent* when something that it was asked has not been answered for `patience`: a hung process, a network
   that swallows. The connection is kept, for it may only be slow, and when it speaks again nothing is lost. Patience
   grows with how long answers usually take, so that a far server is not taken for a silent one for ever.
4. Twice a second it is asked for its role, whatever else is asked: else nobody would notice that it hears nothing, or
   that it is a replica which has lost its primary. One that does not have the history of the store that is written (it
   was promoted, or is quite another server) is of no use (`Astray`).
5. It ends with an error, in `live`: who opened it opens another one.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol, TypeAlias

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AskError, RedisError, ResponseError

from engine import limits
from engine.profiles.valkey.wire import is_of_another_type

Reply: TypeAlias = Any  # what redis-py makes of an answer; a ResponseError where it is one
Then: TypeAlias = Callable[[Reply], None]


class Turned(Protocol):
    """Whoever is told that a server is silent, or is not any more."""

    def __call__(self, *, silent: bool) -> None:
        """It is; or not."""
        ...


_WITH_MESSAGES: Final = 3  # RESP3: messages among the answers
_LINK_DOWN: Final = b"master_link_status:down"
_HISTORY: Final = b"master_replid:"


class Astray(RedisError):
    """What is written never comes to this server."""

    def __init__(self) -> None:
        super().__init__("does not follow the store that is written: it was promoted, or is another one")


class Link:
    """A connection. `changed` is told under what key (None: all), `turned` when it falls silent and when it speaks."""

    def __init__(
        self,
        connection: AbstractConnection,
        changed: Callable[[bytes | None], None],
        turned: Turned,
        strays: Callable[[bytes], bool] = lambda _: False,
    ) -> None:
        self.tracked = False
        self.silent = False
        self.behind = False  # it is a replica that does not hear its primary
        self._connection = connection
        self._transport: asyncio.WriteTransport | None = None
        self._changed = changed
        self._turned = turned
        self._strays = strays
        self._strayed = False
        self._closed = False
        self._asked: deque[tuple[float, Then]] = deque()
        self._out: list[bytes] = []
        self._speak = asyncio.Event()
        self._failure: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._looking: asyncio.TimerHandle | None = None
        self._usual_s = 0.0  # in which it answers
        self._clock = asyncio.get_running_loop().time

    async def open(self, probe: bytes, *, clustered: bool, replica: bool) -> None:
        """Connect, and see that `probe` can be read. Raises RedisError, OSError; whoever cancels it closes it."""
        await self._connection.connect()  # type: ignore[no-untyped-call] # redis-py's
        self._transport = transport(self._connection)
        self.tracked = self._connection.protocol == _WITH_MESSAGES and await self._takes("CLIENT", "TRACKING", "ON")
        if self.tracked:
            self._connection._parser.set_invalidation_push_handler(self._hear_change)  # type: ignore[attr-defined]
        if replica:
            await self._tell("READONLY")
        begun = self._clock()
        try:
            await self._tell("GET", probe)
        except ResponseError as error:
            # In a cluster it may be another one's; and whatever somebody has put there, it can be read.
            if not (is_of_another_type(error) or (clustered and isinstance(error, AskError))):
                raise
        self._usual_s = self._clock() - begun
        with suppress(ResponseError):
            self._hear_role(await self._tell("INFO", "replication"))
        if self._strayed:
            raise Astray

    async def live(self) -> None:
        """Speak and hear until it is lost. Raises RedisError, OSError."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in (self._hear, self._say, self._stay_awake, self._end):
                    tasks.create_task(work())
        except* (RedisError, OSError) as lost:
            raise first(lost) from None
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of it; what was asked is answered by nobody."""
        if self._looking is not None:
            self._looking.cancel()
        await end(self._connection, self._transport)
        self._closed = True
        while self._asked:
            self._asked.popleft()[1](_lost())

    def fail(self, why: Exception) -> None:
        """It answers, but nothing that is of use: end it."""
        if not self._failure.done():
            self._failure.set_result(why)

    def ask(self, then: Then, *command: bytes) -> None:
        """Ask, and have `then` told the answer; of a link that is lost, that it is, at once."""
        if self._closed:
            then(_lost())
            return
        self._out += self._connection.pack_command(*command)
        self._asked.append((self._clock(), then))
        self._speak.set()
        if self._looking is None:
            self._look_in(self.patience_s, self._look)

    @property
    def patience_s(self) -> float:
        """How long an answer may take before the server counts as silent."""
        return min(max(limits.NEAR_SILENT_S, limits.NEAR_SLOWER * self._usual_s), limits.NEAR_GONE_S)

    # --- what goes on all the time ---

    async def _end(self) -> None:
        raise await self._failure

    async def _say(self) -> None:
        while True:
            await self._speak.wait()
            self._speak.clear()
            out, self._out = self._out, []
            if not self._connection.is_connected:  # or redis-py would open another one
                raise _lost()
            await self._connection.send_packed_command(b"".join(out), check_health=False)

    async def _hear(self) -> None:
        while True:
            try:
                reply = await self._connection.read_response(disable_decoding=True, timeout=math.inf)
            except ResponseError as error:
                reply = error
            asked_s, then = self._asked.popleft()
            self._usual_s += (self._clock() - asked_s - self._usual_s) / 8
            if self.silent:
                self._turn(silent=False)
            then(reply)

    async def _hear_change(self, said: list[Any]) -> None:
        if self.silent:
            self._turn(silent=False)
        for key in (None,) if said[1] is None else said[1]:
            self._changed(key)

    async def _stay_awake(self) -> None:
        while True:
            if self._asked and self._clock() - self._asked[0][0] > limits.NEAR_GONE_S:
                raise TimeoutError(f"nothing was answered for {limits.NEAR_GONE_S:g} s")
            if not self.silent:
                self.ask(self._hear_role, b"INFO", b"replication")
            await asyncio.sleep(limits.NEAR_BEAT_S)

    def _hear_role(self, reply: Reply) -> None:
        # Who may not ask that has at least been answered.
        if not isinstance(reply, bytes):
            return
        self.behind = _LINK_DOWN in reply
        strayed = not self.behind and self._strays(reply.partition(_HISTORY)[2].partition(b"\r")[0])
        if strayed and self._strayed:  # twice: in a failover not all change at the same moment
            self.fail(Astray())
        self._strayed = strayed

    # --- silence ---

    def _look_in(self, pause_s: float, look: Callable[[], None]) -> None:
        self._looking = asyncio.get_running_loop().call_later(pause_s, look)

    def _look(self) -> None:
        self._looking = None
        if self._asked and not self.silent:
            left_s = self._asked[0][0] + self.patience_s - self._clock()
            if left_s > 0:
                self._look_in(left_s, self._look)
            else:
                # It may be us who did not listen: the loop was busy, and hears now what came meanwhile.
                self._look_in(limits.NEAR_LISTEN_S, self._look_again)

    def _look_again(self) -> None:
        self._looking = None
        if self._asked and self._asked[0][0] + self.patience_s < self._clock():
            self._turn(silent=True)
        else:
            self._look()

    def _turn(self, *, silent: bool) -> None:
        self.silent = silent
        self._turned(silent=silent)
        if not silent and self._looking is None:
            self._look_in(self.patience_s, self._look)

    # --- while it is opened ---

    async def _tell(self, *command: bytes | str) -> Reply:
        await self._connection.send_command(*command, check_health=False)
        return await self._connection.read_response(timeout=math.inf)

    async def _takes(self, *command: str) -> bool:
        try:
            await self._tell(*command)
        except ResponseError:
            return False
        return True


def transport(of: AbstractConnection) -> asyncio.WriteTransport | None:
    """What it goes over; None while it is not connected."""
    return None if of._writer is None else of._writer.transport


async def end(connection: AbstractConnection, went_over: asyncio.WriteTransport | None) -> None:
    """Let go of it at once. To close politely, as redis-py does when it is cancelled, over TLS needs the server's word.

    That of a silent one never comes, nor is what it never takes ever sent.
    """
    went_over = went_over or transport(connection)
    await connection.disconnect(nowait=True)
    if went_over is not None:
        went_over.abort()


def _lost() -> OSError:
    return ConnectionError("the connection is lost")


def first(group: BaseExceptionGroup[Any]) -> Exception:
    """What went wrong first, of what went wrong together."""
    error = group.exceptions[0]
    return first(error) if isinstance(error, BaseExceptionGroup) else error

"""One stream: answers in turn, changes among them, and silence that is no end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from redis.asyncio.connection import Connection
from redis.exceptions import RedisError

from engine import limits
from engine.profiles.near.link import Link, first

PROBE = b"mutiny:"


class Told:
    """What a link tells."""

    def __init__(self) -> None:
        self.changed: list[bytes | None] = []
        self.turns: list[bool] = []

    def turned(self, *, silent: bool) -> None:
        """It is silent, or is not any more."""
        self.turns.append(silent)


@asynccontextmanager
async def linked(port: int, told: Told, protocol: int = 3, **arguments: Any) -> AsyncIterator[Link]:
    """A link that lives."""
    made = Connection(host="127.0.0.1", port=port, protocol=protocol, socket_timeout=None, **arguments)
    link = Link(made, told.changed.append, told.turned)
    await link.open(PROBE, clustered=False, replica=False)
    living = asyncio.ensure_future(link.live())
    try:
        yield link
    finally:
        living.cancel()
        with suppress(asyncio.CancelledError, RedisError, OSError):
            await living


async def answer(link: Link, *command: bytes) -> Any:
    """To this."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    link.ask(future.set_result, *command)
    return await asyncio.wait_for(future, 60)


def test_answers_come_in_turn_and_changes_behind_them(valkey_server: Any) -> None:
    """Also errors are answers; that all was flushed is told as one change of everything."""
    told = Told()

    async def run() -> None:
        async with linked(valkey_server.port, told) as link:
            assert link.tracked
            said: list[Any] = []
            for command in ((b"GET", b"a"), (b"NO",), (b"ECHO", b"x")):
                link.ask(said.append, *command)
            assert await answer(link, b"GET", b"b") is None
            assert said[0] is None
            assert "unknown command" in str(said[1])
            assert said[2] == b"x"
            valkey_server.ask("SET", "a", "1")
            await answer(link, b"PING")
            valkey_server.ask("FLUSHALL")
            await answer(link, b"PING")
            assert told.changed == [b"a", None]

    asyncio.run(run())


def test_silence_is_told_and_its_end(valkey_servers: Any, soon: Any) -> None:
    """Also where nobody asks anything; what was asked meanwhile is answered, and nothing that changed is lost."""
    server, told = valkey_servers.one(), Told()

    async def run() -> None:
        async with linked(server.port, told) as link:
            await answer(link, b"GET", b"a")
            server.ask("SET", "a", "1")
            server.ask("CLIENT", "PAUSE", 1_000, "ALL")
            await soon(lambda: told.turns == [True])
            asked = asyncio.ensure_future(answer(link, b"GET", b"a"))
            assert await asked == b"1"
            assert told.turns == [True, False]
            assert told.changed == [b"a"]

    asyncio.run(run())


def test_a_loop_that_was_busy_is_no_silence(valkey_server: Any) -> None:
    """The server has answered, and nobody listened."""
    told = Told()

    async def run() -> None:
        async with linked(valkey_server.port, told) as link:
            asked = asyncio.ensure_future(answer(link, b"PING"))
            await asyncio.sleep(0)
            time.sleep(2 * limits.NEAR_SILENT_S)  # noqa: ASYNC251 - that is what is tested
            assert await asked == b"PONG"
            await asyncio.sleep(2 * limits.NEAR_LISTEN_S)
            assert told.turns == []

    asyncio.run(run())


def test_a_far_server_is_not_silent(valkey_server: Any, proxy_to: Any) -> None:
    """One that always takes longer than others may."""
    told, proxy = Told(), proxy_to(valkey_server.port)
    proxy.delay_s = 0.8 * limits.NEAR_SILENT_S  # there and back: more than a near one has

    async def run() -> None:
        async with linked(proxy.port, told) as link:
            for _ in range(2):
                await answer(link, b"PING")
            assert told.turns == []
            assert link.patience_s > 2 * proxy.delay_s

    asyncio.run(run())


def test_what_was_asked_of_a_lost_link_is_answered_by_its_end(valkey_servers: Any) -> None:
    """Nobody waits for ever."""
    server, told = valkey_servers.one(), Told()

    async def run() -> None:
        async with linked(server.port, told) as link:
            server.stop()
            asked = asyncio.ensure_future(answer(link, b"PING"))
            await asyncio.sleep(0.01)
            server.kill()
            assert isinstance(await asked, ConnectionError)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("user", "protocol"),
    [("+@all -client|tracking", 3), ("+@all", 2), ("+get +info", 2)],
    ids=["refused", "old", "few"],
)
def test_without_tracking_it_is_a_link_all_the_same(valkey_servers: Any, user: str, protocol: int) -> None:
    """And says so."""
    server, told = valkey_servers.one(f"user app on >pw ~* {user}"), Told()

    async def run() -> None:
        async with linked(server.port, told, protocol, username="app", password="pw", driver_info=None) as link:
            assert not link.tracked
            assert await answer(link, b"GET", b"a") is None

    asyncio.run(run())


def test_a_replica_that_lost_its_primary_is_behind(valkey_servers: Any, soon: Any) -> None:
    """It answers, and nothing new comes to it."""
    primary, told = valkey_servers.one(), Told()
    replica = valkey_servers.replica(primary)

    async def run() -> None:
        async with linked(replica.port, told) as link:
            assert not link.behind
            primary.kill()
            await soon(lambda: link.behind)
            assert await answer(link, b"GET", b"a") is None

    asyncio.run(run())


def test_what_went_wrong_first() -> None:
    """However deep it lies."""
    error = ValueError("this")
    assert first(ExceptionGroup("", [ExceptionGroup("", [error]), KeyError()])) is error

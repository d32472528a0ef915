"""How long a client may take, by a clock that the test moves: the server's own counts sweeps, and sweeps are called.

1. A real server in this process, real connections; only seconds are not waited for. The forms that wait for them are
   in `test_slow_clients.py`.
2. A deadline is looked at from both sides: shortly before nothing happened, shortly after it did.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from uvicorn import Config

from engine import limits
from engine.web.clients import Clients
from engine.web.guard import Guard

MARGIN_S = 2.0  # a sweep before and after, and one for rounding
LARGE = 10 * 2**20


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """An app that reads its body and answers `{}`."""
    while (await receive()).get("more_body"):
        pass
    await reply(send, b"{}")


async def reply(send: Any, body: bytes) -> None:
    """An answer in pieces, as large ones are sent."""
    headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for start in range(0, len(body), 65536):
        piece = body[start : start + 65536]
        await send({"type": "http.response.body", "body": piece, "more_body": start + 65536 < len(body)})


class Bench:
    """A server, its clock, and how to connect."""

    def __init__(self, clients: Clients, address: tuple[str, int], wire: Any) -> None:
        self.clients = clients
        self.connect = lambda **how: wire.Wire.open(address, **how)

    async def settle(self) -> None:
        """Both sides have heard all that was said so far: they share one loop."""
        for _ in range(5):
            await asyncio.sleep(0.005)

    async def pass_time(self, seconds: float) -> None:
        """So many seconds by the server's clock."""
        await self.settle()
        for _ in range(int(seconds / limits.SWEEP_S)):
            self.clients.sweep()
        await self.settle()


@pytest.fixture
def served(wire: Any) -> Callable[..., Any]:
    """`served(test, app)`: run `test(bench)` beside a server of `app`."""

    @asynccontextmanager
    async def server(app: Any) -> AsyncIterator[Bench]:
        config = Config(app, lifespan="off", ws="none", log_level="critical")
        config.load()
        clients = Clients()
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(lambda: Guard(config, clients, {}, loop), "127.0.0.1", 0)
        try:
            yield Bench(clients, listening.sockets[0].getsockname(), wire)
        finally:
            for connection in list(clients.connections):
                connection.transport.abort()
            listening.close()
            await listening.wait_closed()

    def run(test: Callable[[Bench], Awaitable[None]], app: Any = echo) -> None:
        async def main() -> None:
            async with server(app) as bench:
                await test(bench)

        uvloop.run(main())

    return run


@pytest.mark.parametrize(
    ("sent", "limit_s", "answer"),
    [
        (b"", limits.FIRST_BYTE_S, b""),
        (b"GET / HT", limits.HEADERS_S, b"HTTP/1.1 408 "),
        (b"GET / HTTP/1.1\r\nhost: a\r\n", limits.HEADERS_S, b"HTTP/1.1 408 "),
        (b"POST /v1/decide HTTP/1.1\r\ncontent-length: 9\r\n\r\n12345", limits.DECIDE_S, b"HTTP/1.1 408 "),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n", limits.DECIDE_S, b"HTTP/1.1 408 "),
        (b"\r\n\r\n", limits.FIRST_BYTE_S, b""),
    ],
)
def test_a_request_that_stops_is_ended(served: Any, sent: bytes, limit_s: float, answer: bytes) -> None:
    """With 408 where it had begun, else without a word; not before its time."""

    async def test(bench: Bench) -> None:
        connection = await bench.connect()
        connection.writer.write(sent)
        await bench.pass_time(limit_s - limits.SWEEP_S)
        assert len(bench.clients.connections) == 1
        assert bench.clients.refused.total() == 0
        await bench.pass_time(MARGIN_S)
        seen = await connection.rest()
        assert seen.startswith(answer)
        assert (b'"code":"request-timeout"' in seen) == bool(answer)
        await connection.close()
        await bench.settle()
        assert not bench.clients.connections

    served(test)


def test_a_byte_now_and_then_wins_no_time(served: Any) -> None:
    """The deadline is for the whole, whatever comes meanwhile."""

    async def test(bench: Bench) -> None:
        for request, limit_s in ((b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 90, 5), (b"POST /" + b" " * 900, 5)):
            connection = await bench.connect()
            for second in range(int(limit_s + MARGIN_S)):
                connection.writer.write(request[second : second + 1])
                await bench.pass_time(1)
            assert b" 408 " in await connection.rest()
            await connection.close()

    served(test)


def test_a_slow_body_has_the_time_of_its_address(served: Any) -> None:
    """Nine seconds for a decision are enough, and the next request starts anew."""

    async def test(bench: Bench) -> None:
        connection = await bench.connect()
        for _ in range(3):
            connection.writer.write(b"POST /v1/decide HTTP/1.1\r\ncontent-length: 9\r\n\r\n")
            for _ in range(9):
                await bench.pass_time(1)
                connection.writer.write(b"x")
            assert (await connection.answer()).status == 200
        await connection.close()

    served(test)


def test_a_connection_may_lie_idle(served: Any) -> None:
    """Longer than load balancers let it; then it is closed without a word."""

    async def test(bench: Bench) -> None:
        connection = await bench.connect()
        for _ in range(2):
            assert (await connection.ask(b"GET / HTTP/1.1\r\n\r\n")).status == 200
            await bench.pass_time(limits.KEEP_ALIVE_S - limits.SWEEP_S)
        assert (await connection.ask(b"GET / HTTP/1.1\r\n\r\n")).status == 200
        await bench.pass_time(limits.KEEP_ALIVE_S + MARGIN_S)
        assert await connection.rest() == b""
        await connection.close()

    served(test)


def test_time_that_we_take_is_not_the_clients(served: Any) -> None:
    """A slow answer comes; so does that to a request behind it whose rest nobody read meanwhile."""
    go = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await go.wait()
        await echo(scope, receive, send)

    async def test(bench: Bench) -> None:
        connection = await bench.connect()
        connection.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await bench.pass_time(1_000)
        connection.writer.write(b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n1234")
        await bench.settle()
        connection.writer.write(b"56789")
        await bench.pass_time(1_000)
        go.set()
        assert [(await connection.answer()).status for _ in range(2)] == [200, 200]
        await connection.close()

    served(test, slow)


def test_an_answer_that_goes_on_is_not_cut(served: Any) -> None:
    """A stream of events has no end that anybody knows, and its client nothing more to say."""
    go = asyncio.Event()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"one", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await go.wait()
        await send({"type": "http.response.body", "body": b""})

    async def test(bench: Bench) -> None:
        connection = await bench.connect()
        connection.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await bench.pass_time(1_000)
        assert len(bench.clients.connections) == 1
        go.set()
        await bench.settle()
        received = await connection.reader.readuntil(b"0\r\n\r\n")
        assert received.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        await connection.close()

    served(test, stream)


def test_an_app_whose_client_was_too_slow_finds_it_gone(served: Any) -> None:
    """It is told once, and what it still says reaches nobody."""
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "http.request":
            pass
        seen.append(message["type"])
        await reply(send, b"too late")

    async def test(bench: Bench) -> None:
        connection = await bench.connect()
        connection.writer.write(b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n1234")
        await bench.pass_time(limits.DECIDE_S + MARGIN_S)
        received = await connection.rest()
        assert received.count(b"HTTP/1.1 ") == 1
        assert b" 408 " in received
        await connection.close()

    served(test, app)
    assert seen == ["http.disconnect"]


@pytest.mark.parametrize("requests", [1, 3])
def test_who_does_not_read_is_left(served: Any, requests: int) -> None:
    """Whoever writes waits at the limit of the buffer, and in the end the connection is gone with what was in it.

    Also where other requests wait behind: whoever is writing does not write to what is closed.
    """
    written: list[int] = []
    raised: list[Exception] = []

    async def large(scope: Any, receive: Any, send: Any) -> None:
        async def counted(message: Any) -> None:
            await send(message)
            written.append(len(message.get("body", b"")))

        try:
            await reply(counted, b"x" * LARGE)
        except RuntimeError as error:
            raised.append(error)

    async def test(bench: Bench) -> None:
        connection = await bench.connect(receive_bytes=4096)
        connection.reader._transport.pause_reading()  # asyncio would read ahead
        connection.writer.write(b"GET / HTTP/1.1\r\n\r\n" * requests)
        await bench.pass_time(limits.WRITE_S - limits.SWEEP_S)
        assert len(bench.clients.connections) == 1
        [guard] = bench.clients.connections
        assert guard.transport.get_write_buffer_size() <= limits.WRITE_BUFFER_BYTES + 65536
        assert sum(written) < LARGE
        await bench.pass_time(MARGIN_S)
        assert not bench.clients.connections
        assert bench.clients.refused["slow-reader"] == 1
        assert raised == []
        await connection.close()

    served(test, large)


def test_who_reads_slowly_gets_it_all(served: Any) -> None:
    """A piece every few seconds is progress, however long the whole takes."""

    async def large(scope: Any, receive: Any, send: Any) -> None:
        await reply(send, b"x" * LARGE)

    async def test(bench: Bench) -> None:
        connection = await bench.connect()
        connection.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await connection.reader.readuntil(b"\r\n\r\n")
        received, seconds = 0, 0
        while received < LARGE:
            received += len(await connection.reader.readexactly(LARGE // 10))
            await bench.pass_time(5)
            seconds += 5
        assert received == LARGE
        assert seconds > limits.WRITE_S
        await connection.close()

    served(test, large)


def test_a_refused_client_that_goes_on_sending_is_left(served: Any) -> None:
    """It gets its answer whole; what it still sends is thrown away, but not for long."""

    async def test(bench: Bench) -> None:
        connection = await bench.connect()
        connection.writer.write(b"HELLO\r\n\r\n")
        assert (await connection.answer()).status == 400
        for _ in range(20):
            connection.writer.write(b"x" * 10_000)
            await bench.settle()
        assert len(bench.clients.connections) == 1
        await bench.pass_time(limits.LINGER_S + MARGIN_S)
        assert not bench.clients.connections
        await connection.close()

    served(test)


def test_while_draining_the_next_answer_is_the_last(served: Any) -> None:
    """On old connections and on new ones, whatever the app says; idle ones are closed in the end, after a last call."""

    async def test(bench: Bench) -> None:
        old, idle = await bench.connect(), await bench.connect()
        for connection in (old, idle):
            assert not (await connection.ask(b"GET / HTTP/1.1\r\n\r\n")).closes
        bench.clients.draining = True
        fresh = await bench.connect()
        for connection in (old, fresh):
            assert (await connection.ask(b"GET / HTTP/1.1\r\n\r\n")).closes
            assert await connection.rest() == b""
        for connection in list(bench.clients.connections):
            connection.shutdown()
        await bench.settle()
        assert len(bench.clients.connections) == 1
        await bench.pass_time(limits.LAST_CALL_S + MARGIN_S)
        assert await idle.rest() == b""
        for connection in (old, idle, fresh):
            await connection.close()

    served(test)


def test_in_the_end_requests_under_way_are_answered_or_ended(served: Any) -> None:
    """One that comes in whole is answered; one that does not is told so, however much time its address would give."""

    async def test(bench: Bench) -> None:
        whole, half, head = [await bench.connect() for _ in range(3)]
        whole.writer.write(b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n1234")
        half.writer.write(b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n1234")
        head.writer.write(b"GET / HTTP/1.1\r\n")
        await bench.settle()
        bench.clients.draining = True
        bench.clients.end(3)
        for connection in list(bench.clients.connections):
            connection.shutdown()
        for _ in range(2):
            half.writer.write(b"5")
            await bench.pass_time(1)
        answer = await whole.ask(b"56789")
        assert (answer.status, answer.closes) == (200, True)
        await bench.pass_time(MARGIN_S)
        assert b" 408 " in await half.rest()
        assert b" 408 " in await head.rest()
        for connection in (whole, half, head):
            await connection.close()

    served(test)

"""A door that is shut: who was let in is served, nobody else gets in, and nobody who got in is thrown out."""

import asyncio
import socket
import sys
import threading

import pytest

from engine import limits
from engine.web.listening import emptied, shut, somebody, turn_away


def accepted(listening: socket.socket) -> list[socket.socket]:
    """Everybody in the queue."""
    taken = []
    listening.setblocking(False)
    try:
        while True:
            taken.append(listening.accept()[0])
    except BlockingIOError:
        return taken


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can shut a door without closing it")
@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_who_is_in_stays_and_nobody_follows(family: socket.AddressFamily, host: str) -> None:
    """Those in the queue are taken and can talk; later ones are not in it, and are refused after the end."""
    try:
        listening = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"no {host} here")
    address = listening.getsockname()
    early = [socket.create_connection(address[:2]) for _ in range(20)]
    shut(listening)
    late = [socket.socket(family) for _ in range(20)]
    outcomes: list[BaseException | None] = []

    def connect(one: socket.socket) -> None:
        try:
            one.connect(address)
        except OSError as error:
            outcomes.append(error)
        else:
            outcomes.append(None)

    threads = [threading.Thread(target=connect, args=(one,)) for one in late]
    for thread in threads:
        thread.start()
    taken = accepted(listening)
    assert len(taken) == len(early)
    listening.close()
    for thread in threads:
        thread.join(60)
    assert [type(outcome) for outcome in outcomes] == [ConnectionRefusedError] * len(late)
    for one, other in zip(early, taken, strict=True):
        other.sendall(b"hello")
        assert one.recv(5) == b"hello"
    for one in [*early, *taken, *late]:
        one.close()
    print(f"{len(late)} connections came to a shut door")


def test_nobody_is_left_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a process gets no core between shutting the door and closing it: all who were let in are taken."""
    monkeypatch.setattr(limits, "DOOR_S", 0.0)
    taken: list[asyncio.Transport] = []

    class Taking(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            taken.append(transport)

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
            server = await asyncio.get_running_loop().create_server(Taking, sock=listening)
            early = [socket.create_connection(listening.getsockname()) for _ in range(50)]  # the loop stands still
            shut(listening)
            assert somebody(listening)
            await emptied([listening])
            server.close()
        assert len(taken) == len(early)
        for one, other in zip(early, taken, strict=True):
            other.close()
            one.close()

    asyncio.run(run())


def test_whoever_nobody_takes_is_told_to_come_again() -> None:
    """In HTTP, with what they sent read, so that it arrives."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert turn_away(listening) == 0
        asking = [socket.create_connection(listening.getsockname()) for _ in range(3)]
        for one in asking[1:]:
            one.sendall(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
        assert turn_away(listening) == len(asking)
    for one in asking:
        answer = one.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1\r\n" in answer
        one.close()

"""A door that is shut: who was let in is served, nobody else gets in, and nobody who got in is thrown out."""

import socket
import sys
import threading

import pytest

from engine.web.listening import shut


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

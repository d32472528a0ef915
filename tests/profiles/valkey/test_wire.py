"""One server on the wire: many commands in a trip, answers that are errors, lines that break."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis.exceptions import AuthenticationError, BusyLoadingError, ResponseError
from redis.exceptions import ConnectionError as Unconnected

from engine.profiles.valkey.attempts import Attempts, NotTried
from engine.profiles.valkey.wire import Wire, to_server, to_socket, value


@pytest.fixture
def wires() -> Iterator[Callable[..., Wire]]:
    """Opens a wire to a server; closed in the end."""
    opened: list[Wire] = []

    def open_(server: Any, attempts: Attempts | None = None, **arguments: Any) -> Wire:
        tls = server.authority is not None
        known = {"ssl_ca_certs": str(server.authority)} if tls else {}
        opened.append(to_server(("127.0.0.1", server.port), known | arguments, attempts or Attempts(), tls=tls))
        return opened[-1]

    yield open_
    for wire in opened:
        wire.close()


def test_many_commands_are_one_trip(valkey_server: Any, wires: Callable[..., Wire]) -> None:
    """Each has its answer, and an error is one: those behind it are carried out."""
    wire = wires(valkey_server)
    answers = wire.ask(("SET", b"k", b"v"), ("GET", b"k"), ("LPUSH", b"k", 1), ("GET", b"none"), ("STRLEN", b"k"))
    assert answers[:2] == [b"OK", b"v"]
    assert isinstance(answers[2], ResponseError)
    assert answers[3:] == [None, 1]
    with pytest.raises(ResponseError, match="wrong kind of value"):
        value(answers[2])


def test_a_connection_is_used_again(valkey_server: Any, wires: Callable[..., Wire]) -> None:
    """And while one is taken there is another."""
    wire = wires(valkey_server)
    [first] = wire.ask(("CLIENT", "ID"))
    assert wire.ask(("CLIENT", "ID")) == [first]
    line = wire.line()
    [second] = wire.ask(("CLIENT", "ID"))
    line.release()
    assert second != first


def test_what_was_not_read_is_not_read_by_the_next(valkey_server: Any, wires: Callable[..., Wire]) -> None:
    """A line that is given back with answers on their way is closed."""
    wire = wires(valkey_server)
    line = wire.line()
    line.send([("PING",), ("PING",)])
    line.release()
    assert wire.ask(("ECHO", b"mine")) == [b"mine"]


def test_a_socket_is_a_server(valkey_server: Any) -> None:
    """The same, on this machine."""
    wire = to_socket(str(valkey_server.socket), {}, Attempts())
    assert wire.ask(("ECHO", b"here")) == [b"here"]
    wire.close()


def test_tls_is_spoken_and_checked(valkey_servers: Any, wires: Callable[..., Wire]) -> None:
    """With the authority that signed; without it nothing is said."""
    server = valkey_servers.one(tls=True)
    assert wires(server).ask(("ECHO", b"safe")) == [b"safe"]
    with pytest.raises(Unconnected, match="CERTIFICATE_VERIFY_FAILED"):
        wires(server, ssl_ca_certs=None).ask(("PING",))


def test_a_password_is_proved_before_anything_is_asked(valkey_servers: Any, wires: Callable[..., Wire]) -> None:
    """A connection without the right one is none, and counts as an attempt."""
    server = valkey_servers.one("user default off", "user app on >pw ~* +@all")
    assert wires(server, username="app", password="pw").ask(("ECHO", b"me")) == [b"me"]
    attempts = Attempts(lambda: 0.0)
    wrong = wires(server, attempts, username="app", password="no")
    with pytest.raises(AuthenticationError):
        wrong.ask(("PING",))
    with pytest.raises(NotTried):
        wrong.ask(("PING",))


def test_a_server_that_went_and_came_back_is_asked_anew(valkey_servers: Any, wires: Callable[..., Wire]) -> None:
    """Its old connections are noticed to be dead before they are used."""
    server = valkey_servers.one()
    wire = wires(server)
    wire.ask(("PING",))
    server.kill()
    server.restart()
    assert wire.ask(("ECHO", b"back")) == [b"back"]


def test_a_line_that_breaks_answers_what_it_can(valkey_servers: Any, wires: Callable[..., Wire]) -> None:
    """What was answered is; the rest is the reason, now and for what is asked later."""
    server = valkey_servers.one()
    line = wires(server).line()
    line.send([("SET", b"k", b"v"), ("CLIENT", "KILL", "SKIPME", "no"), ("GET", b"k")])
    first, *rest = line.answers()
    assert first == b"OK"
    assert isinstance(rest[-1], Unconnected)
    line.send([("GET", b"k")])
    assert [type(answer) for answer in line.answers()] == [type(rest[-1])]
    line.release()
    assert server.ask("GET", "k") == b"v"


def test_a_server_that_is_gone_is_tried_once(valkey_servers: Any, wires: Callable[..., Wire]) -> None:
    """Before it is time again nobody knocks; then it is found to be back."""
    now = [0.0]
    server = valkey_servers.one()
    wire = wires(server, Attempts(lambda: now[0]))
    server.kill()
    with pytest.raises(Unconnected, match="Connection refused"):
        wire.ask(("PING",))
    server.restart()
    with pytest.raises(NotTried):
        wire.ask(("PING",))
    now[0] = 1.0
    assert wire.ask(("ECHO", b"back")) == [b"back"]


def test_a_server_that_loads_is_none_yet(valkey, valkey_servers: Any, wires: Callable[..., Wire]) -> None:
    """It takes connections and answers nothing."""
    server = valkey_servers.one("loading-process-events-interval-bytes 1024", "rdbcompression no")
    for number in range(200):
        server.ask("SET", f"k{number}", "x" * 1000)
    server.ask("SAVE")
    server.kill()
    server.add("key-load-delay 20000")
    server.restart()
    now = [0.0]
    wire = wires(server, Attempts(lambda: now[0]))
    with pytest.raises(BusyLoadingError):
        wire.ask(("PING",))
    server.ask("CONFIG", "SET", "key-load-delay", 0)

    def is_there() -> bool:
        now[0] += 1
        try:
            return wire.ask(("STRLEN", "k199")) == [1000]
        except BusyLoadingError:
            return False

    valkey.until(is_there, "it has loaded")

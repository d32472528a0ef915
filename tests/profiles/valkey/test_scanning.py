"""Every key, in steps: each once, also while the server's tables grow and shrink, and nobody else's."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest

from engine.limits import VALKEY_SCANNED
from engine.profiles.ids import Key, key
from engine.profiles.record import Change
from engine.profiles.store import StoreUnavailable
from engine.profiles.valkey import scanning
from engine.profiles.valkey.address import address
from engine.profiles.valkey.attempts import Attempts
from engine.profiles.valkey.store import ValkeyStore
from engine.profiles.valkey.topology import servers_of, session

Opens = Callable[..., ValkeyStore]


def put(server: Any, names: list[str]) -> None:
    """Keys as of visitors; what lies there is not looked at."""
    server.ask("MSET", *chain.from_iterable((f"mutiny:v:{name}", "x") for name in names))


def steps(url: str, begin: bytes = b"mutiny:") -> list[list[Key]]:
    """All steps of a scan."""
    servers = servers_of(address(url), Attempts())
    with session(servers) as of:
        found = list(scanning.keys(of, begin, None))
    servers.close()
    return found


def test_a_step_is_bounded(valkey_server: Any) -> None:
    """However many keys there are, some hundred are in memory at once."""
    put(valkey_server, [str(n) for n in range(5_000)])
    found = steps(valkey_server.url())
    assert sorted(key_ for step in found for key_ in step) == sorted(key("visitor", str(n)) for n in range(5_000))
    assert max(map(len, found)) < 2 * VALKEY_SCANNED


def test_nobody_elses_keys_are_met(valkey_server: Any) -> None:
    """Marks, other prefixes, other programs; a prefix means itself, whatever it means to a pattern."""
    mine = ["x*[a]?\\^-:v:1", "x*[a]?\\^-:n:event:a"]
    others = ["xy[a]?\\^-:v:2", "x*a?\\^-:v:3", "x*[a]?\\^-:marks:here", "x*[a]?\\^-:vv:4", "x*[a]?\\^-:z:5", "v:6"]
    for name in mine + others:
        valkey_server.ask("SET", name, "x")
    [step] = steps(valkey_server.url(), b"x*[a]?\\^-:")
    assert sorted(step) == [b"n:event:a", b"v:1"]
    assert steps(valkey_server.url(), b"") == [[b"v:6"]]


def test_each_key_is_met_once_while_the_table_shrinks(valkey_server: Any) -> None:
    """Nine of ten go while the scan is under way; what SCAN gives again is not met again, and nothing is missed."""
    names = [str(n) for n in range(20_000)]
    put(valkey_server, names)
    staying = {f"v:{name}".encode() for name in names[::50]}
    going = [f"mutiny:v:{name}" for name in names if f"v:{name}".encode() not in staying]
    servers = servers_of(address(valkey_server.url()), Attempts())
    met: list[Key] = []
    with session(servers) as of:
        for step in scanning.keys(of, b"mutiny:", None):
            met += step
            some, going = going[:1_000], going[1_000:]
            if some:
                valkey_server.ask("DEL", *some)
    servers.close()
    assert len(set(met)) == len(met)
    assert staying <= set(met)


def test_a_scan_does_not_go_on_elsewhere(valkey_servers: Any, opens: Opens) -> None:
    """A server that was started again has another table: its cursors would miss records, so the scan ends."""
    server = valkey_servers.one()
    store = opens(server.url())
    store.apply([Change(key("visitor", str(n)), 1, {"n": n}) for n in range(2_000)])
    met = store.scan()
    next(met)
    server.kill()
    server.restart()
    with pytest.raises(StoreUnavailable):
        list(met)
    assert list(store.scan()) == []


def test_a_scan_may_be_left(valkey_server: Any, opens: Opens) -> None:
    """Its line is given back, and nothing is left on it."""
    store = opens(valkey_server.url())
    store.apply([Change(key("visitor", str(n)), 1, {"n": n}) for n in range(2_000)])
    for _ in range(30):
        next(store.scan())
    assert len(list(store.scan())) == 2_000
    assert int(valkey_server.info("clients")["connected_clients"]) < 10

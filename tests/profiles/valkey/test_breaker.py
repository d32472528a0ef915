"""A server that refuses to be written is asked twice a second by one thread, and by nobody else."""

import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.profiles.store import StoreError
from engine.profiles.valkey.attempts import SPACING_S, Attempts
from engine.profiles.valkey.breaker import Breaker
from engine.profiles.valkey.store import ValkeyStore

Opens = Callable[..., ValkeyStore]
CHANGES = [Change(key("user", "7"), 1, {"plan": "pro"})]
LONG_S = 50.0  # less than half of what a hundred would wait for who hangs, and far more than one does


def refused(store: ValkeyStore) -> str:
    """Why it takes no write."""
    with pytest.raises(StoreError) as why:
        store.apply(CHANGES)
    return str(why.value)


def takes(store: ValkeyStore) -> bool:
    """Does it?"""
    try:
        store.apply(CHANGES)
    except StoreError:
        return False
    return True


def calls(server: Any) -> int:
    """Of scripts and writes, until now."""
    said = server.info("commandstats")
    return sum(said.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval", "get", "set"))


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        (("REPLICAOF", "127.0.0.1", 1), ("REPLICAOF", "NO", "ONE"), "is a replica"),
        (("CONFIG", "SET", "maxmemory", 1), ("CONFIG", "SET", "maxmemory", 0), "no room"),
        (
            ("CONFIG", "SET", "min-replicas-to-write", 1),
            ("CONFIG", "SET", "min-replicas-to-write", 0),
            "too few replicas",
        ),
        (("ACL", "SETUSER", "app", "-set"), ("ACL", "SETUSER", "app", "+set"), "SET"),
    ],
    ids=["readonly", "full", "replicas", "rights"],
)
def test_who_writes_is_refused_at_once(
    valkey: Any, valkey_servers: Any, proxy_to: Any, opens: Opens, begin: Any, end: Any, said: str
) -> None:
    """With the reason, however many ask: the server hears of a few, on the connections that there are. When it takes
    writes again it is found out without anybody who asks.
    """
    server = valkey_servers.one("user app on >pw ~* +@all")
    proxy = proxy_to(server.port)
    store = opens(f"redis://app:pw@127.0.0.1:{proxy.port}", breaks=True)
    store.apply([Change(key("user", "8"), 1, {"plan": "pro"})])
    server.ask(*begin)
    assert said in refused(store)
    since, asked = time.monotonic(), calls(server)
    for _ in range(300):
        assert said in refused(store)
    took_s = time.monotonic() - since
    assert calls(server) - asked <= 6 * (1 + took_s / SPACING_S)
    assert proxy.most_in_a_second(since) <= 2
    server.ask(*end)
    valkey.until(lambda: store._breaker._trouble is None, "it is found out")  # type: ignore[union-attr]
    assert takes(store)


@pytest.mark.parametrize("shape", ["one", pytest.param("cluster", marks=pytest.mark.long)])
def test_nobody_waits_for_a_server_that_hangs(valkey: Any, valkey_servers: Any, opens: Opens, shape: str) -> None:
    """But the first; of a cluster it waits no longer if all servers hang."""
    started = valkey_servers.one() if shape == "one" else valkey_servers.cluster()
    servers = [started] if shape == "one" else started.primaries
    store = opens(started.url(), breaks=True)
    batch = [Change(key("user", str(number)), 1, {"plan": "pro"}) for number in range(20)]
    store.apply(batch)
    for server in servers:
        server.stop()
    try:
        begun = time.monotonic()
        with pytest.raises(StoreError, match="does not answer"):
            store.apply([Change(one.key, 2, {"plan": "free"}) for one in batch])
        assert not any(takes(store) for _ in range(100))
        assert time.monotonic() - begun < LONG_S
    finally:
        for server in servers:
            server.resume()
    valkey.until(lambda: takes(store), "it is found out")


def test_writes_that_are_held_back_hold_up_nobody(valkey: Any, valkey_servers: Any, opens: Opens) -> None:
    """As a failover does it; reads go on."""
    server = valkey_servers.one()
    store = opens(server.url(), breaks=True)
    store.apply(CHANGES)
    server.ask("CLIENT", "PAUSE", 60_000, "WRITE")
    assert "does not answer" in refused_new(store)
    for _ in range(100):
        assert "does not answer" in refused_new(store)
    server.ask("CLIENT", "UNPAUSE")
    valkey.until(lambda: takes(store), "it is found out")


def refused_new(store: ValkeyStore) -> str:
    """Why it does not take something new."""
    with pytest.raises(StoreError) as why:
        store.apply([Change(key("user", "9"), 1, {"plan": "pro"})])
    return str(why.value)


def test_it_ends_with_the_trouble_and_with_the_store() -> None:
    """The reason is what was told; nothing is tried after `close`."""
    tried: list[int] = []

    def probe() -> None:
        tried.append(1)
        raise StoreError("still")

    breaker = Breaker(probe, Attempts())
    breaker.check()
    breaker.note(StoreError("unreachable"), refuses=False)
    breaker.check()
    breaker.note(StoreError("full"), refuses=True)
    with pytest.raises(StoreError, match="full"):
        breaker.check()
    thread = breaker._thread
    assert isinstance(thread, Thread)
    breaker.close()
    thread.join(60)
    assert not thread.is_alive()

"""Marks in a shared store: each node's own, on every primary, the least of them counts."""

from collections.abc import Callable
from typing import Any

import pytest
from redis.crc import key_slot

from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.profiles.store import Span, StoreBehind
from engine.profiles.valkey.store import ValkeyStore

Opens = Callable[..., ValkeyStore]
ANN = key("visitor", "ann")


def test_each_node_has_its_own_marks(shared: Any, opens: Opens) -> None:
    """Files of two nodes may have the same name."""
    here, there = opens(shared.url()), opens(shared.url(), node="there")
    here.apply([Change(ANN, 1, {"plan": "pro"})], {"a": Span(0, 10)})
    assert (here.marks(), there.marks()) == ({"a": 10}, {})
    there.apply([], {"a": Span(0, 5)})
    here.forget_marks(["a"])
    assert (here.marks(), there.marks()) == ({}, {"a": 5})


def test_a_store_that_was_emptied_has_no_marks(shared: Any, opens: Opens) -> None:
    """And says that it is behind; what came is stored all the same."""
    store = opens(shared.url())
    store.apply([], {"a": Span(0, 10)})
    for server in getattr(shared, "primaries", [shared]):
        server.ask("FLUSHALL")
    with pytest.raises(StoreBehind, match="has lost records"):
        store.apply([Change(ANN, 1, {"plan": "pro"})], {"a": Span(10, 20)})
    assert store.marks() == {}
    assert store.one(ANN) is not None


def test_one_primary_that_lost_something_holds_all_marks_back(valkey_cluster: Any, opens: Opens) -> None:
    """What is on the others proves nothing of what was there."""
    store = opens(valkey_cluster.url())
    store.apply([], {"a": Span(0, 10), "b": Span(0, 7)})
    for server in valkey_cluster.primaries:
        assert server.ask("KEYS", "mutiny:marks:*")
    valkey_cluster.primaries[1].ask("FLUSHALL")
    assert store.marks() == {}
    with pytest.raises(StoreBehind):
        store.apply([], {"a": Span(10, 20)})
    assert store.marks() == {}
    store.apply([], {"a": Span(0, 15)})
    assert store.marks() == {"a": 15}


def test_the_least_of_all_primaries_counts(valkey_cluster: Any, opens: Opens) -> None:
    """A replica that took over may know less of a file, and not nothing."""
    store = opens(valkey_cluster.url())
    store.apply([], {"a": Span(0, 10)})
    [place, *_] = valkey_cluster.primaries[2].ask("KEYS", "mutiny:marks:*")
    valkey_cluster.owner(key_slot(place)).ask("HSET", place, "a", 4)
    assert store.marks() == {"a": 4}


def test_what_is_no_number_is_no_mark(valkey_server: Any, opens: Opens) -> None:
    """Somebody wrote it there; the file is applied again from its beginning."""
    store = opens(valkey_server.url())
    store.apply([], {"a": Span(0, 10), "b": Span(0, 7)})
    valkey_server.ask("HSET", "mutiny:marks:here", "a", "-1")
    assert store.marks() == {"b": 7}


@pytest.mark.parametrize("command", [("SET", "a"), ("LPUSH", "a")])
def test_what_is_of_another_type_proves_nothing(shared: Any, opens: Opens, command: tuple[str, str]) -> None:
    """Nothing is noted there until the log is applied from its beginning; then it gives way."""
    store = opens(shared.url())
    store.apply([], {"a": Span(0, 10)})
    for server in getattr(shared, "primaries", [shared]):
        for place in server.ask("KEYS", "mutiny:marks:*"):
            server.ask("DEL", place)
            server.ask(command[0], place, command[1])
    assert store.marks() == {}
    store.forget_marks(["a"])
    with pytest.raises(StoreBehind):
        store.apply([Change(ANN, 1, {"plan": "pro"})], {"a": Span(10, 20)})
    store.apply([], {"a": Span(0, 20), "b": Span(0, 7)})
    assert store.marks() == {"a": 20, "b": 7}
    assert store.stats().records == 1

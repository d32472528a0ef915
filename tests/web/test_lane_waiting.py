"""A request whose profile is on its way: held in the lane and answered there, as on the ordinary road.

1. The store here answers when the test says so, once for each visitor (`Far`); what it has then is the node's own.
2. Both roads are asked, as in `test_lane.py`. Whatever happens while a request waits, it is answered once, in its turn.
"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from engine import limits
from engine.node import Node
from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.profiles.store import NotAtOnce
from engine.profiles.unreadable import UnreadableStore
from engine.web.app import build
from engine.web.clients import Clients

BODY = {"visitorId": "known", "page": {"url": "https://www.example.com/"}}


class Far:
    """A store that has to be waited for. `comes_s`: how long; None: until `arrive`."""

    def __init__(self, store: Any, comes_s: float | None) -> None:
        self.asked = 0
        self._store = store
        self._comes_s = comes_s
        self._arrivals: dict[Any, asyncio.Future[None]] = {}

    def one(self, wanted: Any) -> Any:
        """Once it has come."""
        self._wait(wanted)
        return self._store.one(wanted)

    def get(self, wanted: Any) -> Any:
        """Once they have come."""
        self._wait(tuple(wanted))
        return self._store.get(wanted)

    def chain(self, first: Any, following: Any) -> Any:
        """Once it has come."""
        self._wait(first)
        return self._store.chain(first, following)

    def arrive(self) -> None:
        """All that was asked for."""
        for arrival in self._arrivals.values():
            if not arrival.done():
                arrival.set_result(None)

    def _wait(self, wanted: Any) -> None:
        self.asked += 1
        arrival = self._arrivals.get(wanted)
        if arrival is None:
            loop = asyncio.get_running_loop()
            arrival = self._arrivals[wanted] = loop.create_future()
            if self._comes_s is not None:
                loop.call_later(self._comes_s, self.arrive)
        if not arrival.done():
            raise NotAtOnce(arrival)


@pytest.fixture(scope="module")
def roads(runner: asyncio.Runner, node: Node, roads_to: Any) -> Iterator[Any]:
    """Both roads to a node that knows somebody."""
    node.store.apply([Change(key("visitor", "known"), 1, {"employees": 12})])
    made = roads_to(runner, build(node))
    yield made
    made.close()


def post(body: dict[str, Any] = BODY) -> bytes:
    """A request for a decision."""
    raw = json.dumps(body).encode()
    head = "POST /v1/decide HTTP/1.1\r\nHost: a\r\nContent-Type: application/json"
    return f"{head}\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw


def get() -> bytes:
    """The same question in the query: never for the lane."""
    return b"GET /v1/decide?visitorId=known&url=https%3A%2F%2Fwww.example.com%2F HTTP/1.1\r\nHost: a\r\n\r\n"


def far(monkeypatch: pytest.MonkeyPatch, node: Node, comes_s: float | None = 0.0) -> Far:
    """The node's store, far away; who cannot wait takes it as it is."""
    made = Far(node.store, comes_s)
    monkeypatch.setattr(node, "near", made)
    return made


ASKED = {
    "usual": post(),
    "with traits": post({**BODY, "traits": {"employees": 3}}),
    "a link": post({**BODY, "preview": "none.at-all"}),
    "in the query": get(),
    "nobody": post({**BODY, "visitorId": "nobody"}),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_has_come_is_answered_as_if_it_had_been_there(
    roads: Any, node: Node, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """By both roads, again and again, in pieces and beside others."""
    request = ASKED[name]
    for pieces in ([request], [request, request], [request[:40], request[40:]], [request + post() + request]):
        monkeypatch.setattr(node, "near", node.store)
        at_once = roads.say(*pieces)
        far(monkeypatch, node)
        assert roads.say(*pieces) == at_once
        assert at_once[0] == at_once[1]


def test_the_lane_waits(roads: Any, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is begun anew on the other road, and the store is asked no more often than it has to be."""
    monkeypatch.setattr(node, "near", node.store)
    roads.say(post())
    store = far(monkeypatch, node)
    assert roads.taken(post())
    assert store.asked == 2


def test_whose_time_is_over_takes_what_there_is(roads: Any, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Degraded, on both roads, and in the lane."""
    far(monkeypatch, node, None)
    monkeypatch.setattr(node, "hurried", UnreadableStore("it never answered"))
    by_lane, plainly = roads.say(post(), get())
    assert by_lane == plainly
    assert by_lane.count(b'"degraded":true') == 2


MEANWHILE = {
    "another request": b"".join([get(), post()]),
    "half a request": post()[:50],
    "no request": b"HELLO\r\n\r\n",
}


@pytest.mark.parametrize("name", MEANWHILE)
def test_what_a_client_says_meanwhile_comes_behind(
    roads: Any, node: Node, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Its answers are those of the other road, in their order."""
    far(monkeypatch, node, 0.01)
    by_lane, plainly = roads.say(post(), MEANWHILE[name])
    assert by_lane == plainly
    assert by_lane.startswith(b"HTTP/1.1 200 OK")


def test_what_happens_meanwhile(roads: Any, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps, the end of the server, and a client that has said all it wants to or is gone."""

    def sweep(clients: Clients) -> None:
        for _ in range(int(limits.KEEP_ALIVE_S / limits.SWEEP_S) + 3):
            clients.sweep()

    def shut(clients: Clients) -> None:
        for connection in list(clients.connections):
            connection.shutdown()

    def cut(clients: Clients) -> None:
        for connection in list(clients.connections):
            connection.transport.abort()

    for meanwhile, answers in ((sweep, 1), (shut, 1), (cut, 0)):
        far(monkeypatch, node, 0.015)
        by_lane, plainly = roads.say(post(), meanwhile=meanwhile)
        assert by_lane == plainly, meanwhile
        assert by_lane.count(b"HTTP/1.1 200 OK") == answers, meanwhile

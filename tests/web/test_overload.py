"""Too much at once: page views are answered with nothing and Segment is asked to come back, on both roads, while the
rest goes on; and when it is over, all is as before.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from engine import limits
from engine.node import Node
from engine.segment.accept import Delivery
from engine.settings import Settings
from engine.web.app import build
from engine.web.metrics.snapshot import Process

PAGE = {"visitorId": "v", "page": {"url": "https://www.example.com/"}, "traits": {"employees": 3}}
BODY = json.dumps(PAGE).encode()
REQUEST = b"POST /v1/decide HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
SEGMENT = (("content-type", "application/json"), ("authorization", "Basic eDo="))


@pytest.fixture
def node(rules: Path, tmp_path: Path) -> Iterator[Node]:
    """A node that has too much to do."""
    node = Node(Settings(rules, tmp_path / "data"))
    node.load.sheds = True
    yield node
    asyncio.run(node.stop())


def test_both_roads_answer_with_nothing(node: Node, roads_to: Any) -> None:
    """The same bytes, marked as degraded, counted; the lane needs no other road for them."""
    with asyncio.Runner() as runner:
        roads = roads_to(runner, build(node))
        lane, plain = roads.say(REQUEST % (len(BODY), BODY))
        assert roads.taken(REQUEST % (len(BODY), BODY))
        refused = roads.say(REQUEST % (1, b"{"))[0]
        roads.close()
    assert lane == plain
    answer = json.loads(lane.partition(b"\r\n\r\n")[2])
    assert answer == {
        "visitorId": "v",
        "ruleset": node.held.decider.ruleset.version,
        "decisions": [],
        "degraded": True,
    }
    assert b"not-json" in refused
    assert dict(Process(node).snapshot().numbers["mutiny_edge_decide_requests"])["shed",] == 3
    assert node.held.decider.tally.results() == {"matched": 0, "unmatched": 0, "degraded": 0}


def test_the_rest_goes_on(node: Node, calling: Callable[..., Any]) -> None:
    """Whoever wants to know what happens can; a question by GET is answered as by POST."""
    call = calling(build(node))
    assert call("GET", "/healthz").status == call("GET", "/readyz").status == call("GET", "/client.js").status == 200
    asked = call("GET", query=b"visitorId=v&url=https://www.example.com/").json
    assert (asked["decisions"], asked["degraded"]) == ([], True)


def test_segment_is_asked_to_come_back(node: Node, calling: Callable[..., Any], tmp_path: Path) -> None:
    """In the words in which its libraries hear it: 429, and when."""
    said = calling(build(node))("POST", "/v1/batch", (b'{"batch": []}',), SEGMENT)
    assert (said.status, said.json["code"], said.headers["retry-after"]) == (429, "too-busy", str(limits.SHED_S))
    assert node.counts.shed == {"ingest": 1}


def test_a_disk_that_does_not_keep_up_is_too_much(rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that wait for it are counted; beyond the bound others are turned away, until most have their answers."""
    monkeypatch.setattr(limits, "IN_FLIGHT", 4)
    monkeypatch.setattr(limits, "LOAD_LOOK_S", 0.001)
    node, goes_on = Node(Settings(rules, tmp_path / "data")), Event()

    def slow() -> Delivery:
        goes_on.wait()
        return Delivery([], [], 0)

    async def run() -> None:
        node.start()
        waiting = [asyncio.ensure_future(node.take(slow, 1)) for _ in range(limits.IN_FLIGHT)]
        await asyncio.sleep(0)
        assert not node.load.sheds
        waiting.append(asyncio.ensure_future(node.take(slow, 1)))
        await asyncio.sleep(0)
        assert node.load.sheds
        goes_on.set()
        await asyncio.gather(*waiting)
        while node.load.sheds:  # noqa: ASYNC110 - it ends by itself
            await asyncio.sleep(0.001)
        await node.stop()

    asyncio.run(asyncio.wait_for(run(), 60))

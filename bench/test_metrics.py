"""What counting costs: page views in the lane as they are, beside the same program without a word of counting in it.

1. The other program is made of the same source: from `lane.py` and `usual.py` every statement is taken out that counts
   or looks at the clock for it (`bench.uncounted`). Both answer the same bytes.
2. As a service: two of them, asked by wrk in turns, and compared by what they compute for a request.
3. Within it: the protocol class from the bytes that arrive to the bytes that are written, without a socket. That is
   half of a request, and all of what counts is in it.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest
from uvicorn import Config

import engine.decide.decider
from bench import http
from bench.service import Service, two_sides
from bench.table import duration, must_be_there, row
from bench.turns import in_turns, ratio
from bench.uncounted import without
from engine.decide import usual
from engine.node import Node
from engine.settings import Settings
from engine.web import lane
from engine.web.app import build
from engine.web.clients import Clients

STORED, ASKED, ROUNDS = 2_000, 500, 60
PAIRS = 15


class Nowhere(asyncio.Transport):
    """Takes what is written, and keeps the last of it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """The newest is kept."""
        self.written = bytes(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is none."""

    def is_closing(self) -> bool:
        """Never."""
        return False


def _way(node: Node, protocol: type[lane.Lane], requests: list[bytes]) -> Callable[[], bytes]:
    """What asks for all of it on one connection, and gives the last answer."""
    config = Config(build(node), log_config=None, proxy_headers=False, access_log=False)
    config.load()
    clients, transport = Clients(), Nowhere()
    connection = protocol(config, clients, {}, asyncio.get_running_loop())
    connection.connection_made(transport)

    def ask() -> bytes:
        for request in requests:
            connection.data_received(request)
        return transport.written

    return ask


async def _measured(folder: Path, monkeypatch) -> dict[str, list[float]]:
    head = b"POST /v1/decide HTTP/1.1\r\nHost: edge.example.com\r\nContent-Type: application/json\r\n"
    asked = [http.question(number) for number in range(ASKED)]
    requests = [b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body) for body in asked]
    settings = Settings(folder / "rules", folder / "data")
    first = Node(settings)
    counted = _way(first, lane.Lane, requests)
    answer = counted()  # the page's function is made now, as it is
    monkeypatch.setattr(engine.decide.decider, "usual", without(usual).usual)
    second = Node(settings, store=first.store)
    uncounted = _way(second, without(lane).Lane, requests)
    assert uncounted() == answer
    assert sum(first.held.decider.tally.results().values()) >= ASKED
    assert sum(first.counts.decided.groups) > 0
    assert sum(second.held.decider.tally.results().values()) < ASKED  # the first one asked at length
    assert sum(second.counts.decided.groups) == 0
    took = in_turns({"counted": counted, "uncounted": uncounted}, rounds=ROUNDS)
    first.store.close()
    return took


def test_counting_in_the_lane(table, tmp_path, monkeypatch):
    """A page view of 200 segments, small headers, without a socket."""
    http.prepare(tmp_path, STORED)
    took = asyncio.run(_measured(tmp_path, monkeypatch))
    times = [duration(sorted(took[way])[ROUNDS // 2] / ASKED) for way in ("counted", "uncounted")]
    found = ratio(took["counted"], took["uncounted"])
    table.append(row("from bytes to bytes in the lane, counted for /metrics", times[0], "not counted", times[1], found))


def test_counting_as_a_service(table, tmp_path):
    """The same over HTTP."""
    if not http.there() and not must_be_there():
        pytest.skip(http.NO_WRK)
    http.prepare(tmp_path, STORED)
    core, _ = two_sides()
    running: dict[str, Service] = {}
    cpu_us: dict[str, list[float]] = {"counted": [], "uncounted": []}
    with ExitStack() as stack:
        for way, module in (("counted", "engine.cli.main"), ("uncounted", "bench.uncounted")):
            running[way] = Service.serving(tmp_path, core, module)
            stack.callback(running[way].end)
        for number in range(PAIRS + 1):
            for way, service in running.items():
                turn = http.turn(service, "small", 1, STORED)
                cpu_us[way] += [turn.cpu_us] if number else []  # the first second is like no other
    times = [duration(median(cpu_us[way]) / 1e6) for way in cpu_us]
    found = ratio(cpu_us["counted"], cpu_us["uncounted"])
    table.append(row("a page view, counted for /metrics", times[0], "not counted", times[1], found, bar="counting"))

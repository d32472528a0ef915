"""The shared store dies under load, in three ways, and comes back: nobody notices but by `degraded`.

1. One worker, a real server behind a stretch of network that counts attempts to connect (`tcp_proxy`). Clients ask at a
   steady pace, for visitors whose traits only the store knows.
2. The faults: `killed` (SIGKILL, and started again with its data), `hung` (SIGSTOP), `swallowed` (the network takes
   everything and delivers nothing).
3. The short form waits for what is bound to happen: answers that are degraded, then none any more. The long form is the
   issue's: 60 s of load, 30 of them without the store, with its figures.
4. Two services with two workers each are six processes, so they are a long form too; its short form is in
   `tests/test_shared.py`, with four nodes in one process.
"""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request

import pytest
from msgspec import Struct

from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.profiles.valkey.address import address
from engine.profiles.valkey.store import ValkeyStore
from engine.segment.sources import Sources

CLIENTS = 8
PACE_S = 0.02  # of each client
VISITORS = 500  # of them half are small companies; and as many are unknown
BUDGET_S = 0.020
LATE_S = 0.010  # beyond the budget: what the issue allows
FAULTS = ("killed", "hung", "swallowed")
PATIENCE_S = 60.0
RULES = """\
segments:
  small: {name: Small, when: "traits.employees < 50"}
  shops: {name: Shops, when: 'page.path == "/shop"'}
experiences:
  site:
    name: Site
    pages: ["https://www.example.com/"]
    audiences: [{segment: small, control: 0%, variants: [{key: v, changes: [{selector: h1, text: Hi}]}]}]
  shop:
    name: Shop
    pages: ["https://www.example.com/shop"]
    audiences: [{segment: shops, control: 0%, variants: [{key: v, changes: [{selector: h1, text: Hi}]}]}]
"""


class Seen(Struct, frozen=True):
    """One answer: for whom, when it was asked for, how long it took."""

    visitor: int
    asked: float
    took_s: float
    status: int
    degraded: bool
    matched: bool


class Load:
    """Clients that ask at a steady pace until `ended`."""

    def __init__(self, wire: Any, url: str) -> None:
        self.seen: list[Seen] = []
        self.ended = asyncio.Event()
        self._wire = wire
        self._address = wire.at(url)

    async def client(self, number: int) -> None:
        """One of them, on one connection."""
        wire = await self._wire.Wire.open(self._address)
        clock = time.monotonic
        due = clock() + PACE_S * number / CLIENTS
        visitor = number
        while not self.ended.is_set():
            await asyncio.sleep(due - clock())
            due = max(due + PACE_S, clock())
            visitor = (visitor + 37) % (2 * VISITORS)
            body = {"visitorId": f"v{visitor}", "page": {"url": "https://www.example.com/"}}
            asked = clock()
            answer = await wire.ask(self._wire.post(json.dumps(body).encode()))
            said = json.loads(answer.body) if answer.status == 200 else {}
            degraded, matched = said.get("degraded", False), bool(said.get("decisions"))
            self.seen.append(Seen(visitor, asked, clock() - asked, answer.status, degraded, matched))
        await wire.close()

    async def until(self, holds: Callable[[list[Seen]], bool]) -> float:
        """Wait until this is true of the last answers; then it is so late."""
        end = time.monotonic() + PATIENCE_S
        while not (len(self.seen) >= 100 and holds(self.seen[-100:])):
            assert time.monotonic() < end, "it did not happen"
            await asyncio.sleep(0.005)
        return time.monotonic()

    def between(self, begin: float, end: float) -> list[Seen]:
        """The answers to what was asked then."""
        return [one for one in self.seen if begin <= one.asked < end]


@pytest.fixture
def known(valkey_servers: Any) -> Any:
    """A server that keeps its data, and knows the visitors."""
    server = valkey_servers.one(aof=True)
    store = ValkeyStore(address(server.url()), node="tests")
    store.apply(
        Change(key("visitor", f"v{number}"), 1, {"employees": 12 if number % 2 else 5000}) for number in range(VISITORS)
    )
    store.close()
    return server


@pytest.fixture
def served(serve: Any, tmp_path: Path, known: Any, proxy_to: Any) -> tuple[Any, Any]:
    """The service in front of it, and the network in between."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "site.yaml").write_text(RULES)
    proxy = proxy_to(known.port)
    url = f"redis://127.0.0.1:{proxy.port}"
    return serve(tmp_path / "rules", "--store", url, "--drain", "0").up(), proxy


def break_(fault: str, server: Any, proxy: Any) -> None:
    """The store is gone."""
    {"killed": server.kill, "hung": server.stop, "swallowed": proxy.swallow}[fault]()


def mend(fault: str, server: Any, proxy: Any) -> None:
    """It is back."""
    {"killed": server.restart, "hung": server.resume, "swallowed": proxy.restore}[fault]()


def all_whole(seen: list[Seen]) -> bool:
    """Nothing is degraded any more."""
    return not any(one.degraded for one in seen)


def all_degraded(seen: list[Seen]) -> bool:
    """Everything is."""
    return all(one.degraded for one in seen)


def right(seen: list[Seen]) -> bool:
    """Who is known to be small is shown what the small are, in every answer that lacks nothing; and nobody else is."""
    small = {number for number in range(VISITORS) if number % 2}
    return all(one.status == 200 and (one.degraded or one.matched == (one.visitor in small)) for one in seen)


async def beside(load: Load, work: Callable[[], Any]) -> None:
    """The load, while this is done."""
    async with asyncio.TaskGroup() as tasks:
        for number in range(CLIENTS):
            tasks.create_task(load.client(number))
        try:
            await work()
        finally:
            load.ended.set()


async def shop(wire: Any, service: Any) -> list[str]:
    """What is shown on a page whose rules look at nobody, which is never degraded."""
    asked = {"visitorId": "v1", "page": {"url": "https://www.example.com/shop"}}
    [answer] = await wire.each(wire.at(service.url), [wire.post(json.dumps(asked).encode())])
    said = json.loads(answer.body)
    assert "degraded" not in said
    return [one["experience"] for one in said["decisions"]]


def test_the_store_goes_and_comes_back(served: tuple[Any, Any], known: Any, wire: Any) -> None:
    """In each of three ways, one after the other: every request is answered, and what can be is right. A page that
    looks at nobody lacks nothing meanwhile.
    """
    service, proxy = served
    load = Load(wire, service.url)

    async def all_faults() -> None:
        await load.until(all_whole)
        for fault in FAULTS:
            gone = time.monotonic()
            await asyncio.to_thread(break_, fault, known, proxy)
            await load.until(all_degraded)
            assert await shop(wire, service) == ["Shop"], fault
            await asyncio.to_thread(mend, fault, known, proxy)
            await load.until(all_whole)
            assert proxy.most_in_a_second(gone) <= 2, fault

    asyncio.run(beside(load, all_faults))
    assert right(load.seen)
    assert not any("Traceback" in line for line in service.log)


@pytest.mark.long
def test_two_nodes_begin_without_their_store(
    serve: Any, tmp_path: Path, known: Any, wire: Any, until: Callable[..., None]
) -> None:
    """Both are ready, degraded, and say why. When it comes, what one of them is told is soon in the other's answers,
    whichever of its workers gives them.
    """
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "site.yaml").write_text(RULES)
    known.kill()
    options = ("--store", known.url(), "--workers", "2", "--drain", "0")
    nodes = [serve(tmp_path / "rules", *options, "--data", str(tmp_path / name)) for name in ("one", "other")]
    one, other = (node.up() for node in nodes)
    asked = wire.post(json.dumps({"visitorId": "v0", "page": {"url": "https://www.example.com/"}}).encode())

    def said(times: int = 1) -> list[Any]:
        return [json.loads(answer.body) for answer in asyncio.run(wire.each(wire.at(other.url), [asked] * times))]

    assert said()[0]["degraded"]
    ready = other.get("/readyz")
    assert ready.status == 200
    assert known.address in ready.json["store"]["trouble"]
    known.restart()
    until(lambda: not any("degraded" in answer for answer in said(20)))
    assert not said()[0]["decisions"]
    message = {"anonymousId": "a0", "traits": {"mutinyVisitorId": "v0", "employees": 12}}
    message["writeKey"] = Sources(tmp_path / "one").add("website", "website")
    sent = Request(one.url + "/v1/identify", json.dumps(message).encode(), {"content-type": "application/json"})
    until(lambda: one.ask(sent).status == 200)
    told = time.monotonic()
    until(lambda: all(answer["decisions"] for answer in said(20)))
    assert time.monotonic() - told < 1.0
    until(lambda: other.get("/readyz").json["store"]["trouble"] is None)


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_a_minute_with_half_of_it_without_the_store(
    served: tuple[Any, Any], known: Any, wire: Any, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the issue has it: none too late, p99 at most doubled, at most two attempts a second, whole again in 2 s."""
    service, proxy = served
    load = Load(wire, service.url)
    times: dict[str, float] = {}

    async def an_outage() -> None:
        await load.until(all_whole)
        times["begun"] = time.monotonic()
        await asyncio.sleep(15)
        times["gone"] = time.monotonic()
        await asyncio.to_thread(break_, fault, known, proxy)
        await asyncio.sleep(30)
        await asyncio.to_thread(mend, fault, known, proxy)
        times["back"] = time.monotonic()
        await asyncio.sleep(15)

    asyncio.run(beside(load, an_outage))
    before, during = load.between(times["begun"], times["gone"]), load.between(times["gone"], times["back"])
    last = max(one.asked for one in load.seen if one.degraded)
    # When it is back, all who need a connection make one.
    most, late = proxy.most_in_a_second(times["gone"], times["back"]), max(one.took_s for one in load.seen)
    figures = (
        f"{fault}: {len(load.seen)} answers, the latest after {1000 * late:.1f} ms; p99 {1000 * p99(before):.2f} ms, "
        f"without the store {1000 * p99(during):.2f} ms; at most {most} attempts in a second; "
        f"whole {last - times['back']:.2f} s after its return"
    )
    with capsys.disabled():
        print(f"\n{figures}")
    assert right(load.seen), figures
    assert late <= BUDGET_S + LATE_S, figures
    assert p99(during) <= 2 * p99(before), figures
    assert most <= 2, figures
    assert last - times["back"] < 2.0, figures


def p99(seen: list[Seen]) -> float:
    """Of 100 answers 99 took no longer."""
    return sorted(one.took_s for one in seen)[len(seen) * 99 // 100]

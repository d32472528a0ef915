"""The engine over a shared store: real servers, that come and go."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from socket import socket
from types import SimpleNamespace
from typing import Any

import pytest

from engine import Engine
from engine.embedded.distant import Closed, Distant
from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.profiles.store import NotAtOnce, Reads
from engine.profiles.valkey.address import address
from engine.profiles.valkey.store import ValkeyStore
from engine.settings import Settings


def write(url: str, *visitors: str) -> None:
    """Store visitors with 12 employees."""
    store = ValkeyStore(address(url), node="tests")
    store.apply([Change(key("visitor", visitor), 1, {"employees": 12}) for visitor in visitors])
    store.close()


@pytest.fixture
def far(site: SimpleNamespace, valkey_server: Any) -> Iterator[Engine]:
    """An engine over a shared store that knows `ada`; with a budget that a busy machine keeps to."""
    write(valkey_server.url(), "ada")
    with Engine.open(site.rules, site.data, valkey_server.url(), read_budget_ms=5_000) as engine:
        yield engine


def test_it_decides_by_what_the_servers_know(far: Engine, site: SimpleNamespace) -> None:
    """In any number of threads, and as JSON; nothing is written in the data folder."""
    found: list[tuple[str | None, bool]] = []

    def ask() -> None:
        for visitor in ("ada", "bob", "ada"):
            answer = far.decide(visitor, url=site.url)
            found.append((answer.variant("homepage"), answer.degraded))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == sorted([("hero", False), (None, False), ("hero", False)] * 6, key=str)
    assert far.decide_json("ada", url=site.url) == far.decide("ada", url=site.url).to_json()
    assert far.trouble is None
    assert not site.data.exists()


def test_what_changes_there_is_seen(far: Engine, site: SimpleNamespace, valkey_server: Any) -> None:
    """Though it was remembered that nothing is known."""
    assert far.decide("bob", url=site.url).variant("homepage") is None
    write(valkey_server.url(), "bob")
    site.until(lambda: far.decide("bob", url=site.url).variant("homepage") == "hero")


def test_an_event_loop_does_not_wait_for_it(far: Engine, site: SimpleNamespace) -> None:
    """Many are asked at once, and each gets its answer."""

    async def run() -> list[str | None]:
        answers = await asyncio.gather(*(far.adecide(visitor, url=site.url) for visitor in ("ada", "bob") * 5))
        return [answer.variant("homepage") for answer in answers]

    assert asyncio.run(run()) == ["hero", None] * 5


def test_a_child_has_connections_of_its_own(far: Engine, site: SimpleNamespace) -> None:
    """As its parent has."""
    assert far.decide("ada", url=site.url).variant("homepage") == "hero"
    assert site.in_child(lambda: (far.decide("ada", url=site.url).variant("homepage"), far.trouble)) == ("hero", None)
    assert far.decide("ada", url=site.url).variant("homepage") == "hero"


def test_who_waits_when_it_closes_is_told(site: SimpleNamespace, valkey_server: Any) -> None:
    """And asks again, by the one that is opened next."""
    far = Distant(Settings(site.rules, site.data, valkey_server.url(), read_budget_ms=60_000), 0.0)
    told, asked = [], threading.Event()

    def never(reads: Reads) -> None:
        if reads is not far.near:
            reads.one(key("visitor", "ada"))
        asked.set()
        raise NotAtOnce(asyncio.get_running_loop().create_future())

    def ask() -> None:
        with pytest.raises(Closed):
            far.ask(never)
        told.append(True)

    thread = threading.Thread(target=ask)
    thread.start()
    assert asked.wait(60)
    far.close()
    far.close()
    thread.join()
    assert told
    with pytest.raises(Closed):
        far.ask(never)


def test_servers_that_are_gone_cost_no_page_and_come_back(site: SimpleNamespace, valkey_servers: Any) -> None:
    """Page and visit decide, whether they were down from the beginning, stand still or die; then all is as before."""
    server = valkey_servers.one()
    write(server.url(), "ada")
    server.kill()
    with Engine.open(site.rules, site.data, server.url()) as engine:

        def shown() -> tuple[str | None, str | None, bool]:
            answer = engine.decide("ada", url=site.url)
            return answer.variant("homepage"), answer.variant("banner"), answer.degraded

        assert shown() == (None, "v", True)
        site.until(lambda: engine.trouble)
        server.restart()
        write(server.url(), "ada")
        site.until(lambda: shown() == ("hero", "v", False) and engine.trouble is None)
        server.stop()
        site.until(lambda: engine.decide("bob", url=site.url).degraded)
        server.resume()
        site.until(lambda: not engine.decide("eve", url=site.url).degraded and shown() == ("hero", "v", False))


@pytest.mark.parametrize("mute", [False, True])
def test_a_degraded_answer_says_why_from_the_first_one_on(site: SimpleNamespace, mute: bool) -> None:
    """Whether nobody is there, or somebody who takes connections and says nothing; no look at the store is needed."""
    with closing(socket()) as server:
        server.bind(("127.0.0.1", 0))
        if mute:
            server.listen()
        at = f"127.0.0.1:{server.getsockname()[1]}"
        with Engine.open(site.rules, site.data, f"redis://{at}/0") as engine:
            at_first, answer, then = engine.trouble, engine.decide("ada", url=site.url), engine.trouble
            assert answer.degraded
            for trouble in (at_first, then):
                assert at in str(trouble) or trouble == "the store is not connected yet"


def test_an_address_that_is_none_is_told_at_once(site: SimpleNamespace) -> None:
    """It is the program's own."""
    with pytest.raises(ValueError, match="memcached"):
        Engine.open(site.rules, site.data, "memcached://localhost")

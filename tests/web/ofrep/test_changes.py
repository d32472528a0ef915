"""Law: who listens hears of every other ruleset, once, whatever falls between; who does not read costs nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine import limits
from engine.node import Node
from engine.settings import Settings
from engine.web.app import build
from engine.web.ofrep import changes
from engine.web.ofrep.changes import Changes

EVENTS = "/ofrep/v1/events"
NOON = datetime(2099, 1, 1, 12, tzinfo=UTC)


class Listener:
    """A client of the stream, in this process."""

    def __init__(self, app: Any, query: bytes = b"", *headers: tuple[bytes, bytes]) -> None:
        self._app = app
        self._scope = {"type": "http", "method": "GET", "path": EVENTS, "query_string": query, "headers": list(headers)}
        self._scope |= {"client": ("192.0.2.1", 1), "root_path": ""}
        self._leaves = asyncio.Event()
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.status = 0

    async def run(self) -> None:
        """Listen until it is over."""

        async def receive() -> dict[str, Any]:
            await self._leaves.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            await self.reads.wait()
            self._said.put_nowait(message)

        await self._app(self._scope, receive, send)

    def leave(self) -> None:
        """Go away."""
        self._leaves.set()

    async def heard(self) -> str:
        """The next thing that is said; empty at the end."""
        while True:
            message = await self._said.get()
            self.status = message.get("status", self.status)
            if message.get("body") or message.get("more_body") is False:
                return str(message["body"].decode())
            if message["type"] == "http.response.body" and not message.get("more_body"):
                return ""

    async def event(self) -> dict[str, Any]:
        """The data of the next event."""
        while True:
            lines = (await self.heard()).splitlines()
            data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
            if data:
                return dict(json.loads(data[0]))


@pytest.fixture
def clock(node: Node, dated: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """`clock.s`: seconds after `NOON`, at which two experiences begin, as one does a minute later; -1 at first."""
    clock = SimpleNamespace(s=-1)
    monkeypatch.setattr(changes, "utc_now", lambda: NOON + timedelta(seconds=clock.s))
    dated(NOON, NOON - timedelta(seconds=0.5), NOON + timedelta(minutes=1), NOON.replace(year=9_999))
    taken(node)
    return clock


@pytest.fixture
def node(rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """A node of its own, whose rules change when they are told to, which is noticed soon."""
    monkeypatch.setattr(limits, "LOOK_INTERVAL_S", 0.01)
    node = Node(Settings(rules, tmp_path / "data"))
    yield node
    node.store.close()


def taken(node: Node) -> None:
    """Look until the files are in use."""
    before = node.held
    while node.held is before:
        node.rules.step()


def version(node: Node) -> str:
    """Of the ruleset in use."""
    return node.held.decider.ruleset.version


@asynccontextmanager
async def listening(node: Node, *listeners: Listener) -> AsyncIterator[None]:
    """They listen meanwhile; in the end all leave."""
    async with asyncio.TaskGroup() as tasks:
        for listener in listeners:
            tasks.create_task(listener.run())
        yield
        for listener in listeners:
            listener.leave()
    await node.jobs.stop()


def run(story: Callable[[], Awaitable[None]]) -> None:
    """What happens, to its end."""

    async def told() -> None:
        async with asyncio.timeout(60):
            await story()

    asyncio.run(told())


def test_a_change_is_told_to_all_who_listen(node: Node, edited: Callable[[int], None]) -> None:
    """With the version that it has now; each then knows it, and hears nothing twice."""
    app = build(node)

    async def story() -> None:
        listeners = [Listener(app), Listener(app)]
        async with listening(node, *listeners):
            for listener in listeners:
                assert f"id: {version(node)}\n" in await listener.heard()
            for edition in (2, 3):
                edited(edition)
                await asyncio.to_thread(taken, node)
                for listener in listeners:
                    event = await listener.event()
                    assert (event["type"], event["etag"]) == ("refetchEvaluation", version(node))
                    assert event["lastModified"] == int(node.held.since.timestamp())

    run(story)


def test_a_date_that_passes_is_told_once(node: Node, clock: SimpleNamespace) -> None:
    """Whatever begins within its second, by the version that there was; a clock that is set back is told as well."""

    async def story() -> None:
        listener = Listener(build(node))
        async with listening(node, listener):
            assert f"id: {version(node)}\n" in await listener.heard()
            for clock.s, told_s in ((0, 0), (1, None), (60, 60), (59, 0)):
                if told_s is not None:
                    event = await listener.event()
                    assert event["etag"] == version(node)
                    assert event["lastModified"] == int(NOON.timestamp()) + told_s
                await asyncio.sleep(0.05)  # some looks later
                assert listener._said.empty()

    run(story)


def test_who_was_away_when_a_date_passed_is_told_at_once(node: Node, clock: SimpleNamespace) -> None:
    """And who comes with an answer that may be from before it; not for long, for the answer has no date."""
    now, app = version(node).encode(), build(node)

    async def is_told(query: bytes, *headers: tuple[bytes, bytes]) -> bool:
        listener = Listener(app, query, *headers)
        async with listening(node, listener):
            return "data: " in await listener.heard()

    async def story() -> None:
        clock.s = 1
        asked: tuple[tuple[Any, ...], ...] = ((b"", (b"last-event-id", now)), (b"ruleset=" + now,))
        assert [await is_told(*one) for one in asked] == [True, True]
        clock.s = 59
        assert [await is_told(*one) for one in asked] == [True, False]

    run(story)


@pytest.mark.parametrize(
    ("query", "headers", "told"),
    [
        (b"", (), False),
        (b"ruleset=NOW", (), False),
        (b"ruleset=0badcafe", (), True),
        (b"ruleset=NOW", ((b"last-event-id", b"0badcafe"),), True),
        (b"ruleset=0badcafe", ((b"last-event-id", b"NOW"),), False),
        (b"", ((b"last-event-id", b"\xff"),), True),
    ],
)
def test_who_comes_with_other_rules_is_told_at_once(
    node: Node, query: bytes, headers: tuple[tuple[bytes, bytes], ...], told: bool
) -> None:
    """What a client heard last counts before the answer that led it here."""
    now = version(node).encode()
    listener_of = build(node)

    async def story() -> None:
        asked = [(name, value.replace(b"NOW", now)) for name, value in headers]
        listener = Listener(listener_of, query.replace(b"NOW", now), *asked)
        async with listening(node, listener):
            first = await listener.heard()
            assert first.startswith("retry: ")
            assert ("data: " in first) == told
            assert first.endswith("\n\n")

    run(story)


def test_clients_come_back_one_after_the_other(node: Node) -> None:
    """Each is told another pause, of two to four seconds."""
    app = build(node)

    async def story() -> None:
        listeners = [Listener(app) for _ in range(5)]
        async with listening(node, *listeners):
            pauses = {int((await one.heard()).split()[1]) for one in listeners}
        assert len(pauses) == 5
        assert all(limits.STREAM_RETRY_MS <= pause < 2 * limits.STREAM_RETRY_MS for pause in pauses)

    run(story)


def test_a_silent_stream_says_a_comment(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which clients pass over, and proxies count."""
    monkeypatch.setattr(limits, "STREAM_ALIVE_S", 0.01)

    async def story() -> None:
        listener = Listener(build(node))
        async with listening(node, listener):
            assert [await listener.heard() for _ in range(3)][1:] == [":\n\n", ":\n\n"]

    run(story)


def test_streams_are_bounded_and_a_place_is_free_when_somebody_leaves(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One too many is told to poll; that a client is gone is noticed."""
    monkeypatch.setattr(limits, "EVENT_STREAMS", 1)
    app = build(node)

    async def story() -> None:
        first, second, third = Listener(app), Listener(app), Listener(app)
        async with listening(node, first):
            await first.heard()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(second.run())
                refused = json.loads(await second.heard())
            assert (second.status, refused["errorCode"]) == (429, "GENERAL")
            first.leave()
            assert await first.heard() == ""
            async with listening(node, third):
                assert (await third.heard(), third.status)[1] == 200

    run(story)


def test_who_does_not_read_is_told_the_newest_alone(node: Node, edited: Callable[[int], None]) -> None:
    """However often the rules change meanwhile, nothing piles up."""

    async def story() -> None:
        listener = Listener(build(node))
        async with listening(node, listener):
            await listener.heard()
            listener.reads.clear()
            for edition in (2, 3, 4, 5):
                edited(edition)
                await asyncio.to_thread(taken, node)
                await asyncio.sleep(0.05)  # it is noticed, and may not be told
            listener.reads.set()
            told = [(await listener.event())["etag"] for _ in range(2)]
            assert told[1] == version(node)
            assert listener._said.empty()

    run(story)


def test_the_end_of_the_service_is_the_end_of_the_stream(node: Node) -> None:
    """When draining begins; and who comes then is sent away after one word."""
    app = build(node)

    async def story() -> None:
        listener, late = Listener(app), Listener(app)
        async with listening(node, listener):
            await listener.heard()
            node.draining = True
            assert await listener.heard() == ""
            async with listening(node, late):
                assert [bool(await late.heard()), bool(await late.heard())] == [True, False]

    run(story)


def test_a_worker_that_is_behind_catches_up_first(node: Node, edited: Callable[[int], None]) -> None:
    """A client that was told of rules by another worker gets them, not a 304 of those before."""

    async def story() -> None:
        changes, answered_by = Changes(node), []
        before = version(node)
        await changes.caught_up("")
        await changes.caught_up(before)
        edited(2)

        async def wait(told_of: str) -> None:
            await changes.caught_up(told_of)
            answered_by.append(version(node))

        other = Node(Settings(node.settings.rules, node.settings.data.with_name("other")))
        other.store.close()
        await asyncio.gather(wait(version(other)), asyncio.to_thread(taken, node))
        assert answered_by == [version(other)] != [before]
        await changes.caught_up(before)  # it was here: nobody waits for what is over
        await node.jobs.stop()

    run(story)


def test_nobody_waits_for_long_and_not_many_do(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """What never comes is not waited for; beyond a number, nobody waits."""
    monkeypatch.setattr(limits, "CATCH_UP_S", 0.01)

    async def story() -> None:
        changes = Changes(node)
        await changes.caught_up("never")
        monkeypatch.setattr(limits, "CATCH_UP_S", 3_600.0)
        monkeypatch.setattr(limits, "CATCHING_UP", 1)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(changes.caught_up("never"))
            await asyncio.sleep(0)
            await changes.caught_up("never")
            waiting.cancel()
        await node.jobs.stop()

    run(story)

"""Word of other answers, by server-sent events: whoever listens asks anew as soon as other rules decide, or the same
ones otherwise, because an experience begins or ends by its `schedule`.

What lives here: the address of the stream, who listens, what they are told. What may not: evaluating.

1. A stream says `refetchEvaluation` when the *edition* of its worker is another one, and no more: clients ask again. An
   edition is a ruleset, and the newest of its dates that has passed (`decide.dates`): each look sees by the clock which
   one it is, so nothing waits for a date, however far it is, and whatever becomes of clock or rules. What Segment says
   of one visitor is no such change; who wants to see that polls, and mostly gets 304.
2. The id of an event names the edition. Whoever comes with another one, that of the last event that it saw
   (`Last-Event-ID`), is told at once, and so is who comes with an answer of another ruleset (`?ruleset=`) or from
   before a date that has just passed: no change falls between answer and stream, or between two connections. The tag
   of an answer hangs on the ruleset and on what it says, never on the date: where nothing changed it is 304.
3. Workers notice new files each by itself, one a moment after the other. A client that was told by one and asks another
   waits for it that moment (`caught_up`), for it is not told a second time.
4. A comment goes out when nothing else did for a while, or proxies would cut the connection. A client that is gone is
   noticed at once, one that does not read ends by the guard's deadlines: its answer is bounded.
5. Streams are bounded in number: beyond that it is 429, and clients poll. So are therefore those who ask anew at once,
   also when all workers see the same date pass. While draining all streams end; clients come back by themselves, each
   after another pause, so that they do not come at once.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import msgspec
from msgspec import Struct
from starlette.types import Receive

from engine import limits
from engine.node import Node, utc_now
from engine.web.door import Reply, Say
from engine.web.ofrep.addresses import RULESET, field
from engine.web.refusal import Refused
from engine.web.request import Request

_COMMENT: Final = b":\n\n"
_POLL_S: Final = 60  # after which a client that found no place may look again
# nginx keeps answers back until it has some kilobytes of them, unless it is told not to.
_HEADERS: Final = ((b"x-accel-buffering", b"no"),)
_ANSWERED: Final = timedelta(seconds=limits.ANSWERED_S)


class Edition(Struct, frozen=True):
    """What decides: a ruleset, by its dates as of some moment; `since` is when that began, in seconds since 1970.

    `id` is its name: the ruleset's version, and the newest date that has passed, if one has.
    """

    id: str
    version: str
    since: int


class Changes:
    """The streams of one worker."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._bells: set[asyncio.Event] = set()
        self._streams = 0
        self._came = 0
        self._waiting = 0
        self._seen: tuple[str, bool] | None = None  # what the bells rang for last; None while nobody has one
        self._past = deque([self._version], limits.RULESETS_REMEMBERED)

    @property
    def _version(self) -> str:
        return self._node.held.decider.ruleset.version

    @property
    def _edition(self) -> Edition:
        held = self._node.held
        version, newest = held.decider.ruleset.version, held.decider.dates.newest(utc_now())
        return Edition(_id(version, newest), version, max(int(held.since.timestamp()), newest))

    def _known(self, request: Request) -> str:
        """The edition that the client has; of an answer it is that of a few seconds ago."""
        if told := request.headers.get(b"last-event-id"):
            return told.decode("latin-1")
        newest = self._node.held.decider.dates.newest(utc_now() - _ANSWERED)
        return _id(field(request.query, RULESET) or self._version, newest)

    @contextmanager
    def _bell(self) -> Iterator[asyncio.Event]:
        """It rings whenever the edition is another one, and when the end begins."""
        if self._seen is None:
            self._seen = self._edition.id, self._node.draining
            self._node.jobs.start("flag-changes", self._watch)
        bell = asyncio.Event()
        self._bells.add(bell)
        try:
            yield bell
        finally:
            self._bells.discard(bell)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(limits.LOOK_INTERVAL_S)
            edition = self._edition
            now = edition.id, self._node.draining
            if now != self._seen:
                if edition.version not in self._past:
                    self._past.append(edition.version)
                self._seen = now
                for bell in self._bells:
                    bell.set()

    async def caught_up(self, version: str) -> None:
        """Return once this ruleset is in use here, or has been; or after a moment, for it may never come."""
        if not version or version in self._past or self._waiting >= limits.CATCHING_UP:
            return
        self._waiting += 1
        try:
            with self._bell() as bell:
                async with asyncio.timeout(limits.CATCH_UP_S):
                    while self._version != version:
                        bell.clear()
                        await bell.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1

    async def stream(self, request: Request) -> Reply:
        """An answer that goes on until the client is gone, or we are."""
        if self._streams >= limits.EVENT_STREAMS:
            raise Refused("too-many-requests", "All event streams are taken; poll instead.", retry_after_s=_POLL_S)
        known = self._known(request)

        async def rest(say: Say) -> None:
            self._streams += 1
            self._came += 1
            try:
                with self._bell() as bell:
                    async with asyncio.TaskGroup() as both:
                        gone = both.create_task(_until_gone(request.receive, bell))
                        await self._speak(known, bell, gone, say)
                        gone.cancel()
            finally:
                self._streams -= 1

        return Reply(b"", media_type=b"text/event-stream", headers=_HEADERS, rest=rest)

    async def _speak(self, known: str, bell: asyncio.Event, gone: asyncio.Task[None], say: Say) -> None:
        pause_ms = limits.STREAM_RETRY_MS + self._came * limits.STREAM_RETRY_STEP_MS % limits.STREAM_RETRY_MS
        edition = self._edition
        await say(b"retry: %d\n%b" % (pause_ms, _told(edition, known)))
        while True:
            known = edition.id
            bell.clear()
            if gone.done() or self._node.draining:
                return
            edition = self._edition
            if edition.id != known:
                await say(_told(edition, known))
                continue
            try:
                async with asyncio.timeout(limits.STREAM_ALIVE_S):
                    await bell.wait()
            except TimeoutError:
                await say(_COMMENT)


def _id(version: str, newest: int) -> str:
    return f"{version}.{newest}" if newest else version


def _told(edition: Edition, known: str) -> bytes:
    """Which edition decides; an event where that is not the one that was known."""
    event = {"type": "refetchEvaluation", "etag": edition.version, "lastModified": edition.since}
    data = b"" if edition.id == known else b"data: %b\n" % msgspec.json.encode(event)
    return b"id: %b\n%b\n" % (edition.id.encode(), data)


async def _until_gone(receive: Receive, bell: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    bell.set()

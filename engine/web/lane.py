"""The fast lane: `POST /v1/decide` answered where its bytes arrive, without scope, task or app (DESIGN 10).

What lives here: which request may take it, and its way. What may not: an answer, a head, a limit of its own; those are
`decide.Straight`'s, the door's and the guard's, so that both roads say the same bytes.

1. A request is *usual* when its head shows nothing but HTTP/1.1, a body of known length in JSON or text and a
   connection that goes on, when nobody waits for an answer on it, and when it comes alone. Most are. All others go the
   ordinary road, through guard and app, and so does whatever has an unusual answer: a refusal, a fault.
2. Nothing is taken before the answer is made, and a decision writes nothing. So a request that turns out to be unusual
   begins its ordinary road with its first byte, and nobody can tell that it was looked at.
3. A client says the same again: the head of its next request is byte by byte that of the one before, but for the
   length of the body. What was usual is usual again, and is not examined a second time.
4. A parser like the ordinary road's examines every byte here too, only that it calls no Python: headers and body go
   straight into a map and a list. What is wrong there is wrong here, and a header costs little.
5. A request that comes in pieces is held until it is whole. What happens to the connection before (the next sweep, the
   client's end, a shutdown) gives it to the ordinary road, where its deadlines are.
6. One whose profile is on its way from a shared store is held as well, and answered here when that has come, or when
   its time is over, which is short: no sweep takes it away. If its client says something more meanwhile, both go the
   ordinary road, where the order of answers is kept.
7. With another app than ours, or where every request is logged, there is no lane.
"""

import asyncio
from contextlib import suppress
from time import perf_counter
from types import SimpleNamespace
from typing import Any, Final

import httptools
from uvicorn.config import Config

from engine import limits
from engine.counts import EVERY
from engine.profiles.store import NotAtOnce
from engine.web.app import App
from engine.web.clients import NEVER, Clients
from engine.web.decide import Straight
from engine.web.guard import IDLE, Guard
from engine.web.request import TYPES

_FIRST_LINE: Final = b"POST /v1/decide HTTP/1.1\r\n"
_NO_HEAD: Final = b"GET"  # so begins no request that comes here
_LENGTHS: Final = (b"\r\nContent-Length: ", b"\r\ncontent-length: ")
_KEPT_BYTES: Final = 4_096  # of a head, for every connection that lies idle; a browser's has 700
_HOPES: Final = 8  # a client whose every head is another (a proxy that numbers them) is not to pay for all of them
_ONE: Final = (None,)
_GOES_ON: Final = frozenset({b"keep-alive", b"Keep-Alive"})
_FEW_BYTES: Final = 4 * limits.HEADERS  # as many headers as are allowed take more
_LENGTH_DIGITS: Final = len(str(limits.DECIDE_BODY_BYTES))

# Headers on which a request's way hangs, and those of them that always lead to the ordinary road.
_UNUSUAL: Final = frozenset({b"expect", b"upgrade", b"transfer-encoding", b"content-encoding", b"proxy-connection"})
_HEEDED: Final = _UNUSUAL | {b"connection", b"content-type", b"content-length"}
# Headers that are normal, in the two ways in which they are written; others are looked at one by one.
_NORMAL: Final = frozenset(
    written
    for name in (
        *(
            b"host",
            b"connection",
            b"content-type",
            b"content-length",
            b"accept",
            b"accept-encoding",
            b"accept-language",
        ),
        *(b"cache-control", b"cookie", b"dnt", b"origin", b"pragma", b"priority", b"referer", b"te", b"user-agent"),
        *(b"sec-ch-ua", b"sec-ch-ua-mobile", b"sec-ch-ua-platform", b"sec-gpc"),
        *(b"sec-fetch-dest", b"sec-fetch-mode", b"sec-fetch-site", b"sec-fetch-storage-access"),
        *(b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto"),
        *(b"x-real-ip", b"x-request-id", b"traceparent", b"tracestate"),
    )
    for written in (name, name.title())
)


class Lane(Guard):
    """One connection, guarded, with the lane in front."""

    _straight: Straight  # of an app of ours

    def __init__(
        self,
        config: Config,
        server_state: Clients,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        app = config.loaded_app
        self._is_there = isinstance(app, App) and not config.access_log
        if isinstance(app, App):
            self._straight = app.straight
            self.cors = app.cors
        self._said: dict[bytes, bytes] = {}  # its headers, under the names that were sent
        self._body: list[bytes] = []
        self._first: list[None] = []  # empty once it has begun
        self._whole: list[None] = []  # empty once it was whole
        self._held = b""
        self._waiting: asyncio.Task[None] | None = None  # for what the answer to `_held` needs
        self._peer: str | None = None
        # The head of the last request that was answered here, around its length; the headers in it.
        self._before, self._behind = _NO_HEAD, b""
        self._said_there: dict[bytes, bytes] = {}
        self._hopes = _HOPES  # how often a head is still kept before one was sent again
        self._examine_anew()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """A client."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else None

    def _examine_anew(self) -> None:
        """Nothing of the next request was seen. A second one finds no place to begin, which the examiner raises."""
        calls = SimpleNamespace(
            on_message_begin=self._first.pop,
            on_header=self._said.__setitem__,
            on_body=self._body.append,
            on_message_complete=self._whole.pop,
        )
        self._examiner = httptools.HttpRequestParser(calls)
        self._said.clear()
        self._body.clear()
        self._first[:] = self._whole[:] = _ONE

    def data_received(self, data: bytes) -> None:
        """Some bytes."""
        if self._waiting is not None:
            self._release(data)
            return
        if self._held:
            held, self._held = self._held + data, b""
            taken = self._answered(data, held)
        else:
            held, cycle = data, self.cycle
            taken = (
                data.startswith(_FIRST_LINE)
                and self._is_there
                and self._state == IDLE
                and (cycle is None or cycle.response_complete)
                and not self.flow.write_paused
                and (self._answered_again(data) if data.startswith(self._before) else self._answered(data, held))
            )
        if not taken:
            super().data_received(held)

    def _answered_again(self, data: bytes) -> bool:
        """Answer a request whose head begins as the last one's, or hold it, as `_answered` does."""
        start, behind = len(self._before), self._behind
        end = data.find(b"\r", start)
        length, body = data[start:end], data[end + len(behind) :]
        if (
            data.startswith(behind, end)
            and len(length) <= _LENGTH_DIGITS
            and length.isdigit()
            and int(length) == len(body) <= limits.DECIDE_BODY_BYTES
        ):
            self._hopes = _HOPES
            return not self.server_state.draining and self._write_answer(body, self._said_there, data)
        return self._answered(data, data)

    def _keep_head(self, held: bytes) -> None:
        """Note the head of a request that was answered here."""
        self._hopes -= 1
        head, end, _ = held.partition(b"\r\n\r\n")
        for name in _LENGTHS:
            before, found, behind = (head + end).partition(name)
            if found and len(head) <= _KEPT_BYTES:
                self._before, self._behind = before + found, behind[behind.find(b"\r") :]
                self._said_there = self._said.copy()

    def _answered(self, data: bytes, held: bytes) -> bool:
        """Answer the request of which all bytes are `held`, the newest being `data`, or go on holding it."""
        try:
            self._examiner.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._examine_anew()
            return False
        said, body = self._said, self._body
        usual = _is_usual(said, held)
        if self._whole:
            if usual:
                self._held = held
            else:
                self._examine_anew()
            return usual
        done = (
            usual
            and not self.server_state.draining
            and self._write_answer(body[0] if len(body) == 1 else b"".join(body), said, held)
        )
        if done and self._hopes:
            self._keep_head(held)
        said.clear()
        body.clear()
        self._first.append(None)
        self._whole.append(None)
        return done

    def _write_answer(self, body: bytes, said: dict[bytes, bytes], held: bytes) -> bool:
        """Answer a whole and usual request, or have it answered later; False where its answer cannot be given here."""
        state = self.server_state
        try:
            answer = self._straight.answer(body, said, self._peer, state.lines)
        except NotAtOnce as missed:
            self._held = held
            self._deadline = NEVER
            began = self._straight.took_back()
            self._waiting = self.loop.create_task(self._write_later(body, said.copy(), missed, began))
            return True
        except Exception:  # noqa: BLE001 - it happens again on the ordinary road, where it is told and logged
            return False
        if answer is None:
            return False
        self.transport.write(answer)
        state.total_requests = answered = state.total_requests + 1
        if not answered % EVERY:
            self._straight.time_next()
        self._lie_idle()
        return True

    async def _write_later(self, body: bytes, said: dict[bytes, bytes], missed: NotAtOnce, began: float) -> None:
        """Answer what is held, when what it needs has come or the time is over."""
        state, answer = self.server_state, None
        with suppress(Exception):  # it happens again on the ordinary road, where it is told and logged
            answer = await self._straight.later(body, said, self._peer, state.lines, missed)
        self._waiting = None
        if answer is None or state.draining:
            self._release()
            return
        self._held = b""
        self.transport.write(answer)
        state.total_requests += 1
        if not state.total_requests % EVERY:
            self._straight.time_next()
        if began:
            self._straight.durations.note(perf_counter() - began)
        self._lie_idle()

    # --- what may come instead of the rest of a body ---

    def sweep(self, tick: int) -> None:
        """See what time it is."""
        if self._waiting is None:
            self._release()
        super().sweep(tick)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override] # as the guard's
        """The client has said all it wants to."""
        self._release()
        return super().eof_received()

    def shutdown(self) -> None:
        """The server takes no more connections."""
        self._release()
        super().shutdown()

    def _release(self, more: bytes = b"") -> None:
        """Give to the ordinary road what is held, and what came now."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._held:
            data, self._held = self._held + more, b""
            super().data_received(data)


def _is_usual(said: dict[bytes, bytes], held: bytes) -> bool:
    """Nothing unusual is among the headers that were seen so far? Their names are as they were sent."""
    size = len(held)
    if size > _FEW_BYTES and (size > limits.HEAD_BYTES or held.count(b"\n") > limits.HEADERS):
        return False
    if not _NORMAL.issuperset(said):
        for name in said.keys() - _NORMAL:
            if name.lower() in _HEEDED:
                return False
    kind = said.get(b"Content-Type") or said.get(b"content-type", b"")
    if kind not in TYPES and kind.partition(b";")[0].strip().lower() not in TYPES:
        return False
    length = said.get(b"Content-Length") or said.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > _LENGTH_DIGITS or int(length) > limits.DECIDE_BODY_BYTES:
        return False
    if b"content-type" in said and b"Content-Type" in said:
        return False
    connection = said.get(b"Connection") or said.get(b"connection")
    return connection is None or (connection in _GOES_ON and held.count(b"onnection:") == 1)

"""The protocol guard: HTTP on one connection, as uvicorn speaks it, with a limit on everything that a client may do.

What lives here: deadlines, sizes and the end of a connection (DESIGN 11). What may not: answers to requests that are
within the limits, the numbers themselves (`engine/limits.py`), the clock (`clients.py`).

1. A connection is idle, in the head of a request, in its body, or deaf. Deadlines hold for the first three while the
   client is the one who is waited for; they are ticks of `Clients`, looked at in its sweep.
2. Heads and bodies are bounded before they are kept: by Content-Length before a byte of the body is read, else while
   counting. `bounds.py` says how much and how long, by path.
3. Whatever is wrong is answered as problem+json with a code of `refusal.CODES`, in its turn: after the answers to
   requests that came before it on the connection. Then nothing more is listened to, and what is still on its way is
   thrown away for a moment, for closing at once would reset the connection and take the answer with it.
4. A client that does not take its answer holds no more than `limits.WRITE_BUFFER_BYTES` and one answer, for
   `limits.WRITE_S`.
5. While draining, the next answer on each connection says `Connection: close`. In the end idle connections are closed.
6. On the way of an ordinary request, which comes in one piece, stand a few comparisons and no timer. Deadlines are
   set only when a piece ends within a request: until then nobody is waited for.
"""

import asyncio
from collections.abc import Collection
from typing import Any, Final

import httptools
from uvicorn._types import HTTPScope
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from engine import limits
from engine.web import lastwords
from engine.web.bounds import OTHER, Bounds, body_too_large, head_too_large, of_url, url_too_long
from engine.web.clients import NEVER, Clients, ticks
from engine.web.door import TAKEN_BACK, Cors
from engine.web.refusal import Refused

# What a connection is doing.
IDLE: Final = 0  # no byte of a request yet; earlier ones may still be waiting for their answers
HEAD: Final = 1
BODY: Final = 2
DEAF: Final = 3  # nothing that it says counts any more

_FIRST_BYTE: Final = ticks(limits.FIRST_BYTE_S)
_KEEP_ALIVE: Final = ticks(limits.KEEP_ALIVE_S)
_HEADERS: Final = ticks(limits.HEADERS_S)
_WRITE: Final = ticks(limits.WRITE_S)
_LINGER: Final = ticks(limits.LINGER_S)
_LAST_CALL: Final = ticks(limits.LAST_CALL_S)
_LAST_ANSWER: Final = OTHER.request_ticks


class _Flow(FlowControl):
    """Listens again only when no request waits: uvicorn's would, with every answer, and so queue ever more of them."""

    def __init__(self, transport: asyncio.Transport, waiting: Collection[object]) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """If there is room for more."""
        if self.read_paused and not self._waiting:
            self.read_paused = False
            self._transport.resume_reading()


class Guard(HttpToolsProtocol):
    """One connection. Its server's state must be `Clients`. `cors`: which websites' scripts may read its refusals."""

    server_state: Clients
    cors = Cors(("*",))

    def __init__(
        self,
        config: Config,
        server_state: Clients,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url = b""
        self._state = IDLE
        self._deadline = NEVER
        self._idle_ticks = _FIRST_BYTE  # how long it may be idle
        self._begun = 0  # the tick at which the request that is arriving began
        self._arriving: HTTPScope | None = None  # that request, once its beginning was noted
        self._complete: HTTPScope | None = None  # the last request that arrived in whole
        self._fed = 0  # bytes since the request began, and of the piece that it began in
        self._earlier = 0  # of these, those of pieces that hold an earlier request too
        self._room = 0  # bytes of body that may still come
        self._wishes_upgrade = False
        self._ahead: RequestResponseCycle | None = None  # while others wait: the one that is being answered
        self._unread = 0  # sweeps that saw something written and not taken
        self._last_words: bytes | None = None

    # --- the life of a connection ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """A client."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self.pipeline)
        transport.set_write_buffer_limits(high=limits.WRITE_BUFFER_BYTES)
        self._deadline = self.server_state.tick + self._idle_ticks

    def connection_lost(self, exc: Exception | None) -> None:
        """The end. uvicorn's tells only the newest request."""
        if self._ahead is not None:
            self._ahead.disconnected = True
            self._ahead.message_event.set()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override] # uvicorn's never keeps the connection
        """A client that has said all it wants to may still be waiting for the answer; others are gone."""
        if self._state != DEAF and self._answering():
            self._state = DEAF
            self._deadline = self.server_state.tick + _LAST_ANSWER
            self.cycle.keep_alive = False
            return True
        return self._state == DEAF and self._deadline == NEVER

    def shutdown(self) -> None:
        """The server takes no more connections: this one ends with its next answer, or at once if it lies idle."""
        if self._answering():
            self.cycle.keep_alive = False
        elif self._state == IDLE:
            self._deadline += _LAST_CALL - self._idle_ticks
            self.sweep(self.server_state.tick)
        else:
            if self._state == BODY:
                self.cycle.keep_alive = False
            self._deadline = min(self._deadline, self.server_state.last_tick)

    def sweep(self, tick: int) -> None:
        """See what time it is."""
        if tick >= self._deadline:
            self._expire()
        if not self.transport.get_write_buffer_size():
            self._unread = 0
            return
        self._unread += 1
        if self._unread == _WRITE or tick >= self.server_state.last_tick:
            self.server_state.count("slow-reader")
            self.transport.abort()

    def resume_writing(self) -> None:
        """The client has taken most of what was written."""
        self._unread = 0
        super().resume_writing()

    def _expire(self) -> None:
        if self.flow.read_paused:
            return  # it is us who do not listen
        if self._state == DEAF:
            self.transport.abort()
        elif self._state != IDLE:
            part = "headers" if self._state == HEAD else "body"
            self._refuse(Refused("request-timeout", f"The {part} did not arrive in time."))
        elif not self._answering():
            self.transport.close()

    # --- what the client sends ---

    def data_received(self, data: bytes) -> None:
        """Some bytes."""
        if self._state == IDLE:
            self._fed, self._earlier = len(data), 0
        elif self._state == DEAF:
            return
        else:
            self._fed += len(data)
        try:
            while data:
                data = self._feed(data)
            if self.scope is not self._complete:
                self._wait_for_the_rest()
        except httptools.HttpParserError as error:
            self._refuse(lastwords.meant(error))
        except Refused as refused:
            self._refuse(refused)

    def _feed(self, data: bytes) -> bytes:
        """Parse; what is still to be parsed comes back."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return self._decline(data[upgrade.args[0] :])
        return b""

    def _decline(self, rest: bytes) -> bytes:
        """Nobody is obliged to upgrade, but the parser takes a body for the other protocol already (Java's client
        wishes for HTTP/2 with its first POST). So a fresh one gets the same head without the wish, and then the rest.
        """
        first = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        lines = [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        data = b"".join([first, *lines, b"\r\n", rest])
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        self._wishes_upgrade, self._state = False, IDLE
        self._fed, self._earlier = len(data), 0
        return data

    def _wait_for_the_rest(self) -> None:
        """A piece ended within a request: see what it claims to be, and until when. Raises `Refused`."""
        if self._arriving is not self.scope:
            self._arriving = self.scope
            self._begun = self.server_state.tick
        if self._state == BODY:
            self._check_body(self._fed - self._earlier, self._bounds())
            return
        self._state = HEAD
        self._deadline = min(self._begun + _HEADERS, self.server_state.last_tick)
        if self._fed - self._earlier > limits.HEAD_BYTES:
            raise url_too_long() if len(self.url) > limits.URL_BYTES else head_too_large()

    def _check_body(self, fed: int, bounds: Bounds) -> None:
        self._deadline = min(self._begun + bounds.request_ticks, self.server_state.last_tick)
        # Neither the framing of chunks nor what may follow them is counted as body.
        most = limits.HEAD_BYTES + limits.CHUNK_OVERHEAD * bounds.body_bytes
        if fed > most or _length(self.scope) > bounds.body_bytes:
            raise body_too_large(bounds)

    def on_headers_complete(self) -> None:
        """All but the body. Raises `Refused`, which ends the parsing."""
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise Refused("not-http", "Nobody is connected with anybody here.")
            self._wishes_upgrade = True
            return
        if len(self.url) > limits.URL_BYTES:
            raise url_too_long()
        if len(self.headers) > limits.HEADERS or (
            self._fed > limits.HEAD_BYTES and self._head_bytes() > limits.HEAD_BYTES
        ):
            raise head_too_large()
        if len(self.pipeline) >= limits.PIPELINE:
            raise Refused("too-many-requests", f"Expected at most {limits.PIPELINE} requests ahead of their answers.")
        before = self.cycle
        HttpToolsProtocol.on_headers_complete(self)
        if len(self.pipeline) == 1:
            self._ahead = before
        self.headers = []  # what follows a chunked body is no header, and nobody asked for it
        self._state = BODY
        self._room = self._bounds().body_bytes
        if self.server_state.draining:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A piece of a body. Raises `Refused`, which ends the parsing."""
        self._room -= len(body)
        if self._room < 0:
            raise body_too_large(self._bounds())
        HttpToolsProtocol.on_body(self, body)

    def on_message_complete(self) -> None:
        """A whole request; from here on the client waits for us."""
        if self._wishes_upgrade:
            return
        HttpToolsProtocol.on_message_complete(self)
        self._state = IDLE
        self._complete = self.scope
        self._earlier = self._fed
        if self.cycle.response_complete:  # it was answered before its body was there
            self._lie_idle()

    def _bounds(self) -> Bounds:
        return of_url(self.url)

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    # --- what it is told ---

    def on_response_complete(self) -> None:
        """A whole answer is written. uvicorn's own would set a timer."""
        if self.pipeline:
            self._ahead = self.pipeline[-1][0]
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self._last_words is not None:
            self._say_last_words()
        elif self._state == IDLE:
            self._lie_idle()
        elif self._state == BODY and self.expect_100_continue and self._room == self._bounds().body_bytes:
            # It was told the end before it began with its body: it need not send that, and then its next request
            # would be taken for the body.
            self._last_words = b""
            self._say_last_words()

    def _lie_idle(self) -> None:
        """All was answered."""
        self._idle_ticks = _KEEP_ALIVE
        self._deadline = self.server_state.tick + _KEEP_ALIVE

    def _answering(self) -> bool:
        """Is a whole request waiting for its answer?"""
        return self.cycle is not None and not self.cycle.response_complete and self._state != BODY

    def _refuse(self, refused: Refused) -> None:
        """Answer the request that is arriving with this, when it is its turn, and listen to nothing more."""
        answered = self._state == BODY and self.cycle.response_complete
        if not answered:  # else whoever did has counted it
            self.server_state.count(refused.code)
        headers = self.scope["headers"] if self._state == BODY else self.headers
        without_body = self.parser.get_method() == b"HEAD"
        words = lastwords.response(
            refused, self.url, headers, self.server_state.lines, self.cors, without_body=without_body
        )
        earlier = bool(self.pipeline) if self._state == BODY else self._answering()
        if self._state == BODY:
            if self.cycle.response_started and not self.cycle.response_complete:
                self.transport.abort()  # in the middle of an answer nothing else can be said
                return
            if answered:
                words = b""
            else:
                self._take_back()
        self._state = DEAF
        self._deadline = NEVER
        self._last_words = words
        if not earlier:
            self._say_last_words()

    def _take_back(self) -> None:
        """Whoever was to answer the request that is arriving finds its client gone."""
        if self.pipeline:
            self.pipeline.popleft()  # the newest; nobody has seen it
        self.cycle.scope["state"][TAKEN_BACK] = True
        self.cycle.disconnected = True
        self.cycle.waiting_for_100_continue = False
        self.cycle.message_event.set()

    def _say_last_words(self) -> None:
        """Say them and no more, then listen until the client is silent too, or for a moment."""
        if self.transport.is_closing():
            return
        if self._last_words:
            self.transport.write(self._last_words)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._state = DEAF
        self._deadline = self.server_state.tick + _LINGER
        self.flow.resume_reading()


def _length(scope: HTTPScope) -> int:
    """What the request says of its body, which the parser has found to be a number; 0 if it says nothing."""
    return max((int(value) for name, value in scope["headers"] if name == b"content-length"), default=0)

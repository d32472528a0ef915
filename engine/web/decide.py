"""`/v1/decide`: the decision for one page view. The hot path of the service.

1. `answer` is the whole of it: bytes in, bytes out, `Refused` for a client's mistake. It awaits nothing, so that
   whoever has a body (this endpoint, the command line, a protocol class) can call it where it stands. Where a shared
   store has to be waited for it raises NotAtOnce, and is called again (`Node.patiently`): it changes nothing.
2. `endpoint` is the same for a request over HTTP, whose question may also stand in the query.
3. While too much is asked at once (`engine.load`) nothing is looked up: the answer is "nothing applies", as degraded.
4. `Straight` is the same once more without a door: for whoever holds head and body as bytes (`lane.py`), and for a
   usual request on any server. The same bytes as the endpoint's; what is unusual is left to that.
"""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Final

from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from engine import limits
from engine.decide.decider import NotAUrl
from engine.decide.wire import to_json
from engine.node import Node
from engine.profiles.ids import is_visitor_id
from engine.profiles.store import NotAtOnce, Reads
from engine.web import ask, preview
from engine.web.door import Answer, Door, Reply
from engine.web.request import TYPES, Headers, Request
from engine.web.surroundings import Proxies
from engine.words import Decision

_OK: Final = STATUS_LINE[200]
_ODD: Final = frozenset(b"%x" % digit for digit in range(1, 16, 2))
_NO_HEADERS: Final[Headers] = {}


def answer(
    body: bytes,
    node: Node,
    headers: Headers,
    peer: str | None,
    proxies: Proxies,
    *,
    store: Reads | None = None,
    names: ask.Names = ask.IN_BODY,
) -> bytes:
    """The decision for a JSON body, as JSON. Raises `Refused` for what the client got wrong, NotAtOnce."""
    said = ask.said_in(body)
    page, visitor_id, visit = said.page, said.visitor_id, said.visit
    if (
        not node.load.sheds
        and page is not None
        and page.url is not None
        and visitor_id is not None
        and not said.traits
        and said.preview is None
        and (visit is None or visit.first_seen is None)
        and is_visitor_id(visitor_id)
    ):
        answered = node.answer(visitor_id, page.url, store)
        if answered is not None:
            return answered
    return _answered(ask.question(said, names), node, headers, peer, proxies, store=store)


def _answered(
    asked: ask.Asked, node: Node, headers: Headers, peer: str | None, proxies: Proxies, *, store: Reads | None
) -> bytes:
    if node.load.sheds:
        node.counts.shed["decide"] += 1
        return to_json(Decision(asked.visitor_id, node.rules.held.decider.ruleset.version, (), (), degraded=True))
    visit = ask.visit(asked, node.rules.held.reads, headers, peer, proxies)
    try:
        if asked.preview is not None:
            return preview.answer(asked, visit, node, store)
        return to_json(node.decide(asked.visitor_id, asked.page, visit, asked.traits, store))
    except NotAUrl:
        raise ask.not_a_url(asked.names) from None


def endpoint(node: Node, proxies: Proxies) -> Answer:
    """What answers at `/v1/decide`."""

    async def answered(request: Request) -> Reply:
        headers, peer = request.headers, request.peer
        if request.method == "POST":
            body = await request.json(limits.DECIDE_BODY_BYTES)
            began = node.counts.begun()
            said = await node.patiently(lambda store: answer(body, node, headers, peer, proxies, store=store))
        else:
            began, asked = node.counts.begun(), ask.from_query(request.query)
            said = await node.patiently(lambda store: _answered(asked, node, headers, peer, proxies, store=store))
        node.counts.ended(began)
        return Reply(said)

    return answered


class Straight:
    """The way from a request to a good answer without the door in between, for whoever asks as most do.

    `answer` is to be called: it is this, or once after `time_next` this with a clock beside it. So what is not timed
    has nothing to look at.
    """

    def __init__(self, node: Node, proxies: Proxies, door: Door, *, traced: bool = False) -> None:
        """`traced`: does a request that belongs to somebody's trace take the ordinary road?"""
        self.answer: Callable[[bytes, Headers, str | None, bytes], bytes | None] = self.__call__
        self.durations = node.counts.decided
        self._began = 0.0  # of an answer that is timed and was not made at once
        self._node = node
        self._proxies = proxies
        self._door = door
        self._heeds_origin = door.heeds_origin
        self._traced = traced
        self._head = door.good_head(None)

    def __call__(
        self, body: bytes, sent: Headers, peer: str | None, lines: bytes, store: Reads | None = None
    ) -> bytes | None:
        """All of the answer; `sent` are the headers as they were written, `lines` those of every answer of the server.

        None where one is written in several ways, of which one would have to count. Raises `Refused`, NotAtOnce.
        """
        head, headers = self._head, _NO_HEADERS
        if self._heeds_origin or self._traced or self._node.rules.held.reads:
            headers = {name.lower(): value for name, value in sent.items()}
            if len(headers) < len(sent) or (self._traced and _is_sampled(headers)):
                return None
            head = self._door.good_head(headers.get(b"origin"))
        answered = answer(body, self._node, headers, peer, self._proxies, store=store)
        return b"".join((_OK, lines, head[0], b"%d" % len(answered), head[1], answered))

    def time_next(self) -> None:
        """Have the next one timed, whoever asks."""
        self.answer = self._timed

    def _timed(self, body: bytes, sent: Headers, peer: str | None, lines: bytes) -> bytes | None:
        self.answer, began = self.__call__, perf_counter()
        try:
            answered = self(body, sent, peer, lines)
        except NotAtOnce:
            self._began = began
            raise
        if answered is not None:
            self.durations.note(perf_counter() - began)
        return answered

    def took_back(self) -> float:
        """When that began which has just raised NotAtOnce, if it is to be timed; else 0."""
        began, self._began = self._began, 0.0
        return began

    async def later(
        self, body: bytes, sent: Headers, peer: str | None, lines: bytes, missed: NotAtOnce
    ) -> bytes | None:
        """The same, for whom it has just raised this: once all is there, or when the time is over. Raises `Refused`."""
        return await self._node.patiently(partial(self, body, sent, peer, lines), missed)

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Answer a POST; or, where it or its answer is unusual, give back what receives the same once more."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if headers.get(b"content-type", b"") not in TYPES or b"content-encoding" in headers or b"expect" in headers:
            return receive
        message = await receive()
        body = message.get("body", b"")
        length = b"%d" % len(body)
        if (
            message.get("more_body")
            or headers.get(b"content-length") != length  # also where nothing is said, and where the client is gone
            or len(body) > limits.DECIDE_BODY_BYTES
        ):
            return _once_more(message, receive)
        peer = scope["client"][0] if scope["client"] else None
        node, proxies = self._node, self._proxies
        began = node.counts.begun()
        try:
            try:
                answered = answer(body, node, headers, peer, proxies)
            except NotAtOnce as missed:
                again = partial(answer, body, node, headers, peer, proxies)
                answered = await node.patiently(lambda store: again(store=store), missed)
        except Exception:  # noqa: BLE001 - it happens again behind the door, where it is told and logged
            return _once_more(message, receive)
        node.counts.ended(began)
        head = self._door.good_head(headers.get(b"origin")) if self._heeds_origin else self._head
        sent = [head.first, (b"content-length", b"%d" % len(answered)), *head.others]
        await send({"type": "http.response.start", "status": 200, "headers": sent})
        await send({"type": "http.response.body", "body": answered})
        return None


def _is_sampled(headers: Headers) -> bool:
    """Does whoever asks keep a trace of it? `traceparent` ends with two digits, of which the last bit says so."""
    return headers.get(b"traceparent", b"")[-1:] in _ODD


def _once_more(first: Message, receive: Receive) -> Receive:
    """What receives this message, and then what else comes."""
    waiting = [first]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received

"""`/v1/decide`: `answer(body, …) -> bytes`, and the raw ASGI endpoint around it. The hot path of the service.

What lives here: methods, sizes, media types and CORS of this one address. What may not: the shape of a request (`ask`),
what headers mean (`surroundings`), deciding (the node).

1. `answer` is the whole of it: bytes in, bytes out, `Refused` for a client's mistake. It awaits nothing, so that
   whoever has a body (this endpoint, a protocol class) can call it where it stands.
2. A body over the limit is refused before it is read where Content-Length says so, else as soon as it is too long; the
   connection is closed then, since the rest of the body is still on its way.
3. CORS: any origin, or those listed; never with credentials. A JSON body sent as `text/plain` needs no preflight.
4. A device and a place are worked out only if the ruleset in use reads them.
"""

import logging
from collections.abc import Sequence
from typing import TypeAlias

from starlette.types import Receive, Scope, Send

from engine import limits
from engine.decide.decider import NotAUrl
from engine.decide.wire import to_json
from engine.node import Node
from engine.web import ask
from engine.web.refusal import MEDIA_TYPE, Refused
from engine.web.surroundings import Headers, Proxies, device, place
from engine.words import Visit

log = logging.getLogger("mutiny_edge.web")

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]

_LENGTH_DIGITS = 18  # a length of more digits is too large whatever they are, and Python reads no number of 5,000
_METHODS = b"GET, HEAD, POST, OPTIONS"
_PREFLIGHT_AGE_S = b"86400"  # browsers cap it at 2 to 24 hours by themselves
_NO_STORE = (b"cache-control", b"no-store")
_JSON = (b"content-type", b"application/json")
_TYPES = frozenset({b"application/json", b"text/plain", b""})


def answer(body: bytes, node: Node, headers: Headers, peer: str | None, proxies: Proxies) -> bytes:
    """The decision for a JSON body, as JSON. Raises `Refused` for what the client got wrong."""
    return _answered(ask.from_body(body), node, headers, peer, proxies)


def answer_query(query: bytes, node: Node, headers: Headers, peer: str | None, proxies: Proxies) -> bytes:
    """The same for a query string."""
    return _answered(ask.from_query(query), node, headers, peer, proxies)


def _answered(asked: ask.Asked, node: Node, headers: Headers, peer: str | None, proxies: Proxies) -> bytes:
    reads = node.held.reads
    seen = {**device(headers), **asked.device} if "device" in reads else asked.device
    where = place(headers) if "geo" in reads and proxies.trust(peer) else {}
    visit = Visit(asked.count, asked.first_seen, asked.new, seen, where)
    try:
        return to_json(node.decide(asked.visitor_id, asked.page, visit, asked.traits))
    except NotAUrl:
        raise Refused("bad-url", "Expected `page.url` as browsers show it: https://www.example.com/pricing") from None


class Cors:
    """Which origins may read answers: every one (`*`) or those listed, compared as browsers send them."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._for_any: RawHeaders | None = [(b"access-control-allow-origin", b"*")] if "*" in origins else None
        self._origins = frozenset(origin.rstrip("/").lower().encode() for origin in origins)

    def headers(self, origin: bytes | None) -> RawHeaders:
        """The headers of an answer to a request with this `Origin`."""
        if self._for_any is not None:
            return self._for_any
        if origin is None or origin.lower() not in self._origins:
            return [(b"vary", b"Origin")]
        return [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]


class DecideEndpoint:
    """`/v1/decide` as an ASGI app: POST, GET, OPTIONS."""

    def __init__(self, node: Node, cors: Cors, proxies: Proxies) -> None:
        self._node = node
        self._cors = cors
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever is wrong with it is an answer too."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        allowed = self._cors.headers(headers.get(b"origin"))
        client = scope["client"]
        try:
            if scope["method"] == "POST":
                _check_media_type(headers.get(b"content-type", b""))
                body = await _body(headers.get(b"content-length"), receive)
                content = answer(body, self._node, headers, client[0] if client else None, self._proxies)
            elif scope["method"] in {"GET", "HEAD"}:
                peer = client[0] if client else None
                content = answer_query(scope["query_string"], self._node, headers, peer, self._proxies)
            elif scope["method"] == "OPTIONS":
                await _reply(send, 204, [*_PREFLIGHT, *allowed], b"")
                return
            else:
                refused = Refused("method-not-allowed", f"Expected GET or POST, got {scope['method'][:20]}.")
                await _refuse(send, refused, allowed)
                return
        except Refused as mistake:
            await _refuse(send, mistake, allowed)
        except _Gone:
            return
        else:
            await _reply(send, 200, [_JSON, _NO_STORE, *allowed], content)


_PREFLIGHT: RawHeaders = [
    (b"allow", _METHODS),
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"content-type, *"),
    (b"access-control-max-age", _PREFLIGHT_AGE_S),
]


class _Gone(Exception):  # noqa: N818 - a state of the client, not a fault
    """The client went away before its body was complete; nobody waits for an answer."""


def _check_media_type(value: bytes) -> None:
    """JSON, or text that is JSON; a request without a type is taken at its word."""
    if value not in _TYPES and value.split(b";", 1)[0].strip().lower() not in _TYPES:
        raise Refused("unsupported-media-type", "Expected `Content-Type: application/json` or `text/plain`.")


async def _body(length: bytes | None, receive: Receive) -> bytes:
    """The request's body. Raises `_Gone`, and `Refused` as soon as it is known to be too long."""
    if length is not None:
        _check_size(int(length[:_LENGTH_DIGITS]) if length.isdigit() else -1)
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        part = message.get("body", b"")
        size += len(part)
        _check_size(size)
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _check_size(size: int) -> None:
    if size < 0:
        raise Refused("bad-length", "Expected a Content-Length of digits alone.")
    if size > limits.DECIDE_BODY_BYTES:
        raise Refused("body-too-large", f"Expected a body of at most {limits.DECIDE_BODY_BYTES} bytes.")


async def _refuse(send: Send, refused: Refused, allowed: RawHeaders) -> None:
    headers: RawHeaders = [(b"content-type", MEDIA_TYPE), _NO_STORE, *allowed]
    if refused.status == 405:
        headers.append((b"allow", _METHODS))
    if refused.status == 413:
        headers.append((b"connection", b"close"))
    await _reply(send, refused.status, headers, refused.body())


async def _reply(send: Send, status: int, headers: RawHeaders, body: bytes) -> None:
    if status != 204:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

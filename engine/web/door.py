"""The door of an address: who may come in and how, and the form in which every answer goes out.

What lives here: `Address`, a row of the table that the app is built from (`app.py`), and all that is the same for every
address: methods, the admin key, CORS, headers for safety, refusals, faults. What may not: what an address answers.

1. `who` is one of five. `page`: anybody, and scripts of the websites in `--origins` may read the answer (CORS, never
   with credentials). `source`: the same, for Segment's libraries: they bring a write key, which the address looks at
   itself, and read refusals in Segment's form. `flags`: the same, for OpenFeature's providers, who read them in
   OFREP's. `anybody`: anybody too, but no script of another website. `admin`: who shows an admin key (`admin.py`); no
   CORS, so that browsers keep every other website out.
2. GET brings HEAD with it: the same head without the body. OPTIONS says what is allowed, and for pages it is the
   preflight's answer. Any other method is 405 with `Allow`.
3. Every answer says `nosniff`, and `no-store` but for scripts: none is a document, each is for one visitor or moment.
4. An address raises `Refused` for what the client got wrong. Anything else that it raises is a fault of ours: logged
   with its traceback, and answered with a 500 that says nothing about it.
5. An answer that goes on (`rest`) has no length, and ends when its address says so.
6. Refusals are counted, once each: a request that the guard of its connection has refused (`TAKEN_BACK`) gets no other
   answer, so nothing that is said of it here counts.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from msgspec import Struct
from starlette.types import Receive, Scope, Send

from engine.web.admin import Gate
from engine.web.refusal import MEDIA_TYPE, Form, Refused
from engine.web.request import Gone, Headers, Request

log = logging.getLogger("mutiny_edge.web")

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]
Who: TypeAlias = Literal["page", "source", "flags", "anybody", "admin"]
Say: TypeAlias = Callable[[bytes], Awaitable[None]]  # to the client, who may take its time

TAKEN_BACK: Final = "taken-back"  # in a scope's state: whoever brought the request has refused it
_NO_SNIFF: Final = (b"x-content-type-options", b"nosniff")
ALWAYS: RawHeaders = [_NO_SNIFF, (b"cache-control", b"no-store")]
_WITHOUT_BODY: Final = frozenset({204, 304})
_PREFLIGHT_AGE_S = b"86400"  # browsers cap it at 2 to 24 hours by themselves
# What a script of another website may send and read. `*` does not cover Authorization, and no header is readable by
# itself; analytics.js sends these since 1.84, and waits as Retry-After says. OFREP names those of its providers.
_MAY_SEND: Final[dict[Who, bytes]] = {
    "page": b"content-type, *",
    "source": b"authorization, content-type, x-retry-count",
    "flags": b"authorization, content-type, if-none-match, x-api-key, *",
}
_MAY_READ: Final[dict[Who, RawHeaders]] = {
    "source": [(b"access-control-expose-headers", b"retry-after")],
    "flags": [(b"access-control-expose-headers", b"etag, retry-after")],
}
FORMS: Final[dict[Who, Form]] = {"source": "segment", "flags": "ofrep"}
# analytics.js up to 1.71 takes every answer that it can read for a success, and sends again only what failed without
# one. It sends no `Authorization` (that began with 1.84): for whoever sends none, trouble is unreadable.
_TRIED_AGAIN: Final = frozenset({429, 503})
_ORIGINS: Final = (
    1_000  # whose heads are remembered; a website has a few, and who sends others must not fill the memory
)
_FAULT_PAUSE_S: Final = 5  # a fault of ours that passes is over by then; one that does not, is not made worse


class Reply(Struct, frozen=True, gc=False):
    """What is answered. `headers` are those that not every answer has; `cache` may let it be kept.

    `rest` says more after `body`, for as long as it likes.
    """

    body: bytes
    status: int = 200
    media_type: bytes = b"application/json"
    headers: Sequence[tuple[bytes, bytes]] = ()
    cache: bytes = b"no-store"
    rest: Callable[[Say], Awaitable[None]] | None = None


Answer: TypeAlias = Callable[[Request], Awaitable[Reply]]


class Address(Struct, frozen=True):
    """A row of the table: a path, who may call it, by which methods, and what answers. Raises `Refused` and `Gone`.

    A part of the path in braces (`{id}`) stands for any text, and is in the request's `params`.
    """

    path: str
    who: Who
    methods: tuple[str, ...]
    answer: Answer

    @property
    def shown(self) -> str:
        """The path as people write it: `{id:path}`, which may hold a slash, is `{id}` to them."""
        return self.path.replace(":path}", "}")


class Head(NamedTuple):
    """The head of a good answer: what stands in front of and behind its length, as bytes and as headers."""

    before: bytes
    behind: bytes
    first: tuple[bytes, bytes]
    others: tuple[tuple[bytes, bytes], ...]


class Cors:
    """Which websites' scripts may read answers: those of every one (`*`) or those listed, compared as browsers send."""

    def __init__(self, origins: Sequence[str]) -> None:
        self.for_any: RawHeaders | None = [(b"access-control-allow-origin", b"*")] if "*" in origins else None
        self._origins = frozenset(origin.rstrip("/").lower().encode() for origin in origins)

    def readable(self, who: Who, origin: bytes | None) -> RawHeaders:
        """The headers by which a script of this `Origin` may read an answer of an address that is for these."""
        return [*self.headers(origin), *_MAY_READ.get(who, ())] if who in _MAY_SEND else []

    def headers(self, origin: bytes | None) -> RawHeaders:
        """The headers of an answer to a request with this `Origin`."""
        if self.for_any is not None:
            return self.for_any
        if origin is None or origin.lower() not in self._origins:
            return [(b"vary", b"Origin")]
        return [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]


class Door:
    """An address as an ASGI app."""

    def __init__(self, address: Address, cors: Cors, gate: Gate | None, refused: Counter[str] | None = None) -> None:
        """`refused` counts refusals by code. Raises `ValueError` for an admin address without a gate."""
        if address.who == "admin" and gate is None:
            raise ValueError(f"{address.path} is for admins, and nobody checks their keys")
        self.address = address
        self._form: Form = FORMS.get(address.who, "problem")
        self.cors = cors
        self._refused: Counter[str] = Counter() if refused is None else refused
        self._gate = gate if address.who == "admin" else None
        self._answer = address.answer
        self._methods = frozenset(address.methods) | ({"HEAD"} if "GET" in address.methods else set())
        allowed = [m for m in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") if m in self._methods]
        self._allow = (b"allow", ", ".join([*allowed, "OPTIONS"]).encode())
        self._options = Reply(b"", 204, headers=self._preflight())
        # Does an answer hang on the `Origin`?
        self.heeds_origin = address.who in _MAY_SEND and cors.for_any is None
        self._good_heads: dict[bytes | None, Head] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever is wrong with it is an answer too."""
        client = scope["client"]
        headers: dict[bytes, bytes] = dict(scope["headers"])
        peer = client[0] if client else None
        request = Request(scope["method"], headers, scope["query_string"], peer, receive, scope.get("path_params", {}))
        try:
            reply = await self._reply(request)
        except Refused as refused:
            reply = self._told(refused, request, counts=TAKEN_BACK not in scope.get("state", ()))
        except Gone:
            return
        except Exception:
            log.exception("%r %s failed", request.method, self.address.path, extra={"address": self.address.path})
            fault = Refused("internal-error", "The fault is logged.", retry_after_s=_FAULT_PAUSE_S)
            reply = self._told(fault, request)
        body, rest = (b"", None) if request.method == "HEAD" else (reply.body, reply.rest)
        await send({"type": "http.response.start", "status": reply.status, "headers": self._head(reply, headers)})
        await send({"type": "http.response.body", "body": body, "more_body": rest is not None})
        if rest is not None:
            await rest(lambda more: send({"type": "http.response.body", "body": more, "more_body": True}))
            await send({"type": "http.response.body", "body": b""})

    def good_head(self, origin: bytes | None) -> Head:
        """The head of a good answer to a page of this `Origin`."""
        if not self.heeds_origin:
            origin = None
        known = self._good_heads.get(origin)
        if known is None:
            headers = self._head(Reply(b""), {} if origin is None else {b"origin": origin})
            lines = b"".join(b"%b: %b\r\n" % header for header in headers)
            before, length, behind = lines.partition(b"content-length: 0")
            known = Head(before + length[:-1], behind + b"\r\n", headers[0], tuple(headers[2:]))
            if len(self._good_heads) >= _ORIGINS:
                self._good_heads.clear()
            self._good_heads[origin] = known
        return known

    def _head(self, reply: Reply, headers: Headers) -> RawHeaders:
        """The head of an answer to a request with these headers."""
        readable = not (self._form == "segment" and reply.status in _TRIED_AGAIN and b"authorization" not in headers)
        allowed = self.cors.readable(self.address.who, headers.get(b"origin")) if readable else ()
        no_length = reply.status in _WITHOUT_BODY or reply.rest is not None
        length = () if no_length else ((b"content-length", b"%d" % len(reply.body)),)
        kind, kept = (b"content-type", reply.media_type), (b"cache-control", reply.cache)
        return [kind, *length, _NO_SNIFF, kept, *reply.headers, *allowed]

    def _told(self, refused: Refused, request: Request, *, counts: bool = True) -> Reply:
        """The refusal, in the form that clients of this address read."""
        self._refused[refused.code] += counts
        status = refused.status_in(self._form)
        body = refused.body(self._form, request.params.get("key"))
        return Reply(body, status, MEDIA_TYPE[self._form], self._reasons(refused))

    async def _reply(self, request: Request) -> Reply:
        if self._gate is not None:
            request = self._gate.check(request)
        if request.method in self._methods:
            return await self._answer(request)
        if request.method == "OPTIONS":
            return self._options
        raise Refused("method-not-allowed", f"Expected {' or '.join(self.address.methods)}.")

    def _preflight(self) -> RawHeaders:
        """What is allowed; to browsers in words of their own."""
        if self.address.who not in _MAY_SEND:
            return [self._allow]
        return [
            self._allow,
            (b"access-control-allow-methods", ", ".join(self.address.methods).encode()),
            (b"access-control-allow-headers", _MAY_SEND[self.address.who]),
            (b"access-control-max-age", _PREFLIGHT_AGE_S),
        ]

    def _reasons(self, refused: Refused) -> RawHeaders:
        """The headers that belong to a refusal."""
        if refused.retry_after_s is not None:
            return [(b"retry-after", b"%d" % refused.retry_after_s)]
        if refused.status == 401:
            # To a browser, `Basic` would open a window that asks for a password.
            return [(b"www-authenticate", b"Bearer")] if self._gate is not None else []
        if refused.status == 405:
            return [self._allow]
        # Nobody reads the rest of a body that is too large, and it is still on its way.
        return [(b"connection", b"close")] if refused.status == 413 else []

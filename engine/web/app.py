"""The ASGI app: `/v1/decide`, `/healthz`, `/readyz`. What lives here: addresses, and errors that nobody caught.

What may not: running a server, the work behind an address.

1. `build(node)` is an app for any ASGI server; its lifespan starts and stops the node's background jobs.
2. `/v1/decide` is looked up first, in front of Starlette's routing; everything else goes through Starlette.
3. `/healthz` says that the process answers; `/readyz` whether visitors should be sent here (503 if not), which ruleset
   decides, and why the newest rule files do not, if they do not: broken files keep a node ready.
4. While draining every answer carries `Connection: close`, so that clients come back somewhere else.
5. A fault of ours is logged with its traceback, and answered with a 500 that says nothing about it.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.node import Node, utc_now
from engine.problems import as_json
from engine.web.decide import Cors, DecideEndpoint
from engine.web.refusal import MEDIA_TYPE, Refused, of_status
from engine.web.surroundings import Proxies

log = logging.getLogger("mutiny_edge.web")

DECIDE = "/v1/decide"
_INTERNAL = Refused("internal-error", "The fault is logged.")


def build(node: Node, origins: Sequence[str] = ("*",), trusted_proxies: Sequence[str] = ()) -> ASGIApp:
    """The app around a node. Raises `ValueError` for a proxy that is neither an address nor a network."""
    decide = DecideEndpoint(node, Cors(origins), Proxies(trusted_proxies))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        node.start()
        try:
            yield
        finally:
            await node.stop()

    async def readyz(_: Request) -> Response:
        return _json(readiness(node), 200 if node.ready else 503)

    async def healthz(_: Request) -> Response:
        return _json({"ok": True}, 200)

    rest = Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz)],
        exception_handlers={HTTPException: _http_exception},
        lifespan=lifespan,
    )
    return _Front(node, decide, rest)


class _Front:
    """The app as the server calls it: the hot path first, and nothing gets past it as an exception."""

    def __init__(self, node: Node, decide: ASGIApp, rest: ASGIApp) -> None:
        self._node = node
        self._decide = decide
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        if self._node.draining:
            send = _closing(send)
        app = self._decide if scope["path"] == DECIDE else self._rest
        try:
            await app(scope, receive, send)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            await _internal_error(send)


def _closing(send: Send) -> Callable[[Message], Awaitable[None]]:
    """The same `send`, with `Connection: close` in the head of the answer."""

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return closing


async def _internal_error(send: Send) -> None:
    body = _INTERNAL.body()
    headers = [(b"content-type", MEDIA_TYPE), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _http_exception(_: Request, error: Exception) -> Response:
    """What Starlette's routing refuses: an unknown address, a method that is not for it."""
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    refused = of_status(status)
    return Response(refused.body(), status, dict(headers or {}), MEDIA_TYPE.decode())


def readiness(node: Node) -> dict[str, Any]:
    """What `/readyz` says: `ready`, the ruleset in use, the last error of the rule files, the store, the jobs."""
    held, problems = node.held, node.problems
    ruleset = held.decider.ruleset
    return {
        "ready": node.ready,
        "ruleset": {
            "version": ruleset.version,
            "age_s": round((utc_now() - held.since).total_seconds(), 1),
            "experiences": len(ruleset.experiences),
            "segments": len(ruleset.segments),
            "source": held.source,
        },
        "last_error": as_json(problems[0]) if problems else None,
        "errors": len(problems),
        "store": {"degraded_answers": node.degraded},
        "jobs": [{"name": job.name, "down": job.down, "restarts": job.restarts} for job in node.jobs.all],
    }


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(body), status, {"cache-control": "no-store"}, "application/json")

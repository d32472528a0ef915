"""The ASGI app: the table of addresses, and what stands around all of them.

What lives here: every address that the service has, with who may call it; readiness. What may not: the work behind an
address, what all addresses have in common (`door.py`), running a server.

1. `addresses` is the one table. `build(node)` makes the app of it, for any ASGI server, and nothing is served that does
   not stand in it, but for what describes it (`described.py`), which takes no address that nobody describes; the app's
   lifespan starts and stops the node's background jobs.
2. Without admin keys the addresses for admins are left out: they are not found, like any address that there is not.
3. `/v1/decide` is looked up first, in front of Starlette's routing, and its usual requests do not even see the door;
   everything else goes through Starlette.
4. `/healthz` says that the process answers; `/readyz` whether visitors should be sent here (503 if not), which ruleset
   decides, and why the newest rule files do not, if they do not: broken files keep a node ready. Of several workers it
   is the one that was asked who speaks, and names itself: what it has not met, it does not know.
5. An address that there is not is answered here, counted, and one route for whoever traces: anybody can make up names.
6. While draining every answer carries `Connection: close`, so that clients come back somewhere else.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
import re2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as AnyRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.node import Node, utc_now
from engine.problems import as_json
from engine.web import client, decide, described, explain, ingest, profiles
from engine.web.admin import Gate, Keys
from engine.web.door import ALWAYS, Address, Cors, Door, Reply
from engine.web.metrics.page import Metrics
from engine.web.ofrep import addresses as ofrep
from engine.web.ofrep.changes import Changes
from engine.web.ofrep.evaluate import Evaluation
from engine.web.refusal import MEDIA_TYPE, of_status
from engine.web.request import Request
from engine.web.surroundings import Proxies
from engine.web.telemetry import Telemetry

DECIDE = "/v1/decide"
NOWHERE = "/{nothing}"  # the route of all addresses that there are not


def addresses(node: Node, proxies: Proxies, metrics: Metrics) -> tuple[Address, ...]:
    """Every address, and who may call it."""

    async def healthz(_: Request) -> Reply:
        return Reply(orjson.dumps({"ok": True}))

    async def readyz(_: Request) -> Reply:
        return Reply(orjson.dumps(readiness(node)), 200 if node.ready else 503)

    changes = Changes(node)
    evaluation = Evaluation(node, proxies, changes)
    flags = [
        Address(ofrep.ALL, "flags", ("POST",), evaluation.all),
        Address(ofrep.SINGLE, "flags", ("POST",), evaluation.single),
        Address(ofrep.CHANGES, "flags", ("GET",), changes.stream),
    ]
    segment = [
        *(Address(path, "source", ("POST",), ingest.endpoint(node, call)) for path, call in ingest.INGEST.items()),
        Address(ingest.METRICS, "source", ("POST",), ingest.metrics),
        Address(ingest.WEBHOOK + "{source:path}", "source", ("POST",), ingest.webhook(node)),
        Address(ingest.SETTINGS + "{key:path}/settings", "source", ("GET",), ingest.library_settings(node, proxies)),
    ]
    return (
        Address(DECIDE, "page", ("GET", "POST"), decide.endpoint(node, proxies)),
        *(Address(f"/{name}", "page", ("GET",), client.endpoint(name)) for name in client.SCRIPTS),
        *flags,
        Address("/healthz", "anybody", ("GET",), healthz),
        Address("/readyz", "anybody", ("GET",), readyz),
        *segment,
        Address("/v1/explain", "admin", ("GET", "POST"), explain.endpoint(node, proxies)),
        Address("/metrics", "admin", ("GET",), metrics.answer),
        Address("/v1/traits", "admin", ("GET",), profiles.traits(node)),
        Address("/v1/profiles/{kind}/{id:path}", "admin", ("GET", "DELETE"), profiles.endpoint(node)),
    )


def build(
    node: Node,
    origins: Sequence[str] = ("*",),
    trusted_proxies: Sequence[str] = (),
    admin_keys: Keys | None = None,
    telemetry: Telemetry | None = None,
) -> "App":
    """The app around a node. Raises `ValueError` for a proxy that is neither an address nor a network."""
    cors = Cors(origins)
    gate = Gate(admin_keys) if admin_keys else None
    proxies = Proxies(trusted_proxies)
    metrics = Metrics(node)
    served = [address for address in addresses(node, proxies, metrics) if gate or address.who != "admin"]
    served += described.addresses(served, proxies)
    doors = [Door(address, cors, gate, node.counts.refused) for address in served]
    return App(node, doors, proxies, metrics, telemetry)


def _route(path: str, app: ASGIApp) -> Route:
    """The path as a whole. To Starlette's `.` and `$` a newline is not in it, or is its end."""
    route = Route(path, app)
    route.path_regex = re2.compile(f"(?s){route.path_regex.pattern.removesuffix('$')}\\z")
    return route


class App:
    """The app as the server calls it. `doors` are the addresses that it has, `routes` how Starlette finds them.

    `straight` is the way of a usual decision, also for a server that needs no app for it (`lane.py`).
    """

    def __init__(
        self, node: Node, doors: Sequence[Door], proxies: Proxies, metrics: Metrics, telemetry: Telemetry | None
    ) -> None:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            await node.warm()
            node.start()
            metrics.start()
            try:
                yield
            finally:
                metrics.last()
                await node.stop()

        self.doors = tuple(doors)
        self.metrics = metrics
        traced = telemetry.traced if telemetry is not None else _as_it_is
        self.routes = tuple(_route(door.address.path, traced(door.address.shown, door)) for door in doors)
        self._node = node
        [self._decide] = [door for door in doors if door.address.path == DECIDE]
        self.cors = self._decide.cors
        self.straight = decide.Straight(node, proxies, self._decide, traced=telemetry is not None)
        self._page_view = traced(DECIDE, self._decided)
        node.jobs.on_step = telemetry.step if telemetry is not None else None
        self._rest = Starlette(
            routes=self.routes,
            exception_handlers={HTTPException: self._refused, Exception: self._refused},
            lifespan=lifespan,
        )
        self._rest.router.default = traced(NOWHERE, self._nowhere)
        self._rest.router.redirect_slashes = False  # an address has one form; and a redirect would name any `Host`

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through the server's life."""
        if self._node.draining:
            send = _closing(send)
        if scope["type"] != "http" or scope["path"] != DECIDE:
            await self._rest(scope, receive, send)
        else:
            await self._page_view(scope, receive, send)

    async def _nowhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer where there is nothing."""
        await (await self._refused(AnyRequest(scope), HTTPException(404)))(scope, receive, send)

    async def _refused(self, _: AnyRequest, error: Exception) -> Response:
        """What happens in front of every door: an address that there is not, or a fault in the routing itself."""
        refused = of_status(error.status_code if isinstance(error, HTTPException) else 500)
        self._node.counts.refused[refused.code] += 1
        headers = {name.decode(): value.decode() for name, value in ALWAYS}
        return Response(refused.body(), refused.status, headers, MEDIA_TYPE["problem"].decode())

    async def _decided(self, scope: Scope, receive: Receive, send: Send) -> None:
        unanswered = await self.straight.asgi(scope, receive, send) if scope["method"] == "POST" else receive
        if unanswered is not None:
            await self._decide(scope, unanswered, send)


def _as_it_is(_: str, app: ASGIApp) -> ASGIApp:
    return app


def _closing(send: Send) -> Callable[[Message], Awaitable[None]]:
    """The same `send`, with `Connection: close` in the head of the answer."""

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return closing


def _near(node: Node) -> dict[str, Any]:
    """Of a shared store: can it be read now, and does it say what has changed?"""
    near = node.cache
    return {} if near is None else {"near": {"up": near.up, "tracked": near.tracked}}


def readiness(node: Node) -> dict[str, Any]:
    """What `/readyz` says: `ready`, who says it, the ruleset in use, the last error of the rule files, store, jobs."""
    held, problems = node.held, node.problems
    ruleset = held.decider.ruleset
    return {
        "ready": node.ready,
        "process": os.getpid(),
        "ruleset": {
            "version": ruleset.version,
            "age_s": round((utc_now() - held.since).total_seconds(), 1),
            "experiences": len(ruleset.experiences),
            "segments": len(ruleset.segments),
            "source": held.source,
        },
        "last_error": as_json(problems[0]) if problems else None,
        "errors": len(problems),
        "store": {"trouble": node.store_trouble, "degraded_answers": node.degraded, **_near(node)},
        "intake": {"trouble": node.intake_trouble, "unfinished_deletions": node.unfinished_deletions},
        "jobs": [
            {
                "name": job.name,
                "vital": job.vital,
                "down": job.down,
                "restarts": job.restarts,
                "last_error": job.error,
            }
            for job in node.jobs.all
        ],
    }

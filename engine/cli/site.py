"""The example company's website for the demo: one page in front of the engine's own app, on the same port."""

from pathlib import Path

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.cli.crowd import NAMED

PAGE = Path(__file__).with_name("site.html")


class Site:
    """`/` is the website, `/visitors.json` the visitors that it offers; everything else goes to the engine."""

    def __init__(self, engine: ASGIApp) -> None:
        offered = [{"visitorId": named.visitor_id, "who": named.who, "visit": named.visit} for named in NAMED]
        self._engine = engine
        self._files = {
            "/": (b"text/html; charset=utf-8", PAGE.read_bytes()),
            "/visitors.json": (b"application/json", msgspec.json.encode(offered)),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = self._files.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if found is None:
            await self._engine(scope, receive, send)
            return
        kind, content = found
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(content)), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

"""The example company's website for the demo: a single-page app in front of the engine's own app, on the same port.

1. `/` and `/pricing` are the website, `/previews.json` the preview links that it offers; all else goes to the engine.
2. The website knows no more of the engine than any other: a script tag in its head, with its write key.
3. Preview links are made when they are asked for, of the rules that are in force then.
"""

from collections.abc import Iterator
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.cli.crowd import NAMED
from engine.cli.preview import link
from engine.node import Node, utc_now
from engine.web.preview import Ticket, key_made, signed, variants

PAGE: Final = Path(__file__).with_name("site.html")
PAGES: Final = ("/", "/pricing")
_PREVIEWS_LAST: Final = timedelta(days=1)


class Site:
    """The website, and behind it the engine."""

    def __init__(self, engine: ASGIApp, node: Node, write_key: str) -> None:
        self._engine = engine
        self._node = node
        self._page = page(write_key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = self._found(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if found is None:
            await self._engine(scope, receive, send)
            return
        kind, content = found
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(content)), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _found(self, path: str) -> tuple[bytes, bytes] | None:
        if path in PAGES:
            return b"text/html; charset=utf-8", self._page
        if path == "/previews.json":
            return b"application/json", msgspec.json.encode(list(previews(self._node)))
        return None


def page(write_key: str) -> bytes:
    """The website's page, with its write key and the visitors that it offers."""
    offered = [{"visitorId": named.visitor_id, "who": named.who, "visit": named.visit} for named in NAMED]
    listed = msgspec.json.encode(offered).decode().replace("\\", "\\\\").replace("'", "\\'")
    text = PAGE.read_text(encoding="utf-8").replace("WRITE_KEY", escape(write_key))
    return text.replace("VISITORS", listed.replace("<", "\\u003c"), 1).encode()


def previews(node: Node) -> Iterator[dict[str, Any]]:
    """A name and a link for every variant that one of the website's pages shows."""
    key = key_made(node.settings.data)
    ends_s = int((utc_now() + _PREVIEWS_LAST).timestamp())
    for experience in node.held.decider.ruleset.experiences.values():
        paths = {urlsplit(pattern).path for pattern in experience.pages}
        for path in (path for path in PAGES if path in paths):
            for segment, variant in variants(experience):
                token = signed(Ticket(experience.key, segment, variant.key, ends_s), key)
                yield {"name": f"{experience.name}: {variant.key} for {segment}", "link": link(path, token)}

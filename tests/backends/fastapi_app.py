"""FastAPI: `uvicorn fastapi_app:app`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from segment import analytics

from engine import Engine

HEADINGS = {"hero": "Made for small teams"}
SITE = "https://www.example.com"  # as visitors see it, whatever stands in front of this program


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The engine lives as long as the app."""
    analytics.write_key, analytics.host = os.environ["SEGMENT_WRITE_KEY"], os.environ["SEGMENT_HOST"]
    with Engine.from_environment(os.environ) as app.state.engine:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def home(request: Request) -> HTMLResponse:
    """The home page, with the heading that this visitor sees."""
    visitor, text = Engine.visitor(request.cookies, request.headers.get("Sec-GPC")), "Welcome"
    asked = filter(None, (request.scope["raw_path"], request.scope["query_string"]))  # `request.url` is decoded
    if visitor.id:  # nobody, if they opted out
        answer = await request.app.state.engine.adecide(
            visitor.id,
            url=SITE + b"?".join(asked).decode(errors="replace"),
            referrer=request.headers.get("Referer"),
            visit_count=visitor.visit_count,
            first_seen=visitor.first_seen,
        )
        if seen := answer.experience("homepage"):
            text = HEADINGS.get(seen.variant or "control", text)
            analytics.track(anonymous_id=visitor.anonymous_id, event=seen.track.event, properties=seen.track.properties)
    page = HTMLResponse(f"<h1>{escape(text)}</h1>")
    if visitor.id and visitor.is_new:
        page.set_cookie("mutiny_edge", visitor.id, max_age=400 * 86_400, secure=True, samesite="lax")
    return page

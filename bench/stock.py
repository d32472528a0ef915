"""Stock uvicorn (uvloop, httptools, no access log): what `bench.http` compares with, as a process of its own.

1. `constant FILE`: an ASGI app that gives every request one and the same answer, head and body as ours, and looks at
   nothing: less can no app do.
2. `ordinary RULES DATA`: our app as any ASGI server can run it, so without the guard and the lane that `serve` has.
3. Both freeze what is there when they begin, as `serve` does.
"""

import gc
import socket
import sys
from pathlib import Path

import msgspec
import uvicorn
from msgspec import Struct

from engine.node import Node
from engine.settings import Settings
from engine.web.app import build


class Answer(Struct):
    """An answer: its headers but for those that uvicorn adds, and its body."""

    headers: list[tuple[str, str]]
    body: str


def constant(answer: Answer):
    """The app with one answer."""
    headers = [(name.encode(), value.encode()) for name, value in answer.headers]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    end = {"type": "http.response.body", "body": answer.body.encode()}

    async def app(scope, receive, send):  # noqa: ARG001 - ASGI's
        await send(start)
        await send(end)

    return app


def main() -> None:
    """Serve until a signal."""
    kind, *paths = sys.argv[1:]
    if kind == "constant":
        app, lifespan = constant(msgspec.json.decode(Path(paths[0]).read_bytes(), type=Answer)), "off"
    else:
        app, lifespan = build(Node(Settings(Path(paths[0]), Path(paths[1])))), "on"
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        gc.collect()
        gc.freeze()
        config = uvicorn.Config(app, access_log=False, log_level="warning", lifespan=lifespan, server_header=False)
        print("serving http://{}:{}".format(*listening.getsockname()), file=sys.stderr, flush=True)
        uvicorn.Server(config).run(sockets=[listening])

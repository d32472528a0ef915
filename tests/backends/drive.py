"""The examples, each on a server of its kind, asked for the home page by browsers with each cookie that is named.

`drive.py COOKIE…`: prints a JSON object, by example a list of what each was shown and the cookie that each was given,
and ends when Segment's library has sent all of it. The first three are ids, which a program without cookies takes too.
By `addresses` it has what the third of them sees at each of `ADDRESSES`, for which the examples have a view as well.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import uvicorn
from django.urls import re_path
from segment import analytics

Ask = Callable[..., tuple[str, str | None]]
ADDRESSES = (
    *("/a%20b", "/%09", "/a%5Cb", "/x%3Fy%23z", "/%ED%A0%80", "/" + 9_000 * "x", "/?q=" + 9_000 * "x"),
    *("/a%20b?utm_campaign=spring", "/?utm_campaign=spring", "/%C3%BC?utm_campaign=spring&q=" + 9_000 * "x"),
)


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's
        """Nothing."""


@contextmanager
def plain(example: Any) -> Iterator[Ask]:
    """A function, called; it has no cookies."""
    yield lambda visitor, address="/": (
        f"<h1>{example.heading(visitor, f'https://www.example.com{address}')}</h1>",
        None,
    )


@contextmanager
def django_app(example: Any) -> Iterator[Ask]:
    """A WSGI application on the server of Python's own library."""
    example.urlpatterns.append(re_path("", example.home))
    with make_server("127.0.0.1", 0, example.application, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield partial(over_http, server.server_port)
        server.shutdown()
        thread.join()


@contextmanager
def fastapi_app(example: Any) -> Iterator[Ask]:
    """An ASGI application on uvicorn."""
    example.app.get("/{path:path}")(example.home)
    server = uvicorn.Server(uvicorn.Config(example.app, log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield partial(over_http, listening.getsockname()[1])
        server.should_exit = True
        thread.join()


def over_http(port: int, cookie: str, address: str = "/") -> tuple[str, str | None]:
    """What a browser with this cookie is shown, and the one that it gets, if any."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", address, headers={"Host": "www.example.com", "Cookie": f"mutiny_edge={cookie}"})
    answer = connection.getresponse()
    page, given = answer.read().decode(), SimpleCookie(answer.headers.get("Set-Cookie"))
    connection.close()
    assert answer.status == 200, page
    return page, given["mutiny_edge"].value if given else None


SERVERS = {"plain": plain, "flags": plain, "django_app": django_app, "fastapi_app": fastapi_app}


def main() -> None:
    """Serve, ask, send."""
    shown: dict[str, Any] = {"addresses": {}}
    for name, served in SERVERS.items():
        with served(import_module(name)) as ask:
            shown[name] = [ask(cookie) for cookie in sys.argv[1 : 4 if served is plain else None]]
            if name != "flags":  # OFREP's contexts hold an address as browsers send it, and no other
                shown["addresses"][name] = {address[:40]: ask(sys.argv[3], address)[0] for address in ADDRESSES}
    analytics.shutdown()
    print(json.dumps(shown))


if __name__ == "__main__":
    main()

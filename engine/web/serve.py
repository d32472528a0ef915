"""The service as a program: a socket, one or several worker processes, uvicorn in each.

What lives here: options, logging, the server of one process. What may not: addresses and answers (`app.py`), the
supervision of several processes (`workers.py`).

1. `serve` first takes the rules and opens the store, then binds, then serves: whatever is wrong with the one or
   the other is told before a client could connect. It returns when SIGTERM or SIGINT ended the service.
2. One worker: this process serves. Several: this process only watches over them; each opens its own node.
3. Stopping: readiness off; for `drain_s` seconds connections are still taken and answered with `Connection: close`;
   then close, finish, exit, after `limits.GRACE_S` at the latest. Ctrl-C skips the waiting.
4. `PROTOCOL` is the class that speaks HTTP on a connection.
"""

import asyncio
import gc
import logging
import logging.config
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from types import FrameType
from typing import Any, Final

import uvicorn
from msgspec import Struct

from engine import limits
from engine.node import Node, Settings
from engine.web.app import build

log = logging.getLogger("mutiny_edge.serve")

PROTOCOL: Final = "httptools"
BACKLOG: Final = 2048  # connections that may wait while every worker is busy; the kernel caps it (somaxconn)
SWITCH_INTERVAL_S: Final = (
    0.0005  # how long a thread that compiles rules may keep the event loop waiting (Python: 5 ms)
)


class Options(Struct, frozen=True):
    """How to serve. `trusted_proxies` are addresses or networks whose geo headers count, `*` for any peer."""

    settings: Settings = Settings()
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    origins: tuple[str, ...] = ("*",)
    drain_s: float = limits.DRAIN_S
    trusted_proxies: tuple[str, ...] = ()
    access_log: bool = False


def serve(options: Options, announce: Callable[[str], None] | None = None) -> None:
    """Serve until a signal ends it; `announce` is told the URL once the socket is bound.

    Raises `RulesBroken` for a first start with broken rules, `StoreError` for a store that cannot be opened, `OSError`
    for a port or folder that cannot be had, `ValueError` for a proxy that is neither an address nor a network.
    """
    logging.config.dictConfig(log_config(options))
    if options.workers > 1:
        from engine.web.workers import supervise  # noqa: PLC0415 - it imports this module

        supervise(options, announce)
        return
    node = Node(options.settings)
    app = build(node, options.origins, options.trusted_proxies)
    with closing(node.store), bind(options.host, options.port) as listening:
        tell(options, listening, node.held.decider.ruleset.version, announce)
        run(options, node, app, listening)


def tell(options: Options, listening: socket.socket, version: str, announce: Callable[[str], None] | None) -> None:
    """Say where and what is served."""
    url = url_of(listening)
    log.info("serving %s with %d worker(s), ruleset %s", url, options.workers, version)
    if announce is not None:
        announce(url)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `OSError` that says which address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as undone:
            listening = undone.enter_context(socket.socket(family, kind, protocol))
            if sys.platform != "win32":  # there it would let two programs share the port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            # From here on a second `serve` is told that the port is busy, and clients wait until workers are up.
            listening.listen(BACKLOG)
            undone.pop_all()
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {reason}") from None
    listening.set_inheritable(True)
    return listening


def url_of(listening: socket.socket) -> str:
    """Where clients on this machine reach the socket."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - shown
    return f"http://{shown}:{port}"


def run(
    options: Options, node: Node, app: Any, listening: socket.socket, on_started: Callable[[], None] | None = None
) -> None:
    """Serve in this process until a signal ends it; the node is closed then."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()  # rules and modules live as long as the process: no collection needs to look at them again
    config = uvicorn.Config(
        app,
        http=PROTOCOL,
        ws="none",
        lifespan="on",
        backlog=BACKLOG,
        log_config=log_config(options),
        access_log=options.access_log,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=limits.GRACE_S,
    )
    _Server(config, node, options.drain_s, on_started).run(sockets=[listening])


class _Server(uvicorn.Server):
    """uvicorn's server of one process, with a polite end."""

    def __init__(
        self, config: uvicorn.Config, node: Node, drain_s: float, on_started: Callable[[], None] | None
    ) -> None:
        super().__init__(config)
        self._node = node
        self._drain_s = drain_s
        self._on_started = on_started
        self._hurried = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; whoever waits for it is told."""
        await super().startup(sockets)
        if self.started and self._on_started is not None:
            self._on_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """A signal: SIGTERM drains; Ctrl-C, or anything the second time, does not."""
        self._hurried = self._hurried or self.should_exit or sig == signal.SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Not ready, but still answering, for `drain_s` seconds; then as uvicorn's."""
        self._node.draining = True
        ticks = 0 if self._hurried else int(self._drain_s * 10)
        for tick in range(ticks):
            if self._hurried:
                break
            await self.on_tick(tick)  # keeps the Date header right
            await asyncio.sleep(0.1)
        await super().shutdown(sockets)


def log_config(options: Options) -> dict[str, Any]:
    """One line an entry, on stderr; uvicorn itself only where something is wrong."""
    with_process = "%(process)d " if options.workers > 1 else ""
    form = {"format": f"%(asctime)s %(levelname)s {with_process}%(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S%z"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": form},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            "mutiny_edge": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
            "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            "uvicorn.access": {"level": "INFO" if options.access_log else "CRITICAL"},
        },
    }

"""The service as a program: a socket, one or several worker processes, uvicorn in each.

What lives here: options, logging, the server of one process. What may not: addresses and answers (`app.py`), the
supervision of several processes (`workers.py`).

1. `serve` first takes the rules and opens the store, then binds, then serves: whatever is wrong with the one or
   the other is told before a client could connect. That it serves is said when it does: what visitors would wait for
   is compiled. It returns when SIGTERM or SIGINT ended the service.
2. One worker: this process serves. Several: this process only watches over them; each opens its own node.
3. Stopping: readiness off; for `drain_s` seconds connections are still taken and answered with `Connection: close`;
   then close, finish, exit, after `limits.GRACE_S` at the latest. Ctrl-C skips the waiting, and so does a second
   SIGTERM; not in a worker, which may hear one from its parent and one that is for all processes of a group: there the
   parent says by SIGINT that it was asked twice. A worker that is replaced, or that comes up when it is to end, takes
   no new connection from the beginning, and leaves the door open for the others. So does, after draining, one whom
   somebody else than its parent ended: it will be replaced, and the door is not its own to shut. The log says why the
   service ends and how long it drains, and that it has ended; of several processes the parent says it.
4. SIGHUP asks for new workers. It is heeded before anything is read, so that nothing changes unheard. One worker alone
   cannot be replaced without a gap, and changed rules need no new process, so it says that in the log and goes on; on a
   terminal SIGHUP means that the terminal is gone, and ends the service.
5. `PROTOCOL` is the class that speaks HTTP on a connection.
"""

import asyncio
import ctypes
import gc
import logging
import logging.config
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn
from msgspec import Struct, structs

from engine import limits
from engine.node import Node
from engine.settings import Settings, strangers
from engine.web import logs
from engine.web.admin import Keys, read_keys
from engine.web.app import build
from engine.web.clients import Clients
from engine.web.lane import Lane
from engine.web.listening import emptied, shut
from engine.web.telemetry import telemetry

log = logging.getLogger("mutiny_edge.serve")

PROTOCOL: Final = Lane
BACKLOG: Final = 2048  # connections that may wait while every worker is busy; the kernel caps it (somaxconn)
_ARENAS: Final = -8  # M_ARENA_MAX of mallopt(3)
SWITCH_INTERVAL_S: Final = 0.0001  # how long a thread that compiles rules keeps requests waiting (Python: 5 ms)


class Parent:
    """What a worker was told by its parent: `replaces`, others stand in for it; `ends`, the service does."""

    def __init__(self) -> None:
        self.replaces = threading.Event()
        self.ends = threading.Event()


class Options(Struct, frozen=True):
    """How to serve. `trusted_proxies` are addresses or networks whose geo headers count, `*` for any peer.

    `admin_keys` are those of `admin_key_file`, once it is read; without them there are no addresses for admins.
    """

    settings: Settings = Settings()
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    origins: tuple[str, ...] = ("*",)
    drain_s: float = limits.DRAIN_S
    trusted_proxies: tuple[str, ...] = ()
    admin_key_file: Path | None = None
    admin_keys: Keys | None = None
    access_log: bool = False
    log_format: str = "auto"
    log_level: str = "info"


def serve(options: Options, announce: Callable[[str], None] | None = None) -> None:
    """Serve until a signal ends it; `announce` is told the URL once the socket is bound.

    Raises `RulesBroken` for a first start with broken rules, `StoreError` for a store that cannot be opened, `OSError`
    for a port, folder or file that cannot be had, `KeysUnusable` for a file of admin keys that is none,
    `TelemetryUnusable` for a collector that nobody could send to, `ValueError` for a proxy that is neither an address
    nor a network.
    """
    logging.config.dictConfig(log_config(options))
    for stranger in strangers(os.environ):
        log.warning("%s (`mutiny-edge config` shows all)", stranger)
    if options.workers > 1:
        from engine.web.workers import supervise  # noqa: PLC0415 - it imports this module

        supervise(options, announce)
        return
    heed_hangup(_say_that_one_is_not_replaced)
    options = with_admin_keys(options)
    with ExitStack() as stack:
        sending = stack.enter_context(telemetry(os.environ))
        node = Node(options.settings)
        stack.enter_context(closing(node.store))
        app = build(node, options.origins, options.trusted_proxies, options.admin_keys, sending)
        listening = stack.enter_context(bind(options.host, options.port))
        version = node.held.decider.ruleset.version
        run(
            options,
            node,
            app,
            listening,
            on_started=lambda: tell(options, listening, version, announce),
            on_stopping=tell_stopping,
        )
        log.info("stopped")


def with_admin_keys(options: Options) -> Options:
    """The same, with the admin keys that are in the file now. Raises `KeysUnusable`, `OSError`."""
    file = options.admin_key_file
    return structs.replace(options, admin_keys=read_keys(file) if file else None)


def tell(options: Options, listening: socket.socket, version: str, announce: Callable[[str], None] | None) -> None:
    """Say where and what is served."""
    url = url_of(listening)
    facts = {"url": url, "workers": options.workers, "ruleset": version}
    log.info("serving %s with %d worker(s), ruleset %s", url, options.workers, version, extra=facts)
    if options.admin_keys is not None:
        log.info("admin keys: %s", options.admin_keys.fingerprints())
    if announce is not None:
        announce(url)


def tell_stopping(number: int, drain_s: float) -> None:
    """Say which signal ends the service, and how long it still answers."""
    how = f"draining for {drain_s:g} s, then it stops" if drain_s else "it stops without draining"
    log.info("%s: %s", signal.Signals(number).name, how)


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


def heed_hangup(renew: Callable[[], None]) -> None:
    """What SIGHUP does: `renew`; where a terminal is watching it means that the terminal is gone, as Ctrl-C."""
    if sys.platform == "win32":
        return
    on_terminal = sys.stderr.isatty()
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGINT) if on_terminal else renew())


def _say_that_one_is_not_replaced() -> None:
    log.warning("SIGHUP: one worker is not replaced (--workers 2 can be); changed rules are taken without it")


def run(
    options: Options,
    node: Node,
    app: Any,
    listening: socket.socket,
    *,
    on_started: Callable[[], None] | None = None,
    on_stopping: Callable[[int, float], None] | None = None,
    parent: Parent | None = None,
) -> None:
    """Serve in this process until a signal ends it; the node is closed then. A worker has a `parent`.

    `on_stopping` is told which signal it was, and for how many seconds it drains.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    _share_one_heap()
    gc.collect()
    gc.freeze()  # rules and modules live as long as the process: no collection needs to look at them again
    config = uvicorn.Config(
        app,
        http=PROTOCOL,
        ws="none",
        lifespan="on",
        backlog=BACKLOG,
        log_config=None,  # it is configured by whoever calls
        access_log=options.access_log,
        proxy_headers=False,
        server_header=False,
    )
    server = _Server(config, node, options.drain_s, on_started=on_started, on_stopping=on_stopping, parent=parent)
    try:
        server.run(sockets=[listening])
    finally:
        server.watchdog.cancel()


def _share_one_heap() -> None:
    """Every thread takes memory from the same.

    glibc gives each a heap of its own, and what is freed in one is for no other: with every reload, now in this and
    now in that thread, a worker of 10,000 segments grew by 15 MB. By the GIL they take turns anyway.
    """
    with suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).mallopt(_ARENAS, 1)


class _Server(uvicorn.Server):
    """uvicorn's server of one process, with a polite end."""

    def __init__(
        self,
        config: uvicorn.Config,
        node: Node,
        drain_s: float,
        *,
        on_started: Callable[[], None] | None,
        on_stopping: Callable[[int, float], None] | None,
        parent: Parent | None,
    ) -> None:
        super().__init__(config)
        self.clients = self.server_state = Clients(node.counts.refused)
        node.counts.connections = lambda: len(self.clients.connections)
        self.watchdog = threading.Timer(limits.WATCHDOG_S, _end_now)
        self.watchdog.daemon = True
        self._node = node
        self._drain_s = drain_s
        self._on_started = on_started
        self._on_stopping = on_stopping
        self._parent = parent
        self._signal = signal.SIGTERM
        self._hurried = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; whoever waits for it is told, unless it is to end by now: then nobody is to be drained."""
        self.clients.watch(asyncio.get_running_loop())
        await super().startup(sockets)
        if self.should_exit:
            self._hurried = True
            if self._parent is not None:
                self._parent.replaces.set()
        elif self.started and self._on_started is not None:
            self._on_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """A signal: SIGTERM drains; Ctrl-C, or a second one, does not. What is compiled is given up."""
        if not self.should_exit:
            self._signal = signal.Signals(sig)
        again = self.should_exit and self._parent is None
        self._hurried = self._hurried or again or sig == signal.SIGINT
        self._node.replaced = self._is_replaced()
        self.should_exit = self._node.draining = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Not ready, but still answering, for `drain_s` seconds; then as uvicorn's."""
        self._node.draining = self.clients.draining = True
        if self._on_stopping is not None:
            self._on_stopping(self._signal, 0 if self._hurried else self._drain_s)
        others_serve = self._is_replaced()
        if others_serve:
            for server in self.servers:
                server.close()
        await self._drain()
        self.watchdog.start()
        if not others_serve and await self._service_ends():
            for listening in sockets or []:
                shut(listening)
            await emptied(sockets or [])
        self.clients.end(limits.LAST_REQUEST_S)
        await super().shutdown(sockets)

    def _is_replaced(self) -> bool:
        return self._parent is not None and self._parent.replaces.is_set()

    async def _service_ends(self) -> bool:
        """Does it, or this worker alone? A signal to all processes may be here before the parent's word."""
        if self._parent is None:
            return True
        for _ in range(limits.WORD_LOOKS):
            if self._parent.ends.is_set():
                return True
            await asyncio.sleep(limits.DOOR_LOOK_S)
        return False

    async def _wait_tasks_to_complete(self) -> None:
        """As uvicorn's, but not for ever; who is cut off then is told of in our words."""
        try:
            async with asyncio.timeout(limits.FINISH_S):
                await super()._wait_tasks_to_complete()
        except TimeoutError:
            open_ones = len(self.clients.connections)
            if open_ones:
                log.warning("stopping: %d client(s) did not end in %s s and are cut off", open_ones, limits.FINISH_S)
            for task in self.clients.tasks:
                task.cancel()

    async def _drain(self) -> None:
        clock = asyncio.get_running_loop().time
        end, tick = clock() + self._drain_s, 0
        while clock() < end and not self._hurried:
            await self.on_tick(tick)  # keeps the Date header right
            await asyncio.sleep(0.1)
            tick += 1


def _end_now() -> None:
    """The last resort: requests are lost, data is not, for whatever was acknowledged is on the disk."""
    log.error("stopping took longer than %s s, the process ends as it is", limits.WATCHDOG_S)
    os._exit(1)


def log_config(options: Options) -> dict[str, Any]:
    """How the log is printed."""
    several = options.workers > 1
    return logs.log_config(options.log_format, options.log_level, several=several, access=options.access_log)

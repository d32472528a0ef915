"""Several worker processes on one socket, watched over. What lives here: starting, replacing and stopping them.

What may not: HTTP, rules, anything that a worker does by itself.

1. A worker is a fresh process (spawned, never forked: threads and open stores do not survive a fork). It inherits the
   listening socket; the kernel hands each connection to one that is free.
2. A worker that dies is replaced, after a pause if it died young; the others go on serving meanwhile. If the very
   first ones die before one of them was up, it is the machine or the options, and the service ends.
3. SIGTERM and SIGINT are handed to every worker, which drains and ends; whoever is not gone in time is killed.
4. Each worker holds the reading end of a pipe whose writing end only this process has: if this process is killed, the
   workers see the pipe close and end by themselves. No worker is left behind with the port.
"""

import logging
import logging.config
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Final

from engine import limits
from engine.jobs import FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S
from engine.node import Node
from engine.web.app import build
from engine.web.serve import Options, bind, log_config, run, tell

log = logging.getLogger("mutiny_edge.serve")

_spawn = multiprocessing.get_context("spawn")
TICK_S: Final = 0.5  # how late a signal is noticed at worst
KILL_MARGIN_S: Final = 3.0  # beyond drain and grace a worker hangs


def supervise(options: Options, announce: Callable[[str], None] | None) -> None:
    """Serve with `options.workers` processes until a signal ends it. Raises as `serve` does."""
    version = _checked(options)
    with bind(options.host, options.port) as listening:
        tell(options, listening, version, announce)
        _Supervisor(options, listening).run()


def _checked(options: Options) -> str:
    """The ruleset's version; whatever keeps a worker from starting is raised here, where somebody sees it."""
    node = Node(options.settings)
    with closing(node.store):
        build(node, options.origins, options.trusted_proxies)
        return node.held.decider.ruleset.version


class _Worker:
    """One worker process."""

    def __init__(self, options: Options, listening: socket.socket) -> None:
        lifeline, self._held_end = _spawn.Pipe(duplex=False)
        self._up, up = _spawn.Pipe(duplex=False)
        self.was_up = False
        self.born = time.monotonic()
        self.process = _spawn.Process(target=_work, args=(options, listening, lifeline, up), name="mutiny-edge worker")
        self.process.start()
        lifeline.close()
        up.close()

    def look(self) -> None:
        """Notice that it came up."""
        with suppress(EOFError, OSError):
            if not self.was_up and self._up.poll():
                self._up.recv_bytes()
                self.was_up = True

    def signal(self, number: int) -> None:
        """Hand a signal on."""
        if self.process.pid is not None and self.process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def bury(self) -> None:
        """Wait for its end and let go of what belonged to it."""
        self.process.join()
        self._held_end.close()
        self._up.close()


class _Supervisor:
    """All workers of a service."""

    def __init__(self, options: Options, listening: socket.socket) -> None:
        self._options = options
        self._listening = listening
        self._workers: list[_Worker] = []
        self._signal: int | None = None
        self._pause_s = FIRST_PAUSE_S
        self._next_birth = 0.0
        self._any_was_up = False

    def run(self) -> None:
        """Until a signal. Raises `OSError` if no worker ever came up."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            while self._signal is None:
                self._fill()
                wait([worker.process.sentinel for worker in self._workers], TICK_S)
                self._reap()
        finally:
            self._stop(self._signal or signal.SIGTERM)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._signal = number

    def _fill(self) -> None:
        """Start what is missing, unless the last one died young and the pause is not over."""
        while len(self._workers) < self._options.workers and time.monotonic() >= self._next_birth:
            self._workers.append(_Worker(self._options, self._listening))

    def _reap(self) -> None:
        for worker in list(self._workers):
            worker.look()
            self._any_was_up = self._any_was_up or worker.was_up
            if worker.process.is_alive():
                continue
            self._workers.remove(worker)
            worker.bury()
            if self._signal is not None:
                continue
            if not self._any_was_up:
                raise OSError("a worker ended before it could serve; the log says why")
            self._count_death(worker)

    def _count_death(self, worker: _Worker) -> None:
        """Every death in a row of young ones doubles the pause before the next birth."""
        now = time.monotonic()
        if now - worker.born > STEADY_S:
            self._pause_s, self._next_birth = FIRST_PAUSE_S, 0.0
        else:
            self._next_birth = now + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        log.error("worker %s died (exit code %s), it is replaced", worker.process.pid, worker.process.exitcode)

    def _stop(self, number: int) -> None:
        deadline = time.monotonic() + self._options.drain_s + limits.GRACE_S + KILL_MARGIN_S
        for worker in self._workers:
            worker.signal(number)
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                log.error("worker %s does not end, it is killed", worker.process.pid)
                worker.process.kill()
            worker.bury()


def _work(options: Options, listening: socket.socket, lifeline: Connection, up: Connection) -> None:
    """What a worker process does: its own node, the shared socket."""
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    logging.config.dictConfig(log_config(options))
    # Before the server takes over the signals, Ctrl-C in a terminal reaches workers too, and is no fault.
    with suppress(KeyboardInterrupt):
        node = Node(options.settings)
        app = build(node, options.origins, options.trusted_proxies)
        run(options, node, app, listening, on_started=lambda: up.send_bytes(b"up"))


def _end_with_parent(lifeline: Connection) -> None:
    """Blocks until the parent's end of the pipe closes, then ends this process as SIGTERM would."""
    with suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os.kill(os.getpid(), signal.SIGTERM)

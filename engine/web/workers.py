"""Several worker processes on one socket, watched over. What lives here: starting, replacing and stopping them.

What may not: HTTP, rules, anything that a worker does by itself.

1. A worker is a fresh process (spawned, never forked: threads and open stores do not survive a fork). It inherits the
   listening socket; the kernel hands each connection to one that is free.
2. A worker that dies is replaced at once, or after a pause if it never came up; the others go on serving meanwhile.
   If the very first ones die before one of them was up, it is the machine or the options, and the service ends.
3. That the service is there is said when the first worker is: it has compiled what visitors would wait for.
4. SIGTERM and SIGINT are handed to every worker, which drains and ends; whoever is not gone in time is killed. A second
   one is handed on as SIGINT: SIGTERM twice may be one that was sent to all processes of the group, and hurries nobody.
   Whoever is still in the socket's queue then, because workers were killed or never came up, is told to come again.
   Ctrl-C in a terminal reaches workers too: one that is not yet up ends of it without a word, and before it is so far
   that it can (`_deaf`: a Python that begins would print where it was) the signal waits.
5. SIGHUP replaces every worker, one by one: a successor is started, and only when it is up the old one is told to
   leave. A successor that never comes up ends the replacing, and the old ones stay. Successors know the admin keys
   that are in their file by then; it is read here, so that all workers know the same. One that comes before the first
   worker is up waits until then. The log says when the last old one is gone.
6. Each worker holds the reading end of a pipe whose writing end only this process has: by it a worker is told that it
   is replaced, or that the service ends, and if this process is killed, the workers see the pipe close and end by
   themselves. None is left behind with the port.
"""

import logging
import logging.config
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.resource_tracker import ensure_running
from pathlib import Path
from types import FrameType
from typing import Final

from engine import limits
from engine.jobs import FIRST_PAUSE_S, LONGEST_PAUSE_S
from engine.node import Node
from engine.web.admin import KeysUnusable
from engine.web.app import build
from engine.web.listening import shut, turn_away
from engine.web.metrics.together import RUN, RunFolder, run_folder
from engine.web.serve import Options, Parent, bind, heed_hangup, log_config, run, tell, tell_stopping, with_admin_keys
from engine.web.telemetry import telemetry

log = logging.getLogger("mutiny_edge.serve")

_spawn = multiprocessing.get_context("spawn")
TICK_S: Final = 0.5  # how late a signal is noticed at worst
# What a worker is told.
_REPLACED: Final = b"replaced"
_ENDS: Final = b"ends"
KILL_S: Final = limits.GRACE_S - 0.5  # this long after draining a worker hangs: its own watchdog is earlier


def supervise(options: Options, announce: Callable[[str], None] | None) -> None:
    """Serve with `options.workers` processes until a signal ends it. Raises as `serve` does."""
    hangup = _Hangup()
    heed_hangup(hangup.heard)
    options = with_admin_keys(options)
    with ExitStack() as stack:
        stack.enter_context(telemetry(os.environ))  # of this process the log alone
        version = _checked(options)
        listening = stack.enter_context(bind(options.host, options.port))
        folder = stack.enter_context(_numbers_together(options.settings.data / RUN))
        on_first = partial(tell, options, listening, version, announce)
        _Supervisor(options, listening, folder, hangup, on_first).run()
        log.info("stopped")


@contextmanager
def _numbers_together(parent: Path) -> Iterator[RunFolder | None]:
    """Where workers write their numbers. None where that is not possible: `/metrics` is no reason not to serve."""
    with ExitStack() as stack:
        folder: RunFolder | None = None
        try:
            folder = stack.enter_context(run_folder(parent))
        except OSError as error:
            log.warning("/metrics tells of one worker only, whichever is asked: %s", error)
        yield folder


def _checked(options: Options) -> str:
    """The ruleset's version; whatever keeps a worker from starting is raised here, where somebody sees it."""
    node = Node(options.settings)
    with closing(node.store):
        build(node, options.origins, options.trusted_proxies, options.admin_keys)
        return node.held.decider.ruleset.version


class _Hangup:
    """Whether SIGHUP came, and nobody has begun to do what it asks. No lock: a signal may come at any line."""

    def __init__(self) -> None:
        self.waits = False

    def heard(self) -> None:
        """It came."""
        self.waits = True


class _Worker:
    """One worker process."""

    def __init__(self, options: Options, listening: socket.socket, folder: RunFolder | None, number: int) -> None:
        lifeline, self._held_end = _spawn.Pipe(duplex=False)
        self.number = number
        self._up, up = _spawn.Pipe(duplex=False)
        self.was_up = False
        self.leaves_until: float | None = None  # monotonic; told to leave, and killed if it did not by then
        whole = (options, listening, (lifeline, up), folder, number)
        self.process = _spawn.Process(target=_work, args=whole, name="mutiny-edge worker")
        with _deaf():
            self.process.start()
        lifeline.close()
        up.close()

    def tidings(self) -> list[int | Connection]:
        """What it is told by that it ended, or came up."""
        return [self.process.sentinel] if self.was_up else [self.process.sentinel, self._up]

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

    def leave(self, until: float) -> None:
        """Tell it that others stand in for it."""
        self.leaves_until = until
        self._tell(_REPLACED)

    def end(self, number: int) -> None:
        """Tell it that the service ends, by this signal; one that does not serve yet ends at once, if it can."""
        self._tell(_ENDS)
        self.signal(number)
        if not self.was_up:
            self.signal(signal.SIGTERM)

    def _tell(self, word: bytes) -> None:
        with suppress(OSError):  # it is gone already
            self._held_end.send_bytes(word)

    def bury(self) -> None:
        """Wait for its end and let go of what belonged to it."""
        self.process.join()
        self._held_end.close()
        self._up.close()


class _Supervisor:
    """All workers of a service."""

    def __init__(
        self,
        options: Options,
        listening: socket.socket,
        folder: RunFolder | None,
        hangup: _Hangup,
        on_first: Callable[[], None],
    ) -> None:
        """`on_first` is called when the first worker is up."""
        self._options = options
        self._listening = listening
        self._folder = folder
        self._hangup = hangup
        self._on_first = on_first
        self._born = 0
        self._workers: list[_Worker] = []
        self._signal: int | None = None
        self._hurried = False  # a second signal came
        self._pause_s = FIRST_PAUSE_S
        self._next_birth = 0.0
        self._any_was_up = False
        self._outdated: list[_Worker] = []
        self._successor: _Worker | None = None
        self._renewing_since: float | None = None  # monotonic

    def run(self) -> None:
        """Until a signal. Raises `OSError` if no worker ever came up."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            while self._signal is None:
                self._fill()
                wait([one for worker in self._workers for one in worker.tidings()], TICK_S)
                self._reap()
                self._renew()
        finally:
            self._stop(self._signal or signal.SIGTERM)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self._signal is None:
            self._signal = number
        else:
            self._hurried = True

    def _fill(self) -> None:
        """Start what is missing, unless the last one never came up and the pause is not over."""
        leaving = sum(worker.leaves_until is not None for worker in self._workers)
        while len(self._workers) - leaving < self._options.workers and time.monotonic() >= self._next_birth:
            self._workers.append(self._bear())

    def _bear(self) -> _Worker:
        self._born += 1
        return _Worker(self._options, self._listening, self._folder, self._born)

    def _bury(self, worker: _Worker) -> None:
        worker.bury()
        if self._folder is not None:
            try:
                self._folder.bury(worker.number)
            except OSError as error:
                log.warning("what worker %s has counted is lost: %s", worker.process.pid, error)

    def _reap(self) -> None:
        for worker in list(self._workers):
            worker.look()
            if worker.was_up and not self._any_was_up:
                self._any_was_up = True
                self._on_first()
            if worker.process.is_alive():
                continue
            self._workers.remove(worker)
            self._bury(worker)
            if self._signal is not None:
                continue
            if not self._any_was_up:
                raise OSError("a worker ended before it could serve; the log says why")
            if worker.leaves_until is None:
                self._count_death(worker)

    def _count_death(self, worker: _Worker) -> None:
        """Every death in a row of workers that never came up doubles the pause before the next birth."""
        if worker.was_up:
            self._pause_s, self._next_birth = FIRST_PAUSE_S, 0.0
        else:
            self._next_birth = time.monotonic() + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        log.error("worker %s died (exit code %s), it is replaced", worker.process.pid, worker.process.exitcode)
        if worker is self._successor and not worker.was_up:
            log.error("the other workers stay as they are")
            self._outdated, self._successor, self._renewing_since = [], None, None

    def _renew(self) -> None:
        """One step of replacing the workers that were there when SIGHUP came."""
        now = time.monotonic()
        for worker in self._workers:
            if worker.leaves_until is not None and now > worker.leaves_until:
                worker.process.kill()
        staying = [worker for worker in self._workers if worker.leaves_until is None]
        if self._hangup.waits and self._any_was_up:
            self._hangup.waits = False
            self._renewing_since = now
            self._options = _with_newest_keys(self._options)
            self._outdated = staying  # a successor that is on its way, too: what it has read may be older
            log.info("SIGHUP: %d worker(s) are replaced, one by one", len(self._outdated))
        self._outdated = [worker for worker in self._outdated if worker in staying]
        if self._successor is not None and self._successor not in staying:
            self._successor = None  # it came up, and died: another one
        elif self._successor is not None and self._successor.was_up:
            self._successor = None
            if self._outdated:
                self._outdated.pop(0).leave(now + self._options.drain_s + KILL_S)
        elif self._successor is None and self._outdated and len(staying) == len(self._workers):
            self._successor = self._bear()
            self._workers.append(self._successor)
        elif self._renewing_since is not None and self._all_are_new():
            log.info("SIGHUP: every worker has been replaced, after %.1f s", now - self._renewing_since)
            self._renewing_since = None

    def _all_are_new(self) -> bool:
        """Nobody is to be replaced, nobody is missing, nobody leaves."""
        here = [worker.was_up and worker.leaves_until is None for worker in self._workers]
        return not self._outdated and all(here) and len(here) == self._options.workers

    def _stop(self, number: int) -> None:
        if self._signal is not None:
            drains = self._any_was_up and number == signal.SIGTERM and not self._hurried
            tell_stopping(number, self._options.drain_s if drains else 0)
        deadline = time.monotonic() + self._options.drain_s + KILL_S
        for worker in self._workers:
            worker.end(number)
        handed_on = False
        while living := [worker for worker in self._workers if worker.process.is_alive()]:
            if self._hurried and not handed_on:
                handed_on = True
                for worker in living:
                    worker.signal(signal.SIGINT)
            if time.monotonic() >= deadline:
                for worker in living:
                    log.error("worker %s does not end, it is killed", worker.process.pid)
                    worker.process.kill()
                break
            wait([worker.process.sentinel for worker in living], TICK_S)
        for worker in self._workers:
            worker.bury()
        shut(self._listening)  # nobody did where no worker was up
        if turned_away := turn_away(self._listening):
            log.warning("stopping: %d client(s) whom no worker took are told to come again", turned_away)


def _with_newest_keys(options: Options) -> Options:
    """The options with the admin keys that are in their file now; if it cannot be taken, with those as they were."""
    try:
        return with_admin_keys(options)
    except (KeysUnusable, OSError) as error:
        log.warning("the admin keys stay as they are: %s", error)
        return options


@contextmanager
def _deaf() -> Iterator[None]:
    """What is started here has SIGINT blocked; in this process it waits for so long."""
    if sys.platform == "win32":
        yield
        return
    ensure_running()  # what multiprocessing starts beside the first process; it unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(
    options: Options,
    listening: socket.socket,
    pipes: tuple[Connection, Connection],
    folder: RunFolder | None,
    number: int,
) -> None:
    """What a worker process does: its own node, the shared socket."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the server takes over the signals
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it is for the parent, which tells each worker when
    lifeline, up = pipes
    parent = Parent()
    threading.Thread(target=_heed_parent, args=(lifeline, parent), daemon=True).start()
    logging.config.dictConfig(log_config(options))
    with telemetry(os.environ) as sending:
        node = Node(options.settings, go_on=True)
        app = build(node, options.origins, options.trusted_proxies, options.admin_keys, sending)
        if folder is not None:
            app.metrics.join(folder, number)
        run(options, node, app, listening, on_started=lambda: up.send_bytes(b"up"), parent=parent)


def _heed_parent(lifeline: Connection, parent: Parent) -> None:
    """Blocks until the parent says something or its end of the pipe closes; then ends this process as SIGTERM would."""
    said = _ENDS
    with suppress(EOFError, OSError):
        said = lifeline.recv_bytes()
    (parent.replaces if said == _REPLACED else parent.ends).set()
    os.kill(os.getpid(), signal.SIGTERM)

"""A server as a process of its own: what it logs, where it answers, what it costs.

1. `Service.serving(folder)` is `mutiny-edge serve` on the folder's `rules` and `data`; any other module with a `main`
   that logs `serving http://…` can be started likewise.
2. On Linux it ends with us, also if we are killed, and may be bound to some cores. What we run meanwhile is bound to
   the others by `on_cores`.
3. A log line that says "serving" is waited for; a server that ends instead, or never says so, is an `AssertionError`
   with its log.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import TypeAlias

Cores: TypeAlias = AbstractSet[int]

_COMPUTED = 2  # how Linux names the clock of all that a process computes: clock_getcpuclockid(3), which Python has not
HOUSE = Path(__file__).resolve().parent.parent
START_S = 300  # of waiting for a server that does not begin; 10,000 segments take it ten seconds
_WITH_US = "import ctypes, sys; sys.platform == 'linux' and ctypes.CDLL(None).prctl(1, 15)"  # PR_SET_PDEATHSIG


def two_sides() -> tuple[Cores, Cores]:
    """A core for the server, and the others for whoever asks it; the same one where there is but one."""
    if not hasattr(os, "sched_getaffinity"):
        return frozenset(), frozenset()
    cores = os.sched_getaffinity(0)
    first = {min(cores)}
    return first, cores - first or first


@contextmanager
def on_cores(cores: Cores) -> Iterator[None]:
    """What runs or is started in here keeps to these cores; none given: it does not."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Service:
    """A server that runs, until `end`."""

    def __init__(self, module: str, arguments: Sequence[str], cores: Cores = frozenset()) -> None:
        began = time.monotonic()
        program = [sys.executable, "-c", f"{_WITH_US}; from {module} import main; main()", *arguments]
        with on_cores(cores):
            self.process = Popen(program, stdout=DEVNULL, stderr=PIPE, text=True, cwd=HOUSE)
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._wait(began + START_S)
        except BaseException:
            self.end()
            raise
        self.start_s = time.monotonic() - began
        host, port = next(line for line in self.log if "serving" in line).split("http://")[1].split()[0].split(":")
        self.address = host, int(port)

    @classmethod
    def serving(cls, folder: Path, cores: Cores = frozenset(), module: str = "engine.cli.main") -> "Service":
        """`mutiny-edge serve`, one worker, by the `main` of this module."""
        where = ["--drain", "0", "--rules", str(folder / "rules"), "--data", str(folder / "data")]
        return cls(module, ["serve", "--port", "0", *where], cores)

    @property
    def url(self) -> str:
        """Where it answers."""
        return "http://{}:{}".format(*self.address)

    def cpu_s(self) -> float:
        """What it has computed so far."""
        return time.clock_gettime(~self.process.pid << 3 | _COMPUTED)

    def memory_mb(self) -> float:
        """What it holds of the machine's memory, what it shares with other processes included."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def end(self) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        self._reader.join()
        if self.process.stderr is not None:
            self.process.stderr.close()

    def _wait(self, until: float) -> None:
        while not any("serving http" in line for line in self.log):
            assert self.process.poll() is None, "".join(self.log)
            assert time.monotonic() < until, "".join(self.log)
            time.sleep(0.01)

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self.log.append(line)

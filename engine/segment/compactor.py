"""Compacting in a process of its own, behind everything else that the machine does: so a service has it done.

What lives here: the program, what it is told, and the way to run it and to end it. What may not: compacting
(`compacting`), when it is done.

1. Reading lines takes the interpreter, packing them the processor; in a process of a service visitors would wait for
   both. This one has the lowest urgency that there is: it runs where nobody else wants to.
2. Of several processes of a service one has it done: whoever has the lock (`compacting` in the folder of the log). The
   program inherits it, so that the lock is held as long as it lives, also if the service is killed.
3. It may be killed at any time; the log is whole then, and whoever compacts next throws away what it had begun.
4. It prints a line for whatever took the place of lines, at once, and at last what it did in all; so that the first are
   known also if it is killed.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Final

import msgspec
from msgspec import Struct

from engine.events.disk import DISK, LogError, LogUnavailable, opened, take, told
from engine.segment.compacting import Compacted, Taken, compact
from engine.segment.erasure import Erasures, Logs

PROGRAM: Final = ("-m", __name__)
COMPACTING: Final = "compacting"
RESTORING: Final = "restoring"
_LEAST_URGENT: Final = 19
_LOOK_S: Final = 0.1
_READ_BYTES: Final = 2**16


class _Place(Struct, array_like=True):
    """What is printed as soon as it is so: as `compacting.Taken`."""

    mark: str | None
    lines: dict[str, int]


class Order(Struct, frozen=True):
    """What the program is given, as JSON on its standard input: the folders, and the names of the files."""

    events: str
    erasures: str
    names: list[str]


@contextmanager
def turn(folder: Path, step: str = COMPACTING) -> Iterator[int | None]:
    """The lock, open; None where another process has it, or where there is no log. Raises LogError."""
    if not folder.is_dir():
        yield None
        return
    try:
        with opened(DISK, folder / step, os.O_RDWR | os.O_CREAT) as lock:
            yield lock if take(lock) else None
    except OSError as error:
        raise told(folder, error) from error


def compacted(logs: Logs, paths: Sequence[Path], lock: int, taken: Taken, go_on: Callable[[], None]) -> Compacted:
    """Have these files compacted; `taken` is told of whatever took the place of lines, also if it fails then; `go_on`
    is called often, and may end it by an exception. Raises LogError, OSError, what `taken` raises.
    """
    order = Order(str(logs.events), str(logs.erasures), [path.name for path in paths])
    program = [sys.executable, "-P", *PROGRAM]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=pipe, pass_fds=[lock]) as process:  # noqa: S603 - ours
        telling = _Telling(taken)
        try:
            why = _answer(process, msgspec.json.encode(order), telling, go_on)
        except BaseException:
            process.kill()
            telling.hear(process.stdout.read() if process.stdout else b"")
            raise
    if process.returncode or telling.made is None:
        last = why.decode(errors="replace").strip().rpartition("\n")[2]
        raise LogUnavailable(f"compacting ended with {process.returncode}: {last}")
    return telling.made


class _Telling:
    """What the program prints, told as it comes; `made` is the last of it."""

    def __init__(self, taken: Taken) -> None:
        self.made: Compacted | None = None
        self._taken = taken
        self._rest = b""

    def hear(self, said: bytes) -> None:
        """Some more of it; a line that is not whole is not believed."""
        *lines, self._rest = (self._rest + said).split(b"\n")
        for line in lines:
            if line.startswith(b"["):
                place = msgspec.json.decode(line, type=_Place)
                self._taken(place.mark, place.lines)
            else:
                self.made = msgspec.json.decode(line, type=Compacted)


def _answer(process: "subprocess.Popen[bytes]", order: bytes, telling: _Telling, go_on: Callable[[], None]) -> bytes:
    """Tell what the program says; what it complains of in the end."""
    assert process.stdin is not None  # noqa: S101 - as it was opened
    with suppress(BrokenPipeError), process.stdin as given:
        given.write(order)
    heard = {process.stdout: b"", process.stderr: b""}
    with DefaultSelector() as selector:
        for pipe in heard:
            selector.register(pipe, EVENT_READ)  # type: ignore[arg-type]
        while selector.get_map():
            for key, _ in selector.select(_LOOK_S):
                said = os.read(key.fd, _READ_BYTES)
                if not said:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    telling.hear(said)
                else:
                    heard[process.stderr] += said
            go_on()
    return heard[process.stderr]


def main() -> None:
    """Carry out an `Order`; print what was made of it, or fail with why."""
    os.nice(_LEAST_URGENT)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    folder = Path(order.events)
    paths = [folder / name for name in order.names]
    erasures = Erasures(Path(order.erasures))
    try:
        done = compact(folder, paths, erasures, taken=lambda mark, lines: _print(_Place(mark, lines)))
    except (LogError, OSError) as error:
        sys.exit(str(error))
    _print(done)


def _print(said: _Place | Compacted) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

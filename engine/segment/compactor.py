"""Compacting in a process of its own, behind everything else that the machine does: so a service has it done.

What lives here: the program, what it is told, and the way to run it and to end it. What may not: compacting
(`compacting`), when it is done.

1. Reading lines takes the interpreter, packing them the processor; in a process of a service visitors would wait for
   both. This one has the lowest urgency that there is: it runs where nobody else wants to.
2. Of several processes of a service one has it done: whoever has the lock (`compacting` in the folder of the log). The
   program inherits it, so that the lock is held as long as it lives, also if the service is killed.
3. It may be killed at any time; the log is whole then, and whoever compacts next throws away what it had begun.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from engine.events.disk import DISK, LogError, LogUnavailable, opened, take, told
from engine.segment.compacting import Compacted, compact
from engine.segment.erasure import Erasures, Logs

_LOCK_FILE: Final = "compacting"
_LEAST_URGENT: Final = 19
_LOOK_S: Final = 0.1


class Order(Struct, frozen=True):
    """What the program is given, as JSON on its standard input: the folders, and the names of the files."""

    events: str
    erasures: str
    names: list[str]


@contextmanager
def turn(folder: Path) -> Iterator[int | None]:
    """The lock, open; None where another process has it, or where there is no log. Raises LogError."""
    if not folder.is_dir():
        yield None
        return
    try:
        with opened(DISK, folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT) as lock:
            yield lock if take(lock) else None
    except OSError as error:
        raise told(folder, error) from error


def compacted(logs: Logs, paths: Sequence[Path], lock: int, go_on: Callable[[], None]) -> Compacted:
    """Have these files compacted; `go_on` is called often, and may end it by an exception. Raises LogError, OSError."""
    order = Order(str(logs.events), str(logs.erasures), [path.name for path in paths])
    program = [sys.executable, "-P", "-m", __name__]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=pipe, pass_fds=[lock]) as process:  # noqa: S603 - ours
        try:
            made, why = _answer(process, msgspec.json.encode(order), go_on)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        last = why.decode(errors="replace").strip().rpartition("\n")[2]
        raise LogUnavailable(f"compacting ended with {process.returncode}: {last}")
    return msgspec.json.decode(made, type=Compacted)


def _answer(process: "subprocess.Popen[bytes]", order: bytes, go_on: Callable[[], None]) -> tuple[bytes, bytes]:
    given: bytes | None = order
    while True:
        try:
            return process.communicate(given, timeout=_LOOK_S)
        except subprocess.TimeoutExpired:
            given = None  # it has it
            go_on()


def main() -> None:
    """Carry out an `Order`; print what was made of it, or fail with why."""
    os.nice(_LEAST_URGENT)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    folder = Path(order.events)
    try:
        done = compact(folder, [folder / name for name in order.names], Erasures(Path(order.erasures)))
    except (LogError, OSError) as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(msgspec.json.encode(done))


if __name__ == "__main__":
    main()

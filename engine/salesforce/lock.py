"""One at a time: a sync or an import holds the lock of its data folder; a process that dies lets go of it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.salesforce.mirror import path_of
from engine.salesforce.trouble import Busy

_FILE: Final = "lock"


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """While it lasts, no other process gets here for the same data folder. Raises Busy, OSError."""
    folder = path_of(data).parent
    folder.mkdir(0o700, parents=True, exist_ok=True)
    lock = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"another sync or import of {folder} is at work; wait for it") from None
        yield
    finally:
        os.close(lock)

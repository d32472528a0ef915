"""A small file that several processes change and others read meanwhile: whole, or not there.

1. Written beside, made durable, then renamed: whoever reads it finds the old content or the new one, and so does
   whoever starts after a crash. A write that fails leaves the old content.
2. Who reads, changes and writes holds a lock meanwhile (`alone`), so that no change of another process is lost. A
   process that dies lets go of it.
3. It is its owner's alone (0600). Where root writes it, it belongs to whom the folder belongs to: the service, which
   seldom is root, must be able to read it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Ledger:
    """One such file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes | None:
        """What is in it; None if it was never written. Raises OSError."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None

    def write(self, content: bytes) -> None:
        """Put this in place of what was in it. Durable when it returns. Raises OSError."""
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        beside.unlink(missing_ok=True)  # of a process of this number that died here
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                self._hand_over(file.fileno())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        _sync_folder(self.path.parent)

    def _hand_over(self, file: int) -> None:
        if os.geteuid() == 0:
            owner = self.path.parent.stat()
            os.fchown(file, owner.st_uid, owner.st_gid)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """While it lasts, no other process gets past this line for the same path. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

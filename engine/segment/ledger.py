"""A small file that several processes change and others read meanwhile: whole, or not there.

1. Written beside, made durable, then renamed: whoever reads it finds the old content or the new one, and so does
   whoever starts after a crash. A write that fails leaves the old content.
2. Who reads, changes and writes holds a lock meanwhile (`alone`), so that no change of another process is lost. A
   process that dies lets go of it.
3. Where a link stands in its place, what it leads to is the file: so nodes may share one, and who changes it changes it
   for all of them.
4. It is its owner's alone (0600). Where root writes it, it belongs to whom the folder belongs to: the service, which
   seldom is root, must be able to read it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_native_id


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
        # Only where it is a link: the folder's own way may be one that leads elsewhere when it is taken apart.
        path = self.path.resolve() if self.path.is_symlink() else self.path
        # A thread's number here is no other thread's, of whatever process.
        beside = path.with_name(f"{path.name}.{get_native_id()}.new")
        beside.unlink(missing_ok=True)  # of one of this number that died here
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                _hand_over(path.parent, file.fileno())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            error.filename = error.filename or str(path)  # of a file that is open the system names none
            raise
        _sync_folder(path.parent)


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


def _hand_over(folder: Path, file: int) -> None:
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(file, owner.st_uid, owner.st_gid)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

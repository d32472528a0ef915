"""Who has the store open: one empty file for each process, `open.PID`, so that a sudden death leaves a trace.

LMDB's own table of readers tells of the dead only while somebody else has the store open; the first one who opens it
makes the table anew. Processes that only read along (`read_only`) leave no file.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

PREFIX: Final = "open."


def arrive(folder: Path) -> None:
    """From here on our death would be noticed."""
    (folder / f"{PREFIX}{os.getpid()}").touch(mode=0o600)


def depart(folder: Path) -> None:
    """We end as one should."""
    (folder / f"{PREFIX}{os.getpid()}").unlink(missing_ok=True)


def dead(folder: Path) -> list[Path]:
    """The files of processes that ended otherwise. Ask before `arrive`: our own number is one that died before."""
    return [path for path, process in _present(folder) if process == os.getpid() or not _lives(process)]


def _present(folder: Path) -> Iterator[tuple[Path, int]]:
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(ValueError):
            yield path, int(path.name.removeprefix(PREFIX))


def _lives(process: int) -> bool:
    if sys.platform == "win32":
        return True  # there a signal is no question
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True

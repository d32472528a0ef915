"""Where keys may be made, for the verbs that make them: where the keys are kept, which need not be here.

A node may have links in its data folder to keys that it only reads, from a Secret or a mount. What then cannot be
written is a file beside them, or a lock, of names that mean nothing to whoever typed the command.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.cli.screen import fail

_REFUSED: Final = {errno.EROFS, errno.EACCES, errno.EPERM}
_OURS: Final = {".new", ".lock"}  # what is written: beside a file, before it takes its place, and while it lasts


@contextmanager
def writing_keys(what: str) -> Iterator[None]:
    """A folder that may only be read ends the command: exit code 2, where it is, and where to do this instead."""
    try:
        yield
    except OSError as error:
        path = Path(str(error.filename))
        if error.errno not in _REFUSED or path.suffix not in _OURS:
            raise
        fail(
            f"{path.parent}: {what} is to be written there, and that folder may only be read from here; run the same"
            " where the keys are kept, with `--data FOLDER`, and bring them here as you did before"
        )

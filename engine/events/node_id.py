"""Which node a data folder belongs to: a random id, kept in the folder for good.

What lives here: that one file. What may not: what nodes do with their ids.

1. A store that several nodes share keeps for each how far its log is applied: under this id. A folder that is copied
   takes the id with it, and is the same node then: marks are of files, and no name of a file is there twice.
2. Who makes it holds the file's lock meanwhile, so that processes which start at once agree. A file that is not whole
   was begun by a process that died: nobody was ever told of it, and it is made anew.
3. Where root makes it, it belongs to whom the folder belongs to: the service must be able to read it.
"""

import os
import secrets
import sys
from pathlib import Path
from typing import Final

from engine.events.disk import DISK, opened, take, told, write_all

FILE: Final = "node"
_ID_BYTES: Final = 8
_LINE_BYTES: Final = 2 * _ID_BYTES + 1


def node_id(data: Path, *, makes: bool = True) -> str:
    """The id of the node that this data folder belongs to; made where there is none.

    Who only reads (`makes=False`) makes none, and is a node then of which nobody ever heard. Raises LogError.
    """
    try:
        return _read(data / FILE) or (_made(data) if makes else secrets.token_hex(_ID_BYTES))
    except OSError as error:
        raise told(data, error) from error


def _read(path: Path) -> str | None:
    """What stands there, if that is an id."""
    try:
        line = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return None
    is_whole = len(line) == _LINE_BYTES and line.endswith("\n") and set(line[:-1]) <= set("0123456789abcdef")
    return line[:-1] if is_whole else None


def _made(data: Path) -> str:
    DISK.make_folder(data)
    with opened(DISK, data / FILE, os.O_RDWR | os.O_CREAT) as file:
        take(file, wait=True)
        known = _read(data / FILE)
        if known is None:
            known = secrets.token_hex(_ID_BYTES)
            DISK.cut(file, 0)
            write_all(DISK, file, f"{known}\n".encode(), 0)
            _hand_over(data, file)
            DISK.sync(file)
            DISK.sync_folder(data)
    return known


def _hand_over(data: Path, file: int) -> None:
    if sys.platform != "win32" and os.geteuid() == 0:
        owner = data.stat()
        os.fchown(file, owner.st_uid, owner.st_gid)

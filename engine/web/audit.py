"""The audit log: every change that an admin made, a line each, durable before the change is answered.

1. `audit.ndjson` in the data folder: `{"at", "by", "from", "action", "target"}`. `by` is the beginning of the admin
   key's SHA-256, as the service's own log shows it.
2. It is append-only, and its owner's alone. Nobody here ever reads it.
3. Ids may be personal: a target is told by its kind and the first digits of its id's SHA-256, as `store verify` does.
"""

import os
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

AUDIT_FILE: Final = "audit.ndjson"
_HASH_DIGITS: Final = 12


class Entry(Struct, frozen=True, rename={"from_": "from"}):
    """One line."""

    at: datetime
    by: str
    from_: str | None
    action: str
    target: str


def note(data: Path, entry: Entry) -> None:
    """Write a line, durably. Raises `OSError`."""
    data.mkdir(parents=True, exist_ok=True)
    fd = os.open(data / AUDIT_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(fd, msgspec.json.encode(entry) + b"\n")  # one write: lines of several workers do not mix
        os.fsync(fd)
    finally:
        os.close(fd)


def target(kind: str, id_: str) -> str:
    """`user 3f8a…`: which identity, without saying it."""
    return f"{kind} {sha256(id_.encode(errors='replace')).hexdigest()[:_HASH_DIGITS]}"

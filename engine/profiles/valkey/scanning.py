"""Every key of a shared store, in steps.

What lives here: the pattern of a record's key, `SCAN`, and forgetting what it gives twice. What may not: values.

1. `SCAN` sees every key that is there from its beginning to its end. A cursor is worth something to the server that
   gave it, so a scan holds one line to each server to its end, and ends where that breaks.
2. It gives a key twice only where the server's table shrank meanwhile: then buckets fall together with the one where
   the scan stands, of which the last steps have seen a part. So it is enough to remember the last keys, and what is
   remembered is bounded.
3. Other programs' keys, other prefixes and marks are not matched: a record's key is the prefix, one letter and a colon.
"""

from collections.abc import Iterator
from typing import Any, Final, get_args

from engine.limits import VALKEY_REMEMBERED, VALKEY_SCANNED
from engine.profiles.ids import Key, Kind, prefix
from engine.profiles.valkey.topology import Session
from engine.profiles.valkey.wire import Wire, value

_GLOB: Final = frozenset(b"*?[]\\^-")
_LETTERS: Final = b"".join(sorted(prefix(kind)[:1] for kind in get_args(Kind)))


def keys(of: Session, begin: bytes, kind: Kind | None) -> Iterator[list[Key]]:
    """The keys of all records (of one kind), a step at a time, each once. Raises RedisError."""
    glob = pattern(begin, kind)
    now: set[Key] = set()
    before: set[Key] = set()
    for wire in of.servers.primaries():
        for found in steps(of, wire, glob):
            fresh = [key for raw in found if (key := Key(raw[len(begin) :])) not in now and key not in before]
            now.update(fresh)
            if len(now) > VALKEY_REMEMBERED:
                now, before = set(), now
            if fresh:
                yield list(dict.fromkeys(fresh))


def pattern(begin: bytes, kind: Kind | None) -> bytes:
    """The glob of these records' keys."""
    return glob_of(begin) + (b"[%b]:*" % _LETTERS if kind is None else prefix(kind) + b"*")


def glob_of(text: bytes) -> bytes:
    """The glob of just this text."""
    return b"".join(b"\\%c" % byte if byte in _GLOB else b"%c" % byte for byte in text)


def steps(of: Session, wire: Wire, glob: bytes) -> Iterator[list[bytes]]:
    """The keys of one server that are like this, as they are found. Raises RedisError."""
    line = of.line(wire)
    cursor: Any = 0
    while True:
        line.send([("SCAN", cursor, "MATCH", glob, "COUNT", VALKEY_SCANNED)])
        [answer] = line.answers()
        cursor, found = value(answer)
        yield found
        if cursor == b"0":
            return

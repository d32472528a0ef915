"""How far each file of this node's event log is in a shared store, kept in the store itself.

What lives here: the hashes of marks, one a node and place. What may not: records, what is done with a mark.

1. One server keeps a node's marks under `PREFIXmarks:NODE`: a hash from a file's name to a number of bytes. In a
   cluster there are several such hashes, `PREFIXmarks:{TAG}:NODE`, on each primary at least one (`slots`).
2. **A mark proves records.** A server hands to its replicas what it was told, in that order. Marks are raised last, so
   where one has survived everything that it is about has, on that primary; and the least of all primaries counts.
3. It is raised only from where the batch begins (`scripts.RAISE`), all of a batch or none. Where that is refused, there
   less is stored than was, and whoever has the log begins there.
4. What is of another type there, or no number, proves nothing: it reads as no mark, and gives way to the first one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.profiles.store import Span, StoreBehind
from engine.profiles.valkey import scripts
from engine.profiles.valkey.topology import Session
from engine.profiles.valkey.wire import is_of_another_type, value


class Marks:
    """The marks of one node."""

    def __init__(self, prefix: bytes, node: str) -> None:
        self._begin = prefix + b"marks:"
        self._node = node.encode()

    def keys(self, of: Session) -> list[bytes]:
        """Where they are. Raises RedisError."""
        return [self._begin + (b"{%b}:" % tag if tag else b"") + self._node for tag in of.servers.tags()]

    def read(self, of: Session) -> dict[str, int]:
        """Those that stand everywhere, as they stand where least is. Raises RedisError."""
        hashes = [_marks(answer) for answer in self._said(of)]
        names = set.intersection(*map(set, hashes))
        return {name: min(each[name] for each in hashes) for name in sorted(names)}

    def foreign(self, of: Session) -> list[str]:
        """The keys of theirs under which something else is. Raises RedisError."""
        said = zip(self.keys(of), self._said(of), strict=True)
        return [key.decode() for key, answer in said if is_of_another_type(answer)]

    def _said(self, of: Session) -> list[Any]:
        return of.ask([(key, ("HGETALL", key)) for key in self.keys(of)])

    def rise(self, of: Session, marks: Mapping[str, Span]) -> None:
        """Keep these, on every primary. Raises RedisError, StoreBehind."""
        said = [part for name, span in marks.items() for part in (name, span.begin, span.end)]
        answers = scripts.run(scripts.RAISE, [(key, tuple(said)) for key in self.keys(of)], of)
        risen = [value(answer) for answer in answers]
        if not all(risen):
            raise StoreBehind("the shared store has lost records that it had; apply them again from the event log")

    def forget(self, of: Session, names: Iterable[str]) -> None:
        """Remove the marks of these files. Raises RedisError."""
        for answer in of.ask([(key, ("HDEL", key, *names)) for key in self.keys(of)]):
            if not is_of_another_type(answer):
                value(answer)

    def probe(self, of: Session) -> None:
        """Would they be kept, on every primary? Raises RedisError."""
        for answer in scripts.run(scripts.PROBE, [(key + b"?", ()) for key in self.keys(of)], of):
            value(answer)

    def count(self, of: Session) -> int:
        """How many keys they take. Raises RedisError."""
        return sum(map(value, of.ask([(key, ("EXISTS", key)) for key in self.keys(of)])))


def _marks(answer: Any) -> dict[str, int]:
    """What a hash holds, without what is no number: whatever somebody wrote there proves nothing. Raises RedisError."""
    flat = [] if is_of_another_type(answer) else value(answer)
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return {name.decode(): int(number) for name, number in pairs if number.isdigit()}

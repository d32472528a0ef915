"""How far each file of this node's event log is in a shared store, kept in the store itself.

What lives here: the hashes of marks, one a node and place. What may not: records, what is done with a mark.

1. One server keeps a node's marks under `PREFIXmarks:NODE`: a hash from a file's name to a number of bytes. In a
   cluster there are several such hashes, `PREFIXmarks:{TAG}:NODE`, on each primary at least one (`slots`).
2. **A mark proves records.** A server hands to its replicas what it was told, in that order. Marks are raised last, so
   where one has survived everything that it is about has, on that primary; and the least of all primaries counts.
3. It is raised only from where the batch begins (`scripts.RAISE`), all of a batch or none. Where that is refused, there
   less is stored than was, and whoever has the log begins there.
"""

from collections.abc import Iterable, Mapping

from engine.profiles.store import Span, StoreBehind
from engine.profiles.valkey import scripts
from engine.profiles.valkey.topology import Session
from engine.profiles.valkey.wire import value


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
        hashes = [_marks(value(answer)) for answer in of.ask([(key, ("HGETALL", key)) for key in self.keys(of)])]
        names = set.intersection(*map(set, hashes))
        return {name: min(each[name] for each in hashes) for name in sorted(names)}

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
            value(answer)

    def count(self, of: Session) -> int:
        """How many keys they take. Raises RedisError."""
        return sum(map(value, of.ask([(key, ("EXISTS", key)) for key in self.keys(of)])))


def _marks(flat: list[bytes]) -> dict[str, int]:
    """What a hash holds, without what is no number: whatever somebody wrote there proves nothing."""
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return {name.decode(): int(number) for name, number in pairs if number.isdigit()}

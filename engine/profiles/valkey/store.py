"""The shared store: Valkey or Redis, blocking, for threads and the command line.

What lives here: `ValkeyStore`. What may not: which server is asked (`topology`), the form of a value (`value`), what an
error means (`failures`).

1. A record is one string under `PREFIX` and its key; its bytes are those of every store. There are no transactions over
   several keys, so a cluster is as good as one server.
2. A write reads, merges here and puts the result back only where what it read still stands (`scripts.SWAP`); what lost
   that race begins again with what is there by now. Registers take any order, so whoever wins, all end in the same.
3. A batch is several trips for many keys at once: one to read, one to write, one for the marks, and one more for each
   race that some key has lost. Cut short, it may have stored a part; it is free of harm to do it again as a whole.
4. A chain is one trip to one server. In a cluster it is two: the record, then its whole route (`value`); a third one,
   once, after somebody's links have changed, and who had to make it notes what was missing.
5. It reads and writes at one address, for what a write depends on must be the primary's. Whoever only reads may open
   another one on a replica.
6. What is of another type than a record's, for somebody else put it under a key of ours, is one more damaged record: it
   reads as `DAMAGED`, and the next write puts a record in its place. So it holds up nobody, and no batch.
7. When a line breaks, or a primary turned into a replica, the servers are looked for anew, and all that was asked is
   asked once more from its beginning; then the trouble is told.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha1
from typing import Any, Final, TypeAlias, TypeVar

from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as Unanswered

from engine.limits import DAMAGED_KEYS, VALKEY_KEYS, VALKEY_REDIRECTS, VALKEY_ROUNDS
from engine.profiles.encoding import BadRecord, joined, merged
from engine.profiles.ids import Key, Kind
from engine.profiles.record import Change
from engine.profiles.store import (
    CHAIN_LONGEST,
    DAMAGED,
    NO_MARKS,
    Following,
    Found,
    Span,
    StoreError,
    StoreStats,
    StoreUnavailable,
)
from engine.profiles.valkey import scripts, value
from engine.profiles.valkey.address import Address, checked_prefix
from engine.profiles.valkey.attempts import Attempts, NotTried
from engine.profiles.valkey.breaker import Breaker
from engine.profiles.valkey.errors import Shifted
from engine.profiles.valkey.failures import failure, may_pass
from engine.profiles.valkey.marks import Marks
from engine.profiles.valkey.scanning import keys as scanned_keys
from engine.profiles.valkey.topology import Session, servers_of, session
from engine.profiles.valkey.wire import fields, is_of_another_type
from engine.profiles.valkey.wire import value as valued

T = TypeVar("T")
After: TypeAlias = Callable[[Key, bytes | None], bytes | None]  # a record's body as it is to be

PREFIX: Final = "mutiny:"
_DONE: Final = 1  # what `SWAP` answers
_NO_RECORD: Final = b""  # what is read where something of another type is, here and in `scripts`


class ValkeyStore:
    """A `Store` on servers that other nodes share. It is opened by its first question: they may be down."""

    def __init__(
        self,
        address: Address,
        *,
        node: str,
        prefix: str = PREFIX,
        idle_s: int | None = None,
        attempts: Attempts | None = None,
        breaks: bool = False,
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        """`node` is whose marks are meant. After `idle_s` without a write, profiles of nobody known are gone.
        `attempts` is what all who connect in this process share. `breaks`: a server that refuses to be written is not
        asked to be by everybody (`breaker`). `rest` is called before each record that is written.

        Raises BadAddress where the prefix is none.
        """
        self.address = address
        self._prefix = checked_prefix(prefix).encode()
        self.attempts = attempts = Attempts() if attempts is None else attempts
        self._servers = servers_of(address, attempts)
        self._breaker = Breaker(self._probe, attempts) if breaks else None
        self._trouble: RedisError = Shifted()  # the last one
        self._marks = Marks(self._prefix, node)
        self._idle = () if idle_s is None else ("EX", idle_s)
        self._rest = rest
        self._damaged: set[Key] = set()
        self._closed = False
        self.histories: frozenset[str] = frozenset()  # of the primaries, by `stats`; none where they do not answer

    def get(self, keys: Sequence[Key]) -> list[Found]:
        """The bodies under these keys, in their order. Raises StoreError."""
        raws = self._work(lambda of: [raw for some in _portions(keys) for raw in self._raws(of, some)])
        return [self._found(key, raw) for key, raw in zip(keys, raws, strict=True)]

    def one(self, key: Key) -> Found:
        """The body under this key. Raises StoreError."""
        return self.get([key])[0]

    def chain(self, first: Key, following: Following) -> list[Found]:
        """The body under `first`, and those that follow; on one server, along the records' own links, as they were at
        one moment. Raises StoreError.
        """
        return self._work(lambda of: self._chain(of, first, following))

    def apply(self, changes: Iterable[Change], marks: Mapping[str, Span] = NO_MARKS) -> int:
        """Merge a batch; how many records are now other than before. Raises StoreError, StoreBehind."""
        by_key: dict[Key, list[Change]] = {}
        for change in changes:
            by_key.setdefault(change.key, []).append(change)
        return self._write(by_key, lambda key, body: merged(body, by_key[key]), marks)

    def put(self, records: Iterable[tuple[Key, bytes]]) -> int:
        """Merge whole records; how many are now other than before. Raises StoreError, BadRecord."""
        by_key: dict[Key, bytes] = {}
        for key, body in records:
            by_key[key] = joined(by_key.get(key), body)
        return self._write(by_key, lambda key, body: joined(body, by_key[key]))

    def marks(self) -> dict[str, int]:
        """How many bytes of which of this node's log files are applied. Raises StoreError."""
        return self._work(self._marks.read)

    def forget_marks(self, names: Iterable[str]) -> None:
        """Of log files that are gone. Raises StoreError."""
        gone = sorted(set(names))
        if gone:
            self._work(lambda of: self._marks.forget(of, gone), writes=True)

    def scan(self, kind: Kind | None = None) -> Iterator[tuple[Key, Found]]:
        """Every record (of one kind), in no order. While slots move between servers, one may be met twice or be missed.

        Raises StoreError; also where a line broke, for a scan cannot go on elsewhere.
        """
        self._refuse_closed()
        try:
            with session(self._servers) as of:
                for keys in scanned_keys(of, self._prefix, kind):
                    found = zip(keys, self._raws(of, keys), strict=True)
                    yield from [(key, self._found(key, raw)) for key, raw in found if raw is not None]
        except RedisError as error:
            raise failure(self.address, error) from error

    def delete(self, keys: Iterable[Key]) -> int:
        """Remove these records; how many there were. Raises StoreError."""
        gone = sorted(set(keys))
        removed = self._work(
            lambda of: sum(sum(map(valued, self._ask(of, "DEL", some))) for some in _portions(gone)), writes=True
        )
        self._damaged.difference_update(gone)
        return removed

    def stats(self) -> StoreStats:
        """`records` are the keys of the servers' database, without this node's marks: whatever else is kept there
        counts too, for a server counts no prefixes. `used_bytes` is all the memory of the servers. Raises StoreError.
        """
        self.histories, known = frozenset(), (("DBSIZE",), ("INFO", "memory"), ("INFO", "replication"))
        said, own = self._work(lambda of: (of.each(*known), self._marks.count(of)))
        ids = (fields(text).get("master_replid") for *_, text in said)
        self.histories = frozenset(filter(None, ids))
        return StoreStats(
            kind="valkey",
            records=max(0, sum(count for count, *_ in said) - own),
            used_bytes=sum(int(fields(text)["used_memory"]) for _, text, _ in said),
            damaged=len(self._damaged),
            damaged_keys=tuple(sorted(self._damaged)[:DAMAGED_KEYS]),
        )

    def note_route(self, key: Key, raw: bytes, route: Sequence[bytes]) -> None:
        """Note in this value, if it is still that, what a reader will want next; it does not matter if that fails."""
        with suppress(StoreError):
            self._work(lambda of: self._note(of, key, raw, route), writes=True)

    def close(self) -> None:
        """Close all connections. Closing twice is harmless."""
        self._closed = True
        if self._breaker is not None:
            self._breaker.close()
        self._servers.close()

    def _work(self, work: Callable[[Session], T], *, writes: bool = False) -> T:
        """What `work` makes of a session; of another one where that may help. Raises StoreError."""
        self._refuse_closed()
        if writes and self._breaker is not None:
            self._breaker.check()
        trouble: RedisError = Shifted()
        is_first = True
        for _ in range(VALKEY_REDIRECTS):
            try:
                with session(self._servers) as of:
                    return work(of)
            except Shifted:
                continue
            except NotTried as refused:
                trouble = refused if is_first else trouble
                break
            except RedisError as error:
                trouble = error
                has_waited = self._breaker is not None and isinstance(error, Unanswered)
                if has_waited or not (is_first and may_pass(error, self._servers)):
                    break
                is_first = False
        raise self._told(trouble, writes=writes) from trouble

    def _told(self, trouble: RedisError, *, writes: bool) -> StoreError:
        if isinstance(trouble, NotTried) and not isinstance(self._trouble, Shifted):
            trouble = self._trouble  # that is why
        told = failure(self.address, trouble)
        is_refusal = isinstance(trouble, ResponseError)
        if self._breaker is not None and (writes or not is_refusal):
            self._trouble = trouble
            self._breaker.note(told, refuses=writes and (is_refusal or isinstance(trouble, Unanswered)))
        return told

    def _probe(self) -> None:
        """Is a write taken again, by the servers that there are now? Raises StoreError."""
        self._refuse_closed()
        may_pass(self._trouble, self._servers)  # it looks who is there
        try:
            with session(self._servers) as of:
                self._marks.probe(of)
        except NotTried as error:
            raise failure(self.address, error) from error
        except RedisError as error:
            self._trouble = error
            raise failure(self.address, error) from error
        self._trouble = Shifted()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreUnavailable(f"{self.address}: the store is closed")

    def _key(self, key: bytes) -> bytes:
        return self._prefix + key

    def _ask(self, of: Session, command: str, keys: Sequence[Key]) -> list[Any]:
        places = [self._key(key) for key in keys]
        return of.ask([(place, (command, place)) for place in places])

    def _raws(self, of: Session, keys: Sequence[Key]) -> list[bytes | None]:
        answers = self._ask(of, "GET", keys)
        return [_NO_RECORD if is_of_another_type(answer) else valued(answer) for answer in answers]

    def _found(self, key: Key, raw: bytes | None) -> Found:
        body = None if raw is None else value.unpacked(key, raw)
        if body is DAMAGED:
            self._damaged.add(key)
        return body

    def _write(self, keys: Collection[Key], after: After, marks: Mapping[str, Span] = NO_MARKS) -> int:
        """Make of each record what `after` makes of it, then raise the marks; how many are now other than before."""
        changed: set[Key] = set()

        def work(of: Session) -> None:
            for some in _portions(sorted(keys)):  # all nodes in one order: who loses a race has won others by then
                self._merge(of, some, after, changed)
            if marks:
                of.stay()
                self._marks.rise(of, marks)

        if keys or marks:
            self._work(work, writes=True)
        elif self._breaker is not None:
            self._breaker.check()
        return len(changed)

    def _merge(self, of: Session, keys: Sequence[Key], after: After, changed: set[Key]) -> None:
        held = dict(zip(keys, self._raws(of, keys), strict=True))
        for _ in range(VALKEY_ROUNDS):
            swaps = {key: swap for key, raw in held.items() if (swap := self._swap(key, raw, after)) is not None}
            answers = scripts.run(scripts.SWAP, [(self._key(key), swap) for key, swap in swaps.items()], of)
            held = {}
            for key, answer in zip(swaps, answers, strict=True):
                if valued(answer) == _DONE:
                    changed.add(key)
                else:
                    held[key] = answer
            if not held:
                return
        raise StoreUnavailable(f"{self.address}: others write the same records faster than they can be read")

    def _swap(self, key: Key, raw: bytes | None, after: After) -> tuple[Any, ...] | None:
        """The arguments of `SWAP` for this record; None where nothing changes."""
        self._rest()
        found = self._found(key, raw)
        body = None if found is DAMAGED else found
        try:
            new = after(key, body)
        except BadRecord:
            self._damaged.add(key)
            body = None
            new = after(key, None)
        if new is None or new == body:
            return None
        before = value.route(raw) if raw is not None and body is not None else ()
        held = "" if raw is None else _named(raw)
        idle = self._idle if value.may_expire(key, new) else ()
        return held, value.packed(key, new, value.kept(key, new, before)), *idle

    def _chain(self, of: Session, first: Key, following: Following) -> list[Found]:
        raws = self._together(of, first) if of.servers.is_cluster else self._followed(of, first)
        found: list[Found] = []
        key: Key | None = first
        while key is not None and len(found) < CHAIN_LONGEST:
            if key not in raws:
                [raws[key]] = self._raws(of, [key])
            body = self._found(key, raws[key])
            found.append(body)
            key = following(body) if type(body) is bytes else None
        if of.servers.is_cluster:
            self._put_right(of, first, raws)
        return found

    def _followed(self, of: Session, first: Key) -> dict[Key, bytes | None]:
        """On one server: the values of a chain along the first of each route."""
        [answer] = scripts.run(scripts.FOLLOW, [(self._key(first), (self._prefix,))], of)
        raws: dict[Key, bytes | None] = {}
        key = first
        for raw in valued(answer) or [None]:
            raws[key] = raw
            if raw is None or value.unpacked(key, raw) is DAMAGED or not (route := value.route(raw)):
                break
            key = Key(route[0])
        return raws

    def _together(self, of: Session, first: Key) -> dict[Key, bytes | None]:
        """In a cluster: the values of a record and of all of its route."""
        [raw] = self._raws(of, [first])
        if raw is None or value.unpacked(first, raw) is DAMAGED:
            return {first: raw}
        keys = value.leading(value.route(raw))
        return {first: raw} | dict(zip(keys, self._raws(of, keys), strict=True))

    def _put_right(self, of: Session, first: Key, raws: Mapping[Key, bytes | None]) -> None:
        """Note the route of the first of these, where all of it is known and other than it was noted."""
        chain: list[tuple[Key, bytes]] = []
        key = first
        while key and len(chain) < CHAIN_LONGEST:
            if key not in raws:
                return
            body = self._found(key, raws[key])
            if type(body) is not bytes:
                break
            chain.append((key, body))
            key = Key(next(iter(value.own_route(key, body)), b""))
        raw = raws[first]
        if chain and raw is not None and (route := value.along(chain)) != value.route(raw):
            self._note(of, first, raw, route)

    def _note(self, of: Session, key: Key, raw: bytes, route: Sequence[bytes]) -> None:
        body = value.unpacked(key, raw)
        if type(body) is bytes:
            said = (_named(raw), value.packed(key, body, route), "KEEPTTL")
            scripts.run(scripts.SWAP, [(self._key(key), said)], of)


def _portions(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    return (keys[first : first + VALKEY_KEYS] for first in range(0, len(keys), VALKEY_KEYS))


def _named(raw: bytes) -> str:
    """What `SWAP` calls a value."""
    return sha1(raw, usedforsecurity=False).hexdigest()

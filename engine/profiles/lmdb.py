"""The embedded store: one LMDB file under `--data`, read by every worker process without a lock.

What lives here: `LmdbStore`. What may not: what records mean (`record`), how a file is opened (`opening`), what LMDB's
errors mean (`failures`).

1. Reads: a fresh read transaction each, for one that lives on never sees a new trait. No lock, no wait.
2. Writes: a batch is one transaction, durable when it returns. LMDB lets one writer in at a time, over all
   processes, so an import and a server share a store; a killed writer leaves nothing behind.
3. Every body is followed by 4 bytes of CRC-32 over key and body: a flipped bit would otherwise be a wrong value
   that nobody notices, in a key another person's record. What does not match is `DAMAGED`.
4. The map (the address space that LMDB works in) is a limit on the file, nothing is allocated for it. When it is
   full the writer doubles it and begins anew; the other processes notice at their next transaction and follow.
   py-lmdb ends the transactions that are open in this process meanwhile, so those wait and are repeated; under a write
   transaction of another thread it would break, so in one process only one thread writes or resizes.
5. Processes that were killed keep their places in the table of readers, and with them old pages from being used
   again: places of the dead are cleared at the start, before every write, and when the table is full.
6. Before the file is believed `trust` looks at it, again before every write and in `stats`; before every transaction
   only at its length, for behind the end of a file that was cut reading ends the process.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from os import SEEK_END, lseek
from pathlib import Path
from threading import Lock, RLock
from typing import Final, NoReturn, TypeVar
from weakref import finalize
from zlib import crc32

import lmdb

from engine.limits import DAMAGED_KEYS
from engine.profiles import applied, identity
from engine.profiles.encoding import BadRecord, joined, merged
from engine.profiles.failures import failure
from engine.profiles.ids import Key, Kind, prefix
from engine.profiles.opening import MAP_BYTES, MAP_BYTES_MOST, opened
from engine.profiles.record import Change
from engine.profiles.store import (
    CHAIN_LONGEST,
    DAMAGED,
    NO_MARKS,
    Following,
    Found,
    Span,
    StoreBehind,
    StoreDamaged,
    StoreFull,
    StoreStats,
)

T = TypeVar("T")

SCAN_RECORDS: Final = 256  # read at once; a scan must not keep old pages alive, nor other threads waiting

# CRC-32 over anything followed by its own CRC-32 (little-endian) is this constant: one call checks key, body and sum.
_RESIDUE: Final = 0x2144DF1C
_SUM_BYTES: Final = 4
_ATTEMPTS: Final = 5  # how often a transaction that another thread's or process's growing ended is begun again


class LmdbStore:
    """A `Store` in a folder of its own. One per folder and process: LMDB cannot open a file twice in one."""

    def __init__(
        self,
        folder: Path,
        *,
        map_bytes: int = MAP_BYTES,
        canary_s: float | None = None,
        read_only: bool = False,
        believed: bool = False,
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        """Open the store in `folder`, make it where there is none; `canary_s`: read it for so long before.

        With `read_only` there must be one, and nothing is written but a place in the table of readers. `believed`: this
        process, or its parent, had it open a moment ago. `rest` is called before each record that is written. Raises
        StoreDamaged, StoreFull, StoreUnavailable.
        """
        self._folder = folder
        self._rest = rest
        self._damaged: set[Key] = set()
        self._writing = RLock()
        self._resizing = Lock()  # taken under `_writing`, and only for the resizing itself
        self._environment, self._trust = opened(folder, map_bytes, canary_s, read_only=read_only, believed=believed)
        self._begin: Callable[..., lmdb.Transaction[bytes]] = self._begin_if_whole
        self._begin_at_once: Callable[[], lmdb.Transaction[bytes]] = self._environment.begin
        self._file = os.open(folder / identity.DATA_FILE, os.O_RDONLY)
        # Not by `close`: a thread in the middle of `one` would ask for the length of what has that number by then.
        finalize(self, os.close, self._file).atexit = False
        self._least = self._used_bytes()  # the file is never shorter again, unless somebody cut it
        self._damaged |= self._trust.damaged
        self._closed = False

    def get(self, keys: Sequence[Key]) -> list[Found]:
        """The bodies under these keys, in their order. Raises StoreError."""
        return self._answer(lambda: self._get(keys))

    def one(self, key: Key) -> Found:
        """The body under this key. Raises StoreError.

        The way of most decisions: what others call is in line here.
        """
        try:
            if not self._closed and lseek(self._file, 0, SEEK_END) < self._least:  # as `_is_cut`
                self._look()
            txn = self._begin_at_once()
            try:
                raw = txn.get(key)
            finally:
                txn.abort()
        except lmdb.Error as error:
            return self._again(partial(self._get, [key]), error)[0]
        if raw is None:
            return None
        return raw[:-_SUM_BYTES] if crc32(raw, crc32(key)) == _RESIDUE else self._note_damaged(key)

    def chain(self, first: Key, following: Following) -> list[Found]:
        """The body under `first`, and those that follow, as they were at one moment. Raises StoreError."""
        return self._answer(lambda: self._chain(first, following))

    def apply(self, changes: Iterable[Change], marks: Mapping[str, Span] = NO_MARKS) -> int:
        """Merge a batch, all or nothing, durably; how many records are now other than before.

        Raises StoreError, StoreBehind.
        """
        by_key: dict[Key, list[Change]] = {}
        for change in changes:
            by_key.setdefault(change.key, []).append(change)
        if not by_key and not marks:
            return 0
        gap: str | None = None

        def work(txn: "lmdb.Transaction[bytes]") -> tuple[int, int]:
            nonlocal gap
            # In the order of keys: neighbours share pages.
            different = sum(self._merge(txn, key, by_key[key], merged) for key in sorted(by_key))
            gap = applied.gap(txn, marks)
            return different, applied.rise(txn, marks)

        different = self._write(work)[0]
        if gap is not None:
            raise StoreBehind(f"{self._folder}: holds less of {gap} than was applied; it is applied again from the log")
        return different

    def put(self, records: Iterable[tuple[Key, bytes]]) -> int:
        """Merge whole records, all or nothing, durably; how many are now other. Raises StoreError, BadRecord."""
        bodies: dict[Key, bytes] = {}
        for key, body in records:
            bodies[key] = joined(bodies.get(key), body)
        if not bodies:
            return 0
        return self._write(lambda txn: (sum(self._merge(txn, key, bodies[key], joined) for key in sorted(bodies)),))[0]

    def marks(self) -> dict[str, int]:
        """How many bytes of which log files are applied. Raises StoreError."""
        return self._reading(applied.read)

    def forget_marks(self, names: Iterable[str]) -> None:
        """Of log files that are gone. Raises StoreError."""
        gone = sorted(set(names))
        if gone:
            self._write(lambda txn: (applied.forget(txn, gone),))

    def scan(self, kind: Kind | None = None) -> Iterator[tuple[Key, Found]]:
        """Every record (of one kind) by key, read in short transactions. Raises StoreError."""
        first = b"\x01" if kind is None else prefix(kind)  # also what a flipped bit has made of a key's letter
        beginning = b"" if kind is None else first
        while rows := self._rows(first, beginning):
            yield from rows
            first = rows[-1][0] + b"\x00"

    def delete(self, keys: Iterable[Key]) -> int:
        """Remove these records, durably; how many there were. Raises StoreError."""
        gone = sorted(set(keys))
        removed = self._write(lambda txn: (sum(txn.delete(key) for key in gone),))[0] if gone else 0
        self._damaged.difference_update(gone)
        return removed

    def stats(self) -> StoreStats:
        """Also looks whether the file is still there and whole; if not, nothing is read any more. Raises StoreError."""
        self._look()
        info, stat = self._answer(lambda: (self._environment.info(), self._environment.stat()))
        return StoreStats(
            kind="lmdb",
            records=max(0, stat["entries"] - 2 - self._reading(applied.count)),  # two are `identity`'s
            used_bytes=self._used_bytes(),
            damaged=len(self._damaged),
            damaged_keys=tuple(sorted(self._damaged)[:DAMAGED_KEYS]),
            map_bytes=info["map_size"],
            readers=sum(line.split()[0].isdigit() for line in self._environment.readers().splitlines() if line.strip()),
            readers_most=info["max_readers"],
        )

    def close(self) -> None:
        """Let go of the files. Closing twice is harmless."""
        if not self._closed:
            (self._trust.depart if self._is_cut() else self._trust.leave)()
            self._closed = True
            self._begin = self._begin_at_once  # not round in a circle: what nobody has any more is gone at once
            self._environment.close()

    def _used_bytes(self) -> int:
        return int((self._environment.info()["last_pgno"] + 1) * self._environment.stat()["psize"])

    def _begin_if_whole(self, *, write: bool = False) -> "lmdb.Transaction[bytes]":
        if self._is_cut():
            self._look()
        return self._environment.begin(write=write)

    def _is_cut(self) -> bool:  # half a microsecond, in place of SIGBUS
        return not self._closed and lseek(self._file, 0, SEEK_END) < self._least

    def _look(self) -> None:
        try:
            if self._is_cut():
                identity.refuse_size(self._folder, self._least)
            self._answer(self._trust.look)
            self._least = self._used_bytes()
        except StoreDamaged as damaged:
            self._begin = self._begin_at_once = _refusing(str(damaged))
            raise

    def _chain(self, first: Key, following: Following) -> list[Found]:
        found: list[Found] = []
        txn = self._begin()
        try:
            key: Key | None = first
            while key is not None and len(found) < CHAIN_LONGEST:
                raw = txn.get(key)
                found.append(None if raw is None else self._checked(key, raw))
                key = following(body) if type(body := found[-1]) is bytes else None
        finally:
            txn.abort()
        return found

    def _get(self, keys: Sequence[Key]) -> list[Found]:
        txn = self._begin()
        try:
            raws = [txn.get(key) for key in keys]
        finally:
            txn.abort()
        return [None if raw is None else self._checked(key, raw) for key, raw in zip(keys, raws, strict=True)]

    def _rows(self, first: bytes, beginning: bytes) -> list[tuple[Key, Found]]:
        def read() -> list[tuple[Key, Found]]:
            rows: list[tuple[Key, Found]] = []
            with self._begin() as txn, txn.cursor() as cursor:
                more = cursor.set_range(first)
                while more and len(rows) < SCAN_RECORDS and (key := Key(cursor.key())).startswith(beginning):
                    rows.append((key, self._checked(key, cursor.value())))
                    more = cursor.next()
            return rows

        return self._answer(read)

    def _merge(
        self, txn: "lmdb.Transaction[bytes]", key: Key, what: T, merge: Callable[[bytes | None, T], bytes | None]
    ) -> bool:
        self._rest()
        raw = txn.get(key)
        body = None if raw is None else self._checked(key, raw)
        try:
            after = merge(None if body is DAMAGED else body, what)
        except BadRecord:
            self._note_damaged(key)
            after = merge(None, what)
        if after is None or after == body:
            return False
        txn.put(key, after + crc32(after, crc32(key)).to_bytes(_SUM_BYTES, "little"))
        return True

    def _checked(self, key: Key, raw: bytes) -> Found:
        return raw[:-_SUM_BYTES] if crc32(raw, crc32(key)) == _RESIDUE else self._note_damaged(key)

    def _note_damaged(self, key: Key) -> Found:
        self._damaged.add(key)
        return DAMAGED

    def _reading(self, work: "Callable[[lmdb.Transaction[bytes]], T]") -> T:
        """`work` in one read transaction."""

        def attempt() -> T:
            with self._begin() as txn:
                return work(txn)

        return self._answer(attempt)

    def _write(self, work: "Callable[[lmdb.Transaction[bytes]], tuple[int, ...]]") -> tuple[int, ...]:
        """`work` in one write transaction, again after the map has grown; it counts what it wrote."""

        def attempt() -> tuple[int, ...]:
            # Microseconds, beside a commit that waits for the disk.
            if self._environment.reader_check():
                self._trust.readers_died()
            with self._begin(write=True) as txn:
                done = work(txn)
                if any(done):
                    identity.sign(txn)
                return done

        with self._writing:
            self._look()
            self._trust.before_write()
            done = self._answer(attempt)
            self._trust.after_write()
            return done

    def _answer(self, attempt: Callable[[], T]) -> T:
        """What `attempt` returns, attempted again where that helps. Raises StoreError."""
        try:
            return attempt()
        except lmdb.Error as error:
            return self._again(attempt, error)

    def _again(self, attempt: Callable[[], T], error: lmdb.Error) -> T:
        """Do what `error` asks for and attempt it again; raise what cannot be mended. Raises StoreError."""
        refusals = 0
        while refusals < _ATTEMPTS:
            try:
                if isinstance(error, lmdb.MapFullError):
                    self._grow()
                elif self._mend(error):
                    refusals += 1
                else:
                    break
                return attempt()
            except lmdb.Error as next_error:
                error = next_error
        raise failure(self._folder, error) from error

    def _mend(self, error: lmdb.Error) -> bool:
        """Whether it is worth to attempt it again after this."""
        if isinstance(error, lmdb.MapResizedError):
            self._resize(0)  # to what the process that grew it has made of it
            return True
        if isinstance(error, lmdb.ReadersFullError):
            # Worth another attempt even if none died: another thread may have cleared them just now.
            if self._environment.reader_check():
                self._trust.readers_died()
            return True
        # py-lmdb's own refusals carry no code: the transaction was ended by another thread's resizing.
        with self._resizing:
            return error.code == 0 or isinstance(error, lmdb.InvalidParameterError)

    def _grow(self) -> None:
        size = self._environment.info()["map_size"] * 2
        if size > MAP_BYTES_MOST:
            raise StoreFull(f"{self._folder} has reached {MAP_BYTES_MOST:,} bytes")
        self._resize(size)

    def _resize(self, size: int) -> None:
        with self._writing, self._resizing:
            self._environment.set_mapsize(size)


def _refusing(why: str) -> Callable[..., NoReturn]:
    """In place of `begin`, for a file that must not be read any more."""

    def refuse(**_: object) -> NoReturn:
        raise StoreDamaged(why)

    return refuse

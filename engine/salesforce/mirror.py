"""What was read from Salesforce, in one SQLite file under the data folder.

What lives here: `Mirror`: records, fields, how far each object is, addresses whose records have changed. What may not:
asking Salesforce, stores, which record counts (`projection`).

1. **A page of records and how far it goes are one transaction**: whatever ends a sync, the next one goes on behind the
   last whole page. A page that was cut is as if it had never begun.
2. A record that is the same as before changes nothing. Every other one notes the addresses that it touches (before and
   now, and of a contact those of the leads that became it) as *dirty*, in the same transaction; they are crossed out
   once the store has what follows from them.
3. Of a full reading each record is marked with its number; when it is through, those without the mark are gone in
   Salesforce, and go here. Before that nothing is taken away.
4. Whoever looks (`read_only`) reads beside a sync at work. The file is its owner's alone: it is full of people.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.salesforce.fields import Field, Object
from engine.salesforce.rows import Row
from engine.salesforce.state import Outcome, State
from engine.salesforce.trouble import MirrorBroken

FILE: Final = "mirror.sqlite"
FOLDER: Final = "salesforce"  # in the data folder
_FORMAT: Final = 1
_PATIENCE_S: Final = 30.0  # while another process commits a page
_TABLES: Final = """
CREATE TABLE records (object TEXT, id TEXT, email TEXT, modified INTEGER, converted TEXT, body BLOB, seen INTEGER,
    PRIMARY KEY (object, id));
CREATE INDEX by_email ON records (email, object) WHERE email IS NOT NULL;
CREATE INDEX by_contact ON records (converted) WHERE converted IS NOT NULL;
CREATE TABLE objects (object TEXT PRIMARY KEY, state BLOB, fields BLOB) WITHOUT ROWID;
CREATE TABLE dirty (email TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""
_HELD: Final = "SELECT id, email, modified, converted, 0, body FROM records"
_ALL_HELD: Final = "SELECT object, id, email, modified, converted, 0, body FROM records"

_encode: Final = msgspec.msgpack.Encoder().encode
_state: Final = msgspec.msgpack.Decoder(State).decode
_fields: Final = msgspec.msgpack.Decoder(tuple[Field, ...]).decode
_outcome: Final = msgspec.msgpack.Decoder(Outcome).decode


class Kept(Struct):
    """What became of a page: records that are new, changed, the same, and gone."""

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0

    def add(self, other: "Kept") -> None:
        """Count those of another page too."""
        self.new, self.changed = self.new + other.new, self.changed + other.changed
        self.same, self.gone = self.same + other.same, self.gone + other.gone


def path_of(data: Path) -> Path:
    """Where the mirror of a data folder is."""
    return data / FOLDER / FILE


class Mirror:
    """The mirror of one data folder. Raises MirrorBroken, from every method."""

    def __init__(self, data: Path, *, read_only: bool = False) -> None:
        """Open it; make it where there is none. With `read_only` there must be one."""
        self.path = path_of(data)
        with self._telling(), ExitStack() as opening:
            if not read_only:
                self.path.parent.mkdir(0o700, parents=True, exist_ok=True)
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            address = f"{self.path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
            opened = sqlite3.connect(address, uri=True, timeout=_PATIENCE_S, isolation_level=None)
            self._db = opening.enter_context(closing(opened))
            if not read_only:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")  # in WAL: nothing is damaged, the last page may be lost
            self._make_or_check(read_only=read_only)
            opening.pop_all()  # it stays open

    @property
    def id(self) -> str:
        """By which the store knows from which mirror it was filled."""
        return str(self.fact("id"))

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def state(self, object_: Object) -> State:
        """How far this object is."""
        found = self._one("SELECT state FROM objects WHERE object = ?", object_)
        return State() if found is None else _state(found[0])

    def fields(self, object_: Object) -> tuple[Field, ...]:
        """Its fields, as they were last described; none where it never was."""
        found = self._one("SELECT fields FROM objects WHERE object = ?", object_)
        return () if found is None else _fields(found[0])

    def describe(self, object_: Object, fields: Sequence[Field], state: State) -> None:
        """Keep what the fields are."""
        with self._writing():
            self._db.execute("REPLACE INTO objects VALUES (?, ?, ?)", (object_, _encode(state), _encode(fields)))

    def keep(self, object_: Object, state: State) -> None:
        """Keep how far the object is."""
        with self._writing():
            self._advance(object_, state)

    def page(self, object_: Object, rows: Iterable[Row], state: Callable[[], State], number: int = 0) -> Kept:
        """Take records in, all or none, and with them how far they go: `state`, asked for after the last of them.

        With a `number` they are marked as seen. What `rows` raises goes through.
        """
        kept = Kept()
        with self._writing():
            for row in rows:
                self._take(object_, row, number, kept)
            self._advance(object_, state())
        return kept

    def record(self, object_: Object, id_: str) -> Row | None:
        """The record with this id, if it is there."""
        found = self._one(f"{_HELD} WHERE object = ? AND id = ?", object_, id_)
        return None if found is None else Row(*found)

    def unseen(self, object_: Object, number: int) -> tuple[int, int]:
        """How many records the reading of this number did not see, and how many there are."""
        of = "COUNT(*) FROM records WHERE object = ?"
        return self.count(f"{of} AND seen != ?", object_, number), self.count(of, object_)

    def settle(self, object_: Object, number: int, state: State) -> int:
        """The reading of this number is through: records that it did not see are gone. How many those were."""
        with self._writing():
            unseen = "FROM records WHERE object = ? AND seen != ?"
            at = (object_, number)
            self._db.execute(f"INSERT OR IGNORE INTO dirty SELECT email {unseen} AND email IS NOT NULL", at)
            if object_ == "Contact":
                became = f"converted IN (SELECT id {unseen}) AND email IS NOT NULL"
                self._db.execute(f"INSERT OR IGNORE INTO dirty SELECT email FROM records WHERE {became}", at)  # noqa: S608
            gone = self._db.execute(f"DELETE {unseen}", at).rowcount
            self._advance(object_, state)
        return gone

    def holders(self, email: str) -> Iterator[tuple[str, Row]]:
        """Every record with this address, with its object; and the contacts that converted leads among them became."""
        for object_, *held in self._all(f"{_ALL_HELD} WHERE email = ?", email):
            row = Row(*held)
            yield object_, row
            became = self.record("Contact", row.converted) if row.converted else None
            if became is not None:
                yield "Became", became

    def dirty(self, most: int) -> list[str]:
        """Some addresses whose records the store may not have."""
        return [email for (email,) in self._all("SELECT email FROM dirty LIMIT ?", most)]

    def clean(self, emails: Iterable[str]) -> None:
        """The store has what follows from these."""
        with self._writing():
            self._db.executemany("DELETE FROM dirty WHERE email = ?", [(email,) for email in emails])

    def soil(self, emails: Iterable[str]) -> None:
        """All addresses, and these, are dirty: nobody knows what the store has."""
        with self._writing():
            self._db.execute("INSERT OR IGNORE INTO dirty SELECT DISTINCT email FROM records WHERE email IS NOT NULL")
            self._db.executemany("INSERT OR IGNORE INTO dirty VALUES (?)", ((email,) for email in emails))

    def outcome(self) -> Outcome | None:
        """How the last sync went."""
        found = self.fact("outcome")
        return None if found is None else _outcome(found)

    def ended(self, outcome: Outcome) -> None:
        """Keep how a sync went."""
        self.note("outcome", _encode(outcome))

    def fact(self, name: str) -> Any:
        """What was noted under this name."""
        found = self._one("SELECT value FROM facts WHERE name = ?", name)
        return None if found is None else found[0]

    def note(self, name: str, value: Any) -> None:
        """Note something under a name."""
        with self._writing():
            self._db.execute("REPLACE INTO facts VALUES (?, ?)", (name, value))

    def count(self, what: str, *values: Any) -> int:
        """A number: `what` is the rest of a SELECT."""
        found = self._one(f"SELECT {what}", *values)
        return 0 if found is None or found[0] is None else int(found[0])

    def _take(self, object_: Object, row: Row, number: int, kept: Kept) -> None:
        at = (object_, row.id)
        before = self._db.execute("SELECT email, body, seen FROM records WHERE object = ? AND id = ?", at).fetchone()
        if row.is_deleted:
            if before is not None:
                self._db.execute("DELETE FROM records WHERE object = ? AND id = ?", at)
                self._touch(object_, row.id, before[0])
                kept.gone += 1
            return
        if before is not None and before[1] == row.body:
            if number and before[2] != number:
                self._db.execute("UPDATE records SET seen = ? WHERE object = ? AND id = ?", (number, *at))
            kept.same += 1
            return
        kept.new, kept.changed = kept.new + (before is None), kept.changed + (before is not None)
        seen = number or (before[2] if before is not None else 0)
        held = (*at, row.email, row.modified_ms, row.converted, row.body, seen)
        self._db.execute("REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?)", held)
        self._touch(object_, row.id, row.email, before[0] if before is not None else None)

    def _touch(self, object_: Object, id_: str, *emails: str | None) -> None:
        touched = {email for email in emails if email is not None}
        if object_ == "Contact":
            became = "SELECT email FROM records WHERE converted = ? AND email IS NOT NULL"
            touched |= {email for (email,) in self._db.execute(became, (id_,))}
        self._db.executemany("INSERT OR IGNORE INTO dirty VALUES (?)", [(email,) for email in touched])

    def _advance(self, object_: Object, state: State) -> None:
        self._db.execute("UPDATE objects SET state = ? WHERE object = ?", (_encode(state), object_))

    def _make_or_check(self, *, read_only: bool) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and not read_only:
            self._db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT;")
            self.note("id", secrets.token_hex(8))
        elif version != _FORMAT:
            raise MirrorBroken(f"{self.path}: it has format {version}, this version of mutiny-edge knows {_FORMAT}")

    def _one(self, question: str, *values: Any) -> Any:
        with self._telling():
            return self._db.execute(question, values).fetchone()

    def _all(self, question: str, *values: Any) -> list[Any]:
        with self._telling():
            return self._db.execute(question, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._telling():
            self._db.execute("BEGIN IMMEDIATE")
        try:
            with self._telling():
                yield
                self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, OSError) and error.filename is None:
                raise  # of what is read meanwhile, not of the file
            reason = error.strerror if isinstance(error, OSError) else str(error)
            do = "make room and see its permissions; a damaged one: move it away and run `mutiny-edge salesforce sync`"
            raise MirrorBroken(f"{self.path}: {reason}; {do}") from None

"""May a data file be believed? The note of how it was left, the canary that goes first, and the look while it is open.

What lives here: everything that tells a file that was changed behind LMDB's back. What may not: which store it is
(`identity`), records, and any reading of pages in this process before the canary came back.

1. Whoever wrote leaves a *note* when closing: size, time of change and transaction of the data file, and a CRC-32 of
   LMDB's two meta pages, which have no checksum of their own and name the roots of everything.
2. Opened again and all as noted: believed at once. Else a *canary* goes first (`canary`, a process of its own): the
   writer may just have been killed, but the file may also have been damaged, and then reading it can end a process.
   It is also sent when a process died that had it open (`presence`, and LMDB's table of readers): perhaps of it.
3. Refused: the canary died, found a contradiction, or never came back; the file is older than its note, or says that
   nothing was written since the note though its meta pages differ.
4. Damaged records are no reason to refuse, each is known by its checksum; those that the canary met are kept.
5. While it is open, `look` tells when the file was removed, replaced or cut short. A page that goes bad under an open
   store is not noticed before it is read: its records' checksums hold, but a bad tree page can still end the process.
   The process that died then is what sends the canary at the next start.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import lmdb
import msgspec
from msgspec import Struct

from engine.limits import CANARY_PATIENCE_S, CANARY_S
from engine.profiles import canary, identity, presence
from engine.profiles.ids import Key
from engine.profiles.store import StoreDamaged

NOTE_FILE: Final = "closed.json"
_META_PAGES: Final = 2


class Note(Struct, frozen=True):
    """How a data file looks from outside, and what its meta pages say."""

    size: int
    mtime_ns: int
    transaction: int
    metas: int


class Trust:
    """What one open store knows of its file. `damaged` are the keys of damaged records that the canary met."""

    def __init__(self, folder: Path, environment: lmdb.Environment, *, read_only: bool = False) -> None:
        self.damaged: frozenset[Key] = frozenset()
        self._folder = folder
        self._read_only = read_only  # then no note is written
        self._path = folder / identity.DATA_FILE
        self._environment = environment
        self._inode = self._path.stat().st_ino
        self._ours: Note | None = None  # how we left it after our last write
        self._dead: list[Path] = []  # left by processes that died with it open
        self._strange = False  # somebody changed it without a transaction
        self._noted: Note | None = None
        self._found = self._note()
        self._whole = False  # the canary read all of it

    def examine(self, canary_s: float | None = None, *, readers_died: bool = False) -> None:
        """Believe the file, or send the canary first; with `canary_s` anyway, for so long. Raises StoreDamaged."""
        self._found, self._noted = self._note(), _noted(self._folder)
        if self._found == self._noted:
            if not readers_died and not self._dead and canary_s is None:
                return
            self.readers_died()  # whatever the canary finds, the next one that opens it must not believe the note
            self._noted = None
        self._forget_the_dead()  # from here on the note that is missing or does not fit remembers
        try:
            self._whole = self._send_canary(CANARY_S if canary_s is None else canary_s)
        except StoreDamaged:
            self._distrust()
            raise

    def settle(self) -> None:
        """Once it is known to be our store: is this its newest state? Then that is noted. Raises StoreDamaged."""
        if self._noted is not None:
            self._refuse_other_past(self._found, self._noted)
        if self._whole and self._note() == self._found != self._noted:
            with suppress(OSError):  # on a full disk: it can be read all the same, and the canary goes again
                self._write_note(self._found)

    def arrive(self) -> None:
        """From here on our own death would be noticed, as that of others is."""
        self._dead = presence.dead(self._folder)
        if not self._read_only:
            presence.arrive(self._folder)

    def depart(self) -> None:
        """We end as one should."""
        if not self._read_only:
            presence.depart(self._folder)

    def look(self) -> None:
        """Is the file that is open still the one in the folder, and whole? Raises StoreDamaged."""
        try:
            found = self._path.stat()
        except OSError:
            raise StoreDamaged(
                f"{self._path} was removed while it was in use; {identity.ways_out(self._folder)}"
            ) from None
        if found.st_ino != self._inode:
            raise StoreDamaged(
                f"{self._path} was replaced by another file while it was in use; restart to use that one"
            )
        identity.refuse_cut_short(self._folder, self._environment)
        identity.refuse_other_turn(self._folder, self._environment)

    def before_write(self) -> None:
        """Notice whether somebody changed the file since our last write, and LMDB knows nothing of it."""
        ours = self._ours
        if ours is not None and (now := self._note()) != ours and now.transaction == ours.transaction:
            self._strange = True

    def after_write(self) -> None:
        """Remember how we left it."""
        self._ours = self._note()

    def readers_died(self) -> None:
        """Somebody died while reading: whoever opens it next sends the canary."""
        if not self._read_only:
            (self._folder / NOTE_FILE).unlink(missing_ok=True)

    def _distrust(self) -> None:
        """It lies: no note may say otherwise, also if we only read (`store verify` of a file that fits its note)."""
        with suppress(OSError):
            (self._folder / NOTE_FILE).unlink(missing_ok=True)

    def _forget_the_dead(self) -> None:
        ours = f"{presence.PREFIX}{os.getpid()}"
        if not self._read_only:
            for path in self._dead:
                if path.name != ours:
                    path.unlink(missing_ok=True)

    def leave(self) -> None:
        """Depart, with a note if we wrote and nobody else has touched it since."""
        with suppress(OSError, lmdb.Error, StoreDamaged):
            self.look()
            if self._ours is not None and not self._strange and self._note() == self._ours:
                self._write_note(self._ours)
        with suppress(OSError):
            self.depart()

    def _note(self) -> Note:
        found = self._path.stat()
        with self._path.open("rb") as file:
            metas = file.read(_META_PAGES * self._environment.stat()["psize"])
        return Note(found.st_size, found.st_mtime_ns, self._environment.info()["last_txnid"], crc32(metas))

    def _refuse_other_past(self, now: Note, noted: Note) -> None:
        if now.transaction < noted.transaction:
            why = f"is older than its note ({now.transaction:,} of {noted.transaction:,} transactions)"
        elif now.transaction == noted.transaction and now.metas != noted.metas:
            why = "is damaged: its first pages are not as they were written"
        else:
            return
        anyway = f"remove {NOTE_FILE} beside it to use it as it is"
        raise StoreDamaged(f"{self._path} {why}; {identity.ways_out(self._folder)}; or {anyway}")

    def _send_canary(self, seconds: float) -> bool:
        """Whether it read everything. Raises StoreDamaged."""
        # -P: or else `import lmdb` would find our own file of that name beside the canary.
        command = [sys.executable, "-P", canary.__file__, str(self._folder), str(seconds)]
        try:
            done = subprocess.run(  # noqa: S603 - our own program
                command, check=False, capture_output=True, timeout=seconds + CANARY_PATIENCE_S
            )
        except subprocess.TimeoutExpired:
            raise self._damaged("reading it does not end") from None
        if done.returncode < 0:
            raise self._damaged(f"a process that reads it ends by {signal.Signals(-done.returncode).name}")
        try:
            seen: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raise self._damaged(f"a process that reads it fails with exit code {done.returncode}") from None
        if seen["lie"]:
            raise self._damaged(seen["lie"])
        self.damaged = frozenset(Key(bytes.fromhex(key)) for key in seen["damaged"])
        return bool(seen["all"])

    def _damaged(self, why: str) -> StoreDamaged:
        return StoreDamaged(f"{self._path} is damaged: {why}; {identity.ways_out(self._folder)}")

    def _write_note(self, note: Note) -> None:
        if self._read_only:
            return
        beside = self._folder / f"{NOTE_FILE}.{os.getpid()}"
        beside.write_bytes(msgspec.json.encode(note) + b"\n")
        beside.replace(self._folder / NOTE_FILE)


def _noted(folder: Path) -> Note | None:
    """The note; one that cannot be read is none, for the canary knows better than any note."""
    try:
        return msgspec.json.decode((folder / NOTE_FILE).read_bytes(), type=Note)
    except (OSError, ValueError):
        return None

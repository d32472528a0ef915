"""Which store a folder holds: the identity file beside LMDB's own, and the checks made before LMDB trusts its file.

What lives here: reading and writing `identity.json`, refusing a folder whose data is missing, emptied, cut short or
another store's. What may not: records, transactions of the store.

LMDB believes whatever file it is given: a missing or emptied one is silently a new store, one that was cut short
ends the process with SIGBUS at the first read behind the cut. So:

1. A store has a random name. It stands in the data file, under a key that no record has, and in the identity file.
2. The name is written into the data first, durably, then into the file. So an identity file means that there was
   data; data with a name and no identity file is a store whose making was interrupted, and the file is written anew.
3. Refused, with what to do about it: an identity file without data, an emptied data file, data without a name that
   holds anything, unequal names, a format that this version does not know, a file shorter than its own bookkeeping.
   And a tree that says it was written by another transaction than the meta page says: a meta page has no checksum,
   and one flipped bit in it shows an older state.
4. Several processes may open a new folder at once: LMDB's writer lock lets one of them give the name.
"""

import os
import secrets
from pathlib import Path
from typing import Final

import lmdb
import msgspec
from msgspec import Struct

from engine.profiles.store import StoreDamaged

FORMAT: Final = 1  # of records and keys; raised when an older version could not read what is written
DATA_FILE: Final = "data.mdb"
IDENTITY_FILE: Final = "identity.json"
TURN_KEY: Final = b"\x00turn"  # the number of the transaction that wrote last, which LMDB's meta page must agree with
NAME_KEY: Final = b"\x00name"  # before every record's key: those begin with a letter

_WHAT: Final = "mutiny-edge profiles"
_META_PAGES: Final = 2
_LOOKS: Final = 5  # a reader who is held up while two commits pass sees the second under the first one's number
_PAGE_LEAST_BYTES: Final = 4096


class _Identity(Struct, frozen=True):
    store: str
    format: int
    name: str


def read(folder: Path) -> str | None:
    """The name of the store in this folder, None for a folder without one. Raises StoreDamaged."""
    path = folder / IDENTITY_FILE
    try:
        identity = msgspec.json.decode(path.read_bytes(), type=_Identity)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StoreDamaged(f"{path} is not readable as the identity of a store ({error}); {ways_out(folder)}") from None
    if identity.store != _WHAT:
        raise StoreDamaged(f"{path} belongs to {identity.store!r}, not to {_WHAT!r}; give another folder with --data")
    if identity.format != FORMAT:
        raise StoreDamaged(
            f"{path}: the store has format {identity.format}, this version of mutiny-edge knows {FORMAT}; "
            "use the version that wrote it"
        )
    _refuse_missing_data(folder)
    return identity.name


def has_store(folder: Path) -> bool:
    """Is there a store in this folder, or what is left of one?"""
    return (folder / IDENTITY_FILE).exists() or (folder / DATA_FILE).exists()


def settle(folder: Path, environment: lmdb.Environment, known: str | None, *, read_only: bool = False) -> None:
    """Make sure that file and data name the same store; give a new store its name. Raises StoreDamaged."""
    with environment.begin() as txn:
        found = txn.get(NAME_KEY)
    if found is None and known is None:
        found = _give_name(folder, environment)
    if found is None or (known is not None and found != known.encode()):
        held = "another store" if found else "no store of mutiny-edge"
        raise StoreDamaged(
            f"{folder / DATA_FILE} holds {held}, not the one that {IDENTITY_FILE} names; {ways_out(folder)}"
        )
    if known is None and not read_only:
        _write(folder, found.decode())


def refuse_cut_short(folder: Path, environment: lmdb.Environment) -> None:
    """Refuse a data file that is shorter than the pages it says it uses. Raises StoreDamaged."""
    # The pages are asked first, the file's size after: a writer in another process only ever adds to both.
    refuse_size(folder, (environment.info()["last_pgno"] + 1) * environment.stat()["psize"])


def refuse_size(folder: Path, used: int) -> None:
    """Refuse a data file that is shorter than so. Raises StoreDamaged."""
    path = folder / DATA_FILE
    size = path.stat().st_size
    if used > size:
        raise StoreDamaged(f"{path} has {size:,} bytes of {used:,}: it was cut short; {ways_out(folder)}")


def _refuse_missing_data(folder: Path) -> None:
    path = folder / DATA_FILE
    size = path.stat().st_size if path.exists() else None
    if size is None:
        raise StoreDamaged(
            f"{path} is missing, but {IDENTITY_FILE} beside it says that there was a store; {ways_out(folder)}"
        )
    if size < _META_PAGES * _PAGE_LEAST_BYTES:
        raise StoreDamaged(f"{path} was emptied ({size:,} bytes); {ways_out(folder)}")


def _give_name(folder: Path, environment: lmdb.Environment) -> bytes:
    """Name a new store, or find the name that another process has just given it."""
    with environment.begin(write=True) as txn:
        found = txn.get(NAME_KEY)
        if found is not None:
            return found
        if txn.stat()["entries"]:
            raise StoreDamaged(
                f"{folder / DATA_FILE} is an LMDB file of another program; give another folder with --data"
            )
        name = secrets.token_hex(8).encode()
        txn.put(NAME_KEY, name)
        sign(txn)
        return name


def sign(txn: "lmdb.Transaction[bytes]") -> None:
    """Every write ends with this."""
    txn.put(TURN_KEY, b"%d" % txn.id())


def refuse_other_turn(folder: Path, environment: lmdb.Environment) -> None:
    """Refuse a tree that is not of the transaction that the meta page names: an older one. Raises StoreDamaged."""
    for _ in range(_LOOKS):
        with environment.begin() as txn:
            turn = txn.get(TURN_KEY)
            if turn is None or turn == b"%d" % txn.id():
                return
    raise StoreDamaged(f"{folder / DATA_FILE} is damaged: it shows an older state than the newest; {ways_out(folder)}")


def _write(folder: Path, name: str) -> None:
    """Written beside and renamed: there is a whole identity file or none."""
    beside = folder / f"{IDENTITY_FILE}.{os.getpid()}"
    with beside.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(_Identity(_WHAT, FORMAT, name)), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / IDENTITY_FILE)


def ways_out(folder: Path) -> str:
    """What a person can do about a store that cannot be used."""
    return f"restore {folder} from a backup, or move the folder away to start with an empty store and import again"

"""The embedded store, one for all engines of a process that read the same folder: LMDB must not open a file twice.

1. Whoever borrows a store gives it back; the last one closes it.
2. A store that turned out to be bad (removed, replaced, damaged) is lent to nobody any more: the next one opens anew.
3. A file that was open a moment ago in this process, or in the one that it was forked from, is believed without a
   canary (`profiles.trust`): opening takes a millisecond.
4. What cannot be opened is lent as well, in the shape of a store that says why: decisions go on without it. A folder
   that is not there may be made later; a file in its place is a path that was mistyped.
"""

from pathlib import Path
from typing import Final

from msgspec import Struct

from engine.embedded import forks
from engine.node import STORE_FOLDER, open_store
from engine.profiles.identity import DATA_FILE
from engine.profiles.lmdb import LmdbStore
from engine.profiles.store import Store, StoreError
from engine.profiles.unreadable import UnreadableStore
from engine.settings import Settings


class _Loan(Struct):
    """An open store, the file that it is in, and how many have it."""

    store: Store
    file: Path
    borrowers: int = 1


_lent: Final[dict[Path, _Loan]] = {}
_believed: Final[dict[Path, int]] = {}  # by its path the inode of a file that was open here


def borrow(settings: Settings) -> Store:
    """The store in the data folder, to be read only."""
    file = (settings.data / STORE_FOLDER / DATA_FILE).resolve()
    with forks.OPENING:
        if file in _lent:
            _lent[file].borrowers += 1
            return _lent[file].store
        try:
            inode = _inode(file)
            store = open_store(settings, read_only=True, believed=inode is not None and _believed.get(file) == inode)
        except (StoreError, OSError) as error:
            return UnreadableStore(_in_words(file, error))
        if isinstance(store, LmdbStore):
            _lent[file] = _Loan(store, file)
            if inode is not None:
                _believed[file] = inode
        return store


def give_back(store: Store, *, bad: bool = False) -> None:
    """It is not asked any more; `bad`: and nobody else should ask it."""
    with forks.OPENING:
        loan = next((loan for loan in _lent.values() if loan.store is store), None)
        if loan is not None:
            loan.borrowers -= 1
            if bad:
                _believed.pop(loan.file, None)
            if loan.borrowers and not bad:
                return
            del _lent[loan.file]
        store.close()


def _inode(file: Path) -> int | None:
    """None where there is no file yet. Raises OSError where none could be."""
    try:
        return file.stat().st_ino
    except FileNotFoundError:
        return None


def _in_words(file: Path, error: Exception) -> str:
    if not isinstance(error, NotADirectoryError):
        return str(error)
    wrong = next(path for path in file.parents if path.exists())
    return f"{wrong}: expected a data folder (a service's, or one that is made later), got a file"

"""What a store can be believed to hold of this node's log: the marks, and what makes proof of them.

What lives here: the names of marks, the store's acquaintance with this node, the mark of a compaction. What may not:
reading the log (`applying`), when what is looked at (`upkeep`).

1. The mark of a file of lines is how many of its bytes are in the store. It grows from where it stands and never jumps
   over a gap (`profiles.store`), so it proves everything before it, but for its first step: nothing stands before that.
2. Therefore no step is made without the store's *acquaintance* with this node: a mark with a random name, which a store
   has as long as it has what came after it. One that was emptied has none, also if that happened between a batch and
   its mark. Then nothing that it says of files is believed: all of it is forgotten, and a new acquaintance made.
3. What one compaction made of lines has one mark. It grows with the events that are applied from there, and is `WHOLE`
   when all of them are. It also is when all the lines were, at the moment at which they are replaced: that is asked of
   the store in the same step in which it is marked.
4. Marks of lines that were compacted are forgotten after that, and by whoever has the turn to compact (`tidy`).
"""

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from engine.events import archive
from engine.events.reading import files
from engine.profiles.store import Span, Store

WHOLE: Final = 2**52  # more than any number of events; Valkey counts exactly up to 2**53
_ACQUAINTANCE: Final = "known-"  # no file of the log has such a name
_MET: Final = Span(1, 1)


def acquainted(store: Store) -> tuple[Mapping[str, Span], dict[str, int]]:
    """What has to be true of the store whenever a mark is set, and its marks; made where it does not know this node.

    Raises StoreError.
    """
    marks = store.marks()
    known = {name for name in marks if name.startswith(_ACQUAINTANCE)}
    if not known:
        store.forget_marks(marks)
        known, marks = {_ACQUAINTANCE + secrets.token_hex(8)}, {}
        store.apply((), {name: Span(0, 1) for name in known})
    return {min(known): _MET}, _of_files(marks)


def believed(store: Store) -> dict[str, int]:
    """The marks, as far as the store knows this node. Raises StoreError."""
    marks = store.marks()
    return _of_files(marks) if any(name.startswith(_ACQUAINTANCE) for name in marks) else {}


def compactions(folder: Path) -> dict[str, list[Path]]:
    """The files of each compaction, by the name of its mark; the newest first. Raises OSError."""
    return by_mark([*archive.parts(folder).parquet, *archive.damaged(folder)])


def by_mark(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """The same of these files of the archive."""
    made: dict[str, list[Path]] = {}
    for path in sorted(paths, key=mark_of, reverse=True):
        made.setdefault(mark_of(path), []).append(path)
    return made


def mark_of(path: Path) -> str:
    """The mark of the compaction that this file of the archive was made by; one in its place has the same."""
    return archive.begun(path) + archive.PARQUET_SUFFIX


def archived(store: Store, made: str | None, lines: Mapping[str, int]) -> None:
    """Lines of so many bytes were compacted: the mark of that stands if the store held all of them till now.

    None: nothing was left of them. Raises StoreBehind if it does not, StoreError.
    """
    try:
        if made is not None:
            store.apply((), {name: Span(size, size) for name, size in lines.items()} | {made: Span(0, WHOLE)})
    finally:
        store.forget_marks(lines)


def tidy(folder: Path, store: Store) -> None:
    """Forget the marks of what is gone. Nothing may be compacted meanwhile. Raises StoreError, OSError."""
    marks = _of_files(store.marks())  # before the look: whatever is new in the folder is not among them
    there = {path.name for path in files(folder)} | compactions(folder).keys()
    store.forget_marks(marks.keys() - there)


def unheld(marks: Mapping[str, int], made: Iterable[str]) -> list[str]:
    """Which of these compactions are not wholly in the store, by its marks."""
    return [name for name in made if marks.get(name, 0) < WHOLE]


def _of_files(marks: Mapping[str, int]) -> dict[str, int]:
    return {name: mark for name, mark in marks.items() if not name.startswith(_ACQUAINTANCE)}

"""A person's events cut out of the Parquet files of the log: what a deletion asks for, once they are compacted.

What lives here: going through the files that hold them, and files without them in their place. What may not: what
stays of an event (`erasure` decides, as of lines), how files take each other's place (`events.archive`).

1. Whose an event is stands in columns of its own, so of the files that do not name the person only these are read.
2. An event of which nothing stays is no row any more, for nothing has to keep its place; one that becomes shorter is a
   row of what is left.
3. File after file, each in one moment. Killed in between, all of it can be done again. One that is damaged keeps none
   of the others from it; but it may hold the person's events, so it is an error in the end, until it is gone.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from msgspec import structs

from engine.events import archive, parquet
from engine.events.disk import LogDamaged
from engine.events.line import Entry
from engine.events.row import Row
from engine.events.scrub import GONE, KEEP, Verdict
from engine.segment.logged import row


def cut_out(folder: Path, ids: AbstractSet[str], decide: Callable[[Entry], Verdict]) -> int:
    """Decide upon every archived event that one of these ids stands in; how many were changed.

    Nothing may be compacted meanwhile. Raises LogError, OSError.
    """
    archive.cleared(folder)
    changed = 0
    trouble: LogDamaged | None = None
    for path in archive.parts(folder).parquet:
        try:
            changed += _cut(folder, path, ids, decide)
        except LogDamaged as error:
            trouble = trouble or error
    archive.cleared(folder)
    if trouble is not None:
        raise trouble
    return changed


def _cut(folder: Path, path: Path, ids: AbstractSet[str], decide: Callable[[Entry], Verdict]) -> int:
    changed: dict[int, Row | None] = {}
    for event in parquet.entries(path, ids):
        verdict = decide(event)
        if verdict is not KEEP:
            changed[event.end] = None if verdict is GONE else row(structs.replace(event, message=verdict))
    if changed:
        name = path.relative_to(folder).with_stem(archive.named(archive.begun(path))).as_posix()
        new = []
        if any(changed.values()) or len(changed) < parquet.counted(path)[0]:
            parquet.rewrite(path, changed, archive.beside(folder, name))
            new = [name]
        archive.take_place(folder, new, [path.relative_to(folder).as_posix()])
    return len(changed)

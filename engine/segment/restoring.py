"""What the store does not hold of this node's log, brought there: after a crash, and after the store lost something.

What lives here: which files are applied from where, and in which order. What may not: how a file is applied
(`applying`), what the marks prove (`standing`), when it is done (`upkeep`).

1. The log is the truth. A store that was emptied, put back, or that became the primary without having heard all, says
   by its marks what it lacks (`standing`); whatever that is, it is applied again, and that is free of harm.
2. `catch_up` looks after lines: of every file whose writer is gone, from its mark on. A living writer's file is its own
   business: who finds that the store knows less of it than was applied lets go of it, and begins another one.
3. `Archive` looks after what was compacted: the newest first, for what people did last decides most. A compaction of
   which not everything could be applied is begun anew; one that is damaged is named, and costs only itself.
4. `replay` does all of it, whatever the marks say.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.events import archive
from engine.events.disk import LogError, told
from engine.events.reading import files, is_finished
from engine.events.recovery import recover
from engine.profiles.store import Store, StoreError
from engine.segment.applying import Applied, Applying
from engine.segment.compactor import RESTORING, turn
from engine.segment.standing import acquainted, archived, believed, by_mark, compactions, tidy, unheld

log = logging.getLogger("mutiny_edge.restoring")


def catch_up(
    folder: Path, store: Store, marks: Mapping[str, int] | None = None, read: Callable[[int], None] = lambda _: None
) -> Applied:
    """What finished files of the log hold and the store does not know, into the store; torn ends are set aside.

    Finished is a file whose writer is gone: after a crash its last lines may be in the log alone. Any process may do
    this at any time. `marks` are those of `acquainted`, of just now; `read` is told how many bytes were read, and may
    end it by an exception. Raises StoreError, StoreBehind, LogError.
    """
    applied = Applied(torn=len(recover(folder).torn))
    if marks is None:
        _, marks = acquainted(store)
    applying = Applying(store)
    try:
        for path in files(folder):
            _catch_up(path, applying, marks.get(path.name, 0), applied, read)
    except OSError as error:
        raise told(folder, error) from error
    return applied


def _catch_up(path: Path, applying: Applying, mark: int, applied: Applied, read: Callable[[int], None]) -> None:
    try:
        if mark < path.stat().st_size and is_finished(path):
            applied.add(applying.file(path, mark, read))
    except FileNotFoundError:
        pass  # compacted, or removed by hand


class Archive:
    """What was compacted of one log, held against what the store says it has."""

    def __init__(self, folder: Path, store: Store, rest: Callable[[], None]) -> None:
        """`rest` is called often while something is applied again, and may end it by an exception."""
        self._folder = folder
        self._store = store
        self._rest = rest
        self.lacks = False  # the store was seen not to hold all of it
        self._held: set[str] = set()  # compactions that the store was seen to hold,
        self._looked_ns = -1  # of those that there were then
        self._unreadable: set[str] = set()

    def taken(self, mark: str | None, lines: Mapping[str, int]) -> None:
        """Lines of so many bytes were compacted (`compacting.Taken`)."""
        try:
            archived(self._store, mark, lines)
        except StoreError as error:
            log.warning("log: what was just compacted is applied again: %s", error)

    def restore(self) -> None:
        """Whatever the store lost is brought back, by this process if no other one does it already.

        Where nothing was lost or compacted since the last time, that is one small question. Raises StoreError,
        StoreBehind, LogError, OSError.
        """
        _, marks = acquainted(self._store)
        changed_ns = archive.changed_ns(self._folder)
        self.lacks = bool(unheld(marks, self._held))
        if changed_ns == self._looked_ns and not self.lacks:
            return
        with turn(self._folder, RESTORING) as lock:
            if lock is not None:
                self._restore()
                self._looked_ns = changed_ns

    def lost(self) -> list[str]:
        """The compactions that the store does not hold, though they can be read. Raises StoreError, OSError."""
        lost = unheld(believed(self._store), compactions(self._folder))
        return [mark for mark in lost if mark not in self._unreadable]

    def _restore(self) -> None:
        made = compactions(self._folder)
        lost = unheld(believed(self._store), made)
        self.lacks = bool(lost)
        if lost:
            log.warning("log: the store does not hold %d of %d compacted parts; they are applied", len(lost), len(made))
        applying = Applying(self._store, self._rest)
        self._unreadable.clear()
        for number, mark in enumerate(lost, 1):
            applied = applying.archived(mark, made[mark])
            for trouble in applied.unreadable:
                self._unreadable.add(mark)
                log.error("log: %s", trouble)
            log.info("log: %d of %d compacted parts, %d events, are applied", number, len(lost), applied.events)
        self._held, self.lacks = made.keys() - self._unreadable, False
        with turn(self._folder) as lock:
            if lock is not None:
                tidy(self._folder, self._store)


def replay(folder: Path, store: Store, read: Callable[[int], None] = lambda _: None) -> Applied:
    """The whole log into the store: what is Parquet by now, what was too damaged for that, and its lines.

    Nobody has to wait for it: a file that is compacted before its turn comes is there as Parquet then. One that cannot
    be read keeps none of the others from being applied. Raises StoreError, StoreBehind, LogError, OSError.
    """
    applying, applied = Applying(store), Applied()
    done: set[str] = set()
    trouble: LogError | None = None
    while new := {name: paths for name, paths in _all(folder).items() if name not in done}:
        for name, paths in new.items():
            done.add(name)
            try:
                is_lines = [path.name for path in paths] == [name]
                applied.add(applying.file(paths[0], 0, read) if is_lines else applying.archived(name, paths, read))
            except FileNotFoundError:
                if _all(folder).get(name, paths) != paths:
                    done.discard(name)  # something else is in its place
            except LogError as error:
                trouble = trouble or error
    if trouble is not None:
        raise trouble
    return applied


def all_files(folder: Path) -> list[Path]:
    """Every file that holds lines or events of the log. Raises OSError."""
    return [path for paths in _all(folder).values() for path in paths]


def _all(folder: Path) -> dict[str, list[Path]]:
    """By the names of their marks."""
    found = archive.parts(folder)
    made = by_mark([*found.parquet, *archive.damaged(folder)])
    return dict(reversed(made.items())) | {path.name: [path] for path in found.lines}

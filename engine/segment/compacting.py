"""Lines of the event log made into Parquet: fewer bytes, quicker questions, and nothing lost or there twice.

What lives here: which files are compacted and when, and the way of their events. What may not: how files take the
place of others (`events.archive`), SQL (`events.parquet`), who does it (`compactor`).

1. A file is compacted once it is finished, and the store knows all of it: what a process that died left in the log
   alone must not go where nobody looks for it (`applying.catch_up`).
2. Files are taken together, up to `limits.COMPACT_BYTES`; of each day on which their events came there is one Parquet
   file then. A service waits until the day is over, or until there is so much (`due`).
3. What is no line, or cannot be understood, goes into `damaged/` as it stands. What a deletion made blank or `null` is
   left out.
4. While it works no deletion does, and the other way round (`Erasures.alone`): or else what one of them had read would
   come back after the other one took it out.
5. Once files took the place of lines, it is told (`Taken`): only then may the marks of the lines be forgotten, and the
   store proves by them that it holds what is in the new files (`standing.archived`).
6. It needs the room for what it makes, and for its rows as JSON. When that is not there, or it is killed, everything
   is as it was.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from engine import limits
from engine.events import archive, parquet
from engine.events.disk import append_to, told
from engine.events.line import entry
from engine.events.reading import SUFFIX, Damaged, Line, Torn, finished, lines
from engine.events.recovery import set_aside_torn
from engine.profiles.store import Store
from engine.segment.erasure import Erasures
from engine.segment.logged import row
from engine.segment.standing import believed, mark_of

Taken: TypeAlias = Callable[[str | None, dict[str, int]], None]  # the mark, if anything was made, and the lines' sizes


class Compacted(Struct):
    """What was made of what: events and damaged lines, files of lines and Parquet files, and their bytes."""

    events: int = 0
    damaged: int = 0
    files: int = 0
    files_bytes: int = 0
    parquet: int = 0
    parquet_bytes: int = 0

    def add(self, other: "Compacted") -> None:
        """Of other files, too."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def applied(folder: Path, store: Store) -> list[Path]:
    """The finished files of which the store knows all, the oldest first. Raises StoreError, OSError."""
    marks = believed(store)
    return [path for path in finished(folder) if marks.get(path.name, 0) >= _size(path)]


def unapplied(folder: Path, store: Store) -> list[Path]:
    """The finished files of which the store does not know all, the oldest first. Raises StoreError, OSError."""
    marks = believed(store)
    return [path for path in finished(folder) if marks.get(path.name, 0) < _size(path)]


def due(paths: Sequence[Path], now: datetime) -> list[Path]:
    """Those of them that a service compacts now: begun before today, or all if they are many."""
    if sum(map(_size, paths)) >= limits.COMPACT_BYTES:
        return list(paths)
    today = now.astimezone(UTC).strftime("%Y%m%d")
    return [path for path in paths if path.name < today]


def compact(
    folder: Path,
    paths: Iterable[Path],
    erasures: Erasures,
    read: Callable[[int], None] = lambda _: None,
    taken: Taken = lambda *_: None,
) -> Compacted:
    """Make Parquet of these files, which are finished and applied; those that are gone are left out.

    `read` is told how many bytes were read, and may end it by an exception; `taken`, whatever took the place of lines.
    Raises LogError, OSError.
    """
    done = Compacted()
    for batch in _batches(paths):
        with erasures.alone():
            archive.cleared(folder)
            try:
                one = _Compaction(folder, archive.named(batch[0].stem), read)
                done.add(one.of(batch))
                if one.used:
                    taken(one.mark, one.used)
            except OSError as error:
                raise told(folder, error) from error
            finally:
                archive.cleared(folder)
    return done


class _Compaction:
    """Some files, on their way."""

    def __init__(self, folder: Path, name: str, read: Callable[[int], None]) -> None:
        self._folder = folder
        self._name = name
        self._read = read
        self._made = Compacted()
        self._new: list[str] = []
        self.used: dict[str, int] = {}
        self._rows = parquet.Gathered(archive.beside(folder, "rows/day").parent)

    def of(self, paths: Sequence[Path]) -> Compacted:
        """Parquet files in the place of these. Raises LogError, OSError."""
        for path in paths:
            self._gather(path)
        self._rows.write()
        for day, rows in sorted(self._rows.days.items()):
            made = archive.beside(self._folder, self._made_as(f"{archive.PARQUET_FOLDER}/day={day}", ".parquet"))
            parquet.write(rows, made)
            rows.unlink()
            self._made.parquet += 1
            self._made.parquet_bytes += made.stat().st_size
        if self.used:
            archive.take_place(self._folder, self._new, list(self.used))
        return self._made

    @property
    def mark(self) -> str | None:
        """Of what was made, if anything was."""
        return mark_of(Path(self._new[0])) if self._new else None

    def _gather(self, path: Path) -> None:
        """Read a file, if it is there."""
        set_aside_torn(path)
        try:
            for found in lines(path):
                if not isinstance(found, Torn):  # which was set aside
                    self._take(path, found)
                    self._read(found.end - found.start)
            self.used[path.name] = size = path.stat().st_size
        except FileNotFoundError:
            return  # another process was quicker
        self._made.files_bytes += size
        self._made.files += 1

    def _take(self, path: Path, found: Line | Damaged) -> None:
        try:
            event = entry(found.end, found.rest) if isinstance(found, Line) else None
        except ValueError:
            event = None
        if event is not None and event.message is None:
            return
        as_row = None if event is None else row(event)
        if as_row is None:
            self._keep_aside(path, found)
        else:
            self._rows.add(as_row)
            self._made.events += 1

    def _keep_aside(self, path: Path, found: Line | Damaged) -> None:
        """As it stands there, newline and all."""
        if not self._made.damaged:
            self._aside = archive.beside(self._folder, self._made_as(archive.DAMAGED_FOLDER, SUFFIX))
        with path.open("rb") as file:
            file.seek(found.start)
            append_to(self._aside, file.read(found.end - found.start))
        self._made.damaged += 1

    def _made_as(self, within: str, suffix: str) -> str:
        self._new.append(f"{within}/{self._name}{suffix}")
        return self._new[-1]


def _batches(paths: Iterable[Path]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    size = 0
    for path in paths:
        if batch and size + _size(path) > limits.COMPACT_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += _size(path)
    if batch:
        yield batch


def _size(path: Path) -> int:
    """Nothing for a file that is gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

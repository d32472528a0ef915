"""Events as rows of Parquet files, by DuckDB: written, read, looked for by whose they are, and rewritten without some.

What lives here: the few questions in SQL. What may not: what a message means (a `row.Row` is given), which files count
(`archive`).

1. The columns beside `message` are what others ask for, taken from it once, by the same code that reads it live. The
   message itself is kept as the log had it, letter by letter.
2. Rows are gathered in files of JSON, one a day, and DuckDB makes Parquet of each: sorted by the time at which they
   came, so that a question about some days reads little; packed with zstd.
3. DuckDB works in bounded memory (`limits.PARQUET_MEMORY_BYTES`), with its own temporary files beside the others in
   `work/`; it never asks the network for anything.
4. What DuckDB cannot do is an error of the log (`LogError`), in its own words' first line: those hold no values. A file
   that it cannot read is damaged, or none of ours (`LogDamaged`), in whatever way that shows: also as text that is no
   text, columns that are not there, or without a value.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine import limits
from engine.events.disk import DISK, LogDamaged, LogFull, LogUnavailable, append_to, opened
from engine.events.line import Entry
from engine.events.row import Row, day_of

if TYPE_CHECKING:
    import duckdb

_FETCHED: Final = 1_000  # rows at once: each may have 64 KiB
_encode: Final = msgspec.json.Encoder().encode
_DAMAGED: Final = "it is damaged, or no file of this log; move it out of the log's folder: all else counts"
_NO_ROOM: Final = ("No space left", "disk space", "File too large")

_MADE: Final = """
SELECT
    received, source, make_timestamp(time * 1000) AS time, type, message_id, anonymous_id, user_id, previous_id,
    group_id, visitor_id, event, properties, message
FROM read_json($rows, format = 'newline_delimited', columns = {
    received: 'BIGINT', source: 'VARCHAR', time: 'BIGINT', type: 'VARCHAR', message_id: 'VARCHAR',
    anonymous_id: 'VARCHAR', user_id: 'VARCHAR', previous_id: 'VARCHAR', group_id: 'VARCHAR',
    visitor_id: 'VARCHAR', event: 'VARCHAR', properties: 'VARCHAR', message: 'VARCHAR'
})
"""
_KEPT: Final = """
SELECT * EXCLUDE file_row_number FROM read_parquet($path, file_row_number = true, hive_partitioning = false)
WHERE file_row_number NOT IN (SELECT unnest($changed::BIGINT[]))
UNION ALL
"""
_COPY: Final = "COPY (… ORDER BY received, message_id) TO $to (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
_WRITE: Final = _COPY.replace("…", _MADE)
_REWRITE: Final = _COPY.replace("…", _KEPT + _MADE)
_EVENTS: Final = """
SELECT file_row_number, received::BIGINT, source::VARCHAR, message::VARCHAR
FROM read_parquet($path, file_row_number = true, hive_partitioning = false)
WHERE
    $ids IS NULL
    OR user_id IN (SELECT unnest($ids::VARCHAR[]))
    OR anonymous_id IN (SELECT unnest($ids::VARCHAR[]))
    OR previous_id IN (SELECT unnest($ids::VARCHAR[]))
    OR visitor_id IN (SELECT unnest($ids::VARCHAR[]))
"""
_COUNTED: Final = """
SELECT count(*), coalesce(min(received::BIGINT), 0), coalesce(max(received::BIGINT), 0)
FROM read_parquet($path, hive_partitioning = false)
"""


class Gathered:
    """Rows, in a file of JSON for each UTC day on which they came; `days` are those files."""

    def __init__(self, folder: Path) -> None:
        """The files are made in this folder."""
        self.days: dict[str, Path] = {}
        self._folder = folder
        self._waiting: dict[str, list[bytes]] = {}
        self._bytes = 0

    def add(self, row: Row) -> None:
        """One more. Raises OSError."""
        line = _encode(row)
        self._waiting.setdefault(day_of(row.received), []).append(line)
        self._bytes += len(line)
        if self._bytes > limits.OVERWRITE_BYTES:
            self.write()

    def write(self) -> None:
        """Whatever was added is in the files. Raises OSError."""
        for day, lines in self._waiting.items():
            path = self.days.setdefault(day, self._folder / f"{day}.json")
            append_to(path, b"\n".join([*lines, b""]))
        self._waiting.clear()
        self._bytes = 0


def write(rows: Path, to: Path) -> None:
    """Make Parquet of gathered rows. Raises LogError, OSError."""
    append_to(to, b"")  # DuckDB alone would let others read it
    with _duckdb(rows, to) as connection:
        connection.execute(_WRITE, {"rows": _only(rows), "to": str(to)})


def rewrite(path: Path, changed: Mapping[int, Row | None], to: Path) -> None:
    """The same file with other rows in the place of these, or none. Raises LogError, OSError."""
    rows = to.with_suffix(".json")
    append_to(rows, b"".join(_encode(row) + b"\n" for row in changed.values() if row is not None))
    append_to(to, b"")
    with _duckdb(path, to) as connection:
        where = {"rows": _only(rows), "path": _only(path), "to": str(to)}
        connection.execute(_REWRITE, {**where, "changed": list(changed)})
    rows.unlink()


def entries(path: Path, ids: Iterable[str] | None = None) -> Iterator[Entry]:
    """The events of a file, or those that one of these ids stands in, as a person's; `end` is an event's number.

    Raises LogError, OSError.
    """
    asked = None if ids is None else sorted(ids)
    with _duckdb(path) as connection:
        answer = connection.execute(_EVENTS, {"path": _only(path), "ids": asked})
        while found := answer.fetchmany(_FETCHED):
            for number, received, source, message in found:
                if received is None or source is None or message is None:
                    raise ValueError("a row has no message")
                yield Entry(number, received, source, message.encode())


def counted(path: Path) -> tuple[int, int, int]:
    """How many events, and when the first and the last one came, in milliseconds. Raises LogError, OSError."""
    with _duckdb(path) as connection:
        [(events, first, last)] = connection.execute(_COUNTED, {"path": _only(path)}).fetchall()
        return events, first, last


def _only(path: Path) -> str:
    """Exactly this file, where a pattern may stand."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


@contextmanager
def _duckdb(path: Path, to: Path | None = None) -> Iterator["duckdb.DuckDBPyConnection"]:
    """A database that lives as long as a question about this file, in bounded memory. Raises LogError, OSError."""
    import duckdb  # noqa: PLC0415 - it takes a tenth of a second, and a service without Parquet never needs it

    settings: dict[str, Any] = {
        "threads": 1,
        "memory_limit": f"{limits.PARQUET_MEMORY_BYTES // 2**20}MB",
        "temp_directory": "" if to is None else str(to.with_suffix(".spill")),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    try:
        with duckdb.connect(config=settings) as connection:
            yield connection
    except (duckdb.Error, ValueError, RuntimeError) as error:
        why = "".join(letter if letter.isprintable() else "?" for letter in str(error).partition("\n")[0])
        why = why.replace(str(path), path.name)
        if isinstance(error, RuntimeError | duckdb.InterruptException) and "interrupted" in why.lower():
            raise KeyboardInterrupt from None  # that is what DuckDB makes of it
        with opened(DISK, path, os.O_RDONLY):
            pass  # it is there, and may be read
        if any(said in why for said in _NO_ROOM):
            raise LogFull(f"no room to write for {path}: {why}; free some, then it can be tried again") from None
        if isinstance(error, duckdb.OutOfMemoryException) or (to is not None and isinstance(error, duckdb.IOException)):
            raise LogUnavailable(f"{path}: {why}") from None
        raise LogDamaged(f"{path}: {_DAMAGED} ({why})") from None

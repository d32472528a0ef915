"""The event log, lines and Parquet, as the tables that the question is asked of; by DuckDB, in bounded memory.

What lives here: opening, the columns of a line, exposures and links. What may not: what is asked (`question`), which
events are conversions (`goals`).

1. A folder is one node's `events` in its data folder, or a copy of it, on this machine or `elsewhere` (`s3://…`). Of a
   folder here `events.archive` says which files count, and holds them in place meanwhile. What lies in several of them
   counts once: repeats change nothing (`question`), and exposures that say too little are told apart by `messageId`.
2. Lines are read once, into a table of the columns that Parquet has (`events.parquet`); what a message says is taken
   from it as `segment.message` does. Parquet files are read in place, each column only where it is asked for; from
   elsewhere is fetched once what of them counts or links.
3. A line that is torn or damaged is no row: counted, left out, never fatal. One that is gone holds nothing. Damaged is
   what is no JSON: sums are not checked here, so `events stats`, which checks them, may find more.
   A Parquet file that is damaged is told, with its name: what it holds may be half of an answer.
4. Nothing that happened later than the moment of the question is seen.
5. An exposure that does not say all of experience, audience segment and group is none; it is counted.
"""
# ruff: noqa: S608 - what is put into the text is quoted, or a name of ours; events are never put into it

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine import limits
from engine.events.archive import Parts, reading
from engine.lift.elsewhere import Elsewhere, NotReached, is_elsewhere, logs, only, plain, why_not_read
from engine.lift.question import quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXPOSURE: Final = "Mutiny Experience Viewed"
_NOBODY: Final = "(trim({0}, '-0') = '' OR lower({0}) IN ('-1', 'null', 'anonymous', 'void', 'undefined', 'abc123'))"
_LINES: Final = f"""
CREATE TEMP TABLE lines AS
WITH said AS (
  SELECT received, source, message, json_extract_string(message, [
    '$.type', '$.messageId', '$.anonymousId', '$.userId', '$.previousId', '$.groupId', '$.context.groupId', '$.event',
    '$.timestamp', '$.traits.mutinyVisitorId', '$.context.traits.mutinyVisitorId']) AS parts
  FROM read_json($files, format = 'newline_delimited', ignore_errors = true,
    columns = {{received: 'BIGINT', source: 'VARCHAR', message: 'JSON'}})
), named AS (
  SELECT received, source, message, parts[1] AS type, parts[2] AS message_id, parts[3] AS anonymous_id,
    parts[4] AS user_id, parts[5] AS previous_id, parts[8] AS event, parts[9] AS happened,
    CASE WHEN parts[1] = 'group' THEN parts[6] ELSE parts[7] END AS group_id,
    CASE WHEN parts[1] = 'identify' AND coalesce(message->>'$.traits', '{{}}') NOT IN ('{{}}', '[]')
      THEN parts[10] ELSE parts[11] END AS visitor_id
  FROM said
)
SELECT received, source, coalesce(try_cast(happened AS TIMESTAMP), make_timestamp(received * 1000)) AS time, type,
  message_id, anonymous_id, user_id, CASE WHEN type = 'alias' THEN previous_id END AS previous_id,
  CASE WHEN NOT {_NOBODY.format("group_id")} THEN group_id END AS group_id,
  CASE WHEN regexp_full_match(visitor_id, '[A-Za-z0-9._:-]{{1,128}}') AND NOT {_NOBODY.format("visitor_id")}
    THEN visitor_id END AS visitor_id,
  CASE WHEN type = 'track' THEN event END AS event,
  CASE WHEN type = 'track' THEN message->>'$.properties' END AS properties
FROM named
"""
_NO_LINES: Final = """
CREATE TEMP TABLE lines (received BIGINT, source VARCHAR, time TIMESTAMP, type VARCHAR, message_id VARCHAR,
  anonymous_id VARCHAR, user_id VARCHAR, previous_id VARCHAR, group_id VARCHAR, visitor_id VARCHAR, event VARCHAR,
  properties VARCHAR)
"""
_COLUMNS: Final = "time, type, message_id, anonymous_id, user_id, previous_id, group_id, visitor_id, event, properties"
_EVENTS: Final = f"""
CREATE TEMP VIEW events AS
SELECT * FROM (SELECT {_COLUMNS} FROM lines{{more}}) WHERE time <= {{now}}
"""
_PARQUET: Final = f"SELECT {_COLUMNS} FROM read_parquet([{{files}}], hive_partitioning = false)"
_FETCHED: Final = f"""
CREATE TEMP TABLE fetched AS {_PARQUET}
WHERE coalesce(event, user_id, group_id, visitor_id) IS NOT NULL
"""
_WHOLE: Final = f"SELECT bit_xor(hash({_COLUMNS})) FROM read_parquet({{file}}, hive_partitioning = false)"

# The names of the question's tables, and how each is made. All are thinned out at once: of the times at which the same
# was seen, only the first matters, of links the newest. Exposures say few different things, so these are read once.
TABLES: Final = {
    "kinds": f"""
SELECT row_number() OVER () AS kind, properties, viewings, parts[1] AS experience, parts[2] AS segment,
  CASE lower(parts[3]) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END AS personalized
FROM (
  SELECT properties, count(*) AS viewings, json_extract_string(properties, [
    '$.experience', '$.audienceSegment', '$.personalized']) AS parts
  FROM events WHERE event = '{EXPOSURE}' GROUP BY properties
)""",
    "exposures": f"""
SELECT s.anonymous_id, s.user_id, s.time, k.experience, k.segment, k.personalized
FROM (
  SELECT e.anonymous_id, e.user_id, k.kind, min(e.time) AS time
  FROM events AS e JOIN kinds AS k ON k.properties = e.properties
  WHERE e.event = '{EXPOSURE}' AND coalesce(e.anonymous_id, e.user_id) IS NOT NULL GROUP BY ALL
) AS s JOIN kinds AS k ON k.kind = s.kind
WHERE k.experience <> '' AND k.segment <> '' AND k.personalized IS NOT NULL""",
    "user_links": """
SELECT anonymous_id, user_id, max(time) AS time FROM events
WHERE anonymous_id IS NOT NULL AND user_id IS NOT NULL GROUP BY ALL
UNION ALL
SELECT previous_id, user_id, max(time) FROM events
WHERE type = 'alias' AND previous_id NOT IN (user_id, coalesce(anonymous_id, '')) GROUP BY ALL""",
    "visitor_links": """
SELECT visitor_id, anonymous_id, user_id, max(time) AS time FROM events
WHERE visitor_id IS NOT NULL AND coalesce(anonymous_id, user_id) IS NOT NULL GROUP BY ALL""",
    "group_links": """
SELECT anonymous_id, user_id, group_id, max(time) AS time FROM events WHERE group_id IS NOT NULL GROUP BY ALL""",
}


class Log(Struct, frozen=True):
    """An open log: `unreadable` lines were left out; `logs` are the folders that hold anything."""

    connection: "DuckDBPyConnection"
    unreadable: int
    logs: tuple[str, ...] = ()

    def make(self, name: str, select: str, *, kept: bool = True) -> None:
        """A table for the steps after it; one that is not kept is made whenever it is read."""
        self.connection.execute(f"CREATE TEMP {'TABLE' if kept else 'VIEW'} {name} AS {select}")

    def number(self, question: str) -> int:
        """The one number that answers this."""
        [(found,)] = self.connection.execute(question).fetchall()
        return int(found or 0)


class LogUnreadable(Exception):  # noqa: N818 - the name says what is wrong
    """A file could not be read, or DuckDB not finish; the words say which, why, and what to do."""


@contextmanager
def opened(folders: Sequence[str], now: datetime, told: Callable[[], None] = lambda: None) -> Iterator[Log]:
    """The events of all these folders until now, as the view `events`. Raises LogUnreadable, OSError."""
    import duckdb  # noqa: PLC0415 - it takes a tenth of a second, and `--help` needs none of it

    with ExitStack() as held:
        spill = held.enter_context(TemporaryDirectory(prefix="mutiny-edge-lift-"))
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{limits.LIFT_MEMORY_BYTES // 2**20}MB",
            "temp_directory": spill,
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        parquet: list[str] = []
        try:
            connection = held.enter_context(duckdb.connect(config=settings))
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET python_enable_replacements = false")  # a table is never a variable of ours
            elsewhere = Elsewhere(connection)
            parts = [elsewhere.files(one) if is_elsewhere(one) else _parts(one, held) for one in folders]
            lines = [name for one in parts for name in one[0]]
            parquet = [name for one in parts for name in one[1]]
            connection.execute(*((_LINES, {"files": lines}) if lines else (_NO_LINES,)))
            told()
            moment = f"TIMESTAMP '{now.astimezone(UTC).replace(tzinfo=None).isoformat(' ')}'"
            more = " UNION ALL ".join(["", *_parquet(connection, parquet)])
            connection.execute(_EVENTS.format(more=more, now=moment))
            [(unreadable,)] = connection.execute("SELECT count(*) FROM lines WHERE received IS NULL").fetchall()
            yield Log(connection, unreadable, tuple(dict.fromkeys(_logs(folders, parts))))
        except RuntimeError as error:
            if "interrupted" in str(error).lower():  # so DuckDB says that somebody pressed Ctrl-C
                raise KeyboardInterrupt from None
            raise
        except NotReached as error:
            raise LogUnreadable(str(error)) from None
        except (duckdb.Error, UnicodeDecodeError) as error:
            reason = _trouble(error, parquet, [folder for folder in folders if is_elsewhere(folder)])
            if reason is None:
                raise
            raise LogUnreadable(reason) from None


def _parquet(connection: "DuckDBPyConnection", files: Sequence[str]) -> Iterator[str]:
    """What has to be read for these files."""
    far = [name for name in files if is_elsewhere(name)]
    here = [name for name in files if not is_elsewhere(name)]
    if here:
        yield _PARQUET.format(files=", ".join(map(quoted, here)))
    if far:
        connection.execute(_FETCHED.format(files=", ".join(map(quoted, far))))
        yield f"SELECT {_COLUMNS} FROM fetched"


def _trouble(error: Exception, parquet: Sequence[str], remote: Sequence[str]) -> str | None:
    """Why the log cannot be read and what to do; None where it is no fault of the log's."""
    import duckdb  # noqa: PLC0415 - as above

    words = str(error).partition("\n")[0]
    if str(error).startswith("Traceback"):
        return f"{', '.join(remote)}: {why_not_read(str(error))}"
    damaged = _damaged(parquet)
    if damaged is not None:
        return f"{damaged}: damaged, or no Parquet file of the log's; move it out of the folder, and the rest counts"
    return words if isinstance(error, duckdb.OperationalError | duckdb.InvalidInputException) else None


def _damaged(parquet: Sequence[str]) -> str | None:
    """The first of these files that cannot be read as a whole."""
    import duckdb  # noqa: PLC0415 - as above

    for name in parquet:
        try:
            with duckdb.connect() as connection:
                if is_elsewhere(name):
                    Elsewhere(connection).reach(name)
                connection.execute(_WHOLE.format(file=quoted(name))).fetchall()
        except (duckdb.Error, UnicodeDecodeError):
            return plain(name)
    return None


def has_events(folders: Sequence[str]) -> bool:
    """Whether there is anything that could be asked; elsewhere, `opened` finds out."""
    if any(map(is_elsewhere, folders)):
        return True
    for folder in folders:
        with reading(Path(folder)) as parts:
            if parts.lines or parts.parquet:
                return True
    return False


def _parts(folder: str, held: ExitStack) -> tuple[list[str], list[str]]:
    """The files of lines and of Parquet in this folder."""
    parts: Parts = held.enter_context(reading(Path(folder)))
    return [only(str(path)) for path in parts.lines if path.stat().st_size], [only(str(path)) for path in parts.parquet]


def _logs(folders: Sequence[str], parts: Sequence[tuple[list[str], list[str]]]) -> Iterator[str]:
    """The folders in which there is anything; of an address, those that it stands for."""
    for folder, found in zip(folders, parts, strict=True):
        if is_elsewhere(folder):
            yield from logs(*found)
        elif any(found):
            yield folder

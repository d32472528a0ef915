"""The log is read by DuckDB as it is written: whole, with lines that are gone or blank, with a torn end."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.events.line import Entry, encode
from engine.events.log import EventLog
from engine.events.reading import files
from engine.events.rejected import RejectedLog
from engine.events.rejected import encode as rejected
from engine.events.scrub import GONE, KEEP, rewrite

COLUMNS = "{crc: 'VARCHAR', received: 'BIGINT', source: 'VARCHAR', message: 'JSON'}"
TRACK = b'{"type":"track","event":"Signed Up","properties":{"plan":"pro"},"userId":"u%d"}'


def ask(folder: Path, select: str, columns: str = "") -> list[tuple[Any, ...]]:
    """The answer over all files of the folder."""
    options = f"format='newline_delimited', ignore_errors=true{f', columns={columns}' if columns else ''}"
    return duckdb.sql(f"SELECT {select} FROM read_json('{folder}/*.ndjson', {options})").fetchall()


@pytest.fixture
def log(folder: Path, clock: Any) -> EventLog:
    """A log that is being written, of twenty events."""
    log = EventLog(folder, clock)
    log.append([encode(n, "website", TRACK % n) for n in range(20)])
    return log


@pytest.mark.parametrize("columns", ["", COLUMNS])
def test_a_log_is_a_table(log: EventLog, folder: Path, columns: str) -> None:
    """Beside its living writer, with columns that were said or found out."""
    selected = "count(*), min(received), max(source), count(message.properties.plan)"
    if columns:
        selected = selected.replace("message.properties.plan", "message->>'$.properties.plan'")
    assert ask(folder, selected, columns) == [(20, 0, "website", 20)]


@pytest.mark.parametrize("columns", ["", COLUMNS])
def test_what_is_gone_is_null(log: EventLog, folder: Path, columns: str) -> None:
    """Every line stays a row; what was left over in a shorter message is read."""

    def decide(entry: Entry) -> Any:
        return {3: GONE, 4: b'{"type":"group"}'}.get(entry.received_ms, KEEP)

    rewrite(files(folder)[0], decide)
    kind = "message->>'$.type'" if columns else "message.type"
    assert ask(folder, f"count(*), count(message), count(*) FILTER ({kind} = 'group')", columns) == [(20, 19, 1)]


def test_blank_lines_are_no_rows_and_a_torn_end_is_an_empty_one(log: EventLog, folder: Path) -> None:
    """So whoever asks leaves out rows without a message."""
    path = files(folder)[0]
    path.write_bytes(path.read_bytes().replace(b'"u3"', b'"\xff3"') + b'{"crc":"01')
    rewrite(path, lambda _: KEEP, lambda _: True)
    assert ask(folder, "count(*), count(received), count(message)", COLUMNS) == [(20, 19, 19)]


def test_the_rejected_log_is_a_table_too(folder: Path, clock: Any) -> None:
    """Whatever was rejected."""
    rows = [(b'{"a":1}', "x"), (b'{"n":NaN}', "y"), (b"[" * 900 + b"]" * 900, "z"), (b'{"half":"\\ud83d"}', "z")]
    RejectedLog(folder, clock).append([rejected(1, "website", code, "why", raw) for raw, code in rows])
    assert ask(folder, "count(*), count(raw), count(text), max(code)") == [(4, 1, 3, "z")]

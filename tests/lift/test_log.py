"""The event log as tables: lines and Parquet, what is torn, damaged or gone, several folders."""

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from plain import module_at

from engine.events.line import encode
from engine.events.log import EventLog
from engine.events.reading import entries, files
from engine.events.scrub import GONE, KEEP, rewrite
from engine.lift.log import LogUnreadable, has_events, opened
from engine.segment.fields import stands_for_nobody
from engine.segment.logged import row

NOW = datetime(2026, 11, 25, 13, tzinfo=UTC)
AT = "2026-11-20T08:00:00.125Z"
MOMENT = datetime(2026, 11, 20, 8, 0, 0, 125_000)  # noqa: DTZ001 - DuckDB's times have no zone; these are UTC
KINDS = {"received": "BIGINT", "time": "TIMESTAMP"}
COLUMNS = "type, anonymous_id, user_id, previous_id, group_id, visitor_id, event, properties"


def message(**fields):
    return {"messageId": "m", "timestamp": AT, "anonymousId": "a1", "userId": None, **fields}


def rows(folders, columns=COLUMNS):
    """The events of these folders."""
    with opened([str(folder) for folder in folders], NOW) as log:
        return sorted(log.connection.execute(f"SELECT {columns} FROM events").fetchall(), key=str)


@pytest.mark.parametrize(
    ("said", "row"),
    [
        ({"type": "page"}, ("page", "a1", None, None, None, None, None, None)),
        (
            {"type": "track", "userId": "u1", "event": "Paid", "properties": {"a": [1, "é"]}},
            ("track", "a1", "u1", None, None, None, "Paid", '{"a":[1,"é"]}'),
        ),
        ({"type": "track", "event": "Paid"}, ("track", "a1", None, None, None, None, "Paid", None)),
        (
            {"type": "alias", "userId": "u1", "previousId": "a2"},
            ("alias", "a1", "u1", "a2", None, None, None, None),
        ),
        ({"type": "group", "groupId": "g1"}, ("group", "a1", None, None, "g1", None, None, None)),
        ({"type": "page", "context": {"groupId": "g1"}}, ("page", "a1", None, None, "g1", None, None, None)),
        ({"type": "page", "context": {"groupId": "null"}}, ("page", "a1", None, None, None, None, None, None)),
        (
            {"type": "identify", "traits": {"mutinyVisitorId": "v1"}},
            ("identify", "a1", None, None, None, "v1", None, None),
        ),
        (
            {"type": "identify", "traits": {"mutinyVisitorId": 17}},
            ("identify", "a1", None, None, None, "17", None, None),
        ),
        (
            {"type": "identify", "traits": {"mutinyVisitorId": "not one"}},
            ("identify", "a1", None, None, None, None, None, None),
        ),
        (
            {"type": "identify", "traits": [], "context": {"traits": {"mutinyVisitorId": "v1"}}},
            ("identify", "a1", None, None, None, "v1", None, None),
        ),
        (
            {"type": "track", "event": "E", "traits": {"mutinyVisitorId": "v1"}},
            ("track", "a1", None, None, None, None, "E", None),
        ),
    ],
)
def test_what_a_line_says(log_of, tmp_path, said, row):
    """The columns that Parquet has, taken from the message as everywhere."""
    assert rows([log_of(tmp_path / "events", [message(**said)])]) == [row]
    [(time,)] = rows([tmp_path / "events"], "time")
    assert time == MOMENT


@pytest.mark.parametrize(
    "id_", ["null", "0", "00-00", "Anonymous", "-1", "abc123", "undefined", "void", "abc", "10", "-"]
)
def test_who_is_nobody_is_nobody_here(log_of, tmp_path, id_):
    """Of ids that `accept` does not rid of placeholders: groups in a context, visitors in traits."""
    said = message(type="page", context={"groupId": id_, "traits": {"mutinyVisitorId": id_}})
    expected = None if stands_for_nobody(id_) else id_
    assert rows([log_of(tmp_path / "events", [said])], "group_id, visitor_id") == [(expected, expected)]


def test_a_line_is_read_as_compaction_would_write_it(tmp_path):
    """Of two thousand messages of all kinds, as they were accepted: the same columns, by the same rules."""
    message_of = strategies().message_of
    taken = [said for number in range(2_000) if (said := message_of(number)) is not None and said.type != "delete"]
    log = EventLog(tmp_path, lambda: NOW)
    log.append([encode(said.received_ms, said.source, said.body) for said in taken])
    [path] = files(tmp_path)
    names = [name.strip() for name in COLUMNS.split(",")]
    made = [row(entry) for entry in entries(path)]
    expected = [(*(getattr(one, name) for name in names), one.time) for one in made]
    assert rows([tmp_path], f"{COLUMNS}, epoch_ms(time)") == sorted(expected, key=str)


def strategies():
    """The generated messages of Segment's room."""
    return module_at(Path(__file__).parent.parent / "segment" / "strategies.py")


def test_without_a_time_it_happened_when_it_came(tmp_path):
    """In milliseconds since 1970."""
    log = EventLog(tmp_path, lambda: NOW)
    log.append([encode(1_000, "website", b'{"type":"page","timestamp":"gibberish"}')])
    [(time,)] = rows([tmp_path], "time")
    assert time == datetime(1970, 1, 1, 0, 0, 1)  # noqa: DTZ001 - as above


def test_bad_lines_are_counted_and_left_out(log_of, tmp_path):
    """Torn, damaged, no JSON, not UTF-8; what is gone is no damage."""
    folder = log_of(tmp_path / "events", [message(type="page", n=number) for number in range(5)])
    [path] = files(folder)
    rewrite(path, lambda entry: GONE if b'"n":1' in entry.message.replace(b" ", b"") else KEEP)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"a1"', b'"\xff1"')
    lines[3] = b"gibberish\n"
    path.write_bytes(b"".join([*lines, b'{"crc":"01']))
    with opened([str(folder)], NOW) as log:
        assert log.unreadable == 3
        assert log.number("SELECT count(*) FROM events WHERE type = 'page'") == 2


def test_lines_and_parquet_are_one_log(log_of, tmp_path):
    """What was compacted is read from Parquet, what came since from lines."""
    folder = log_of(tmp_path / "events's [1]", [message(type="page")])
    compact(folder, {"type": "track", "event": "Paid", "properties": '{"a":1}', "anonymous_id": "a9"})
    assert rows([folder], "type, anonymous_id, event, properties") == [
        ("page", "a1", None, None),
        ("track", "a9", "Paid", '{"a":1}'),
    ]


def compact(folder, fields):
    """One event as Parquet, laid out as `events compact` does."""
    row = dict.fromkeys(["message_id", *COLUMNS.split(", ")]) | {"type": "page", "received": 1, "time": MOMENT} | fields
    within = folder / "parquet" / "day=2026-11-20"
    within.mkdir(parents=True)
    values = ", ".join(f"CAST(${name} AS {KINDS.get(name, 'VARCHAR')}) AS {name}" for name in row)
    duckdb.execute(f"COPY (SELECT {values}) TO $to (FORMAT parquet)", {**row, "to": str(within / "one.parquet")})


def test_several_folders_are_one_log(log_of, tmp_path):
    """Of several nodes; one may be empty, or not there at all."""
    first = log_of(tmp_path / "1", [message(type="page")])
    second = log_of(tmp_path / "2", [message(type="screen")])
    assert [row[0] for row in rows([first, second, tmp_path / "3"], "type")] == ["page", "screen"]
    assert rows([tmp_path / "3"]) == []
    assert has_events([str(tmp_path / "3"), str(first)])
    assert not has_events([str(tmp_path / "3")])


def test_a_file_that_is_no_parquet(log_of, tmp_path):
    """Told, with its name."""
    folder = log_of(tmp_path / "events", [message(type="page")])
    bad = folder / "parquet" / "day=2026-11-20" / "bad.parquet"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(b"this is none at all")
    with pytest.raises(LogUnreadable, match=r"bad\.parquet"), opened([str(folder)], NOW):
        pass


def test_a_damaged_file_among_good_ones(log_of, tmp_path):
    """Cut, with a byte that changed, or somebody else's: the file is named, and what to do."""
    folder = log_of(tmp_path / "events [1]", [message(type="page")])
    compact(folder, {"type": "track", "event": "Paid", "properties": '{"a":"a text that stands in the file"}'})
    good = folder / "parquet" / "day=2026-11-20" / "one.parquet"
    bad = good.with_name("two.parquet")
    whole = good.read_bytes()
    duckdb.execute("COPY (SELECT 1 AS a) TO $to (FORMAT parquet)", {"to": str(tmp_path / "foreign")})
    flipped = whole.replace(b"a text that", b"a t\xffxt that")
    assert flipped != whole
    for content in (whole[: len(whole) // 2], flipped, (tmp_path / "foreign").read_bytes()):
        bad.write_bytes(content)
        with pytest.raises(LogUnreadable) as told, opened([str(folder)], NOW) as log:
            log.connection.execute("SELECT properties FROM events").fetchall()
        assert str(told.value) == (
            f"{bad}: damaged, or no Parquet file of the log's; move it out of the folder, and the rest counts"
        )


def test_ctrl_c_is_ctrl_c(log_of, tmp_path):
    """DuckDB says it in its own way; what else goes wrong stays what it is."""
    folder = str(log_of(tmp_path / "events", [message(type="page")]))
    with pytest.raises(KeyboardInterrupt), opened([folder], NOW):
        raise RuntimeError("Query interrupted")
    with pytest.raises(RuntimeError, match="else"), opened([folder], NOW):
        raise RuntimeError("something else")
    with pytest.raises(duckdb.CatalogException), opened([folder], NOW) as log:
        log.number("SELECT count(*) FROM nowhere")


def test_what_stands_in_an_event_is_never_part_of_the_question(log_of, tmp_path):
    """Names of tables, of variables, quotes."""
    evil = "'; DROP TABLE lines; --"
    folder = log_of(tmp_path / "events", [message(type="track", event=evil, anonymousId=evil, properties={evil: evil})])
    assert rows([folder], "event, anonymous_id, properties") == [
        (evil, evil, json.dumps({evil: evil}, separators=(",", ":")))
    ]

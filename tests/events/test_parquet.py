"""Events as rows: what goes in comes out letter by letter, and DuckDB and whoever else reads Parquet can ask."""

from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from msgspec.structs import replace

from engine.events import parquet
from engine.events.disk import LogDamaged, LogFull
from engine.events.line import Entry
from engine.events.parquet import Gathered
from engine.events.row import Row

NOON_MS = 1_795_608_000_000
DAY_MS = 86_400_000
ROW = Row(NOON_MS, "www", NOON_MS - 250, "track", "m1", '{"type":"track"}', anonymous_id="a1", event="Signed Up")


def made(folder: Path, *rows: Row, name: str = "x.parquet") -> Path:
    """These rows as one Parquet file."""
    folder.mkdir(exist_ok=True)
    gathered = Gathered(folder)
    for row in rows:
        gathered.add(row)
    gathered.write()
    [of_day] = gathered.days.values()
    parquet.write(of_day, folder / name)
    of_day.unlink()
    return folder / name


def test_rows_are_gathered_by_the_day_on_which_they_came(folder: Path) -> None:
    """Of UTC, to the millisecond; files are their owner's alone."""
    folder.mkdir()
    gathered = Gathered(folder)
    midnight = NOON_MS + DAY_MS // 2
    for received in (midnight - 1, midnight, NOON_MS - DAY_MS, 0):
        gathered.add(replace(ROW, received=received))
    gathered.write()
    days = {day: path.read_bytes().count(b"\n") for day, path in gathered.days.items()}
    assert days == {"2026-11-25": 1, "2026-11-26": 1, "2026-11-24": 1, "1970-01-01": 1}
    assert {path.stat().st_mode & 0o777 for path in gathered.days.values()} == {0o600}


def test_much_is_not_held_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost, or in another order, when it goes out in pieces."""
    monkeypatch.setattr("engine.limits.OVERWRITE_BYTES", 500)
    rows = [replace(ROW, received=NOON_MS + n, message=f'{{"n":{n}}}') for n in range(50)]
    assert [entry.received_ms - NOON_MS for entry in parquet.entries(made(folder, *rows))] == list(range(50))


STRANGE = ['{"a":"é😀\\u0000\\ud83d"}', '{"n":1e400,"i":123456789012345678901234567890}', '{"q":"\\"\\\\\\n"}', "{}"]


@pytest.mark.parametrize("message", STRANGE)
def test_a_message_comes_out_as_it_went_in(folder: Path, message: str) -> None:
    """Whatever JSON it is; and what stands in a column may be any text."""
    path = made(folder, replace(ROW, message=message, event="a\0'\"\n😀", properties="{}"))
    assert list(parquet.entries(path)) == [Entry(0, NOON_MS, "www", message.encode())]
    assert duckdb.sql(f"SELECT event FROM '{path}'").fetchall() == [("a\0'\"\n😀",)]


def test_the_columns_are_as_agreed(folder: Path) -> None:
    """Their names and types; time is a timestamp, of UTC."""
    path = made(folder, ROW, replace(ROW, received=NOON_MS - 5, message_id="m0"))
    asked = duckdb.sql(f"SELECT * FROM '{path}'")
    assert dict(zip(asked.columns, map(str, asked.types), strict=True)) == {
        "received": "BIGINT", "source": "VARCHAR", "time": "TIMESTAMP", "type": "VARCHAR", "message_id": "VARCHAR",
        "anonymous_id": "VARCHAR", "user_id": "VARCHAR", "previous_id": "VARCHAR", "group_id": "VARCHAR",
        "visitor_id": "VARCHAR", "event": "VARCHAR", "properties": "VARCHAR", "message": "VARCHAR",
    }  # fmt: skip
    first, second = asked.fetchall()
    assert first[0] < second[0]
    assert second[2] == datetime(2026, 11, 25, 11, 59, 59, 750_000)  # noqa: DTZ001 - as DuckDB gives it
    assert second[6] is None
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_is_asked_whose_events_are_there(folder: Path) -> None:
    """By any of the ids; by none of them, nobody's."""
    named = [{"anonymous_id": "p1"}, {"user_id": "p1"}, {"previous_id": "p1"}, {"visitor_id": "p1"}, {"group_id": "p1"}]
    rows = [replace(ROW, message_id=str(n), **ids) for n, ids in enumerate([*named, {"user_id": "p2"}])]
    path = made(folder, *rows)
    assert [entry.end for entry in parquet.entries(path, {"p1"})] == [0, 1, 2, 3]
    assert [entry.end for entry in parquet.entries(path, {"p2", "p3"})] == [5]
    assert list(parquet.entries(path, set())) == []
    assert len(list(parquet.entries(path))) == 6


def test_a_file_is_made_anew_with_other_rows(folder: Path) -> None:
    """The rest of it is as it was, in its order."""
    path = made(
        folder, *[replace(ROW, received=NOON_MS + n, message=f'{{"n":{n}}}', user_id=f"u{n}") for n in range(9)]
    )
    shorter = replace(ROW, received=NOON_MS + 4, message='{"n":"four"}')
    parquet.rewrite(path, {2: None, 4: shorter, 8: None}, folder / "y.parquet")
    kept = {entry.received_ms - NOON_MS: entry.message for entry in parquet.entries(folder / "y.parquet")}
    assert list(kept) == [0, 1, 3, 4, 5, 6, 7]
    assert kept[4] == b'{"n":"four"}'
    assert duckdb.sql(f"SELECT count(user_id) FROM '{folder / 'y.parquet'}'").fetchall() == [(6,)]
    assert sorted(one.name for one in folder.iterdir()) == ["x.parquet", "y.parquet"]
    parquet.rewrite(path, {1: None}, folder / "z.parquet")
    assert parquet.counted(folder / "z.parquet") == (8, NOON_MS, NOON_MS + 8)


def test_a_name_that_looks_like_a_pattern_is_a_name(tmp_path: Path) -> None:
    """Of a folder that people may have called anything."""
    folder = tmp_path / "it's [a] *? folder"
    made(tmp_path / "it's a xy folder", ROW)
    path = made(folder, ROW, name="[x].parquet")
    assert parquet.counted(path)[0] == 1
    parquet.rewrite(path, {0: replace(ROW, message='{"n":1}')}, folder / "y.parquet")
    assert [entry.message for entry in parquet.entries(folder / "y.parquet")] == [b'{"n":1}']


def test_what_cannot_be_read_is_told(folder: Path) -> None:
    """A file that is gone as such; one that was cut by its name, with what to do."""
    path = made(folder, ROW)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(LogDamaged, match=r"x\.parquet: it is damaged, or no file of this log; move it out of"):
        list(parquet.entries(path))
    with pytest.raises(FileNotFoundError):
        list(parquet.entries(folder / "gone.parquet"))


def test_a_flipped_byte_is_told(folder: Path) -> None:
    """Also where DuckDB's own words are no text then: in one line that holds nothing strange."""
    path = made(folder, ROW)
    whole = path.read_bytes()
    for name in (b"\x08received", b"\x07message", b"\x07user_id"):
        at = whole.index(name, whole.index(b"duckdb_schema")) + 1
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x80]) + whole[at + 1 :])
        with pytest.raises(LogDamaged) as told:
            [*parquet.entries(path), *parquet.entries(path, {"a1"}), parquet.counted(path)]
        assert str(told.value).isprintable()


@pytest.mark.parametrize(
    "select",
    ["1 AS a", "0 AS received, 'www' AS source, NULL AS message", "'x' AS received, 1 AS source, 2 AS message"],
)
def test_a_file_of_somebody_else_is_told(folder: Path, select: str) -> None:
    """Whatever is in it."""
    folder.mkdir()
    path = folder / "x.parquet"
    duckdb.sql(f"COPY (SELECT {select}) TO '{path}' (FORMAT parquet)")
    with pytest.raises(LogDamaged, match="no file of this log"):
        list(parquet.entries(path))


def test_what_is_empty_is_counted(folder: Path) -> None:
    """Nothing, from never."""
    path = made(folder, ROW)
    parquet.rewrite(path, {0: None}, folder / "y.parquet")
    assert parquet.counted(folder / "y.parquet") == (0, 0, 0)


def test_ctrl_c_is_what_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB makes an error of its own of it."""
    path = made(folder, ROW)
    with pytest.raises(KeyboardInterrupt), parquet._duckdb(path):
        raise RuntimeError("Query interrupted")


def test_no_room_is_told_as_such(folder: Path) -> None:
    """Of a device that is always full."""
    rows = [replace(ROW, message_id=str(n), message=f'{{"n":{n}}}') for n in range(1000)]
    path = made(folder, *rows)
    full = folder / "full.parquet"
    full.symlink_to("/dev/full")
    with pytest.raises(LogFull, match="no room to write"):
        parquet.rewrite(path, {0: None}, full)

"""`mutiny-edge events`: what the log holds, and what of it is Parquet."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from engine.cli.events import _tell_left
from engine.intake import Intake
from engine.profiles.lmdb import LmdbStore
from engine.segment.accept import accept, opened
from engine.segment.restoring import replay
from engine.settings import Settings

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
MESSAGES = [
    {"type": "identify", "userId": f"u{n % 7}", "anonymousId": f"a{n % 5}", "traits": {"n": n}} for n in range(50)
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with fifty events of each of two days in its log."""
    data = tmp_path / "data"
    store = LmdbStore(data / "profiles")
    for day in range(2):
        now = NOW + timedelta(days=day)
        intake = Intake(Settings(data=data).logs, store, lambda now=now: now)
        intake.write([accept(opened(json.dumps({"batch": MESSAGES}).encode(), "batch"), "www", now)])
        intake.stop()
    store.close()
    return data


def replayed(data: Path) -> dict[bytes, object]:
    """What a replay into a new store makes of the log."""
    with TemporaryDirectory() as folder, closing(LmdbStore(Path(folder))) as store:
        assert replay(Settings(data=data).logs.events, store).events == 100
        return dict(store.scan())


def test_the_log_becomes_parquet(run, data):
    """A file a day; what a process had left in the log alone is in the store before; a replay says the same after."""
    before = replayed(data)
    for path in (data / "profiles").iterdir():
        path.unlink()
    done = run("events", "compact")
    assert (done.returncode, done.stdout) == (0, "")
    assert "100 events of 2 files of lines (" in done.stderr
    assert "are 2 Parquet files now" in done.stderr
    assert list((data / "events").glob("*.ndjson")) == []
    assert len(list((data / "events" / "parquet").glob("day=2026-11-2*/*.parquet"))) == 2
    assert replayed(data) == before
    with closing(LmdbStore(data / "profiles")) as store:
        assert dict(store.scan()) == before
    assert "nothing to compact" in run("events", "compact").stderr


def test_what_is_in_the_log_is_counted(run, data):
    """As lines, as Parquet, and from when it is; for programs as JSON."""
    lines = run("events", "stats").stdout.splitlines()
    assert lines[0].split() == ["kept", "as", "files", "events", "bytes", "first", "came", "last", "came"]
    assert lines[1].split()[:3] == ["lines", "2", "100"]
    assert lines[1].endswith("2026-11-20 08:30  2026-11-21 08:30")
    assert lines[2].split() == ["parquet", "0", "0", "0"]
    size = sum(path.stat().st_size for path in (data / "events").glob("*.ndjson"))
    made = json.loads(run("events", "compact", "--format", "json").stdout)
    assert {**made, "parquet_bytes": 0} == {
        "events": 100, "damaged": 0, "files": 2, "files_bytes": size, "parquet": 2, "parquet_bytes": 0,
    }  # fmt: skip
    found = json.loads(run("events", "stats", "--format", "json").stdout)
    assert (found["lines"]["events"], found["parquet"]["events"], found["torn"]) == (0, 100, 0)
    assert found["parquet"]["first_ms"] < found["parquet"]["last_ms"]
    assert found["parquet"]["bytes"] == made["parquet_bytes"]


def test_damaged_lines_are_kept_and_told(run, data, on_terminal):
    """The exit code is 1, once; stats still knows them, and a replay. Terminals see how far it is."""
    path = next((data / "events").glob("*.ndjson"))
    path.write_bytes(path.read_bytes().replace(b'"u3"', b'"U3"', 1))
    done = run("events", "compact")
    assert done.returncode == 1
    assert "1 damaged line: kept as they are in data/events/damaged" in done.stderr
    assert "nothing to compact" in on_terminal("events", "compact")
    shown = on_terminal("events", "stats")
    assert "damaged lines: 1" in shown
    assert "event log" in shown
    assert run("replay").returncode == 1


def test_why_lines_are_left(capsys):
    """A process writes them, or the store does not hold all of them: then what to do."""
    _tell_left(1, 2, Path("my data/events"))
    written, unknown = capsys.readouterr().err.splitlines()
    assert written == "1 file of lines left, which a process is writing"
    assert unknown.startswith("2 files of lines left, of which the store does not hold all: ")
    assert "`mutiny-edge replay --data 'my data'`" in unknown


def test_without_a_log(run, tmp_path):
    """Told, and nothing is made."""
    for verb in ("compact", "stats"):
        done = run("events", verb)
        assert done.returncode == 2
        assert "there is no event log" in done.stderr
    assert not (tmp_path / "data").exists()

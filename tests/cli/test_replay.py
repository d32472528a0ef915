"""`mutiny-edge replay`: the store is what the log says, whatever happened to it."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.intake import Intake
from engine.profiles.lmdb import LmdbStore
from engine.segment.accept import accept, opened
from engine.settings import Settings

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
MESSAGES = [
    {"type": "identify", "userId": f"u{n % 7}", "anonymousId": f"a{n % 5}", "traits": {"n": n}} for n in range(50)
]


def records(data: Path) -> dict[bytes, object]:
    """Everything in the store."""
    store = LmdbStore(data / "profiles")
    try:
        return dict(store.scan())
    finally:
        store.close()


def filled(data: Path, messages: list[dict[str, object]]) -> Path:
    """A data folder with these events in its log, and in its store."""
    store = LmdbStore(data / "profiles")
    intake = Intake(Settings(data=data).logs, store, lambda: NOW)
    intake.write([accept(opened(json.dumps({"batch": messages}).encode(), "batch"), "www", NOW)])
    intake.stop()
    store.close()
    return data


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with fifty events in its log, and in its store."""
    return filled(tmp_path / "data", MESSAGES)


def test_a_lost_store_is_made_anew(run, data):
    """The same bytes in every record."""
    before = records(data)
    shutil.rmtree(data / "profiles")
    done = run("replay")
    assert (done.returncode, done.stdout) == (0, "")
    assert "50 events of 1 file applied" in done.stderr
    assert records(data) == before


def test_one_event_is_one(run, tmp_path):
    """In words that people say."""
    data = filled(tmp_path / "one", MESSAGES[:1])
    assert "1 event of 1 file applied" in run("replay", "--data", data).stderr


def test_replaying_into_a_store_that_knows_is_free_of_harm(run, data):
    """Nothing changes."""
    before = records(data)
    assert json.loads(run("replay", "--format", "json").stdout) == {
        "events": 50, "damaged": 0, "torn": 0, "unreadable": [],
    }  # fmt: skip
    assert records(data) == before


def test_damage_and_a_torn_end_are_told(run, data):
    """The exit code is 1 for damage; the other events are applied."""
    [path] = (data / "events").glob("*.ndjson")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[10] = lines[10].replace(b"identify", b"identifi")
    path.write_bytes(b"".join(lines)[:-5])
    done = run("replay")
    assert done.returncode == 1
    assert "48 events of 1 file applied, 1 damaged line left out" in done.stderr
    assert "1 file ends in the middle of a line" in done.stderr


def test_a_damaged_file_is_told(run, data):
    """By its name, in one line; everything else is applied, and the exit code is 1."""
    run("events", "compact")
    [path] = (data / "events").glob("parquet/*/*.parquet")
    path.with_name("other.parquet").write_bytes(path.read_bytes()[:-1])
    done = run("replay")
    assert done.returncode == 1
    trouble, rest = done.stderr.splitlines()
    assert "other.parquet: it is damaged, or no file of this log; move it out" in trouble
    assert rest == "50 events of 1 file applied, 0 damaged lines left out"
    done = run("events", "stats")
    assert done.returncode == 1
    assert "other.parquet: it is damaged" in done.stderr
    assert done.stdout.splitlines()[2].split()[:3] == ["parquet", "2", "50"]


def test_without_a_log(run):
    """Told, and no store is made."""
    done = run("replay")
    assert done.returncode == 2
    assert "there is no event log" in done.stderr


def test_a_terminal_sees_how_far_it_is(on_terminal, data):
    """With a bar."""
    assert "event log" in on_terminal("replay")

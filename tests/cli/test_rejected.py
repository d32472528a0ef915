"""`mutiny-edge rejected`: what was not acceptable, and what becomes of it when it is tried again."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.events.line import Entry
from engine.events.reading import entries, files
from engine.events.rejected import RejectedLog, encode
from engine.profiles.record import time_ms

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
WHO = {"type": "identify", "userId": "u1"}
GOOD = {**WHO, "messageId": "m1", "traits": {"plan": "pro"}, "timestamp": "2026-11-20T08:00:00Z"}
BAD = {"type": "track", "userId": "u1", "messageId": "m2"}


@pytest.fixture
def log(tmp_path: Path):
    """A rejected log of two messages: one that is acceptable by now, and one that is not."""
    log = RejectedLog(tmp_path / "data" / "rejected", lambda: NOW)
    for code, message in (("bad-traits", GOOD), ("missing-event", BAD)):
        log.append([encode(time_ms(NOW), "www", code, "for a reason", json.dumps(message).encode())])
    log.append([encode(time_ms(NOW), "www", "not-json", "no JSON", b"{'plan': 'secret'}")])
    log.close()


def test_the_list_shows_no_personal_data(run, log):
    """When, from where and why; the message only if it is asked for."""
    said = run("rejected", "list").stdout
    assert [line.split()[:4] for line in said.splitlines()] == [
        ["received", "source", "code", "reason"],
        ["2026-11-20", "08:30:00", "www", "bad-traits"],
        ["2026-11-20", "08:30:00", "www", "missing-event"],
        ["2026-11-20", "08:30:00", "www", "not-json"],
    ]
    assert "pro" not in said
    assert "secret" in run("rejected", "list", "--raw").stdout
    assert len(run("rejected", "list", "--most", "1").stdout.splitlines()) == 2


def test_the_list_for_programs(run, log):
    """As JSON, with the message as text where it is asked for."""
    found = json.loads(run("rejected", "list", "--format", "json").stdout)
    assert [one["code"] for one in found] == ["bad-traits", "missing-event", "not-json"]
    assert found[0]["received"] == "2026-11-20T08:30:00Z"
    assert "raw" not in found[0]
    found = json.loads(run("rejected", "list", "--format", "json", "--raw").stdout)
    assert json.loads(found[0]["raw"]) == GOOD


def test_replay_takes_what_is_acceptable_by_now(run, log, tmp_path: Path):
    """It goes into log and store with the time it had, and is rejected no more; the rest stays, told by its reason."""
    done = run("rejected", "replay")
    assert done.returncode == 0
    assert "1 taken, 2 still not acceptable" in done.stderr
    assert "missing-event: 1" in done.stderr
    [path] = files(tmp_path / "data" / "events")
    [entry] = entries(path)
    assert isinstance(entry, Entry)
    assert json.loads(entry.message or b"")["timestamp"] == "2026-11-20T08:00:00.000Z"
    assert entry.source == "www"
    assert '"pro"' in run("profile", "u1").stdout
    assert [one["code"] for one in json.loads(run("rejected", "list", "--format", "json").stdout)] == [
        "missing-event",
        "not-json",
    ]
    again = json.loads(run("rejected", "replay", "--format", "json").stdout)
    assert again == {"taken": 0, "rejected": {"missing-event": 1, "not-json": 1}}


def test_nothing_was_rejected(run, tmp_path):
    """Told; and nothing is made for the question."""
    assert "nothing is in the rejected log" in run("rejected", "list").stderr
    done = run("rejected", "replay")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no rejected log" in done.stderr
    assert not (tmp_path / "data").exists()

"""Compacting in a process of its own: one of several has it done, what goes wrong is told, and it can be ended."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.events import archive
from engine.events.disk import LogError
from engine.events.line import encode
from engine.events.log import EventLog
from engine.segment.compacting import Compacted
from engine.segment.compactor import compacted, turn
from engine.segment.erasure import Logs

HALF = """
import time
print('["a.parquet",{"a.ndjson":5}]\\n["b.par', end="", flush=True)
time.sleep(60)
"""
NOON_MS = 1_795_608_000_000
TRACK = b'{"type":"track","event":"E","userId":"u1","messageId":"m","timestamp":"2026-11-25T11:00:00.000Z"}'


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    """A log with one finished file."""
    logs = Logs(tmp_path / "events", tmp_path / "rejected", tmp_path / "erasures")
    log = EventLog(logs.events, lambda: datetime(2026, 11, 25, 12, tzinfo=UTC))
    log.append([encode(NOON_MS, "www", TRACK)])
    log.close()
    return logs


def go_on() -> None:
    """Nothing is ending."""


def done(logs: Logs, check: "type[BaseException] | None" = None, taken: list[object] | None = None) -> Compacted:
    """Have it compacted; `check` is raised while it works, and `taken` is what took the place of lines."""
    taken = [] if taken is None else taken

    def ended() -> None:
        if check is not None:
            raise check

    with turn(logs.events) as lock:
        assert lock is not None
        return compacted(logs, list(archive.parts(logs.events).lines), lock, lambda *one: taken.append(one), ended)


def test_another_process_does_it(logs: Logs) -> None:
    """And says what it made, and of what."""
    [path] = archive.parts(logs.events).lines
    taken: list[object] = []
    size = path.stat().st_size
    made = done(logs, taken=taken)
    assert taken == [(f"{path.stem}.parquet", {path.name: size})]
    assert (made.events, made.files, made.parquet) == (1, 1, 1)
    assert archive.parts(logs.events).lines == ()


def test_one_at_a_time(logs: Logs) -> None:
    """Who has no turn goes away; so does who has no log."""
    with turn(logs.events) as first, turn(logs.events) as second:
        assert first is not None
        assert second is None
    with turn(logs.events) as again, turn(logs.events.parent / "nowhere") as never:
        assert again is not None
        assert never is None


def test_the_program_holds_the_turn(logs: Logs) -> None:
    """Also when whoever began it is gone: nobody begins a second one beside it."""
    with turn(logs.events) as lock:
        assert lock is not None
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[lock])
    with turn(logs.events) as lock:
        assert lock is None
    child.communicate(b"\n")
    with turn(logs.events) as lock:
        assert lock is not None


def test_it_is_ended_where_it_is(logs: Logs) -> None:
    """The log is as it was, and who comes next does it."""
    paths = archive.parts(logs.events).lines
    with pytest.raises(KeyboardInterrupt):
        done(logs, KeyboardInterrupt)
    assert archive.parts(logs.events).lines == paths
    assert done(logs).events == 1


def test_what_was_done_before_it_was_killed_is_known(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever took the place of lines is told at once, and once; half a line is not believed."""
    monkeypatch.setattr("engine.segment.compactor.PROGRAM", ["-c", HALF])
    taken: list[object] = []

    def ended() -> None:
        if taken:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), (logs.events / "lock").open("w") as lock:
        compacted(logs, [], lock.fileno(), lambda *one: taken.append(one), ended)
    assert taken == [("a.parquet", {"a.ndjson": 5})]


def test_what_goes_wrong_is_told(logs: Logs) -> None:
    """In its own words; the log is as it was."""
    work = logs.events / "work"
    work.write_bytes(b"a file in the way")
    with pytest.raises(LogError, match="Not a directory"):
        done(logs)
    assert len(archive.parts(logs.events).lines) == 1
    work.unlink()
    assert done(logs).events == 1

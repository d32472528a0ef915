"""From the log to the store: how far it is applied, what was left behind by the dead, and what is damaged."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.events.line import encode
from engine.events.log import EventLog
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import time_ms
from engine.profiles.store import Span
from engine.segment.applying import Applied, Applying, not_deleted
from engine.segment.message import Message, deletion, understood
from engine.segment.restoring import catch_up, replay
from engine.segment.standing import believed

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def message(user: str, at: str = "2026-11-23T11:00:00Z", **more: object) -> Message:
    """An identify."""
    body = {
        "type": "identify",
        "userId": user,
        "messageId": f"m-{user}-{at}",
        "timestamp": at,
        "traits": {"plan": user},
    }
    return understood({**body, **more}, "www", time_ms(NOW))


def lines(*messages: Message) -> list[bytes]:
    """As the log keeps them."""
    return [encode(one.received_ms, one.source, one.body) for one in messages]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LmdbStore]:
    """An empty store."""
    store = LmdbStore(tmp_path / "profiles")
    yield store
    store.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    """The log of a process."""
    log = EventLog(tmp_path / "events", lambda: NOW)
    yield log
    log.close()


def known(store: LmdbStore) -> set[bytes]:
    """The users of whom anything is known."""
    return {bytes(found) for found, _ in store.scan("user")}


def test_what_the_dead_left_is_applied(store: LmdbStore, log: EventLog, tmp_path: Path) -> None:
    """From its mark on, once; a file that somebody still writes is left to them."""
    position = log.append(lines(message("u1")))
    Applying(store).apply([message("u1")], {position.file: Span(0, position.end)})
    log.append(lines(message("u2"), message("u3")))
    assert catch_up(tmp_path / "events", store) == Applied()
    log.close()
    assert catch_up(tmp_path / "events", store) == Applied(events=2)
    assert known(store) == {b"u:u1", b"u:u2", b"u:u3"}
    assert catch_up(tmp_path / "events", store) == Applied()


def test_a_torn_end_is_set_aside(store: LmdbStore, log: EventLog, tmp_path: Path) -> None:
    """And the lines before it are applied."""
    file = tmp_path / "events" / log.append(lines(message("u1"), message("u2"))).file
    log.close()
    file.write_bytes(file.read_bytes()[:-7])
    assert catch_up(tmp_path / "events", store) == Applied(events=1, torn=1)
    assert catch_up(tmp_path / "events", store) == Applied()
    assert len([*(tmp_path / "events" / "torn").iterdir()]) == 1


def test_what_cannot_be_read_or_understood_is_counted(store: LmdbStore, log: EventLog, tmp_path: Path) -> None:
    """A damaged line, and a message of a form that nobody knows; the others go on."""
    strange = encode(time_ms(NOW), "www", b'{"type":"levitate"}')
    file = tmp_path / "events" / log.append([*lines(message("u1")), strange, *lines(message("u2"))]).file
    log.close()
    raw = file.read_bytes()
    file.write_bytes(raw.replace(b'"userId":"u1"', b'"userId":"x1"'))
    assert catch_up(tmp_path / "events", store) == Applied(events=1, damaged=2)
    assert known(store) == {b"u:u2"}


def test_blanks_at_the_end_are_applied_too(store: LmdbStore, log: EventLog, tmp_path: Path) -> None:
    """What was made of a damaged line: or else the file would never be known to the last byte."""
    name = log.append(lines(message("u1"), message("u2"))).file
    log.close()
    path = tmp_path / "events" / name
    content = path.read_bytes()
    end = content.index(b"\n") + 1
    path.write_bytes(content[:end] + b" " * (len(content) - end - 1) + b"\n")
    assert catch_up(tmp_path / "events", store) == Applied(events=1)
    assert believed(store) == {name: len(content)}


def test_a_damaged_file_costs_only_itself(store: LmdbStore, log: EventLog, tmp_path: Path) -> None:
    """It is named, with what to do."""
    log.append(lines(message("u1")))
    day = tmp_path / "events" / "parquet" / "day=2026-11-23"
    day.mkdir(parents=True)
    day.joinpath("x.parquet").write_bytes(b"PAR1")
    applied = replay(tmp_path / "events", store)
    assert (applied.events, len(applied.unreadable)) == (1, 1)
    assert "x.parquet: it is damaged, or no file of this log; move it out" in applied.unreadable[0]
    again = Applied(unreadable=["y"])
    again.add(applied)
    assert len(again.unreadable) == 2


def test_more_than_a_batch(store: LmdbStore, log: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of several, of which the last is not full; bytes are told as they are read."""
    monkeypatch.setattr("engine.segment.applying.REPLAY_BATCH", 10)
    file = tmp_path / "events" / log.append(lines(*(message(f"u{n}") for n in range(35)))).file
    read: list[int] = []
    assert Applying(store).file(file, 0, read.append) == Applied(events=35)
    assert sum(read) == file.stat().st_size == believed(store)[file.name]
    assert len(known(store)) == 35


def test_names_are_noted_once_an_hour(store: LmdbStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same name again changes nothing, in another hour it does; and all of it again where too much was noted."""
    applying = Applying(store)
    written: list[int] = []
    apply = store.apply
    monkeypatch.setattr(store, "apply", lambda said, marks: written.append(len(said)) or apply(said, marks))
    applying.apply([message("u1")])
    applying.apply([message("u1")])
    applying.apply([message("u1", "2026-11-23T09:00:00Z")])
    assert written[0] > written[1] == 1
    assert written[2] > 1
    monkeypatch.setattr("engine.segment.applying.CATALOGUE_NOTED", 0)
    applying.apply([message("u1")])
    applying.apply([message("u1")])
    assert written[4] > 1


def test_what_is_of_the_deleted_is_not_kept(store: LmdbStore) -> None:
    """As far as it happened before they were; what happens afterwards is."""
    applying = Applying(store)
    applying.apply([message("u1"), deletion("user", "u1", "admin", NOW)])
    early, late = message("u1"), message("u1", "2026-11-23T12:00:01Z")
    other = message("u2")
    assert not_deleted([early, other, late], store) == [other, late]
    group = {"type": "group", "groupId": "g1", "traits": {"name": "Acme"}}
    [rest] = not_deleted([message("u1", **group)], store)
    assert json.loads(rest.body).get("userId") is None
    assert rest.account_traits == {"name": "Acme"}
    assert key("user", "u1").decode() not in rest.body.decode()


def test_without_a_log_there_is_nothing_to_do(store: LmdbStore, tmp_path: Path) -> None:
    """No folder is made."""
    assert catch_up(tmp_path / "nowhere", store) == Applied()
    assert not (tmp_path / "nowhere").exists()

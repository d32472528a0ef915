"""Events cut out of Parquet: only those that are meant, in files that hold them; all or nothing of each file."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.events import archive, parquet
from engine.events.disk import LogDamaged, LogError, LogFull
from engine.events.line import Entry, encode
from engine.events.log import EventLog
from engine.events.reading import files
from engine.events.row import Row
from engine.events.scrub import GONE, KEEP, Verdict
from engine.segment.compacting import compact
from engine.segment.cutting import cut_out
from engine.segment.erasure import Erasures

NOON_MS = 1_795_608_000_000
DAY_MS = 86_400_000


def body(user: str, number: int) -> dict[str, object]:
    """A message."""
    return {"type": "identify", "userId": user, "messageId": f"m{number}", "timestamp": "2026-11-25T11:00:00.000Z"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of two days, on both of them p1 and p2 said something; of a third one, only p2 did."""
    folder = tmp_path / "events"
    log = EventLog(folder, lambda: datetime(2026, 11, 25, 12, tzinfo=UTC))
    said = [("p1", 0), ("p2", 0), ("p1", 1), ("p2", 1), ("p2", 2), ("p3", 3)]
    rows = [(body(user, number), NOON_MS + day * DAY_MS) for number, (user, day) in enumerate(said)]
    log.append([encode(received, "www", json.dumps(one).encode()) for one, received in rows])
    log.close()
    compact(folder, files(folder), Erasures(tmp_path / "erasures"))
    return folder


def messages(folder: Path) -> list[str]:
    """What is there, by number."""
    found = archive.parts(folder)
    return [json.loads(one.message or b"")["messageId"] for path in found.parquet for one in parquet.entries(path)]


def always(verdict: Verdict) -> Callable[[Entry], Verdict]:
    """What is decided, whatever the event."""
    return lambda _: verdict


def test_only_the_files_of_those_who_are_meant(folder: Path) -> None:
    """The others are the same files."""
    before = archive.parts(folder).parquet
    assert cut_out(folder, frozenset({"p1"}), always(GONE)) == 2
    assert messages(folder) == ["m1", "m3", "m4", "m5"]
    after = archive.parts(folder).parquet
    assert len(after) == 4
    assert [path for path in before if path in after] == list(before[2:])
    assert all(path.parent == old.parent for path, old in zip(after, before, strict=True))
    assert not (folder / "work").exists()


def test_a_file_of_which_nothing_is_left_goes(folder: Path) -> None:
    """And with it the row that was everything."""
    assert cut_out(folder, frozenset({"p3"}), always(GONE)) == 1
    assert len(archive.parts(folder).parquet) == 3
    assert cut_out(folder, frozenset({"p3"}), always(GONE)) == 0


def test_what_is_left_of_an_event_stays(folder: Path) -> None:
    """Shorter, with its columns made anew; what nobody understands any more goes."""
    shorter = json.dumps({**body("p9", 9), "messageId": "s"}).encode()
    assert cut_out(folder, frozenset({"p1"}), always(shorter)) == 2
    assert messages(folder).count("s") == 2
    assert cut_out(folder, frozenset({"p1"}), always(GONE)) == 0
    assert cut_out(folder, frozenset({"p9"}), always(b"{}")) == 2
    assert "s" not in messages(folder)


def test_what_is_to_be_kept_is_not_touched(folder: Path) -> None:
    """Somebody else is named in it, too; or it was said after they had gone."""
    before = archive.parts(folder)
    assert cut_out(folder, frozenset({"p1", "p2", "p3"}), always(KEEP)) == 0
    assert archive.parts(folder) == before


def test_cut_short_it_is_done_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file was made anew, the next one was not: each of them is whole."""
    made = parquet.rewrite
    calls: list[Path] = []

    def fails(path: Path, changed: dict[int, Row | None], to: Path) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise LogFull("no room")
        made(path, changed, to)

    with monkeypatch.context() as broken:
        broken.setattr(parquet, "rewrite", fails)
        with pytest.raises(LogError):
            cut_out(folder, frozenset({"p1"}), always(GONE))
    assert messages(folder) == ["m1", "m2", "m3", "m4", "m5"]
    assert cut_out(folder, frozenset({"p1"}), always(GONE)) == 1
    assert messages(folder) == ["m1", "m3", "m4", "m5"]


def test_a_damaged_file_keeps_none_of_the_others(folder: Path) -> None:
    """They are cut all the same; but it may hold the person's events, so there is trouble until it is gone."""
    damaged = archive.parts(folder).parquet[0]
    damaged.write_bytes(damaged.read_bytes()[:-20])
    with pytest.raises(LogDamaged, match=damaged.name):
        cut_out(folder, frozenset({"p1"}), always(GONE))
    damaged.unlink()
    assert messages(folder) == ["m3", "m4", "m5"]
    assert cut_out(folder, frozenset({"p1"}), always(GONE)) == 0


def test_without_parquet_there_is_nothing_to_do(tmp_path: Path) -> None:
    """And nothing is made."""
    assert cut_out(tmp_path / "events", frozenset({"p1"}), always(GONE)) == 0
    assert not (tmp_path / "events").exists()

"""Lines become Parquet: which ones and when; nothing is lost or there twice, not even when it is killed."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
import pytest

from engine import limits
from engine.events import archive
from engine.events.disk import LogError
from engine.events.line import Entry, encode, sealed
from engine.events.log import EventLog
from engine.events.reading import Damaged, entries, files
from engine.profiles.lmdb import LmdbStore
from engine.profiles.store import Span
from engine.segment.applying import Applied, Applying
from engine.segment.compacting import Compacted, applied, compact, due, unapplied
from engine.segment.erasure import Erasures
from engine.segment.restoring import catch_up, replay
from engine.segment.standing import WHOLE, archived, believed, compactions

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
NOON_MS = 1_795_608_000_000
DAY_MS = 86_400_000


def line(number: int, received_ms: int = NOON_MS, pad: int = 0) -> bytes:
    """An event, known by its number."""
    body = {"type": "track", "event": "E", "userId": f"u{number}", "messageId": f"m{number}", "p": "x" * pad}
    return encode(received_ms, "www", json.dumps({**body, "timestamp": "2026-11-25T11:00:00.000Z"}).encode())


class World:
    """A log of several files, and who works on it."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "events"
        self.erasures = Erasures(data / "erasures")

    def file(self, *lines: bytes, at: datetime = NOW) -> Path:
        """A finished file with these lines."""
        log = EventLog(self.folder, lambda: at)
        name = log.append(lines).file
        log.close()
        return self.folder / name

    def compact(self, *paths: Path) -> Compacted:
        """These, or all."""
        return compact(self.folder, paths or files(self.folder), self.erasures)

    def numbers(self) -> Counter[str]:
        """Every event of the log by its number."""
        found = archive.parts(self.folder)
        whole = [one.message for path in found.lines for one in entries(path) if isinstance(one, Entry) and one.message]
        counted = Counter(json.loads(message)["messageId"] for message in whole)
        if found.parquet:
            names = [str(path) for path in found.parquet]
            with duckdb.connect() as connection:
                rows = connection.execute("SELECT message->>'messageId' FROM read_parquet(?)", [names]).fetchall()
            counted += Counter(number for (number,) in rows)
        return counted


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty one."""
    return World(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LmdbStore]:
    """An empty store."""
    store = LmdbStore(tmp_path / "profiles")
    yield store
    store.close()


def test_a_file_of_each_day(world: World) -> None:
    """Of all that is compacted together, by the day on which it came."""
    world.file(line(1), line(2, NOON_MS + DAY_MS))
    world.file(line(3))
    size = sum(path.stat().st_size for path in files(world.folder))
    made = world.compact()
    assert (made.events, made.files, made.files_bytes, made.parquet) == (3, 2, size, 2)
    found = archive.parts(world.folder)
    assert found.lines == ()
    assert [path.parent.name for path in found.parquet] == ["day=2026-11-25", "day=2026-11-26"]
    assert sum(path.stat().st_size for path in found.parquet) == made.parquet_bytes
    assert world.numbers() == Counter(["m1", "m2", "m3"])
    assert not (world.folder / "work").exists()
    assert world.compact() == Compacted()


def test_in_portions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not more at once than may be; nothing is twice."""
    monkeypatch.setattr(limits, "COMPACT_BYTES", 600)
    for number in range(6):
        world.file(line(2 * number, pad=200), line(2 * number + 1))
    made = world.compact()
    assert (made.events, made.files) == (12, 6)
    assert made.parquet > 1
    assert world.numbers() == Counter([f"m{number}" for number in range(12)])


def test_what_is_damaged_is_kept_as_it_is(world: World, store: LmdbStore) -> None:
    """A line whose checksum is wrong, one that is much too long, one that nobody understands; a replay still tells."""
    strange = encode(NOON_MS, "www", b'{"type":"levitate"}')
    path = world.file(line(1), line(2), strange, line(3))
    raw = path.read_bytes().replace(b'"u2"', b'"U2"')
    long = b"x" * (limits.EVENT_LINE_BYTES + 5) + b"\n"
    path.write_bytes(raw + long)
    assert world.compact().damaged == 3
    [kept] = archive.damaged(world.folder)
    assert kept.read_bytes() == b"".join([raw.splitlines(keepends=True)[1], strange, long])
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len([one for one in entries(kept) if isinstance(one, Damaged)]) == 2
    assert world.numbers() == Counter(["m1", "m3"])
    assert replay(world.folder, store) == Applied(events=2, damaged=3)


def test_what_is_gone_or_torn(world: World) -> None:
    """Blank lines and events without a message are left out; a torn end is set aside, as ever."""
    gone = sealed(b'"received":%d,"source":"www","message":null}' % NOON_MS)
    path = world.file(line(1), gone)
    path.write_bytes(path.read_bytes() + b" " * 20 + b"\n" + line(3)[:-9])
    made = world.compact()
    assert (made.events, made.damaged, made.files_bytes) == (1, 0, len(line(1) + gone) + 21)
    assert world.numbers() == Counter(["m1"])
    assert len(list((world.folder / "torn").iterdir())) == 1


def test_a_file_of_which_nothing_is_left(world: World) -> None:
    """It goes, and nothing comes in its place."""
    path = world.file(line(1))
    path.write_bytes(b" " * 30 + b"\n")
    assert world.compact() == Compacted(files=1, files_bytes=31)
    assert archive.parts(world.folder) == archive.Parts((), ())


def test_another_process_may_be_quicker(world: World) -> None:
    """A file that is gone is no trouble."""
    path = world.file(line(1))
    paths = [path, world.folder / "20260101T000000.000Z-1-gone.ndjson"]
    assert world.compact(*paths).events == 1
    assert world.compact(*paths) == Compacted()


def test_only_what_is_finished_and_applied(world: World, store: LmdbStore) -> None:
    """What a process left in the log alone is brought into the store first."""
    path = world.file(line(1), line(2))
    with_writer = EventLog(world.folder, lambda: NOW + timedelta(hours=1))
    position = with_writer.append([line(3)])
    Applying(store).apply([], {position.file: Span(0, position.end), path.name: Span(0, len(line(1)))})
    assert applied(world.folder, store) == []
    catch_up(world.folder, store)
    assert applied(world.folder, store) == [path]
    with_writer.close()
    assert [one.name for one in applied(world.folder, store)] == [path.name, position.file]


def test_what_the_store_does_not_know(world: World, store: LmdbStore) -> None:
    """A finished file, not one that is written."""
    path = world.file(line(1))
    log = EventLog(world.folder, lambda: NOW)
    log.append([line(2)])
    assert unapplied(world.folder, store) == [path]
    catch_up(world.folder, store)
    assert unapplied(world.folder, store) == []
    log.close()


def test_when_a_service_does_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a day is over, in UTC, or when there is much."""
    paths = [world.file(line(1), at=NOW - timedelta(hours=13)), world.file(line(2), at=NOW)]
    assert due(paths, NOW) == paths[:1]
    assert due(paths, NOW + timedelta(hours=12)) == paths
    monkeypatch.setattr(limits, "COMPACT_BYTES", 300)
    assert due(paths, NOW) == paths


def test_what_it_is_told_and_how_it_is_ended(world: World) -> None:
    """By bytes; an exception leaves everything as it was."""
    path = world.file(line(1), line(2))
    read: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        compact(world.folder, [path], world.erasures, interrupted)
    assert archive.parts(world.folder).lines == (path,)
    assert not (world.folder / "work").exists()
    size = path.stat().st_size
    compact(world.folder, [path], world.erasures, read.append)
    assert sum(read) == size


def interrupted(_: int) -> None:
    """As by Ctrl-C."""
    raise KeyboardInterrupt


def test_trouble_leaves_everything_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is told in the words of the log."""
    path = world.file(line(1))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("engine.events.parquet.append_to", full)
        with pytest.raises(LogError, match="no room"):
            world.compact()
    assert archive.parts(world.folder).lines == (path,)
    assert world.compact().events == 1


def test_it_is_killed_again_and_again(world: World, store: LmdbStore) -> None:
    """At any moment: every event is there once, a replay knows all; the kills did hit it at work."""
    chance = random.Random(3)
    expected: Counter[str] = Counter()
    hit = 0
    for turn in range(60):
        for number in range(150 * turn, 150 * turn + 150, 50):
            world.file(*[line(number + n, NOON_MS + n % 3 * DAY_MS, pad=300) for n in range(50)])
            expected.update(f"m{number + n}" for n in range(50))
        with subprocess.Popen([sys.executable, "-c", COMPACTS, str(world.folder)], stdout=subprocess.PIPE) as program:
            assert program.stdout is not None
            program.stdout.readline()
            time.sleep(chance.random() * 0.1)
            program.kill()
        hit += (world.folder / "work").exists() or bool((world.folder / "replacing").read_bytes())
        assert world.numbers() == expected
        if hit >= 3:
            break
    assert hit >= 3
    world.compact()
    assert world.numbers() == expected
    assert replay(world.folder, store) == Applied(events=expected.total())


COMPACTS = """
import sys
from pathlib import Path
from engine import limits
from engine.events.reading import files
from engine.segment.compacting import compact
from engine.segment.erasure import Erasures
from engine.segment.restoring import catch_up, replay
from engine.segment.standing import WHOLE, archived, believed, compactions
import duckdb
limits.COMPACT_BYTES = 30_000
folder = Path(sys.argv[1])
folder.joinpath("replacing").touch()
print("begun", flush=True)
compact(folder, files(folder), Erasures(folder.parent / "erasures"))
"""


def test_the_store_is_not_asked_again(world: World, store: LmdbStore) -> None:
    """It is told of every place that was taken, and by whom; catching up has nothing to do."""
    path, other = world.file(line(1)), world.file(line(2))
    for file in (path, other):
        Applying(store).file(file)
    compact(world.folder, [path, other], world.erasures, taken=partial(archived, store))
    assert catch_up(world.folder, store) == Applied()
    assert believed(store) == {f"{path.stem}.parquet": WHOLE}
    assert [*compactions(world.folder)] == [f"{path.stem}.parquet"]
    gone = world.file(b" " * 30 + b"\n")
    said: list[object] = []
    compact(world.folder, [gone], world.erasures, taken=lambda *one: said.append(one))
    assert said == [(None, {gone.name: 31})]

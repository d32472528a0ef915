"""A deletion in the logs: what is overwritten, what stays, and that it is finished wherever it was cut.

What is told over HTTP: `tests/web/test_profiles.py`; who is meant, and what stays of a message: `test_deletion.py`.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.events import archive, parquet
from engine.events.line import Entry, encode
from engine.events.log import EventLog
from engine.events.reading import entries, files
from engine.events.rejected import RejectedLog, rejections
from engine.events.rejected import encode as encode_rejected
from engine.profiles.encoding import facts
from engine.profiles.ids import Key, Kind, key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change, time_ms
from engine.profiles.store import Span
from engine.segment.applying import Applying
from engine.segment.compacting import compact
from engine.segment.erasure import Asked, Erased, Erasures, Logs, erase
from engine.segment.message import Message, understood

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW_MS = time_ms(NOW)
U1 = key("user", "u1")


class Stopped(BaseException):
    """The process ended here."""


class World:
    """A store and its logs, as a process keeps them."""

    def __init__(self, folder: Path) -> None:
        self.logs = Logs(folder / "events", folder / "rejected", folder / "erasures")
        self.store = LmdbStore(folder / "profiles")
        self.erasures = Erasures(self.logs.erasures)
        self.log = EventLog(self.logs.events, lambda: NOW)
        self.rejected = RejectedLog(self.logs.rejected, lambda: NOW)

    def write(self, messages: Sequence[Message]) -> None:
        """Into log and store."""
        lines = [encode(one.received_ms, one.source, one.body) for one in messages]
        position = self.log.append(lines)
        Applying(self.store).apply(messages, {position.file: Span(position.end - sum(map(len, lines)), position.end)})

    def say(self, received_ms: int = NOW_MS - 1_000, **body: object) -> None:
        """A message."""
        whole = {"messageId": "m", "timestamp": "2026-11-23T11:00:00.000Z", **body}
        self.write([understood(whole, "www", received_ms)])

    def erase(self, who: Key = U1, pause: Callable[[], None] = lambda: None) -> Erased:
        """Forget somebody."""
        return self.carry_out([self.erasures.ask(who, NOW_MS)], pause)

    def carry_out(self, asked: Sequence[Asked], pause: Callable[[], None] = lambda: None) -> Erased:
        """All of these."""
        return erase(asked, self.erasures, self.store, self.logs, write=self.write, pause=pause)

    @property
    def kept(self) -> list[dict[str, object]]:
        """The messages that are in the log, deletions apart."""
        found = [entry for path in files(self.logs.events) for entry in entries(path)]
        assert all(isinstance(entry, Entry) for entry in found)
        bodies = [json.loads(entry.message) for entry in found if isinstance(entry, Entry) and entry.message]
        return [body for body in bodies if body["type"] != "delete"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One person who uses one device, and somebody else."""
    world = World(tmp_path)
    world.say(type="identify", anonymousId="a1", traits={"mutinyVisitorId": "v1", "secret": "one"})
    world.say(type="identify", userId="u1", anonymousId="a1", traits={"secret": "two"})
    world.say(type="track", userId="u1", event="Bought", properties={"secret": "three"})
    world.say(type="identify", userId="u2", anonymousId="a2", traits={"plan": "pro"})
    yield world
    world.log.close()
    world.rejected.close()
    world.store.close()


def test_lines_are_overwritten_in_place(world: World) -> None:
    """The file keeps its length but for the deletions that are appended; other lines are as they were."""
    [path] = files(world.logs.events)
    before = path.read_bytes()
    assert world.erase() == Erased({"anonymous": 2, "user": 1, "visitor": 1}, 3, 0)
    after = path.read_bytes()
    assert b"secret" not in after
    assert len(after) > len(before)
    assert after[: len(before)].splitlines()[3] == before.splitlines()[3]
    assert [body["userId"] for body in world.kept] == ["u2"]


def test_files_of_other_processes_too(world: World) -> None:
    """Also of one that lives; and what it appends while the deletion is under way, but had judged before."""
    other = EventLog(world.logs.events, lambda: NOW)
    late = understood(
        {"type": "track", "event": "E", "userId": "u1", "messageId": "m", "timestamp": "2026-11-23T11:00:00.000Z",
         "properties": {"secret": "four"}}, "www", NOW_MS,
    )  # fmt: skip
    other.append([encode(late.received_ms, late.source, late.body)])

    def meanwhile() -> None:
        other.append([encode(late.received_ms, late.source, late.body)])

    assert world.erase(pause=meanwhile).events == 5
    other.close()
    assert not any(b"secret" in path.read_bytes() for path in files(world.logs.events))


def test_what_is_told_afterwards_stays(world: World) -> None:
    """Later than the deletion, and received after it was asked for."""
    world.say(NOW_MS + 5_000, type="track", userId="u1", event="New", timestamp="2026-11-23T12:00:04.000Z")
    world.erase()
    assert [body.get("event") for body in world.kept] == [None, "New"]


def test_a_clock_ahead_does_not_keep_anything(world: World) -> None:
    """What had come before the deletion goes, whatever time it says."""
    world.say(type="track", userId="u1", event="Ahead", timestamp="2026-11-23T12:04:00.000Z")
    world.say(type="identify", userId="u1", traits={"secret": "ahead"}, timestamp="2026-11-23T12:04:00.000Z")
    world.erase()
    assert [body["userId"] for body in world.kept] == ["u2"]


def test_the_rejected_log_too(world: World) -> None:
    """Whatever names one of the ids, as text or a number, in JSON or not, in whichever member; others stay."""
    said = [b'{"userId": "u1", "secret": 1}', b"{'userId': \"u1\"", b'{"anonymousId":"a1"}', b'{"userId":"u10"}']
    said.append(b'{"userId": "somebody", "event": "", "properties": {"user": "u1", "secret": 2}}')
    world.rejected.append([encode_rejected(NOW_MS, "www", "wrong-type", "why", raw) for raw in said])
    assert world.erase().rejected == 4
    assert [one.message for one in rejections(world.logs.rejected)] == [b'{"userId":"u10"}']


def test_damaged_lines_and_torn_ends_too(world: World) -> None:
    """A damaged line that names one of them is blanked; a torn end may be anybody's."""
    [path] = files(world.logs.events)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b'"secret":"three"', b'"secret":"THREE"'))
    (world.logs.events / "torn").mkdir()
    (world.logs.events / "torn" / "x.1").write_bytes(b'{"secret')
    world.erase()
    assert b"secret" not in path.read_bytes()
    assert not [*(world.logs.events / "torn").iterdir()]


def test_what_is_parquet_by_now_too(world: World) -> None:
    """Also the damaged lines that were kept beside it; others stay as they were."""
    world.log.close()
    [path] = files(world.logs.events)
    path.write_bytes(path.read_bytes().replace(b'"secret":"three"', b'"secret":"THREE"'))
    compact(world.logs.events, [path], world.erasures)
    assert world.erase() == Erased({"anonymous": 2, "user": 1, "visitor": 1}, 3, 0)
    found = archive.parts(world.logs.events)
    kept = [json.loads(entry.message or b"") for path in found.parquet for entry in parquet.entries(path)]
    assert [body["userId"] for body in kept] == ["u2"]
    everything = [path for path in world.logs.events.rglob("*") if path.is_file()]
    assert not any(b"secret" in path.read_bytes() or b"u1" in path.read_bytes() for path in found.parquet)
    assert not any(b"secret" in path.read_bytes() for path in everything)


def test_it_is_finished_wherever_it_was_cut(tmp_path: Path) -> None:
    """At every step: it is still noted, and doing it again ends with nothing left of the person."""
    for step in range(1, 5):
        world = World(tmp_path / str(step))
        world.say(type="identify", anonymousId="a1", traits={"mutinyVisitorId": "v1", "secret": "one"})
        world.say(type="identify", userId="u1", anonymousId="a1", traits={"secret": "two"})
        with pytest.raises(Stopped):
            stopped(world, step)
        [asked] = world.erasures.unfinished()
        world.carry_out([asked])
        world.erasures.cross_out(asked)
        assert world.erasures.unfinished() == []
        assert world.kept == [], step
        assert not any(b"secret" in body for _, body in world.store.scan() if isinstance(body, bytes))
        world.log.close()
        world.store.close()


def stopped(world: World, step: int) -> None:
    """A deletion that ends at this step: before anything, before or after writing, between the two looks."""

    def stop() -> None:
        raise Stopped

    def write(messages: Sequence[Message]) -> None:
        if step == 2:
            stop()
        world.write(messages)
        if step == 3:
            stop()

    asked = world.erasures.ask(key("visitor", "v1"), NOW_MS)
    if step == 1:
        stop()
    erase([asked], world.erasures, world.store, world.logs, write=write, pause=stop)


def test_what_is_noted_is_never_overlooked(tmp_path: Path) -> None:
    """Where the folder cannot be listed, that is told: nobody's deletion is forgotten."""
    (tmp_path / "erasures").touch()
    with pytest.raises(NotADirectoryError):
        Erasures(tmp_path / "erasures").unfinished()


def test_several_are_noted(tmp_path: Path) -> None:
    """Each until it is crossed out; the same one twice is one."""
    erasures = Erasures(tmp_path / "erasures")
    assert erasures.unfinished() == []
    first, second = erasures.ask(U1, 1), erasures.ask(key("user", "u2"), 1)
    erasures.ask(U1, 1)
    assert sorted(asked.key for asked in erasures.unfinished()) == [b"u:u1", b"u:u2"]
    erasures.cross_out(first)
    assert erasures.unfinished() == [second]


def test_all_that_waits_is_one_pass(world: World) -> None:
    """Two people and a stranger, each with what is theirs."""
    asked = [world.erasures.ask(key("user", user), NOW_MS) for user in ("u1", "u2", "nobody")]
    pauses: list[int] = []
    erased = world.carry_out(asked, lambda: pauses.append(1))
    assert erased == Erased({"anonymous": 3, "user": 3, "visitor": 1}, 4, 0)
    assert world.kept == []
    assert pauses == [1]


def test_a_deletion_with_a_time_takes_what_happened_until_then(world: World) -> None:
    """In whatever order it comes, and when it comes again: what was said afterwards stays, in log and store."""
    world.say(NOW_MS + 5_000, type="identify", userId="u1", traits={"new": 1}, timestamp="2026-11-23T12:00:04.000Z")
    for _ in range(2):
        asked = world.erasures.ask(U1, NOW_MS, by_time=True)
        world.carry_out([asked])
        world.erasures.cross_out(asked)
    assert [body.get("traits") for body in world.kept] == [{"plan": "pro"}, {"new": 1}]
    [body] = world.store.get([U1])
    assert isinstance(body, bytes)
    assert facts(body).traits == {"new": 1}


def shown(world: World, visitor: str, minute: int = 0) -> None:
    """A server says what it showed to a visitor, under their own id."""
    said = {"experience": "Site", "audienceSegment": "secret", "personalized": True}
    at = f"2026-11-23T12:{minute:02}:00.000Z" if minute else "2026-11-23T11:00:00.000Z"
    event = "Mutiny Experience Viewed"
    world.say(NOW_MS + minute * 60_000 - 1_000, type="track", anonymousId=visitor, event=event, properties=said,
        timestamp=at)  # fmt: skip


@pytest.mark.parametrize("named", [U1, key("anonymous", "a1"), key("visitor", "v1")])
@pytest.mark.parametrize("archived", [False, True])
def test_what_was_sent_under_the_visitors_own_id(world: World, named: Key, archived: bool) -> None:
    """Of which no record knows: it goes as well, among the lines and in Parquet; that of others stays."""
    shown(world, "v1")
    shown(world, "v2")
    if archived:
        world.log.close()
        compact(world.logs.events, [*files(world.logs.events)], world.erasures)
    assert world.erase(named).events == 4
    rows = [entry for path in archive.parts(world.logs.events).parquet for entry in parquet.entries(path)]
    kept = world.kept + [json.loads(entry.message or b"") for entry in rows]
    assert [body.get("anonymousId") for body in kept] == ["a2", "v2"]


def test_a_visitors_own_id_that_is_somebody_elses_by_now(world: World) -> None:
    """It stays theirs, with all that was sent under it, and goes with them."""
    shown(world, "v1")
    world.say(type="identify", userId="u2", anonymousId="v1", traits={"plan": "team"})
    assert world.erase().identities == {"anonymous": 1, "user": 1, "visitor": 1}
    assert [body.get("anonymousId") for body in world.kept] == ["a2", "v1", "v1"]
    world.erase(key("user", "u2"))
    assert world.kept == []


def test_a_visitors_own_id_until_a_time(world: World) -> None:
    """In Segment's deletions: what was shown later stays, however often they come."""
    shown(world, "v1")
    shown(world, "v1", minute=5)
    for _ in range(2):
        world.carry_out([world.erasures.ask(U1, NOW_MS, by_time=True)])
    assert [body["timestamp"] for body in world.kept if body.get("anonymousId") == "v1"] == ["2026-11-23T12:05:00.000Z"]


def test_an_account_that_is_the_visitors_own(world: World) -> None:
    """As an import makes one for who has no other: it goes with the visitor."""
    visitor, account = key("visitor", "v9"), key("group", "v9")
    world.store.apply([Change(visitor, 1, links={"group": "v9"}), Change(account, 1, {"tier": "secret"})])
    assert world.erase(visitor).identities == {"anonymous": 1, "visitor": 1, "group": 1}
    assert not any(b"secret" in body for _, body in world.store.scan("group") if isinstance(body, bytes))


@pytest.mark.parametrize("kind", ["visitor", "anonymous", "user"])
def test_ids_that_stand_for_nobody_can_be_deleted(world: World, kind: Kind) -> None:
    """Segment's messages never have them, but an import may."""
    who = key(kind, "null")
    world.store.apply([Change(who, 1, {"unique": 1})])
    assert world.erase(who).identities == ({"anonymous": 1, kind: 1} if kind == "visitor" else {kind: 1})
    assert not any(b"unique" in body for _, body in world.store.scan(kind) if isinstance(body, bytes))


def test_hundreds_of_devices(world: World) -> None:
    """They are looked for all at once."""
    for number in range(300):
        world.say(type="identify", userId="u1", anonymousId=f"d{number}", traits={"secret": number})
    assert world.erase().identities == {"anonymous": 302, "user": 1, "visitor": 1}
    assert [body["userId"] for body in world.kept] == ["u2"]

"""Law: whatever of the log is compacted, and whenever, a replay of it is the store, and the forgotten stay forgotten.

1. A history: messages come, some people ask to be forgotten, files are finished, some of what is finished is compacted;
   in any order.
2. At the end the store, a replay of the log as it is, and a replay of the log once all of it is Parquet have the same
   records; and no file of any kind holds a value of the forgotten.
3. Every event is in the log once, as lines or as Parquet.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.events import archive, parquet
from engine.events.line import Entry, encode
from engine.events.log import EventLog
from engine.events.reading import entries
from engine.profiles.ids import Key, id_of, key
from engine.profiles.store import Span, Store
from engine.segment.applying import Applying, not_deleted
from engine.segment.compacting import applied, compact
from engine.segment.erasure import Erasures, Logs, erase
from engine.segment.message import Message
from engine.segment.restoring import replay

HISTORIES = 5
NOW_MS = 1_795_608_010_000
DAY_MS = 86_400_000
WHO = [key("user", "u1"), key("user", "u2"), key("anonymous", "a1"), key("visitor", "v1")]
SEEDS = st.integers(0, 10**9)


def history(seed: int) -> list[object]:
    """Messages by their number, mostly; between them files are finished and compacted, and people want to go."""
    chance = Random(seed)
    between = ["finish", "compact", "compact", chance.choice(WHO)]
    return [chance.choice(between) if chance.random() < 0.35 else chance.randrange(10_000) for _ in range(16)]


class World:
    """A log in files, and a store in memory."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.logs = Logs(folder / "events", folder / "rejected", folder / "erasures")
        self.erasures = Erasures(self.logs.erasures)
        self.store = store
        self.gone: set[Key] = set()
        self.days = 0
        self._log = EventLog(self.logs.events, lambda: datetime(2026, 11, 25, 12, tzinfo=UTC))

    def write(self, messages: Sequence[Message]) -> None:
        """Into log and store, each as if it came a day after the one before."""
        for message in not_deleted(messages, self.store):
            received = message.received_ms + self.days % 3 * DAY_MS
            self.days += 1
            line = encode(received, message.source, message.body)
            position = self._log.append([line])
            Applying(self.store).apply([message], {position.file: Span(position.end - len(line), position.end)})

    def finish(self) -> None:
        """Its file is finished."""
        self._log.close()

    def compact(self) -> None:
        """All that there is so far becomes Parquet."""
        self.finish()
        compact(self.logs.events, applied(self.logs.events, self.store), self.erasures)

    def forget(self, who: Key) -> None:
        """As somebody asked."""
        asked = self.erasures.ask(who, NOW_MS)
        erase([asked], self.erasures, self.store, self.logs, write=self.write, pause=lambda: None)
        self.gone |= {Key(one) for noted in self.erasures.unfinished() for one in noted.gone}
        for noted in self.erasures.unfinished():
            self.erasures.cross_out(noted)

    def events(self) -> list[bytes]:
        """What is in the log, as Parquet or lines."""
        found = archive.parts(self.logs.events)
        whole = [one for path in found.lines for one in entries(path)]
        whole += [one for path in found.parquet for one in parquet.entries(path)]
        return sorted(one.message for one in whole if isinstance(one, Entry) and one.message)


def hold(strategies: ModuleType, memory: Callable[[], Store], seed: int) -> None:
    """The law for one history."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder), memory())
        for step in history(seed):
            if isinstance(step, int):
                message = strategies.message_of(step)
                world.write([message] if message is not None and message.time_ms <= NOW_MS else [])
            elif isinstance(step, bytes):
                world.forget(Key(step))
            else:
                getattr(world, str(step))()
        check(world, strategies, memory)


def check(world: World, strategies: ModuleType, memory: Callable[[], Store]) -> None:
    """At the end of it."""
    before = world.events()
    replayed = memory()
    replay(world.logs.events, replayed)
    assert strategies.records(replayed, names=False) == strategies.records(world.store, names=False)
    world.finish()
    world.compact()
    assert archive.parts(world.logs.events).lines == ()
    assert world.events() == before
    again = memory()
    replay(world.logs.events, again)
    assert strategies.records(again) == strategies.records(replayed)
    values = [f"{id_of(one)}!".encode() for one in world.gone]
    assert [event for event in before if any(b'"' + value in event for value in values)] == []


@settings(max_examples=HISTORIES, deadline=None)
@given(SEEDS)
def test_compacting_changes_nothing_that_anybody_can_tell(
    strategies: ModuleType, memory: Callable[[], Store], seed: int
) -> None:
    """History after history."""
    hold(strategies, memory, seed)


@pytest.mark.long
@settings(max_examples=60 * HISTORIES, deadline=None)
@given(SEEDS)
def test_compacting_changes_nothing_at_length(strategies: ModuleType, memory: Callable[[], Store], seed: int) -> None:
    """The same, for minutes."""
    hold(strategies, memory, seed)

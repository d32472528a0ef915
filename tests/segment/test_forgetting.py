"""Law: a store that lived through deletions is what a replay of the scrubbed log gives; neither knows the deleted.

1. The model: messages come, somebody asks to be forgotten, more messages come, also such as happened before. A deletion
   is carried out as `erasure` does it: who is meant (`people`), when (`moment`), deletion messages for all of them into
   log and store, then every line of the log looked at (`left_over`). What comes late is looked at before it is kept
   (`deleted`).
2. Records of identities and accounts end in the same bytes. Names, which hold no values, may know less after a replay:
   what a replay says of them changes nothing in the store.
3. Afterwards no body and no line holds a value that was said of one of them before.
"""

import json
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.profiles.encoding import facts
from engine.profiles.ids import Key, id_of, key, kind_of
from engine.profiles.lmdb import LmdbStore
from engine.profiles.store import Store
from engine.segment.deletion import deleted, left_over, moment, people
from engine.segment.message import Message, deletion, understood

SEQUENCES = 700
NOW_MS = 1_795_608_010_000
WHO = st.sampled_from([key(*who) for who in (
    ("user", "u1"), ("user", "u2"), ("anonymous", "a1"), ("anonymous", "v1"), ("visitor", "v1"),
)])  # fmt: skip


class World:
    """A log and a store, as a node keeps them."""

    def __init__(self, strategies: ModuleType, store: Store) -> None:
        self.store = store
        self.log: list[tuple[str, int, bytes]] = []
        self.gone: set[Key] = set()
        self._strategies = strategies

    def take(self, message: Message) -> None:
        """A message comes; of what comes too late it is kept what does not concern the deleted."""
        gone = deleted(self.store, message)
        body = left_over(json.loads(message.body), gone) if gone and message.type != "delete" else None
        if gone and message.type != "delete":
            if body is None:
                return
            message = understood(body, message.source, message.received_ms)
        self.log.append((message.source, message.received_ms, message.body))
        self.store.apply(self._strategies.changes_of([message]))

    def forget(self, who: Key) -> None:
        """Somebody is deleted."""
        [gone] = people(self.store, [who])
        at = datetime.fromtimestamp(moment(self.store, gone, NOW_MS) / 1000, UTC)
        for one in sorted(gone):
            self.take(deletion(kind_of(one), id_of(one), "admin", at))  # type: ignore[arg-type]
        self.gone |= gone
        self.log = [(source, received, kept) for source, received, raw in self.log if (kept := scrubbed(raw, gone))]

    def replayed(self, empty: Store) -> Store:
        """What the log says, into an empty store; the last line first, for it does not matter."""
        for source, received, raw in reversed(self.log):
            empty.apply(self._strategies.changes_of([understood(json.loads(raw), source, received)]))
        return empty

    def values(self) -> list[str]:
        """All that may not be there any more: how values of the deleted begin; a visitor as such has none."""
        return [f"{id_of(one)}!" for one in self.gone if kind_of(one) != "visitor"]


def scrubbed(raw: bytes, gone: frozenset[Key]) -> bytes | None:
    """What stays of a line; never more than there was."""
    body = left_over(json.loads(raw), gone)
    if body is None:
        return None
    kept = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    assert len(kept) <= len(raw)
    return kept


def hold(strategies: ModuleType, memory: Callable[[], Store], data: st.DataObject) -> None:
    """The law for one history."""
    world = World(strategies, memory())
    before = data.draw(strategies.messages(8))
    for message in before:
        world.take(message)
    for who in data.draw(st.lists(WHO, min_size=1, max_size=2)):
        world.forget(who)
    check_forgotten(world)
    for message in before[: data.draw(st.integers(0, 2))]:
        if message.time_ms <= NOW_MS:  # what a wrong clock puts after the deletion is told after it
            world.take(message)
    check_forgotten(world)
    for message in data.draw(strategies.messages(4)):
        world.take(message)
    check_replay(world, strategies, memory)


def check_forgotten(world: World) -> None:
    """Neither store nor log hold a value of theirs."""
    said = [line.decode() for _, _, line in world.log]
    said += [json.dumps(facts(body).traits) for _, body in world.store.scan() if isinstance(body, bytes)]
    assert [text for text in said if any(f'"{value}' in text for value in world.values())] == []


def check_replay(world: World, strategies: ModuleType, memory: Callable[[], Store]) -> None:
    """A replay ends in the same records, and knows no name that the store does not know."""
    replayed = world.replayed(memory())
    assert strategies.records(replayed, names=False) == strategies.records(world.store, names=False)
    both = strategies.records(world.store)
    world.replayed(world.store)
    assert strategies.records(world.store) == both


@settings(max_examples=SEQUENCES)
@given(st.data())
def test_the_deleted_are_forgotten_and_nobody_else(
    strategies: ModuleType, memory: Callable[[], Store], data: st.DataObject
) -> None:
    """History after history."""
    hold(strategies, memory, data)


@pytest.mark.long
@settings(max_examples=50 * SEQUENCES)
@given(st.data())
def test_the_deleted_are_forgotten_and_nobody_else_at_length(
    strategies: ModuleType, memory: Callable[[], Store], data: st.DataObject
) -> None:
    """The same, for minutes."""
    hold(strategies, memory, data)


@settings(max_examples=10)
@given(st.data())
def test_the_embedded_store_forgets_as_well(strategies: ModuleType, data: st.DataObject) -> None:
    """Some histories in LMDB."""
    with TemporaryDirectory() as folder, ExitStack() as opened:

        def make() -> Store:
            path = Path(folder) / str(len(list(Path(folder).iterdir())))
            return opened.enter_context(closing(LmdbStore(path)))

        hold(strategies, make, data)

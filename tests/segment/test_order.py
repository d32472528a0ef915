"""Law: any permutation of the same messages, with any repeats, in any batches, ends in byte-identical records.

Of all kinds, names too; all types, equal times, wrong clocks, removed traits, deletions, devices that are shared.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.profiles.lmdb import LmdbStore
from engine.profiles.store import Store
from engine.segment.message import Message

SEQUENCES = 2_000
CHANCES = st.integers(0, 2**32).map(Random)


def another_way(said: Sequence[Message], chance: Random) -> list[list[Message]]:
    """The same messages as batches: shuffled, some of them again, cut anywhere."""
    shuffled = [*said, *(chance.choice(said) for _ in range(chance.randrange(4)) if said)]
    chance.shuffle(shuffled)
    cuts = sorted(chance.randrange(len(shuffled) + 1) for _ in range(chance.randrange(4)))
    return [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]


def hold(strategies: ModuleType, memory: Callable[[], Store], data: st.DataObject) -> dict[Any, Any]:
    """The law for one sequence; what it ends in."""
    said = data.draw(strategies.messages())
    one, other = memory(), memory()
    one.apply(strategies.changes_of(said))
    for batch in another_way(said, data.draw(CHANCES)):
        other.apply(strategies.changes_of(batch))
    ended: dict[Any, Any] = strategies.records(one)
    assert strategies.records(other) == ended
    return ended


@settings(max_examples=SEQUENCES)
@given(st.data())
def test_order_repeats_and_batches_leave_no_trace(
    strategies: ModuleType, memory: Callable[[], Store], data: st.DataObject
) -> None:
    """In a store in memory, many times."""
    hold(strategies, memory, data)


@pytest.mark.long
@settings(max_examples=50 * SEQUENCES)
@given(st.data())
def test_order_repeats_and_batches_leave_no_trace_at_length(
    strategies: ModuleType, memory: Callable[[], Store], data: st.DataObject
) -> None:
    """The same, for minutes."""
    hold(strategies, memory, data)


@settings(max_examples=25)
@given(st.data())
def test_the_embedded_store_ends_in_the_same_bytes(
    strategies: ModuleType, memory: Callable[[], Store], data: st.DataObject
) -> None:
    """What the store in memory holds, LMDB holds."""
    said = data.draw(strategies.messages())
    expected = memory()
    expected.apply(strategies.changes_of(said))
    with TemporaryDirectory() as folder:
        store = LmdbStore(Path(folder))
        for batch in another_way(said, data.draw(CHANCES)):
            store.apply(strategies.changes_of(batch))
        assert strategies.records(store) == strategies.records(expected)
        store.close()

"""The stand-in for a store that may not be read."""

from collections.abc import Callable

import pytest

from engine.profiles.ids import key
from engine.profiles.read import read_profile
from engine.profiles.store import Store, StoreDamaged
from engine.profiles.unreadable import UnreadableStore

ANN = key("visitor", "ann")


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.get([ANN]),
        lambda store: store.chain(ANN, lambda _: None),
        lambda store: store.apply([]),
        lambda store: store.put([]),
        lambda store: store.marks(),
        lambda store: store.forget_marks([]),
        lambda store: store.scan(),
        lambda store: store.delete([ANN]),
        lambda store: store.stats(),
    ],
)
def test_every_question_is_answered_with_the_reason(ask: Callable[[Store], object]) -> None:
    """The same line for everybody."""
    with pytest.raises(StoreDamaged, match="the file is damaged"):
        ask(UnreadableStore("the file is damaged"))


def test_profiles_are_degraded() -> None:
    """Page and visit alone decide; closing is harmless."""
    store = UnreadableStore("the file is damaged")
    assert read_profile(store, "ann").degraded
    store.close()

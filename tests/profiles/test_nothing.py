"""Where nothing is stored, everything reads as absent, and nothing can be written."""

import pytest

from engine.profiles.ids import key
from engine.profiles.nothing import NothingStored
from engine.profiles.read import read_profile
from engine.profiles.store import Store, StoreUnavailable
from engine.words import Profile


@pytest.fixture
def nothing() -> Store:
    """A store without records."""
    return NothingStored("data/profiles: nothing is stored there")


def test_every_visitor_is_unknown(nothing: Store) -> None:
    """And that is no failure."""
    assert read_profile(nothing, "ada") == Profile("ada")
    assert list(nothing.scan()) == []
    assert nothing.chain(key("visitor", "ada"), lambda _: None) == [None]
    assert nothing.marks() == {}
    assert nothing.stats().records == 0
    nothing.close()


def test_nothing_can_be_written(nothing: Store) -> None:
    """Whoever tries is told why."""
    with pytest.raises(StoreUnavailable, match="data/profiles"):
        nothing.apply(())
    with pytest.raises(StoreUnavailable, match="data/profiles"):
        nothing.put(())
    with pytest.raises(StoreUnavailable, match="data/profiles"):
        nothing.delete((key("visitor", "ada"),))
    with pytest.raises(StoreUnavailable, match="data/profiles"):
        nothing.forget_marks(["a.ndjson"])

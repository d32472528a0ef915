"""Profiles read many at once are those that are read one by one, in a few trips."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from engine.profiles.gathering import profiles
from engine.profiles.ids import Key, key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.store import Found, StoreUnavailable

IDS = [f"v{number}" for number in range(500)]


@pytest.fixture
def store(tmp_path: Path) -> "Counting":
    """Visitors: unknown, known alone, by a user's record, with an account, with a Salesforce contact."""
    store = Counting(tmp_path)
    changes = []
    for number, id_ in enumerate(IDS):
        visitor, user = key("visitor", id_), f"u{number}"
        if number % 5 >= 1:
            changes.append(Change(visitor, 1, {"n": number}))
        if number % 5 >= 2:
            changes.append(Change(visitor, 1, {}, {"anonymous": f"a{number}"}))
            changes.append(Change(key("anonymous", f"a{number}"), 1, {}, {"user": user}))
            changes.append(Change(key("user", user), 1, {"plan": "pro"}))
        if number % 5 >= 3:
            changes.append(Change(key("user", user), 1, {}, {"group": f"g{number % 7}"}))
        if number % 5 == 4:
            changes.append(Change(key("user", user), 1, {"email": f"{user}@x.example"}))
            changes.append(Change(key("contact", f"{user}@x.example"), 1, {"Title": "CTO"}))
    changes += [Change(key("group", f"g{number}"), 1, {"seats": number}) for number in range(7)]
    store.apply(changes)
    return store


class Counting(LmdbStore):
    """How often it was asked; it may be down."""

    trips = 0
    down = False

    def get(self, keys: Sequence[Key]) -> list[Found]:
        self.trips += 1
        if self.down:
            raise StoreUnavailable("it is down")
        return super().get(keys)


def test_they_are_the_same(store: Counting) -> None:
    """In their order, some that nobody knows among them; a trip for a link, not for a visitor."""
    with closing(store):
        alone = [read_profile(store, id_) for id_ in [*IDS, "nobody"]]
        store.trips = 0
        assert list(profiles(store, [*IDS, "nobody"])) == alone
        assert store.trips <= 3 * 5
        assert {len(profile.contact) for profile in alone} == {0, 1}


def test_a_store_that_goes_away_ends_it(store: Counting) -> None:
    """It is not full of damaged records."""
    with closing(store):
        found = profiles(store, IDS)
        assert not next(found).degraded
        store.down = True
        with pytest.raises(StoreUnavailable):
            list(found)

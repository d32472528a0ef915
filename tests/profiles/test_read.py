"""From a visitor id to a profile, whatever the store says."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

import pytest

from engine.profiles.ids import BadId, Key, Kind, key
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.store import DAMAGED, Found, NotAtOnce, Store, StoreStats, StoreUnavailable
from engine.words import Profile

ANN = key("visitor", "ann")
ACME = key("group", "acme")


class PreparedStore:
    """A store that holds what a test says, and can only be read."""

    def __init__(self, held: dict[Key, Found | Exception]) -> None:
        self.held = held
        self.asked: list[Sequence[Key]] = []

    def get(self, keys: Sequence[Key]) -> list[Found]:
        """What was prepared; an exception is raised."""
        self.asked.append(keys)
        found: list[Found] = []
        for key_ in keys:
            held = self.held.get(key_)
            if isinstance(held, Exception):
                raise held
            found.append(held)
        return found

    def apply(self, changes: Iterable[Change]) -> int:
        """Not asked here."""
        raise NotImplementedError

    def scan(self, kind: Kind | None = None) -> Iterator[tuple[Key, Found]]:
        """Not asked here."""
        raise NotImplementedError

    def delete(self, keys: Iterable[Key]) -> int:
        """Not asked here."""
        raise NotImplementedError

    def stats(self) -> StoreStats:
        """Not asked here."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to let go."""


def body_of(store: Store, change: Change) -> Found:
    """The body that this change makes."""
    store.apply([change])
    return store.get([change.key])[0]


@pytest.fixture
def ann(store: Store) -> Found:
    """Ann's record, linked to Acme."""
    return body_of(store, Change(ANN, 1, {"plan": "pro"}, {"group": "acme"}))


@pytest.fixture
def acme(store: Store) -> Found:
    """Acme's record."""
    return body_of(store, Change(ACME, 1, {"employees": 30}))


def test_a_visitor_never_heard_of_has_an_empty_profile(store: Store) -> None:
    """Nothing is known, and nothing is wrong."""
    assert read_profile(store, "eve") == Profile("eve")


def test_traits_and_account_come_together(store: Store, ann: Found, acme: Found) -> None:
    """The visitor's traits, the account's traits, the account's id."""
    assert read_profile(store, "ann") == Profile("ann", {"plan": "pro"}, {"employees": 30}, account_id="acme")


def test_a_visitor_without_account(store: Store) -> None:
    """No link, no account."""
    store.apply([Change(ANN, 1, {"plan": "pro"})])
    assert read_profile(store, "ann") == Profile("ann", {"plan": "pro"})


def test_an_account_of_which_nothing_is_known_still_has_its_id(store: Store, ann: Found) -> None:
    """A link to a record that was never written: an id is enough to split by."""
    assert read_profile(store, "ann") == Profile("ann", {"plan": "pro"}, account_id="acme")


def test_a_removed_trait_is_absent(store: Store, ann: Found) -> None:
    """Rules never see a null."""
    store.apply([Change(ANN, 2, {"plan": None})])
    assert read_profile(store, "ann").traits == {}


def test_a_write_is_seen_at_the_next_read(store: Store, ann: Found, acme: Found) -> None:
    """Nothing old is kept between reads, neither values nor links."""
    assert read_profile(store, "ann").account_id == "acme"
    store.apply([Change(ANN, 2, {"plan": "team"}, {"group": "other"})])
    assert read_profile(store, "ann") == Profile("ann", {"plan": "team"}, account_id="other")


def test_two_profiles_share_no_mutable_state(store: Store) -> None:
    """Whoever changes a profile's maps changes no other's."""
    read_profile(store, "eve").traits["plan"] = "pro"
    assert read_profile(store, "eve").traits == {}


def test_one_read_for_the_person_and_one_for_the_account(ann: Found, acme: Found) -> None:
    """Two reads at most, and one where there is no account."""
    store = PreparedStore({ANN: ann, ACME: acme})
    read_profile(store, "ann")
    assert store.asked == [(ANN,), (ACME,)]
    store.asked.clear()
    read_profile(store, "eve")
    assert store.asked == [(key("visitor", "eve"),)]


@pytest.mark.parametrize("held", [DAMAGED, b"\xc1 of another program", StoreUnavailable("gone")])
def test_a_person_who_cannot_be_read_is_absent_and_degraded(held: Found | Exception) -> None:
    """A damaged record, foreign bytes, a store that is gone: the decision goes on with page and visit."""
    assert read_profile(PreparedStore({ANN: held}), "ann") == Profile("ann", degraded=True)


@pytest.mark.parametrize("held", [DAMAGED, b"", StoreUnavailable("gone")])
def test_an_account_that_cannot_be_read_leaves_the_person(held: Found | Exception, ann: Found) -> None:
    """What is known of the visitor counts, the account's id too; the profile says that something is missing."""
    profile = read_profile(PreparedStore({ANN: ann, ACME: held}), "ann")
    assert profile == Profile("ann", {"plan": "pro"}, account_id="acme", degraded=True)


def test_not_at_once_passes_through_and_can_be_awaited(ann: Found, acme: Found) -> None:
    """A store that has to wait says so to whoever can wait; asked again afterwards, it answers."""
    store = PreparedStore({ANN: ann})

    async def arrive() -> None:
        store.held[ACME] = acme

    async def ask() -> Profile:
        store.held[ACME] = NotAtOnce(arrive())
        try:
            return read_profile(store, "ann")
        except NotAtOnce as waiting:
            await waiting.arrival
        return read_profile(store, "ann")

    assert asyncio.run(ask()).account == {"employees": 30}


def test_an_id_that_no_key_can_be_made_of_is_refused(store: Store) -> None:
    """An empty or endless id is the caller's mistake, not an unknown visitor."""
    for id_ in ("", "x" * 1_000):
        with pytest.raises(BadId):
            read_profile(store, id_)

"""Who counts for an address, and that the store is brought to say so, whatever happened to it."""

from datetime import UTC, datetime
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from engine.profiles.encoding import decode
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change
from engine.profiles.store import Store
from engine.salesforce.fields import Field
from engine.salesforce.mirror import Mirror
from engine.salesforce.projection import FILLED, bring, counting, is_filled, waiting
from engine.salesforce.rows import Row, made
from engine.salesforce.state import State

EMAIL = "ada@example.com"
LEAD, CONTACT = key("lead", EMAIL), key("contact", EMAIL)


def saved(object_: str, number: int, hour: int, **values: Any) -> tuple[str, Row]:
    """A record as it was saved at some hour."""
    prefix = "00Q5g" if object_ == "Lead" else "0035g"
    at = datetime(2026, 6, 1, hour, tzinfo=UTC)
    return object_, made({"Id": f"{prefix}00000{number:05d}AAA", "Email": EMAIL, "SystemModstamp": at, **values})


@pytest.fixture(autouse=True)
def _described(mirror: Mirror) -> None:
    for object_ in ("Lead", "Contact"):
        mirror.describe(object_, (Field("Id", "id"),), State())  # type: ignore[arg-type]


def put(mirror: Mirror, *records: tuple[str, Row]) -> None:
    """Into the mirror."""
    for object_, row in records:
        mirror.page(object_, [row], partial(mirror.state, object_))  # type: ignore[arg-type]


def held(store: Store, name: bytes) -> dict[str, Any] | None:
    """What the store has, without what every record has."""
    [found] = store.get([name])  # type: ignore[list-item]
    if found is None:
        return None
    assert isinstance(found, bytes)
    rest = {"Id", "Email", "SystemModstamp"}
    return {name: at.value for name, at in decode(found).traits.items() if name not in rest}


def test_the_last_modified_counts() -> None:
    """In whatever order they come; at the same time the greater id."""
    rows = [saved("Lead", 1, 3, N=1), saved("Lead", 2, 5, N=2), saved("Lead", 3, 5, N=3), saved("Contact", 1, 1, C=1)]
    for order in permutations(rows):
        lead, contact = counting(order)
        assert (lead["N"], contact["C"]) == (3, 1)


def test_a_converted_lead_is_its_contact() -> None:
    """The contact counts for the lead's address, unless a contact has it for its own; the lead counts no more."""
    lead = saved("Lead", 1, 9, IsConverted=True, ConvertedContactId="0035g0000000001AAA")
    became, own = saved("Contact", 1, 5, C="became")[1], saved("Contact", 2, 1, C="own")
    assert counting([lead, ("Became", became)]) == ({}, became.values)
    assert counting([lead, ("Became", became), own])[1]["C"] == "own"
    assert counting([lead]) == ({}, {})


def test_the_difference_alone_is_written(mirror: Mirror, store: Store) -> None:
    """A field that is the same keeps its time; one that is gone is removed; nothing new, nothing written."""
    put(mirror, saved("Lead", 1, 1, A=1, B="x"))
    assert bring(mirror, store, 1_000) == 1
    put(mirror, saved("Lead", 1, 2, A=1.0, C="y"))
    assert bring(mirror, store, 2_000) == 1
    [found] = store.get([LEAD])
    assert isinstance(found, bytes)
    times = {name: at.time_ms for name, at in decode(found).traits.items()}
    assert times == {"A": 2_000, "B": 2_000, "C": 2_000, "Id": 1_000, "Email": 1_000, "SystemModstamp": 2_000}
    assert held(store, LEAD) == {"A": 1.0, "B": None, "C": "y"}
    assert {at.origin for at in decode(found).traits.values()} == {"salesforce sync"}
    mirror.soil([])
    assert bring(mirror, store, 3_000) == 0


def test_our_clock_may_go_back(mirror: Mirror, store: Store) -> None:
    """What Salesforce says now always wins."""
    put(mirror, saved("Lead", 1, 1, A="old"))
    bring(mirror, store, 9_000)
    put(mirror, saved("Lead", 1, 2, A="new"))
    bring(mirror, store, 1_000)
    assert held(store, LEAD) == {"A": "new"}
    assert is_filled(mirror, store)


def test_nobody_counts_any_more(mirror: Mirror, store: Store) -> None:
    """The whole record goes, with the address in its key."""
    put(mirror, saved("Lead", 1, 1), saved("Contact", 1, 1))
    bring(mirror, store, 1_000)
    assert held(store, LEAD) == held(store, CONTACT) == {}
    put(mirror, saved("Lead", 1, 2, IsDeleted=True), saved("Contact", 1, 2, Email="new@example.com"))
    bring(mirror, store, 2_000)
    assert (held(store, LEAD), held(store, CONTACT)) == (None, None)
    assert held(store, key("contact", "new@example.com")) == {}


def test_another_store_is_filled_anew(mirror: Mirror, store: Store, tmp_path: Path) -> None:
    """A lost one; and one that was put back from a backup, with records that are gone meanwhile."""
    put(mirror, saved("Lead", 1, 1, A=1))
    bring(mirror, store, 1_000)
    other = LmdbStore(tmp_path / "other")
    assert not is_filled(mirror, other)
    backup = [Change(key_, 1, {name: at.value for name, at in decode(body).traits.items()})  # type: ignore[arg-type]
              for key_, body in store.scan()]  # fmt: skip
    assert bring(mirror, other, 2_000) == 1
    assert held(other, LEAD) == {"A": 1}
    other.close()
    put(mirror, saved("Lead", 1, 2, Email="new@example.com"))
    bring(mirror, store, 3_000)
    old = LmdbStore(tmp_path / "backup")
    old.apply(backup)
    assert not is_filled(mirror, old)
    bring(mirror, old, 4_000)
    assert (held(old, LEAD), held(old, key("lead", "new@example.com"))) == (None, {})
    assert is_filled(mirror, old)
    old.close()


def test_it_may_die_anywhere(mirror: Mirror, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the addresses are crossed out: they are brought again, which changes nothing."""
    monkeypatch.setattr("engine.limits.SALESFORCE_PROJECTED", 2)
    put(mirror, *(saved("Lead", number, 1, Email=f"{number}@x.org") for number in range(5)))
    done: list[int] = []
    with monkeypatch.context() as dying:
        dying.setattr(mirror, "clean", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            bring(mirror, store, 1_000)
    assert waiting(mirror) == 5
    assert bring(mirror, store, 2_000, done.append) == 3
    assert (done, waiting(mirror)) == ([2, 2, 1], 0)


def test_nothing_at_all(mirror: Mirror, store: Store) -> None:
    """Not one record: the store has all of it."""
    assert not is_filled(mirror, store)
    assert bring(mirror, store, 1_000) == 0
    assert is_filled(mirror, store)


def test_the_note_in_the_store_is_nobodys(mirror: Mirror, store: Store) -> None:
    """It is a name record, which no catalogue shows."""
    put(mirror, saved("Lead", 1, 1))
    bring(mirror, store, 1_000)
    assert FILLED in dict(store.scan("name"))

"""What is told of Salesforce, read beside whoever is at work."""

from pathlib import Path
from typing import Any

from engine.profiles.store import Store
from engine.salesforce.mirror import Mirror
from engine.salesforce.report import Told, catalogue, report


def test_nothing_was_ever_read(tmp_path: Path, store: Store) -> None:
    """And nothing is made for the question."""
    assert report(tmp_path / "data", store) is None
    assert catalogue(tmp_path / "data") == {}
    assert not (tmp_path / "data").exists()


def test_after_a_sync(org: Any, sync: Any, store: Store, tmp_path: Path) -> None:
    """Counts, how many share an address, how it went; converted leads share none."""
    contact = org.put("Contact", 1, Email="c@x.org")
    for number, email in enumerate(["a@x.org", "A@x.org", "b@x.org", None]):
        org.put("Lead", number, Email=email)
    org.put("Lead", 9, Email="b@x.org", IsConverted=True, ConvertedContactId=contact)
    outcome = sync()
    found = report(tmp_path, store)
    assert found is not None
    assert found.objects == (Told("Lead", 5, 1, 1, 1, 14, org.now), Told("Contact", 1, 0, 0, 0, 11, org.now))
    assert (found.outcome, found.waiting, found.is_filled) == (outcome, 0, True)
    assert {object_: len(fields) for object_, fields in catalogue(tmp_path).items()} == {"Lead": 14, "Contact": 11}


def test_a_store_that_is_behind(org: Any, sync: Any, store: Store, mirror: Mirror, tmp_path: Path) -> None:
    """A lost one, and addresses that wait; a store that cannot be asked says nothing."""
    org.put("Lead", 1, Email="a@x.org")
    sync()
    mirror.soil(["x@x.org"])
    store.delete([name for name, _ in store.scan()])
    found = report(tmp_path, store)
    assert found is not None
    assert (found.waiting, found.is_filled) == (2, False)
    found = report(tmp_path, None)
    assert found is not None
    assert found.is_filled is None

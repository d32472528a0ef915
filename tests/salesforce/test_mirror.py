"""The mirror: pages all or nothing, addresses that are dirty, and what is gone once a reading is through."""

import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.salesforce.fields import Field
from engine.salesforce.mirror import Kept, Mirror, path_of
from engine.salesforce.rows import Row, made
from engine.salesforce.state import Outcome, State
from engine.salesforce.trouble import MirrorBroken

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
FIELDS = (Field("Id", "id"), Field("Email", "email"))


def lead(number: int, **values: Any) -> Row:
    """A lead; by default with an address of its own."""
    held = {"Id": f"00Q5g00000{number:05d}EAA", "Email": f"{number}@x.org", **values}
    return made({name: value for name, value in held.items() if value is not None})


@pytest.fixture(autouse=True)
def _described(mirror: Mirror) -> None:
    for object_ in ("Lead", "Contact"):
        mirror.describe(object_, FIELDS, State())  # type: ignore[arg-type]


def cleaned(mirror: Mirror) -> set[str]:
    """The dirty addresses, which are clean afterwards."""
    found = mirror.dirty(100)
    mirror.clean(found)
    return set(found)


def test_what_is_kept(mirror: Mirror) -> None:
    """New, the same, changed, gone; each that is not the same dirties the addresses before and after."""
    kept = mirror.page("Lead", [lead(1), lead(2), lead(3, Email=None)], State)
    assert (kept, cleaned(mirror)) == (Kept(new=3), {"1@x.org", "2@x.org"})
    changes = [lead(1), lead(2, Email="new@x.org"), lead(3, Email=None, IsDeleted=True), lead(9, IsDeleted=True)]
    kept = mirror.page("Lead", changes, State)
    assert (kept, cleaned(mirror)) == (Kept(same=1, changed=1, gone=1), {"2@x.org", "new@x.org"})
    assert mirror.record("Lead", lead(3).id) is None
    assert mirror.record("Lead", lead(1).id) == lead(1)


def test_a_page_that_breaks_never_was(mirror: Mirror) -> None:
    """Neither its records nor how far it goes."""

    def rows() -> Iterator[Row]:
        yield lead(1)
        raise ConnectionError("cut")

    with pytest.raises(ConnectionError):
        mirror.page("Lead", rows(), lambda: State(mark=AT))
    assert mirror.count("COUNT(*) FROM records") == 0
    assert (mirror.state("Lead"), mirror.dirty(9)) == (State(), [])
    mirror.page("Lead", [lead(1)], lambda: State(mark=AT))
    assert mirror.state("Lead").mark == AT


def test_a_contact_dirties_the_addresses_of_leads_that_became_it(mirror: Mirror) -> None:
    """Also when it goes."""
    contact = made({"Id": "0035g0000000001AAA", "Email": "c@x.org"})
    mirror.page("Lead", [lead(1, IsConverted=True, ConvertedContactId=contact.id)], State)
    cleaned(mirror)
    mirror.page("Contact", [contact], State, 1)
    assert cleaned(mirror) == {"1@x.org", "c@x.org"}
    assert [object_ for object_, _ in mirror.holders("1@x.org")] == ["Lead", "Became"]
    mirror.settle("Contact", 2, State())
    assert cleaned(mirror) == {"1@x.org", "c@x.org"}
    assert [object_ for object_, _ in mirror.holders("1@x.org")] == ["Lead"]


def test_what_a_reading_did_not_see_is_gone(mirror: Mirror) -> None:
    """What is the same is seen too; an increment in between takes no mark away."""
    mirror.page("Lead", [lead(1), lead(2), lead(3)], State, 1)
    mirror.page("Lead", [lead(1), lead(2)], State, 2)
    mirror.page("Lead", [lead(2, Name="new")], State)
    cleaned(mirror)
    assert mirror.settle("Lead", 2, State(full=AT)) == 1
    assert (cleaned(mirror), mirror.state("Lead").full) == ({"3@x.org"}, AT)
    assert mirror.count("COUNT(*) FROM records") == 2


def test_soil(mirror: Mirror) -> None:
    """Every address that there is, and others that the store knows."""
    mirror.page("Lead", [lead(1), lead(2, Email=None)], State)
    cleaned(mirror)
    mirror.soil(["old@x.org"])
    assert cleaned(mirror) == {"1@x.org", "old@x.org"}


def test_whoever_looks_reads_beside(mirror: Mirror, tmp_path: Path) -> None:
    """A second one, read only, while the first one writes; it sees what is committed."""
    mirror.ended(Outcome(AT, calls=3))
    other = Mirror(tmp_path, read_only=True)
    assert (other.outcome(), other.id, other.fields("Lead")) == (Outcome(AT, calls=3), mirror.id, FIELDS)
    assert other.fields("Contact") == FIELDS
    with pytest.raises(MirrorBroken, match="readonly"):
        other.note("x", 1)
    other.close()


def test_the_file_is_its_owners_alone(mirror: Mirror) -> None:
    """And so is what SQLite lays beside it."""
    mirror.note("x", 1)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in mirror.path.parent.iterdir()}
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}


def test_none_is_made_for_a_question(tmp_path: Path) -> None:
    """Read only, there has to be one."""
    with pytest.raises(MirrorBroken):
        Mirror(tmp_path / "nowhere", read_only=True)
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """With what to do about it; one of a later version too."""
    path = path_of(tmp_path / "a")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(MirrorBroken, match="not a database; make room and see"):
        Mirror(tmp_path / "a")
    Mirror(tmp_path / "b").close()
    with sqlite3.connect(path_of(tmp_path / "b")) as db:
        db.execute("PRAGMA user_version = 7")
    db.close()
    with pytest.raises(MirrorBroken, match="it has format 7, this version of mutiny-edge knows 1"):
        Mirror(tmp_path / "b")

"""Exports: columns by name, types found out where nobody says them, lines that are no records."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.salesforce.exports import Imported, Rejected, guess, import_csv
from engine.salesforce.fields import Field
from engine.salesforce.mirror import Kept, Mirror
from engine.salesforce.rows import Row
from engine.salesforce.state import State
from engine.salesforce.trouble import Refused

HEAD = (
    '"ID","EMAIL","NUMBEROFEMPLOYEES","SYSTEMMODSTAMP","Zip__c","Vip__c","Seats__c","Rate__c","Since__c","Owner.Name"'
)
LINE = '"{}","{}@x.org","{}","2026-06-01T12:00:00.000Z","01234","true","7","1.5","2026-01-02","Bob"'
Import = Callable[..., Imported]


@pytest.fixture
def take(mirror: Mirror) -> Import:
    """`take("line", …)`: an export of leads with these lines below the head."""

    def take(*lines: str, head: str = HEAD, whole: bool = False, types: Any = None) -> Imported:
        file = io.StringIO("\n".join([head, *lines]) + "\n", newline="")
        return import_csv(file, "Lead", mirror, types or {}, whole=whole, progress=told.append)

    told: list[int] = []
    return take


def lead(mirror: Mirror, number: int) -> Row | None:
    """The lead with this number."""
    return mirror.record("Lead", f"00Q5g00000{number:05d}EAA")


def test_without_a_description(take: Import, mirror: Mirror) -> None:
    """Well-known names have their types in any letters, others the one that all their values have."""
    imported = take(LINE.format("00Q5g0000000001", "a", "60"), LINE.format("00Q5g0000000002EAA", "b", "1,5"))
    assert imported == Imported(2, Kept(new=2), 0, (), {"NumberOfEmployees": 1}, ("Owner.Name",))
    found = lead(mirror, 1)
    assert found is not None
    assert found.email == "a@x.org"
    assert found.values == {
        "Id": "00Q5g0000000001EAA", "Email": "a@x.org", "NumberOfEmployees": 60, "Zip__c": "01234", "Vip__c": True,
        "Seats__c": 7, "Rate__c": 1.5, "Since__c": datetime(2026, 1, 2, tzinfo=UTC),
        "SystemModstamp": datetime(2026, 6, 1, 12, tzinfo=UTC),
    }  # fmt: skip
    assert Field("Seats__c", "double") in mirror.fields("Lead")


def test_types_that_are_said(take: Import, mirror: Mirror) -> None:
    """They count more than what values look like."""
    take(LINE.format("00Q5g0000000001", "a", "60"), types={"seats__c": "text"})
    found = lead(mirror, 1)
    assert found is not None
    assert found.values["Seats__c"] == "7"


def test_what_the_org_described_counts_most(take: Import, mirror: Mirror) -> None:
    """Columns that it does not know are left out."""
    fields = (Field("Email", "email"), Field("Id", "id"), Field("Zip__c", "double"))
    mirror.describe(
        "Lead", fields, State(described=datetime(2026, 6, 1, tzinfo=UTC), full=datetime(2026, 6, 1, tzinfo=UTC))
    )
    imported = take(LINE.format("00Q5g0000000001", "a", "60"), types={"Zip__c": "text"})
    assert imported.left_out[:2] == ("NUMBEROFEMPLOYEES", "SYSTEMMODSTAMP")
    found = lead(mirror, 1)
    assert found is not None
    assert found.values["Zip__c"] == 1234
    assert mirror.fields("Lead") == fields
    assert mirror.state("Lead").full is None  # a sync reads everything anew


def test_again_and_whole(take: Import, mirror: Mirror) -> None:
    """The same file changes nothing; a file that is everything takes away what is not in it."""
    lines = [LINE.format(f"00Q5g000000000{number}", number, "1") for number in (1, 2, 3)]
    assert take(*lines).kept == Kept(new=3)
    assert take(*lines).kept == Kept(same=3)
    assert take(*lines[:2]).kept == Kept(same=2)
    assert lead(mirror, 3) is not None
    assert take(*lines[:2], whole=True).kept == Kept(same=2, gone=1)
    assert lead(mirror, 3) is None
    assert take(whole=True).kept == Kept()  # a file without any record is no reason to take all away
    assert lead(mirror, 1) is not None


def test_lines_that_are_no_records(take: Import) -> None:
    """By number, with the reason; a value may hold ends of lines."""
    imported = take('"x","a\n@x.org"' + ',""' * 8, LINE.format("00Q5g0000000001", "a", "60"), '""')
    assert (imported.total, imported.kept, imported.rejected) == (3, Kept(new=1), 2)
    why = "Id: expected 15 or 18 letters and digits"
    assert imported.reasons == (Rejected(3, why), Rejected(5, "1 value, and the first line names 10 columns"))


def test_lines_that_are_ragged(take: Import, mirror: Mirror) -> None:
    """More values than columns, or fewer: left out and told; and then nothing is taken away."""
    lines = [f"00Q5g000000000{number},{number}@x.org,n" for number in (1, 2, 3)]
    take(*lines, head="Id,Email,Name")
    imported = take(lines[0], lines[1] + ",more", "00Q5g0000000003,3@x.org", head="Id,Email,Name", whole=True)
    assert (imported.total, imported.rejected, imported.kept) == (3, 2, Kept(same=1))
    assert imported.reasons == (
        Rejected(3, "4 values, and the first line names 3 columns"),
        Rejected(4, "2 values, and the first line names 3 columns"),
    )
    assert lead(mirror, 3) is not None


@pytest.mark.parametrize("broken", ['00Q5g0000000002,"b@x.org', '00Q5g0000000002,"b"@x.org'])
def test_a_file_that_is_no_whole_csv(take: Import, mirror: Mirror, broken: str) -> None:
    """A quote that is never closed would swallow all records behind it: nothing is read."""
    with pytest.raises(Refused, match=r"the record that begins on line 3 is no CSV .*nothing was read: a quote"):
        take("00Q5g0000000001,a@x.org", broken, "00Q5g0000000003,c@x.org", head="Id,Email")
    assert lead(mirror, 1) is None


def test_records_of_another_object(take: Import, mirror: Mirror) -> None:
    """All of them: the file is refused, whatever was asked for; some: they are left out."""
    one, two = "00Q5g0000000001,a@x.org", "0035g0000000002,b@x.org"
    take(one, head="Id,Email")
    with pytest.raises(Refused, match=r"these are Contacts \(their Ids begin with 003\).*give --object Contact"):
        take(two, head="Id,Email", whole=True)
    with pytest.raises(Refused, match="these are others' records"):
        take("0015g0000000002,b@x.org", head="Id,Email", whole=True)
    imported = take(two, one, head="Id,Email", whole=True)
    assert imported.reasons == (Rejected(2, "Id: 003… is a Contact's; those of Leads begin with 00Q"),)
    assert lead(mirror, 1) is not None


def test_whether_it_was_read_to_its_end(take: Import, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known afterwards, and which values were none."""
    take("00Q5g0000000001,a@x.org,many", head="Id,Email,NumberOfEmployees")
    assert (mirror.state("Lead").imported, mirror.state("Lead").unusable) == (True, ("NumberOfEmployees",))
    monkeypatch.setattr(mirror, "page", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        take("00Q5g0000000001,a@x.org", head="Id,Email")
    assert mirror.state("Lead").imported is False


@pytest.mark.parametrize(
    ("head", "types", "said"),
    [
        ("Id,Name", {}, "no column Email (its first line names Id, Name); export Leads with Id and Email"),
        ("Email", {}, "no column Id"),
        ("Id;Email;Name", {}, "its columns are separated by semicolons: save it with commas"),
        ("Id\tEmail", {}, "its columns are separated by tabs: save it with commas"),
        ("I\0d\0,\0E\0", {}, "it looks like UTF-16: give --encoding utf-16-le, or utf-16-be"),
        ("Id,Email,Zip__c", {"Zipp__c": "text"}, "no column Zipp__c; did you mean `Zip__c`?"),
    ],
)
def test_files_that_are_refused(take: Import, head: str, types: Any, said: str) -> None:
    """What is missing, and what was found in its place."""
    with pytest.raises(Refused) as refused:
        take(head=head, types=types)
    assert said in str(refused.value)


def test_an_empty_file(mirror: Mirror) -> None:
    """Nothing is taken away."""
    with pytest.raises(Refused, match="it is empty"):
        import_csv(io.StringIO(""), "Lead", mirror, {}, whole=True, progress=lambda _: None)


@pytest.mark.parametrize(
    ("values", "type_", "scale"),
    [
        (["true", "", "FALSE"], "boolean", 0),
        (["1", "20", "0"], "double", 0),
        (["1", "2.50"], "double", 15),
        (["007"], "string", 0),
        (["+49 30 1234"], "string", 0),
        (["12345678901234567"], "string", 0),
        (["1", "one"], "string", 0),
        (["2026-01-02"], "date", 0),
        (["2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05.000+0000"], "datetime", 0),
        (["2026-01-02T03:04:05"], "string", 0),
        (["2026-01-02", "soon"], "string", 0),
        (["", ""], "string", 0),
        (["1", "true"], "string", 0),
    ],
)
def test_guesses(values: list[str], type_: str, scale: int) -> None:
    """Only what all values are; what only looks like a number stays text."""
    assert guess([{"x": value} for value in values], ["x"]) == {"x": Field("x", type_, scale=scale)}

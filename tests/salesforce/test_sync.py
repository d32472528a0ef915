"""A sync against the loopback org, as a visitor with an `email` sees it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from engine import limits
from engine.profiles.ids import key
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.store import Store
from engine.salesforce.mirror import Mirror
from engine.words import Profile

Run = Callable[..., Any]
HOUR = timedelta(hours=1)


@pytest.fixture
def seen(store: Store) -> Callable[[str], Profile]:
    """`seen("ada@example.com")`: the profile of a visitor whose trait `email` is this."""

    def look(email: str) -> Profile:
        store.apply([Change(key("visitor", "v"), len(asked), {"email": email})])
        asked.append(email)
        return read_profile(store, "v")

    asked = [""]
    return look


def jobs(org: Any) -> int:
    """How many jobs were begun."""
    return len([line for line in org.asked if line == "POST /services/data/v59.0/jobs/query"])


def test_the_first_time_everything(org: Any, sync: Run, seen: Callable[[str], Profile]) -> None:
    """Every readable field, typed; whatever letters the address has on either side."""
    org.put(
        "Lead", 1, Email="Ada@Example.com", Name="Ada", NumberOfEmployees=60, AnnualRevenue=1e6, Score__c=99.5,
        Regions__c="EMEA;APAC", Since__c=date(2026, 1, 2), Status="Working", OwnerId="0055g0000000001AAA",
    )  # fmt: skip
    org.put("Contact", 1, Email="ada@example.com ", Industry="SaaS", Open_Opportunities__c=3.0)
    outcome = sync()
    assert [(part.object, part.new, part.total) for part in outcome.parts] == [("Lead", 1, 1), ("Contact", 1, 1)]
    assert (outcome.written, outcome.trouble, outcome.used) == (2, None, org.used)
    profile = seen(" ADA@example.com")
    assert profile.lead == {
        "Id": "00Q5g0000000001EAA", "Email": "Ada@Example.com", "Name": "Ada", "NumberOfEmployees": 60,
        "AnnualRevenue": 1e6, "Score__c": 99.5, "Regions__c": ["EMEA", "APAC"], "Status": "Working",
        "Since__c": datetime(2026, 1, 2, tzinfo=UTC), "OwnerId": "0055g0000000001AAA", "IsDeleted": False,
        "IsConverted": False, "SystemModstamp": org.now,
    }  # fmt: skip
    assert isinstance(profile.lead["AnnualRevenue"], float)
    assert (profile.contact["Open_Opportunities__c"], profile.contact["Industry"]) == (3, "SaaS")


def test_then_what_changed(org: Any, sync: Run, seen: Callable[[str], Profile], store: Store) -> None:
    """By pages of a query, with deletions; a changed address joins under the new one alone."""
    for number in range(4):
        org.put("Lead", number, Email=f"{number}@x.org", Name="old")
    sync()
    org.now += HOUR
    org.put("Lead", 1, Name="new")
    org.put("Lead", 2, Email="two@x.org")
    org.delete("Lead", 3)
    before = jobs(org)
    [leads, _] = sync().parts
    assert (leads.new, leads.changed, leads.gone, leads.total) == (0, 2, 1, 3)
    assert jobs(org) == before
    assert seen("0@x.org").lead["Name"] == "old"
    assert seen("1@x.org").lead["Name"] == "new"
    assert (seen("2@x.org").lead, seen("two@x.org").lead["Name"]) == ({}, "old")
    assert seen("3@x.org").lead == {}
    assert not [key_ for key_, _ in store.scan("lead") if b"3@x.org" in key_]
    assert sync().written == 0


def test_both_roads_end_in_the_same_value(org: Any, sync: Run, seen: Callable[[str], Profile]) -> None:
    """What Bulk brought, REST brings again within the overlap, printed otherwise: nothing is changed."""
    org.put(
        "Lead", 1, Email="a@x.org", AnnualRevenue=100.0, Score__c=5.0, Since__c=date(2026, 1, 2), NumberOfEmployees=3
    )
    first = sync()
    assert (first.parts[0].new, first.parts[0].changed) == (1, 0)
    second = sync()
    assert (second.parts[0].new, second.parts[0].changed, second.written) == (0, 0, 0)


def test_many_changes_are_a_job(org: Any, sync: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a question that is too long for a URL."""
    for number in range(30):
        org.put("Lead", number, Email=f"{number}@x.org")
    sync()
    monkeypatch.setattr("engine.limits.SALESFORCE_CHANGES", 20)
    org.now += HOUR
    for number in range(30):
        org.put("Lead", number, Name="new")
    org.delete("Lead", 0)
    before = jobs(org)
    [leads, _] = sync().parts
    assert (leads.changed, leads.gone, leads.total, jobs(org)) == (29, 1, 29, before + 1)
    monkeypatch.setattr("engine.limits.SALESFORCE_URL_BYTES", 50)
    org.now += HOUR
    org.delete("Lead", 1)
    [leads, _] = sync().parts
    assert (leads.gone, jobs(org)) == (1, before + 3)


def test_converted_leads_follow(org: Any, sync: Run, seen: Callable[[str], Profile]) -> None:
    """The visitor's address is the lead's, the contact has another one by now; and then it is deleted."""
    org.put("Lead", 1, Email="ada@home.org")
    sync()
    assert seen("ada@home.org").lead["IsConverted"] is False
    org.now += HOUR
    contact = org.put("Contact", 1, Email="ada@work.org", Industry="SaaS")
    org.put("Lead", 1, IsConverted=True, ConvertedContactId=contact)
    sync()
    profile = seen("ada@home.org")
    assert (profile.lead, profile.contact["Industry"]) == ({}, "SaaS")
    org.now += HOUR
    org.put("Contact", 1, Industry="Retail")
    sync()
    assert seen("ada@home.org").contact["Industry"] == seen("ada@work.org").contact["Industry"] == "Retail"
    org.now += HOUR
    org.delete("Contact", 1)
    sync()
    assert seen("ada@home.org").contact == {}


def test_formulas_and_ids_are_read_again(org: Any, sync: Run, seen: Callable[[str], Profile]) -> None:
    """A day later, though nothing says that the record changed; what was deleted for good goes."""
    org.fields["Lead"] = [field | {"calculated": field["name"] == "Score__c"} for field in org.fields["Lead"]]
    org.put("Lead", 1, Email="a@x.org", Score__c=1.0)
    org.put("Lead", 2, Email="b@x.org")
    org.now += HOUR
    sync()
    org.records["Lead"][next(iter(org.records["Lead"]))]["Score__c"] = 2.0
    org.purge("Lead", 2)
    org.now += HOUR
    sync()
    assert (seen("a@x.org").lead["Score__c"], seen("b@x.org").lead["Email"]) == (1.0, "b@x.org")
    org.now += timedelta(seconds=limits.SALESFORCE_REREAD_S)
    [leads, _] = sync().parts
    assert (leads.changed, leads.gone) == (1, 1)
    assert (seen("a@x.org").lead["Score__c"], seen("b@x.org").lead) == (2.0, {})


def test_full_reads_everything_anew(org: Any, sync: Run, seen: Callable[[str], Profile]) -> None:
    """And lets go of what is there no more; until then nothing is missing."""
    for number in (1, 2):
        org.put("Lead", number, Email=f"{number}@x.org")
    sync()
    org.purge("Lead", 2)
    [leads, _] = sync(full=True).parts
    assert (leads.new, leads.gone, leads.total) == (0, 1, 1)
    assert (seen("1@x.org").lead["Email"], seen("2@x.org").lead) == ("1@x.org", {})


def test_other_fields_and_all_is_read_anew(org: Any, orgs: Any, sync: Run, seen: Callable[[str], Profile]) -> None:
    """A new field is there for records that never changed; one that is gone is gone."""
    org.put("Lead", 1, Email="a@x.org", Name="Ada", Region__c="EMEA")
    sync()
    org.fields["Lead"] = [field for field in org.fields["Lead"] if field["name"] != "Name"]
    org.fields["Lead"].append(org.field("Region__c", "string"))
    org.now += timedelta(minutes=1)
    sync()  # the description is believed for a while; Salesforce refuses a field that is gone, so it is asked again
    assert seen("a@x.org").lead["Region__c"] == "EMEA"
    assert "Name" not in seen("a@x.org").lead


def test_a_description_is_believed_for_a_while(org: Any, sync: Run) -> None:
    """An API call is not made for nothing."""
    sync()
    org.asked.clear()
    org.now += timedelta(minutes=5)
    sync()
    assert not [line for line in org.asked if "describe" in line]
    org.now += timedelta(seconds=limits.SALESFORCE_DESCRIBE_S)
    sync()
    assert len([line for line in org.asked if "describe" in line]) == 2


def test_a_token_that_ends_in_mid_load(org: Any, sync: Run, seen: Callable[[str], Profile], monkeypatch: Any) -> None:
    """On every road, again and again; nothing is missing."""
    monkeypatch.setattr("engine.limits.SALESFORCE_PAGE_RECORDS", 3)
    for number in range(10):
        org.put("Lead", number, Email=f"{number}@x.org")
    org.trouble = [("jobs/query", "expire"), ("results", "expire"), ("locator=3", "expire"), ("queryAll", "expire")]
    [leads, _] = sync().parts
    assert (leads.total, org.trouble) == (10, [])
    assert len(org.tokens) == 1
    assert seen("9@x.org").lead


def test_a_connection_that_is_cut_at_half(org: Any, sync: Run, monkeypatch: Any) -> None:
    """In a page of results, in a page of a query, in a description."""
    monkeypatch.setattr("engine.limits.SALESFORCE_PAGE_RECORDS", 3)
    for number in range(10):
        org.put("Lead", number, Email=f"{number}@x.org")
    org.trouble = [("describe", "cut"), ("locator=3", "cut"), ("locator=3", "drop"), ("queryAll", "cut")]
    [leads, _] = sync().parts
    assert (leads.new, leads.total, org.trouble) == (10, 10, [])


def test_pages_of_changes_are_kept_one_by_one(org: Any, sync: Run, mirror: Mirror) -> None:
    """A query that is ordered by time: what was read until trouble came is not read again."""
    org.put("Lead", 1, Email="1@x.org")
    sync()
    for number in range(5_000):
        org.now += timedelta(seconds=1)
        org.put("Lead", number, Email=f"{number}@x.org")
    org.trouble = [("-4000", (400, "SOMETHING", "odd"))]
    assert "SOMETHING: odd" in sync().parts[0].trouble
    assert mirror.count("COUNT(*) FROM records") == 4_000
    outcome = mirror.outcome()
    assert outcome is not None
    assert outcome.trouble is not None
    [leads, _] = sync().parts
    assert (leads.total, leads.new) == (5_000, 1_000)


def test_a_cursor_that_is_gone(org: Any, sync: Run) -> None:
    """The query is asked again, from where it was."""
    sync()
    for number in range(3_000):
        org.put("Lead", number)
    org.trouble = [("-2000", (400, "INVALID_QUERY_LOCATOR", "invalid query locator"))]
    [leads, _] = sync().parts
    assert leads.total == 3_000


def test_what_is_no_value_is_counted(org: Any, sync: Run, mirror: Mirror, seen: Callable[[str], Profile]) -> None:
    """By field, kept to be told later; the record counts."""
    org.put("Lead", 1, Email="a@x.org", NumberOfEmployees="many")
    [leads, _] = sync().parts
    assert leads.unusable["NumberOfEmployees"] >= 1
    assert mirror.state("Lead").unusable == ("NumberOfEmployees",)
    assert "NumberOfEmployees" not in seen("a@x.org").lead

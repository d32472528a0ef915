"""A sync that is answered with what it did not ask for, or less than there was: nothing is taken away for it."""

from datetime import timedelta
from typing import Any

import pytest

from engine import limits
from engine.profiles.store import Store
from engine.salesforce.mirror import Mirror
from engine.salesforce.trouble import Odd, Refused

DAY = timedelta(seconds=limits.SALESFORCE_REREAD_S)
RECORDS = "COUNT(*) FROM records WHERE object = 'Lead'"


def fill(org: Any, number: int) -> None:
    """So many leads."""
    for at in range(number):
        org.put("Lead", at, Email=f"{at}@x.org", Name=f"n{at}")
    org.now += timedelta(hours=1)


@pytest.mark.parametrize("wrong", [b"<html>Sign in to go on</html>", "strip", "narrow"])
def test_pages_that_are_none(org: Any, sync: Any, mirror: Mirror, store: Store, wrong: Any) -> None:
    """Asked for again; then told. Every record is as it was, also in the store; the next sync reads anew."""
    fill(org, 5)
    sync("Lead")
    before = sorted(store.scan("lead"))
    org.trouble = [("results", wrong)] * limits.SALESFORCE_TRIES
    with pytest.raises(Odd, match="Lead: an answer is not what Salesforce was asked for"):
        sync("Lead", full=True)
    assert (mirror.count(RECORDS), sorted(store.scan("lead"))) == (5, before)
    org.trouble = [("results", wrong)]
    assert sync("Lead", full=True).parts[0].total == 5


def test_a_job_that_says_another_number(org: Any, sync: Any, mirror: Mirror) -> None:
    """The pages are whole, and together not what it says: who is missing is not gone."""
    fill(org, 5)
    sync("Lead")
    org.purge("Lead", 4)
    org.more = 1
    with pytest.raises(Odd, match="its job sent 4 records and says 5"):
        sync("Lead", full=True)
    assert mirror.count(RECORDS) == 5
    org.more = 0
    assert sync("Lead", full=True).parts[0].gone == 1


def test_a_page_that_names_itself(org: Any, sync: Any, mirror: Mirror) -> None:
    """It is not read for ever."""
    fill(org, 5)
    sync("Lead")
    org.records["Lead"].clear()
    org.trouble = [("results", "loop")] * (1 + limits.SALESFORCE_TRIES)
    with pytest.raises(Odd, match="names itself"):
        sync("Lead", full=True)
    assert mirror.count(RECORDS) == 5


def test_most_of_them_at_once(org: Any, sync: Any, mirror: Mirror) -> None:
    """As of a user who may not see them any more: only where that is asked for; the other object goes on."""
    fill(org, 2 * limits.SALESFORCE_GONE_MOST)
    sync()
    for at in range(limits.SALESFORCE_GONE_MOST + 1):
        org.purge("Lead", at)
    org.now += DAY
    org.put("Contact", 1, Email="c@x.org")
    leads, contacts = sync().parts
    assert "101 of 200 records were not in what Salesforce sent; none was removed" in leads.trouble
    assert (leads.gone, leads.total, contacts.new, contacts.trouble) == (0, 200, 1, None)
    assert sync(full=True).parts[0].gone == 101


def test_a_record_without_its_fields(org: Any, sync: Any, mirror: Mirror) -> None:
    """Of a query too: a field that is not in the answer is not empty."""
    fill(org, 1)
    sync("Lead")
    body = b'{"totalSize": 1, "done": true, "records": [{"Id": "00Q5g0000000000EAA"}]}'
    org.trouble = [("queryAll", body)]
    with pytest.raises(Odd, match="has not all fields"):
        sync("Lead")
    found = mirror.record("Lead", next(iter(org.records["Lead"])))
    assert found is not None
    assert found.email == "0@x.org"


def test_an_object_that_may_not_be_read(org: Any, sync: Any, mirror: Mirror) -> None:
    """It is named, with both ways out; the other one is read."""
    org.put("Contact", 1, Email="c@x.org")
    org.trouble = [("sobjects/Lead", (404, "NOT_FOUND", "The requested resource does not exist"))]
    outcome = sync()
    leads, contacts = outcome.parts
    assert outcome.trouble == leads.trouble
    assert leads.trouble.startswith("Lead: Salesforce refuses: NOT_FOUND")
    assert leads.trouble.endswith(
        "let the app's user read Leads and their fields, or sync without them: `--object Contact`"
    )
    assert (contacts.new, contacts.trouble) == (1, None)
    org.trouble = [("sobjects/Lead", (404, "NOT_FOUND"))]
    with pytest.raises(Refused, match="Lead: Salesforce refuses: NOT_FOUND"):
        sync("Lead")


def test_full_describes_anew(org: Any, orgs: Any, sync: Any, mirror: Mirror) -> None:
    """A field that was added a minute ago is there."""
    org.put("Lead", 1, Email="a@x.org", Region__c="EMEA")
    sync("Lead")
    org.fields["Lead"].append(org.field("Region__c", "string"))
    org.now += timedelta(minutes=1)
    sync("Lead", full=True)
    found = mirror.record("Lead", next(iter(org.records["Lead"])))
    assert found is not None
    assert found.values["Region__c"] == "EMEA"


def test_values_that_are_none_any_more_describe_anew(org: Any, orgs: Any, sync: Any, mirror: Mirror) -> None:
    """A number that became a text in Salesforce is one here after the same sync."""
    org.put("Lead", 1, Email="a@x.org", NumberOfEmployees=5)
    sync("Lead")
    of = org.fields["Lead"]
    org.fields["Lead"] = [
        org.field("NumberOfEmployees", "string") if f["name"] == "NumberOfEmployees" else f for f in of
    ]
    org.now += timedelta(minutes=1)
    org.put("Lead", 1, NumberOfEmployees="many")
    [leads] = sync("Lead").parts
    assert (leads.unusable, mirror.state("Lead").unusable) == ({}, ())
    found = mirror.record("Lead", next(iter(org.records["Lead"])))
    assert found is not None
    assert found.values["NumberOfEmployees"] == "many"

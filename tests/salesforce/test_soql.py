"""The questions, word by word."""

from datetime import UTC, datetime

from engine.salesforce import soql
from engine.salesforce.fields import Field

FIELDS = [Field("Id", "id"), Field("Email", "email"), Field("F__c", "double", calculated=True)]


def test_the_three_questions() -> None:
    """Everything; what changed, some minutes ahead of the mark; formulas of all."""
    mark = datetime(2026, 6, 1, 12, 0, 5, tzinfo=UTC)
    assert soql.everything("Lead", FIELDS) == "SELECT Id, Email, F__c FROM Lead"
    assert soql.changes("Lead", FIELDS, mark, ordered=False) == (
        "SELECT Id, Email, F__c FROM Lead WHERE SystemModstamp >= 2026-06-01T11:50:05Z"
    )
    assert soql.changes("Lead", FIELDS, mark, ordered=True).endswith(" ORDER BY SystemModstamp ASC, Id ASC")
    assert soql.rereading("Contact", FIELDS[2:]) == "SELECT Id, F__c FROM Contact"
    assert soql.rereading("Contact", []) == "SELECT Id FROM Contact"


def test_what_fits_into_a_url() -> None:
    """A few fields do; eight hundred do not."""
    assert soql.fits_url(soql.everything("Lead", FIELDS))
    assert not soql.fits_url(soql.everything("Lead", [Field(f"Field_number_{n}__c", "string") for n in range(800)]))

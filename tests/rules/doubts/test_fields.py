"""The nearest field, and the nearest value of a picklist."""

import pytest

from engine.rules.doubts.fields import Fields, KnownField, nearest_value

FIELDS = Fields(
    {
        "lead": {"NumberOfEmployees": KnownField("number"), "Region__c": KnownField("string")},
        "contact": {"Industry": KnownField("string")},
    }
)


@pytest.mark.parametrize(
    ("record", "name", "nearest"),
    [
        ("lead", "numberofemployees", "did you mean `salesforce.lead.NumberOfEmployees`?"),
        ("lead", "Region", "did you mean `salesforce.lead.Region__c`?"),
        ("lead", "NumberOfEmployes", "did you mean `salesforce.lead.NumberOfEmployees`?"),
        ("lead", "Industry", "did you mean `salesforce.contact.Industry`?"),
        ("contact", "Zip", ""),
    ],
)
def test_the_nearest_field(record: str, name: str, nearest: str) -> None:
    """Other letters, a missing `__c`, a slip of the pen, the other record; or nothing."""
    assert FIELDS.nearest(record, name) == nearest
    assert FIELDS.of(record, name) is None


def test_the_nearest_value() -> None:
    """Other letters, a slip; or nothing."""
    values = ["Open", "Working - Contacted"]
    assert nearest_value("open", values) == "did you mean `Open`?"
    assert nearest_value("Working Contacted", values) == "did you mean `Working - Contacted`?"
    assert nearest_value("Nurture", values) == ""

"""The fields of an org: which are taken, what they hold."""

from typing import Any

import pytest

from engine.salesforce.fields import NEEDED, OBJECTS, STANDARD, Field, described, formulas, is_same
from engine.salesforce.trouble import Odd, Refused


def test_every_readable_field_but_compound_ones(orgs: Any) -> None:
    """By name; the parts of an address are fields of their own."""
    found = {field.name: field for field in described("Lead", {"fields": orgs.Org().fields["Lead"]})}
    assert "Address" not in found
    assert {name: field.kind for name, field in found.items()} | {"Id": "string"} == {
        "AnnualRevenue": "number", "ConvertedContactId": "string", "Email": "string", "Id": "string",
        "IsConverted": "boolean", "IsDeleted": "boolean", "Name": "string", "NumberOfEmployees": "number",
        "OwnerId": "string", "Regions__c": "list", "Score__c": "number", "Since__c": "timestamp", "Status": "string",
        "SystemModstamp": "timestamp",
    }  # fmt: skip
    assert list(found) == sorted(found)
    assert found["Status"].values == ("Open", "Working", "Closed")


@pytest.mark.parametrize("object_", OBJECTS)
def test_a_field_that_is_needed_and_hidden_is_named(object_: Any) -> None:
    """With what would let it be read."""
    fields = [{"name": name, "type": "string"} for name in NEEDED[object_] if name not in {"Email", "IsDeleted"}]
    with pytest.raises(Refused, match=f"{object_}: this user may not read Email, IsDeleted; let its permission set"):
        described(object_, {"fields": fields})


@pytest.mark.parametrize("answer", [{}, {"fields": None}, {"fields": [1, 2]}, {"fields": [{"name": "Id"}]}])
def test_what_is_no_description(answer: Any) -> None:
    """It is told, with the object."""
    with pytest.raises(Odd, match="Lead: a description is not what Salesforce was asked for"):
        described("Lead", answer)


def test_formulas_and_forms() -> None:
    """They are told apart; labels and picklists do not make fields other ones, types, decimals and becoming one do."""
    plain, formula = Field("A", "double", scale=2), Field("B", "string", calculated=True)
    assert formulas([plain, formula]) == (formula,)
    other = Field("B", "string", "Bee", values=("x",), calculated=True)
    assert is_same([plain, formula], [other, plain])
    assert not is_same([plain, formula], [plain, Field("B", "string")])
    assert not is_same([plain], [Field("A", "double", scale=0)])
    assert not is_same([plain], [plain, formula])


def test_well_known_names() -> None:
    """By any letters; a postal code is text."""
    assert STANDARD["numberofemployees"] == Field("NumberOfEmployees", "int")
    assert STANDARD["postalcode"].kind == "string"
    assert STANDARD["annualrevenue"].is_whole is False

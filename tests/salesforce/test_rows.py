"""Whole records: what decides about them, and what is left out."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from engine.profiles.record import time_ms
from engine.salesforce.fields import Field
from engine.salesforce.rows import Row, address, made, read_csv, row
from engine.salesforce.typed import Unusable

FIELDS = {
    name: Field(name, type_)
    for name, type_ in (
        ("Id", "id"), ("Email", "email"), ("SystemModstamp", "datetime"), ("IsDeleted", "boolean"),
        ("IsConverted", "boolean"), ("ConvertedContactId", "reference"), ("NumberOfEmployees", "int"),
    )
}  # fmt: skip
RAW = {"Id": "00Q5g0000000001", "Email": " Ada@Example.com", "SystemModstamp": "2026-06-01T12:00:00Z", "Other": "x"}


def test_a_record() -> None:
    """The address is trimmed and lower-cased, the field itself stays as it is; other names are left out."""
    found = row(FIELDS, RAW | {"NumberOfEmployees": "60", "IsConverted": "false"}, Counter())
    assert (found.id, found.email, found.converted, found.is_deleted) == (
        "00Q5g0000000001EAA", "ada@example.com", None, False,
    )  # fmt: skip
    assert found.modified_ms == time_ms(datetime(2026, 6, 1, 12, tzinfo=UTC))
    assert found.values["NumberOfEmployees"] == 60
    assert found.values["Email"] == " Ada@Example.com"
    assert "Other" not in found.values


def test_what_is_unusable_is_counted() -> None:
    """The rest of the record counts."""
    unusable = Counter[str]()
    found = row(FIELDS, RAW | {"NumberOfEmployees": "many"}, unusable)
    assert unusable == {"NumberOfEmployees": 1}
    assert found.email == "ada@example.com"


def test_no_record_without_an_id() -> None:
    """An id of 15 or 18 letters and digits."""
    for id_ in ("", None, "x"):
        with pytest.raises(Unusable, match="Id: expected 15 or 18"):
            row(FIELDS, RAW | {"Id": id_}, Counter())


def test_a_converted_lead() -> None:
    """What it became; where that is not known, it is converted all the same."""
    id_ = "0035g0000000001AAA"
    assert row(FIELDS, RAW | {"IsConverted": "true", "ConvertedContactId": id_}, Counter()).converted == id_
    assert row(FIELDS, RAW | {"IsConverted": True}, Counter()).converted == ""


def test_equal_values_are_equal_rows() -> None:
    """Whatever their order; times are whole again when they are read."""
    at = datetime(2026, 6, 1, tzinfo=UTC)
    one = made({"Id": "00Q5g0000000001EAA", "CreatedDate": at, "A": 1.0})
    assert one == made({"A": 1.0, "CreatedDate": at, "Id": "00Q5g0000000001EAA"})
    assert isinstance(one, Row)
    assert one.values["CreatedDate"] == at
    assert one.modified_ms == time_ms(at)
    assert made({"Id": "00Q5g0000000001EAA"}).modified_ms == 0


def test_addresses() -> None:
    """What cannot be a key is none."""
    assert [address(email) for email in (None, "", "  ", "x" * 500, 7, " A@B ")] == [
        None,
        None,
        None,
        None,
        None,
        "a@b",
    ]


def test_csv_with_very_long_fields() -> None:
    """The longest text of Salesforce is longer than Python's own limit."""
    [found] = read_csv(["Id,Description\n", f'1,"{"x" * 200_000}"\n'])
    assert len(found["Description"]) == 200_000

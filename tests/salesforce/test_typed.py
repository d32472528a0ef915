"""Values as conditions see them: the same from both roads, and none that is guessed."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.salesforce.fields import Field
from engine.salesforce.typed import Unusable, long_id, typed

WHOLE, MONEY = Field("N", "double"), Field("N", "currency", scale=2)


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        (Field("x", "string"), "", None),
        (Field("x", "boolean"), None, None),
        (Field("x", "boolean"), "false", False),
        (Field("x", "boolean"), True, True),
        (Field("x", "int"), "60", 60),
        (Field("x", "int"), 60, 60),
        (WHOLE, "100.0", 100),
        (WHOLE, Decimal("1E+2"), 100),
        (WHOLE, "12345678901234567", 12345678901234567),
        (WHOLE, Decimal("1.2345678901234567E16"), 12345678901234567),
        (WHOLE, "0.5", 0.5),
        (WHOLE, "1e30", 1e30),
        (MONEY, "100", 100.0),
        (MONEY, Decimal("99.95"), 99.95),
        (Field("x", "date"), "2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        (Field("x", "datetime"), "2026-01-02T03:04:05.000+0000", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (Field("x", "datetime"), "2026-01-02T03:04:05.123Z", datetime(2026, 1, 2, 3, 4, 5, 123_000, UTC)),
        (Field("x", "datetime"), "2026-01-02T05:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (Field("x", "multipicklist"), "EMEA; APAC;;", ["EMEA", "APAC"]),
        (Field("x", "time"), "10:00:00.000Z", "10:00:00.000Z"),
        (Field("x", "textarea"), "a\r\nb\rc\0", "a\nb\nc"),
        (Field("x", "string"), "\ud83d", "\ufffd"),
        (Field("x", "reference"), "0055g0000000001", "0055g0000000001AAA"),
        (Field("x", "anyType"), Decimal("1.5"), "1.5"),
        (Field("x", "anyType"), True, "true"),
    ],
)
def test_what_a_value_is(field: Field, raw: Any, value: Any) -> None:
    """Its type too: whole numbers where the field has no decimals, floats where it has."""
    found = typed(field, raw)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        (Field("x", "boolean"), "perhaps"),
        (WHOLE, "12 people"),
        (WHOLE, "1_000"),
        (WHOLE, "NaN"),
        (WHOLE, "1e999"),
        (WHOLE, True),
        (WHOLE, "1e"),
        (Field("x", "date"), "02.01.2026"),
        (Field("x", "datetime"), "2026-01-02T03:04:05"),
        (Field("x", "datetime"), "0001-01-01T00:00:00+14:00"),
        (Field("x", "reference"), "not an id"),
    ],
)
def test_what_is_no_value_of_its_type(field: Field, raw: Any) -> None:
    """It is refused; the caller counts it."""
    with pytest.raises(Unusable):
        typed(field, raw)


def test_ids_of_fifteen_characters() -> None:
    """The three more are computed from capitals, as Salesforce does."""
    assert long_id("001D000000IRFma") == "001D000000IRFmaIAH"
    assert long_id("001D000000IRFmaIAH") == "001D000000IRFmaIAH"


LEAST, MOST = datetime(1700, 1, 2, tzinfo=UTC), datetime(4000, 12, 30, tzinfo=UTC)
MOMENTS = st.integers(0, (MOST - LEAST) // timedelta(milliseconds=1)).map(lambda ms: LEAST + timedelta(milliseconds=ms))
FIELD_VALUES = st.one_of(
    st.tuples(st.just(Field("x", "boolean")), st.booleans()),
    st.tuples(st.just(Field("x", "int")), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(WHOLE), st.integers(-(10**18), 10**18)),
    st.tuples(st.just(MONEY), st.decimals(-(10**15), 10**15, places=2)),
    st.tuples(st.just(Field("x", "date")), st.dates(date(1700, 1, 1), date(4000, 12, 31))),
    st.tuples(st.just(Field("x", "datetime")), MOMENTS),
    st.tuples(st.just(Field("x", "multipicklist")), st.lists(st.sampled_from(["EMEA", "A b"]), min_size=1)),
    st.tuples(st.just(Field("x", "textarea")), st.text(st.characters(exclude_characters="\0"), min_size=1)),
)


@given(FIELD_VALUES, st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-9, minutes=-30))]))
def test_both_roads_end_in_the_same_value(case: tuple[Field, Any], zone: Any) -> None:
    """REST prints `100.0`, `+0000` and JSON; Bulk prints `100`, `Z` and text. Value and type are the same."""
    field, value = case
    if isinstance(value, datetime):
        text = value.strftime("%H:%M:%S") + f".{value.microsecond // 1000:03d}"
        day = value.date().isoformat()
        rest: Any
        bulk: Any
        rest, bulk = f"{day}T{text}+0000", f"{day}T{text}Z"
        other = typed(field, value.astimezone(zone).isoformat())
        assert other == typed(field, bulk)
    elif isinstance(value, date):
        rest = bulk = value.isoformat()
    elif isinstance(value, bool):
        rest, bulk = value, str(value).lower()
    elif isinstance(value, list):
        rest = bulk = ";".join(value)
    elif isinstance(value, str):
        rest, bulk = value, value.replace("\r\n", "\n").replace("\r", "\n")
    elif isinstance(value, Decimal):
        rest, bulk = value, str(value.normalize())
    else:
        rest, bulk = Decimal(value), str(value)
    found = [typed(field, rest), typed(field, bulk)]
    assert found[0] == found[1]
    assert type(found[0]) is type(found[1])

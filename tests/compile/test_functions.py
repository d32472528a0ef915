"""CEL's functions on Python values say what the reference implementation says, or that they cannot tell."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cel.oracle import Failure, Oracle, prepare
from engine.cel.parse import expression
from engine.cel.scope import Scope
from engine.compile import functions as f

SCOPE = Scope(names=(("m", "map(string, dyn)"),))


def oracle(text: str) -> Oracle:
    """The expression over `m.a` and `m.b`."""
    return prepare(expression(text, SCOPE), SCOPE)


def agree(ours: Any, theirs: Any) -> bool:
    """The same value of the same type; None is a failure; ODD leaves it open."""
    if ours is f.ODD:
        return True
    if ours is None:
        return isinstance(theirs, Failure)
    return type(ours) is type(theirs) and (ours == theirs or (ours != ours and theirs != theirs))  # noqa: PLR0124


whole = st.one_of(st.sampled_from([0, 1, -1, 2, 2**53 + 1, 2**63 - 1, -(2**63)]), st.integers(-(2**63), 2**63 - 1))
scalars = st.one_of(
    whole,
    st.floats(),
    st.booleans(),
    st.text(max_size=3),
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
)

RELATIONS = {
    "m.a == m.b": f.equal,
    "m.a < m.b": f.less,
    "m.a <= m.b": f.less_or_equal,
    "m.a in m.b": f.is_in,
    "m.a.contains(m.b)": f.contains,
    "m.a.startsWith(m.b)": f.starts_with,
    "m.a.endsWith(m.b)": f.ends_with,
}
ARITHMETIC = {
    "m.a + m.b": f.add,
    "m.a - m.b": f.subtract,
    "m.a * m.b": f.multiply,
    "m.a / m.b": f.divide,
    "m.a % m.b": f.modulo,
    "m.a[m.b]": f.item,
}
UNARY = {
    "-m.a": f.negate,
    "size(m.a)": f.size,
    "m.a.lowerAscii()": f.lower_ascii,
    "m.a.upperAscii()": f.upper_ascii,
    "m.a.trim()": f.trim,
    "timestamp(m.a)": f.timestamp,
    "duration(m.a)": f.duration,
    "int(m.a)": f.to_int,
    "double(m.a)": f.to_double,
    "string(m.a)": f.to_string,
}


@pytest.mark.parametrize("text", [*RELATIONS, *ARITHMETIC])
@settings(max_examples=150, deadline=None)
@given(a=values, b=values)
def test_two_operands(text: str, a: Any, b: Any) -> None:
    """Relations and arithmetic of any two values."""
    function = {**RELATIONS, **ARITHMETIC}[text]
    assert agree(function(a, b), oracle(text).value({"m": {"a": a, "b": b}}))


@pytest.mark.parametrize("text", ARITHMETIC)
@settings(max_examples=60, deadline=None)
@given(a=whole, b=whole)
def test_whole_numbers(text: str, a: int, b: int) -> None:
    """64 bits signed: beyond is an error, division goes towards zero."""
    assert agree(ARITHMETIC[text](a, b), oracle(text).value({"m": {"a": a, "b": b}}))


@pytest.mark.parametrize("text", UNARY)
@settings(max_examples=150, deadline=None)
@given(a=values | st.sampled_from(["45", "-7", "1.5", "1h30m", "90s", "-2m", "h", "AbÄ", " x\t"]))
def test_one_operand(text: str, a: Any) -> None:
    """Functions of one value."""
    assert agree(UNARY[text](a), oracle(text).value({"m": {"a": a}}))


@pytest.mark.parametrize("function", [*RELATIONS.values(), *ARITHMETIC.values()])
def test_absent_is_an_error(function: Any) -> None:
    """None in, None out."""
    assert function(None, 1) is None
    assert function(1, None) is None
    assert function(None, None) is None


def test_trim_knows_every_space() -> None:
    """Each character of the basic plane is white space here if it is for the reference implementation."""
    characters = [chr(code) for code in range(1, 0x10000) if not 0xD800 <= code < 0xE000]
    all_of = oracle("m.a.map(c, c.trim())")
    for at in range(0, len(characters), 500):  # its loops take the square of their length
        some = characters[at : at + 500]
        assert [f.trim(character) for character in some] == list(all_of.value({"m": {"a": some}}))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T15:00:00Z",
        "2026-11-23T15:00:00.1Z",
        "2026-11-23T15:00:00.123456+05:30",
        "2026-11-23T15:00:00-00:00",
        "2026-11-23T15:00:00.123456789Z",
        "2026-11-23T15:00:60Z",
        "2026-11-23T24:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-23t15:00:00z",
        "2026-11-23T15:00:00+24:00",
        "2026-11-23T15:00:00+23:59",
        "2026-11-23T15:00:00+01:60",
        "2026-11-23T15:00:00+01:75",
        "2026-11-23T15:60:00Z",
        "٢026-11-23T15:00:00Z",
        "2026-11-23T15:00:00+0100",
        "0001-01-01T00:00:00+01:00",
        "0000-01-01T00:00:00Z",
        "2026-11-23",
        "now",
    ],
)
def test_timestamps(text: str) -> None:
    """Plain RFC 3339 is read here, anything strange is left open; never is a wrong one taken."""
    assert agree(f.timestamp(text), oracle("timestamp(m.a)").value({"m": {"a": text}}))


def test_plain_timestamps_are_read() -> None:
    """What Segment and browsers send costs no question to the reference implementation."""
    assert f.timestamp("2026-11-23T15:00:00.123Z") == datetime(2026, 11, 23, 15, 0, 0, 123000, tzinfo=UTC)
    assert f.timestamp("2026-11-23T15:00:06Z") == datetime(2026, 11, 23, 15, 0, 6, tzinfo=UTC)
    assert f.timestamp("2026-11-23T15:00:00+01:00") == datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert f.duration("-1h30m") == timedelta(hours=-1, minutes=-30)


def test_default_of_a_missing_key() -> None:
    """A missing key gives the default, a missing map gives it as well, anything else in the way is an error."""
    assert f.or_value({}, "free", "a", "b") == "free"
    assert f.or_value({"a": {}}, "free", "a", "b") == "free"
    assert f.or_value({"a": {"b": 1}}, "free", "a", "b") == 1
    assert f.or_value({"a": 5}, "free", "a", "b") is None
    assert [f.or_else(value, "free") for value in (None, False)] == ["free", False]


def test_calendar_parts() -> None:
    """Parts of a timestamp are of UTC; of anything else they are left open."""
    hour = f.calendar(lambda moment: moment.hour)
    assert hour(datetime(2026, 11, 23, 15, tzinfo=UTC)) == 15
    assert hour("2026") is f.ODD
    assert hour(None) is None


@pytest.mark.parametrize(
    ("value", "safe"),
    [(3, True), (2**53, True), (2**53 + 1, False), (1.5, True), (2.0**53, False), (True, False), ("3", False)],
)
def test_safe_number(value: Any, safe: bool) -> None:
    """Up to 2**53 an int and a float compare alike in Python and CEL."""
    assert f.safe_number(value) is safe

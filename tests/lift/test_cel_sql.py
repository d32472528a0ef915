"""A condition in SQL is true where the compiled one is; what cannot be said is told with its place."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cel.parse import parse
from engine.cel.scope import CONVERSION
from engine.compile.conditions import condition as compiled
from engine.lift.cel_sql import CannotSay, cel_sql
from engine.words import Condition, Place

COLUMNS = {"plan": "VARCHAR", "revenue": "DOUBLE", "trial": "BOOLEAN", "address_country": "VARCHAR"}


def condition(text):
    return Condition(text, Place("rules/conversions.yaml", 7, 12), parse(text, CONVERSION))


@pytest.fixture(scope="module")
def database():
    """One row at a time, and the question whether a condition is true of it."""
    with duckdb.connect() as connection:
        yield connection


def true_in_sql(database, text, properties):
    """Is it true of the row that Segment would make of these properties?"""
    flat = {"address_country": properties.get("address", {}).get("country"), **properties}
    values = ", ".join(f"CAST(${name} AS {kind}) AS {name}" for name, kind in COLUMNS.items())
    [(found,)] = database.execute(
        f"SELECT {cel_sql(condition(text), 'e')} FROM (SELECT {values}) AS e",
        {name: flat.get(name) for name in COLUMNS},
    ).fetchall()
    return found is True


TEXTS = st.sampled_from(["free", "Pro", "it's", "100%_\\", "é", ""])
PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "plan": TEXTS,
        "revenue": st.sampled_from([0.0, 5.5, 10.0, -1.0]),
        "trial": st.booleans(),
        "address": st.fixed_dictionaries({}, optional={"country": TEXTS}),
    },
)
LITERALS = TEXTS.map(lambda text: '"' + text.replace("\\", "\\\\") + '"')
NUMBERS = st.sampled_from(["5.5", "0", "10.0", "-1"])
TESTS = st.one_of(
    st.builds("properties.plan {} {}".format, st.sampled_from(["==", "!="]), LITERALS),
    st.builds("{} == properties.address.country".format, LITERALS),
    st.builds("properties.revenue {} {}".format, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS),
    st.builds("properties.plan.{}({})".format, st.sampled_from(["startsWith", "endsWith", "contains"]), LITERALS),
    st.builds("properties.plan.lowerAscii() == {}".format, LITERALS),
    st.builds("properties.?plan.orValue({}) != {}".format, LITERALS, LITERALS),
    st.lists(LITERALS, max_size=3).map(lambda items: f"properties.plan in [{', '.join(items)}]"),
    st.sampled_from(
        [
            "properties.trial",
            "properties.trial == true",
            "has(properties.plan)",
            'properties["address"].country != "free"',
            '"revenue" in properties',
            "properties.?trial.orValue(false)",
            "true",
            "false",
        ]
    ),
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(text=CONDITIONS, properties=PROPERTIES)
def test_true_where_the_compiled_condition_is(database, text, properties):
    """Of generated conditions and properties, with absent ones, absorbed errors, quotes and wildcards in texts."""
    assert true_in_sql(database, text, properties) == compiled(condition(text), CONVERSION).true(properties)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("properties.revenue > 5.0 && properties.price * 2.0 > 9.0", 57),
        ('properties.plan < "m"', 28),
        ("size(properties.items) > 2", 16),
        ('properties.plan.matches("^a")', 35),
        ("double(properties.revenue) > 5.0", 18),
        ("properties.items.exists(i, i == 1)", 35),
        ("properties.a == properties.b", 25),
        ("properties.plan == null", 28),
        ('properties.plan in [properties.other, "a"]', 28),
        ('properties.plan in [1, "a"]', 28),
        ('timestamp(properties.at) > timestamp("2026-01-01T00:00:00Z")', 37),
        ("properties.items[0] == 1", 28),
        ('properties["___"] == 1', 22),
    ],
)
def test_what_cannot_be_said(text, column):
    """Told where it stands, and what could be said."""
    with pytest.raises(CannotSay) as told:
        cel_sql(condition(text), "e")
    problem = told.value.problem
    assert (problem.place.file, problem.place.line, problem.place.column) == ("rules/conversions.yaml", 7, column)
    assert "said there: &&" in problem.hint


def test_a_condition_of_several_lines_has_its_own_place():
    """Offsets within it are not columns of the file."""
    with pytest.raises(CannotSay) as told:
        cel_sql(condition('properties.trial\n&& properties.plan < "m"'), "e")
    assert told.value.problem.place == Place("rules/conversions.yaml", 7, 12)


def test_columns_are_spelt_as_segment_spells_them():
    """Whatever a property is called."""
    assert cel_sql(condition('properties["Billing Address"].countryCode == "DE"'), "e") == (
        """(e."billing_address_country_code" = 'DE')"""
    )

"""Law: a declared trait becomes exactly one value of its type, or it is unusable; nothing else changes (DESIGN 2)."""

import copy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decide.coerce import Coercions, in_words
from engine.words import TraitDeclaration, TraitType

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
TYPES: tuple[TraitType | None, ...] = (None, "string", "number", "boolean", "timestamp")

values = st.one_of(
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["45", "-0.5", "true", "false", "2026-01-01T00:00:00Z", "1e400", "Acme"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.datetimes(timezones=st.just(UTC)),
)
declarations = st.builds(
    TraitDeclaration,
    name=st.sampled_from("abc"),
    type=st.sampled_from(TYPES),
    default=st.none(),
    fold=st.sampled_from([None, "lower"]),
)


def declared(
    type_: TraitType | None, default: bool | float | str | None = None, fold: Literal["lower"] | None = None
) -> Coercions:
    """One declaration, of trait `x`."""
    return Coercions([TraitDeclaration("x", type_, default, fold)])


def same(one: object, other: object) -> bool:
    """Equal, and of one type: 45, 45.0 and True are three values."""
    return type(one) is type(other) and one == other


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("number", "45", 45),
        ("number", "-45", -45),
        ("number", "0", 0),
        ("number", "45.5", 45.5),
        ("number", "45.0", 45.0),
        ("number", "1e3", 1000.0),
        ("number", "9223372036854775807", 2**63 - 1),
        ("number", "-9223372036854775808", -(2**63)),
        ("number", 45, 45),
        ("number", 45.5, 45.5),
        ("string", 45, "45"),
        ("string", 45.0, "45"),
        ("string", 45.5, "45.5"),
        ("string", 1e300, "1e+300"),
        ("string", True, "true"),
        ("string", False, "false"),
        ("string", "45", "45"),
        ("string", "", ""),
        ("string", NEW_YEAR, "2026-01-01T00:00:00Z"),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("boolean", False, False),
        ("timestamp", "2026-01-01T00:00:00Z", NEW_YEAR),
        ("timestamp", "2026-01-01T02:00:00+02:00", NEW_YEAR),
        ("timestamp", "2026-01-01T00:00:00.250Z", NEW_YEAR + timedelta(milliseconds=250)),
        ("timestamp", NEW_YEAR, NEW_YEAR),
        ("timestamp", NEW_YEAR.astimezone(timezone(timedelta(hours=5))), NEW_YEAR),
        (None, [1, "a"], [1, "a"]),
    ],
)
def test_what_means_one_value_becomes_it(type_: TraitType | None, value: Any, expected: Any) -> None:
    """A value that means exactly one value of the declared type becomes that value."""
    traits, unusable = declared(type_).apply({"x": value})
    assert same(traits["x"], expected)
    assert unusable == ()


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        *[
            ("number", value)
            for value in (
                *(
                    "",
                    " ",
                    "45 people",
                    "007",
                    "+45",
                    " 45",
                    "45 ",
                    "45\n",
                    "1_000",
                    "1,000",
                    "0x2d",
                    "٤٥",
                    "½",
                    "-",
                    ".",
                ),
                *(
                    "5.",
                    ".5",
                    "1e400",
                    "-1e400",
                    "NaN",
                    "Infinity",
                    "true",
                    "null",
                    "[1]",
                    '"45"',
                    "9" * 5_000,
                    "\ud800",
                ),
                *("9223372036854775808", "-9223372036854775809", 2**63, -(2**63) - 1, float("nan"), float("inf")),
                *(True, False, [45], {"x": 45}, NEW_YEAR),
            )
        ],
        *[("string", value) for value in ([], ["a"], {}, {"x": "a"}, float("nan"), float("-inf"))],
        *[("boolean", value) for value in ("", "True", "TRUE", "yes", "1", " true", 0, 1, 1.0, [True])],
        *[
            ("timestamp", value)
            for value in (
                *("", "2026-01-01", "2026-01-01T00:00:00", "01/02/2026", "now", "2026-13-01T00:00:00Z", "\ud800"),
                *(
                    "0001-01-01T00:00:00+23:00",
                    "2026-01-01T23:59:60Z",
                    1_767_225_600,
                    NEW_YEAR.replace(tzinfo=None),
                    True,
                ),
            )
        ],
    ],
)
def test_what_means_none_is_unusable(type_: TraitType, value: Any) -> None:
    """Any other value is unusable: absent for rules, named for counting; the default stands in."""
    assert declared(type_).apply({"x": value, "y": 1}) == ({"y": 1}, ("x",))
    default: dict[TraitType, Any] = {"number": 7, "string": "s", "boolean": True, "timestamp": "2026-01-01T00:00:00Z"}
    traits, unusable = declared(type_, default[type_]).apply({"x": value})
    assert same(traits["x"], NEW_YEAR if type_ == "timestamp" else default[type_])
    assert unusable == ("x",)


def test_a_default_stands_in_for_the_absent() -> None:
    """An absent trait has its default, coerced and folded like a value; without one it stays absent."""
    assert declared(None, "Free", "lower").apply({}) == ({"x": "free"}, ())
    assert declared("timestamp", "2026-01-01T01:00:00+01:00").apply({}) == ({"x": NEW_YEAR}, ())
    assert declared("number").apply({}) == ({}, ())
    assert declared("boolean", False).apply({"x": True}) == ({"x": True}, ())
    assert declared("boolean", True).apply({"x": False}) == ({"x": False}, ())


@pytest.mark.parametrize(("type_", "default"), [("number", "many"), ("boolean", "yes"), ("timestamp", "2026-01-01")])
def test_a_default_of_another_type_is_refused(type_: TraitType, default: str) -> None:
    """A default that is not of its declared type is said at once, not at the first visitor."""
    with pytest.raises(ValueError, match=f"expected a default of type {type_}, got '{default}' - trait x"):
        declared(type_, default)


@pytest.mark.parametrize(
    ("type_", "value", "folded"),
    [(None, "SaaS", "saas"), (None, "ÀÉ", "àé"), (None, 45, 45), (None, ["SaaS"], ["SaaS"]), ("string", True, "true")],
)
def test_fold_lowers_text_only(type_: TraitType | None, value: Any, folded: Any) -> None:
    """`fold: lower` lowers text after its coercion and leaves every other value alone."""
    assert declared(type_, fold="lower").apply({"x": value}) == ({"x": folded}, ())


def test_folded_text_is_shown_as_written() -> None:
    """A page shows `Acme` although rules compare `acme`; a default is shown as rules see it."""
    coercions = declared(None, "Somebody", "lower")
    came = {"x": "Acme", "y": "B"}
    coerced, _ = coercions.apply(came)
    assert coercions.as_written(came, coerced) == came
    assert coercions.as_written({}, coercions.apply({})[0]) == {"x": "somebody"}


@given(st.lists(declarations, unique_by=lambda d: d.name), st.dictionaries(st.sampled_from("abcd"), values))
def test_traits_that_came_are_never_changed(prepared: list[TraitDeclaration], traits: dict[str, Any]) -> None:
    """The dict that came is as before, and it is what comes back where no trait changes; others are untouched."""
    before = copy.deepcopy(traits)
    coerced, unusable = Coercions(prepared).apply(traits)
    assert repr(traits) == repr(before)
    assert (coerced is traits) == (repr(coerced) == repr(traits))
    assert coerced.get("d") is traits.get("d")
    assert set(unusable) <= {declaration.name for declaration in prepared} & traits.keys() - coerced.keys()


@given(declarations, values)
def test_coercing_twice_is_coercing_once(declaration: TraitDeclaration, value: Any) -> None:
    """What came out of a coercion goes through it unchanged."""
    coercions = Coercions([declaration])
    once, _ = coercions.apply({declaration.name: value})
    twice, unusable = coercions.apply(once)
    assert (repr(twice), unusable) == (repr(once), ())


@given(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive_as_text(number: float) -> None:
    """A number written as text and read back is the same number."""
    text = in_words(number)
    assert text is not None
    assert declared("number").apply({"x": text})[0]["x"] == number


@pytest.mark.parametrize("value", [None, [], {}, float("nan"), float("inf"), b"x"])
def test_what_has_no_words(value: Any) -> None:
    """Lists, maps and what is no trait value at all have no words."""
    assert in_words(value) is None


def test_only_some_declarations() -> None:
    """Those of other traits do nothing; without names it is all of them."""
    both = Coercions([TraitDeclaration("x", "number", 1, None), TraitDeclaration("y", "string", "A", "lower")])
    one = both.only(frozenset({"y", "z"}))
    assert both.only(None) is both
    assert one.apply({"x": "45 people"}) == ({"x": "45 people", "y": "a"}, ())
    assert one.as_written({"x": "X", "y": "Y"}, {"y": "y"}) == {"y": "Y"}
    assert both.only(frozenset({"x"})).as_written({"y": "Y"}, {"x": 1}) == {"x": 1}

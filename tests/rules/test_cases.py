"""Ops' own tests: what is given and expected, looked up and checked."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from engine.rules.cases import without_nulls
from engine.rules.folder import Loaded
from engine.words import Case, Expected, Page, Profile, Visit

FILE = """segments: {s: {name: S, when: traits.a}, t: {name: T, when: traits.b}}
experiences:
  e: {name: An E, pages: [/], audiences: [{segment: s, variants: [{key: v, changes: []}]}]}
  f: {name: An F, pages: [/x], audiences: [{segment: t, variants: [{key: w, changes: []}]}]}
tests:
  - name: first
    given: {page: {url: "https://a.b/"}}
    expect: {experience: e, segment: s, personalized: true, variant: v}
"""
GIVEN = 'given: {page: {url: "https://a.b/"}}'
EXPECT = "expect: {experience: e, segment: s, personalized: true, variant: v}"


def case(loaded: Loaded) -> Case:
    """The one test of the files."""
    assert loaded.ruleset is not None, loaded.problems
    (made,) = loaded.ruleset.cases
    return made


def test_the_least_that_is_given(loaded: Callable[..., Loaded]) -> None:
    """A page is enough; without a visitor the case is about anybody."""
    made = case(loaded(FILE))
    assert made.given.profile == Profile("")
    assert made.given.page == Page("https://a.b/")
    assert (made.given.visit, made.given.now) == (Visit(), None)
    assert made.expected == Expected(experience="e", segment="s", personalized=True, variant="v")
    assert made.place.line == 6


def test_everything_that_can_be_given(loaded: Callable[..., Loaded]) -> None:
    """All of it, nulls left out."""
    given = """given:
      visitorId: abc
      traits: {a: 1, b: null, c: {d: null, e: [null, 2]}}
      account: {f: x}
      salesforce: {lead: {G: 1}, contact: {H: null}}
      page: {url: "https://a.b/", referrer: r, title: t}
      visit: {count: 2, new: false, first_seen: 2026-01-01T00:00:00Z}
      device: {type: mobile}
      geo: {country: DE}
      now: 2026-01-02T00:00:00Z"""
    made = case(loaded(FILE.replace(GIVEN, given)))
    assert made.given.profile == Profile("abc", {"a": 1, "c": {"e": [2]}}, {"f": "x"}, {"G": 1}, {})
    assert made.given.page == Page("https://a.b/", "r", "t")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert made.given.visit == Visit(2, moment, new=False, device={"type": "mobile"}, geo={"country": "DE"})
    assert made.given.now == datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        ("nothing", Expected(nothing=True)),
        ("{experience: e, segment: none}", Expected(experience="e", segment="none")),
        ("{experience: e, personalized: false}", Expected(experience="e", personalized=False)),
        ("{segment: t}", Expected(segment="t")),
    ],
)
def test_what_can_be_expected(loaded: Callable[..., Loaded], expect: str, expected: Expected) -> None:
    """Nothing at all, no segment of an experience, or parts of an answer."""
    assert case(loaded(FILE.replace(EXPECT, f"expect: {expect}"))).expected == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("https://a.b/", "a.b/", "7:25 test `a.b/` is no page's URL"),
        ("given: {", "given: {visitorId: a b, ", "7:24 test `a b` is no visitor's id"),
        ("given: {", "given: {now: 2026-01-01, ", "7:18 timestamp the date"),
        ("experience: e", "experience: ee", "8:26 unknown-experience unknown experience `ee`"),
        ("experience: e", "experience: An E", "8:26 unknown-experience `An E` is the experience's name, not its key"),
        ("segment: s, p", "segment: t, p", "8:38 test `e` has no audience `t`"),
        ("segment: s, p", "segment: x, p", "8:38 unknown-segment unknown segment `x`"),
        ("variant: v", "variant: w", "8:70 unknown-variant `e` has no variant `w`"),
        ("personalized: true", "personalized: false", "8:71 test control visitors see no variant"),
        (EXPECT, "expect: {}", "8:13 test the test expects nothing in particular"),
        (EXPECT, "expect: {segment: none}", "8:23 test of which experience?"),
        (EXPECT, "expect: {segment: x}", "8:23 unknown-segment unknown segment `x`"),
    ],
)
def test_what_is_wrong(said: Callable[..., list[str]], old: str, new: str, expected: str) -> None:
    """Every mistake at its place."""
    (line,) = said(FILE.replace(old, new))
    assert line.startswith(expected)


def test_nulls_at_every_depth() -> None:
    """Null is absent, in maps and lists."""
    assert without_nulls({"a": None, "b": [None, {"c": None}], "d": 0}) == {"b": [{}], "d": 0}

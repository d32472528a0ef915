"""Law: a case fails with one problem at its own place that says what was expected, what came instead, and why."""

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.decide.cases import UNTIMED, failures
from engine.problems import Problem
from engine.words import Expected, Place, Profile

PPM = 1_000_000
YES = {"s": True, "t": True}
START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
OLD_END = datetime(2020, 1, 1, tzinfo=UTC)


def problems(make: Any, expected: Expected, *experiences: Any, traits: Any = YES, **given: Any) -> list[Problem]:
    """What is wrong with one case."""
    visitor_id = given.pop("visitor_id", "")
    case = make.case(expected, Profile(visitor_id, dict(traits), **given.pop("ids", {})), **given)
    return failures(make.decider(*experiences, cases=[case]))


@pytest.mark.parametrize(
    "expected",
    [
        Expected(experience="home"),
        Expected(experience="home", segment="s"),
        Expected(experience="home", segment="s", personalized=True),
        Expected(experience="home", personalized=False),
        Expected(experience="home", variant="rare"),
        Expected(segment="s"),
        Expected(experience="other", segment="none"),
    ],
)
def test_what_comes_as_expected_is_no_problem(make: Any, expected: Expected) -> None:
    """What is asked is compared, the rest is not; without a visitor any group that there is can be expected."""
    rare = make.audience("s", make.variant("hero", weight=9), make.variant("rare"), control=PPM // 20)
    experiences = make.experience("home", rare, holdout_ppm=500_000), make.experience("other", "u")
    assert problems(make, expected, *experiences) == []


def test_nothing_is_expected_of_everybody(make: Any) -> None:
    """`nothing` and `none` must hold even where most visitors are held out."""
    # Of `price` the first visitor that is asked about, `test`, is held out.
    price = make.experience("price", "s", holdout_ppm=500_000)
    for expected in (Expected(nothing=True), Expected(experience="price", segment="none")):
        assert problems(make, expected, price, traits={}) == []
        (problem,) = problems(make, expected, price)
        assert problem.message.endswith("got experience `price`, segment `s`, variant `hero`")


def test_a_failure_stands_at_its_place(make: Any) -> None:
    """Each failing case is one error at its place; the others are none."""
    good, bad = make.case(Expected(nothing=True)), make.case(Expected(experience="home"))
    found = failures(make.decider(make.experience("home", "s"), cases=[good, bad, good, bad]))
    assert [problem.place for problem in found] == [Place("rules/tests.yaml", 7, 5)] * 2
    assert {(problem.code, problem.severity) for problem in found} == {("test-failed", "error")}


FAILING: list[tuple[dict[str, Any], Expected, dict[str, Any], str, str]] = [
    (
        {},
        Expected(experience="home"),
        {"traits": {}},
        "experience `home`, got nothing",
        "no segment of `home` matches: `s`, `t`",
    ),
    (
        {},
        Expected(experience="home", segment="t"),
        {},
        "experience `home`, segment `t`, got experience `home`, segment `s`, variant `hero`",
        "segment `s` stands before `t` and matches",
    ),
    (
        {},
        Expected(experience="home", segment="s"),
        {"traits": {"t": True}},
        "experience `home`, segment `s`, got experience `home`, segment `t`, variant `hero`",
        "segment `s` does not match: `traits.s == true` is unknown: no trait `s`",
    ),
    ({}, Expected(experience="home", segment="u"), {}, "segment `u`, got", "`home` has no segment `u`: `s`, `t`"),
    (
        {},
        Expected(experience="house"),
        {},
        "experience `house`, got experience `home`",
        "there is no experience `house`",
    ),
    (
        {},
        Expected(segment="u"),
        {},
        "any experience, segment `u`, got experience `home`, segment `s`",
        "no experience uses segment `u`",
    ),
    ({}, Expected(variant="bold"), {}, "any experience, variant `bold`, got experience `home`", ""),
    (
        {},
        Expected(experience="home", personalized=False),
        {},
        "experience `home`, control, got",
        "none of 1000 visitors draws that group",
    ),
    (
        {"status": "paused"},
        Expected(experience="home"),
        {},
        "got nothing",
        "status paused, and only what is live answers",
    ),
    (
        {"pages": ("/pricing",)},
        Expected(experience="home", personalized=True),
        {},
        "experience `home`, personalized, got nothing",
        "no page of `home` is https://www.example.com/",
    ),
    (
        {"start": START},
        Expected(experience="home"),
        {"now": UNTIMED},
        "got nothing",
        "`home` begins only at 2026-11-01T00:00:00+00:00, the test is at 2026-01-01T12:00:00+00:00",
    ),
    (
        {"end": END},
        Expected(experience="home"),
        {"now": END},
        "got nothing",
        "`home` ended at 2027-01-01T00:00:00+00:00",
    ),
    (
        {"holdout_ppm": PPM},
        Expected(experience="home", variant="hero"),
        {"visitor_id": "v"},
        "experience `home`, variant `hero`, got nothing",
        "visitor `v` is held out of `home`",
    ),
    (
        {"exclusion_group": "g"},
        Expected(experience="home"),
        {"beside": True},
        "experience `home`, got experience `beside`, segment `s`, variant `hero`",
        "another experience of exclusion group `g` decided before `home`",
    ),
]


@pytest.mark.parametrize(
    ("fields", "expected", "given", "message", "hint"), FAILING, ids=[row[4] or "?" for row in FAILING]
)
def test_a_failure_says_what_and_why(
    make: Any, fields: dict[str, Any], expected: Expected, given: dict[str, Any], message: str, hint: str
) -> None:
    """The message says what was expected and what came, the hint the first obstacle."""
    experiences = [make.experience("home", "s", "t", **fields)]
    if given.get("beside"):
        experiences.append(make.experience("beside", "s", exclusion_group="g", priority=1))
    known = {name: value for name, value in given.items() if name != "beside"}
    (problem,) = problems(make, expected, *experiences, **known)
    assert problem.message.startswith("test `a case`: expected ")
    assert message in problem.message
    assert hint in problem.hint
    assert bool(hint) == bool(problem.hint)


def reason(make: Any, *experiences: Any, **given: Any) -> str:
    """Why a test that expects segment `s` of no experience in particular fails."""
    (problem,) = problems(make, Expected(segment="s"), *experiences, **given)
    assert problem.message == "test `a case`: expected any experience, segment `s`, got nothing"
    return problem.hint


@pytest.mark.parametrize(
    ("fields", "given", "hint"),
    [
        ({"status": "draft"}, {}, "`home` has status draft, and only what is live answers"),
        ({"pages": ("/pricing",)}, {}, "no page of `home` is https://www.example.com/"),
        ({"start": START}, {"now": UNTIMED}, "`home` begins only at 2026-11-01T00:00:00+00:00"),
        ({"end": OLD_END}, {}, "`home` ended at 2020-01-01T00:00:00+00:00"),
        ({"start": START}, {"traits": {"s": False}}, "segment `s` does not match: `traits.s == true` is false"),
    ],
    ids=["a draft", "another page", "not begun", "ended", "no match"],
)
def test_a_segment_without_an_answer_has_the_reason_of_what_uses_it(
    make: Any, fields: dict[str, Any], given: dict[str, Any], hint: str
) -> None:
    """Of the only experience that uses the segment the first obstacle is told; no other is asked."""
    experiences = make.experience("home", "s", **fields), make.experience("another", "u", priority=1)
    assert reason(make, *experiences, **given).startswith(hint)


def test_of_several_that_use_a_segment_the_one_that_is_there_has_the_reason(make: Any) -> None:
    """Where one is live on this page it says why it did not answer; where none is, all are named."""
    absent = make.experience("draft", "s", status="draft", priority=2), make.experience("far", "s", pages=("/x",))
    assert reason(make, *absent) == (
        "no experience that uses segment `s` is live on this page at the time of the test: `draft`, `far`"
    )
    there = make.experience("there", "s", holdout_ppm=PPM)
    assert reason(make, *absent, there, visitor_id="v") == "visitor `v` is held out of `there`"


def test_a_url_that_is_none_is_a_problem(make: Any) -> None:
    """A case on a page that is no URL says so."""
    (problem,) = problems(make, Expected(nothing=True), url="/pricing")
    assert (problem.code, problem.place) == ("test-url", Place("rules/tests.yaml", 7, 5))
    assert "expected an absolute http(s) URL, got '/pricing'" in problem.message


@pytest.mark.parametrize(
    "schedule", [{"start": START}, {"start": START, "end": END}, {"end": END}, {"end": OLD_END}, {}]
)
def test_a_case_without_time_is_when_its_experience_runs(make: Any, schedule: dict[str, datetime]) -> None:
    """Without `now` an experience is asked within its schedule, and `nothing` must hold within it as well."""
    home = make.experience("home", "s", **schedule)
    assert problems(make, Expected(experience="home"), home) == []
    assert bool(problems(make, Expected(segment="s"), home)) is (schedule == {"end": OLD_END})
    over = schedule == {"end": OLD_END}
    assert bool(problems(make, Expected(nothing=True), home)) is not over


def test_a_case_with_a_time_is_about_that_time(make: Any) -> None:
    """With `now` a case is about that moment alone."""
    home = make.experience("home", "s", start=START)
    assert problems(make, Expected(nothing=True), home, now=UNTIMED) == []
    assert problems(make, Expected(experience="home"), home, now=START) == []


def test_a_named_visitor_is_about_that_visitor(make: Any) -> None:
    """A case that names its visitor is about no other: of two opposite expectations one fails."""
    home = make.experience("home", make.audience("s", control=PPM // 2))
    found = [problems(make, Expected(experience="home", personalized=p), home, visitor_id="v1") for p in (True, False)]
    assert sorted(map(len, found)) == [0, 1]
    (problem,) = found[0] or found[1]
    assert problem.hint == "visitor `v1` draws another group"

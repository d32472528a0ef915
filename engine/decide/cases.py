"""Ops' own test cases, run against a decider (DESIGN section 2, `tests:`).

What lives here: running a case, comparing, saying what came instead and why. What may not: a second way to decide;
the reason, too, is found by deciding again, with the experience alone.

1. A case fails with one problem at its own place: what was expected, what came, and in the hint why. The reason is of
   one experience: of the one that the case names, or else of one that uses the segment that it expects.
2. A case that names no visitor is about anybody. What it expects to be shown is shown to at least one of many
   visitors (so `personalized: true` means "can be personalized"); what it expects not to be shown, to none of some.
3. A case that names no time is about the time when the experience that it names runs: its start; where it has
   none, `UNTIMED` or the last moment before its end. One that names no experience is about `UNTIMED` and the start
   of every live experience: `nothing` must hold at all of them, anything else at one.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from engine.decide import split
from engine.decide.decider import Decider, unit_of
from engine.decide.explain import explain
from engine.decide.pages import NotAUrl, applies, deciding_order
from engine.problems import Problem
from engine.words import Assignment, Case, Decision, Expected, Experience, Profile, Ruleset

UNTIMED: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANYBODY: Final = ("test", *(f"test-{number}" for number in range(2, 1_001)))  # finds a group of 1 % all but surely
SOME: Final = 20  # of ANYBODY, for what must not be shown; so a holdout cannot hide it
SHOWN: Final = 3  # entries, segments … that one message names


def failures(decider: Decider) -> list[Problem]:
    """A problem for each case that fails."""
    return [problem for case in decider.ruleset.cases if (problem := failure(decider, case)) is not None]


def failure(decider: Decider, case: Case) -> Problem | None:
    """What is wrong with one case, if anything."""
    try:
        decisions = list(_decisions(decider, case))
    except NotAUrl as error:
        return Problem(case.place, "test-url", f"test `{case.name}`: {error}", "such as `https://www.example.com/`")
    expected, must_not = case.expected, _must_not(case.expected)
    fits = [_fits(expected, decision) for _, _, decision in decisions]
    if all(fits) if must_not else any(fits):
        return None
    # Of many visitors tell of one who got the experience at all; of what must not be, the last one got it.
    answered = (d for d in decisions if _asked(expected, d[2]))
    profile, now, decision = decisions[-1] if must_not else next(answered, decisions[0])
    message = f"test `{case.name}`: expected {_wanted(expected)}, got {_came(expected, decision)}"
    reason = "" if must_not else _reason(decider, replace(case, given=replace(case.given, profile=profile)), now)
    return Problem(case.place, "test-failed", message, reason)


def _decisions(decider: Decider, case: Case) -> Iterator[tuple[Profile, datetime, Decision]]:
    """What the visitors whom the case is about get, at the times that it is about, until one is enough to know."""
    given, must_not = case.given, _must_not(case.expected)
    visitors = _visitors(decider.ruleset, case)
    for now in _moments(decider.ruleset, case):
        for visitor_id in visitors:
            profile = replace(given.profile, visitor_id=visitor_id)
            decision = decider.decide(profile, given.page, given.visit, now)
            yield profile, now, decision
            if _fits(case.expected, decision) is not must_not:
                return


def _visitors(ruleset: Ruleset, case: Case) -> tuple[str, ...]:
    """Whom the case is about; only draws depend on the visitor's id, so where there is none, anybody is everybody."""
    if case.given.profile.visitor_id:
        return (case.given.profile.visitor_id,)
    held_out = any(experience.holdout_ppm for experience in ruleset.experiences.values())
    if _must_not(case.expected):
        return ANYBODY[: SOME if held_out else 1]
    drawn = held_out or case.expected.personalized is not None or case.expected.variant is not None
    return ANYBODY if drawn else ANYBODY[:1]


def _moments(ruleset: Ruleset, case: Case) -> list[datetime]:
    if case.given.now is not None:
        return [case.given.now]
    if case.expected.experience is None:
        live = [experience for experience in ruleset.experiences.values() if experience.status == "live"]
        return sorted({UNTIMED, *(experience.start for experience in live if experience.start is not None)})
    experience = ruleset.experiences.get(case.expected.experience or "")
    if experience is not None and experience.start is not None:
        return [experience.start]
    if experience is not None and experience.end is not None:
        return [min(UNTIMED, experience.end - timedelta(microseconds=1))]
    return [UNTIMED]


def _must_not(expected: Expected) -> bool:
    """Does the case say what must not be shown?"""
    return expected.nothing or expected.segment == "none"


def _fits(expected: Expected, decision: Decision) -> bool:
    """Is it what was expected?"""
    if expected.nothing:
        return not decision.assignments
    asked = _asked(expected, decision)
    if expected.segment == "none":
        return not asked
    return any(_is_it(expected, assignment) for assignment in asked)


def _asked(expected: Expected, decision: Decision) -> list[Assignment]:
    """The entries that the expectation is about."""
    return [a for a in decision.assignments if expected.experience in (None, a.experience)]


def _is_it(expected: Expected, assignment: Assignment) -> bool:
    return (
        expected.segment in (None, assignment.segment)
        and expected.personalized in (None, assignment.variant is not None)
        and expected.variant in (None, assignment.variant)
    )


def _wanted(expected: Expected) -> str:
    """The expectation in words."""
    if expected.nothing:
        return "nothing"
    experience = f"experience `{expected.experience}`" if expected.experience else "any experience"
    if expected.segment == "none":
        return f"no answer of {experience}"
    parts = [experience]
    if expected.segment is not None:
        parts.append(f"segment `{expected.segment}`")
    if expected.variant is not None:
        parts.append(f"variant `{expected.variant}`")
    elif expected.personalized is not None:
        parts.append("personalized" if expected.personalized else "control")
    return ", ".join(parts)


def _came(expected: Expected, decision: Decision) -> str:
    """What came instead, in words."""
    entries = _asked(expected, decision) or decision.assignments
    told = [_told(entry) for entry in entries[:SHOWN]]
    more = len(entries) - len(told)
    return " and ".join([*told, f"{more} more"] if more else told) or "nothing"


def _told(assignment: Assignment) -> str:
    group = "control" if assignment.variant is None else f"variant `{assignment.variant}`"
    return f"experience `{assignment.experience}`, segment `{assignment.segment}`, {group}"


def _reason(decider: Decider, case: Case, now: datetime) -> str:
    """Why nothing answered as expected, as far as one sentence can say it."""
    expected, experiences = case.expected, decider.ruleset.experiences
    if expected.experience is None:
        return "" if expected.segment is None else _nowhere(decider, case, expected.segment)
    experience = experiences.get(expected.experience)
    if experience is None:
        return f"there is no experience `{expected.experience}`"
    return _absence(experience, case, now) or next(_refusals(decider, experience, case, now))


def _nowhere(decider: Decider, case: Case, segment: str) -> str:
    """Why no experience answered with this segment: told of the first that is there to answer, or of the only one."""
    every = deciding_order(decider.ruleset.experiences.values())
    using = [(one, case.given.now or one.start or UNTIMED) for one in every if segment in _segments(one)]
    if not using:
        return f"no experience uses segment `{segment}`, and only an experience answers"
    absences = [_absence(experience, case, now) for experience, now in using]
    for (experience, now), absence in zip(using, absences, strict=True):
        if not absence:
            return next(_refusals(decider, experience, case, now))
    if len(using) == 1:
        return absences[0]
    named = _listed(experience.key for experience, _ in using)
    return f"no experience that uses segment `{segment}` is live on this page at the time of the test: {named}"


def _absence(experience: Experience, case: Case, now: datetime) -> str:
    """Why the experience is not even there to answer, if so."""
    name = f"`{experience.key}`"
    if experience.status != "live":
        return f"{name} has status {experience.status}, and only what is live answers"
    if experience.start is not None and now < experience.start:
        return f"{name} begins only at {experience.start.isoformat()}, the test is at {now.isoformat()}"
    if experience.end is not None and now >= experience.end:
        return f"{name} ended at {experience.end.isoformat()}, the test is at {now.isoformat()}"
    return "" if applies(experience, case.given.page.url) else f"no page of {name} is {case.given.page.url}"


def _refusals(decider: Decider, experience: Experience, case: Case, now: datetime) -> Iterator[str]:
    """Why an experience that is there did not answer as expected."""
    name, given, wanted = f"`{experience.key}`", case.given, case.expected.segment
    answers = _alone(decider.ruleset, experience).decide(given.profile, given.page, given.visit, now).assignments
    first = answers[0].segment if answers else None
    if wanted not in (None, first):
        yield _passed_over(decider.ruleset, experience, replace(case, given=replace(given, now=now)), first)
    elif first is None:
        yield f"no segment of {name} matches: {_listed(_segments(experience))}"
    profile = given.profile
    if split.is_held_out(experience.holdout_ppm, experience.key, unit_of(experience.split_by, profile)):
        yield f"visitor `{profile.visitor_id}` is held out of {name}"
    answer = decider.decide(profile, given.page, given.visit, now)
    if not any(assignment.experience == experience.key for assignment in answer.assignments):
        yield f"another experience of exclusion group `{experience.exclusion_group}` decided before {name}"
    if profile.visitor_id in ANYBODY:
        yield f"none of {len(ANYBODY)} visitors draws that group: see `control` and `weight`"
    yield f"visitor `{profile.visitor_id}` draws another group"


def _alone(ruleset: Ruleset, experience: Experience) -> Decider:
    """What decides were there this experience alone, always and everywhere."""
    alone = replace(
        experience, pages=("/**",), status="live", start=None, end=None, holdout_ppm=0, exclusion_group=None
    )
    return Decider(replace(ruleset, experiences={experience.key: alone}, cases=()))


def _passed_over(ruleset: Ruleset, experience: Experience, case: Case, first: str | None) -> str:
    """Why the wanted segment did not decide; `first` is the one that did, if any."""
    order, wanted = _segments(experience), case.expected.segment or ""
    if wanted not in order:
        return f"`{experience.key}` has no segment `{wanted}`: {_listed(order)}"
    place = order.index(wanted)
    if first is not None and order.index(first) < place:
        return f"segment `{first}` stands before `{wanted}` and matches"
    one, given = _alone(ruleset, replace(experience, audiences=experience.audiences[place : place + 1])), case.given
    told = explain(one, given.profile, given.page, given.visit, given.now or UNTIMED).experiences[0]
    return f"segment `{wanted}` does not match: {told.audiences[0].because}"


def _segments(experience: Experience) -> list[str]:
    return [audience.segment for audience in experience.audiences]


def _listed(keys: Iterable[str]) -> str:
    named = [f"`{key}`" for key in keys]
    more = len(named) - SHOWN
    return ", ".join(named[:SHOWN]) + (f" and {more} more" if more > 0 else "")

"""Why, in one sentence each: of a segment, of an experience, of the whole decision.

What lives here: the sentences that are made of reasons. What may not: finding reasons.

1. Of a segment that does not match, the first part that spoils it is named: false before unknown, for what is false
   stays so whatever else becomes known.
2. Of `a && b` that is the part; of anything else it is the whole expression, since no part alone spoils it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from engine.decide.explanation import Draw, Outcome, Reasons, Step, Tried, readable
from engine.words import Experience

_TEXT_CHARS = 80  # of a condition within a sentence; the whole stands in its step


def blame(when: Sequence[Step], excepts: Sequence[Step]) -> str:
    """Why a segment matches or does not."""
    for truth in ("false", "unknown"):
        for step in when:
            if step.truth == truth:
                return _told(_culprit(step))
    for step in excepts:
        if step.truth == "true":
            return f"left out by `except`: `{short(step.text)}` is true"
    return "`when` is true, and no `except` is" if excepts else "`when` is true"


def because(
    experience: Experience, outcome: Outcome, tried: Sequence[Tried], draws: Sequence[Draw], decided_by: str | None
) -> str:
    """Why an experience came to its outcome."""
    match outcome:
        case "not-live":
            return f"its status is {experience.status}"
        case "other-page":
            return "none of its pages is this URL"
        case "not-started":
            return f"it starts only at {_moment(experience.start)}"
        case "ended":
            return f"it ended at {_moment(experience.end)}"
        case "excluded":
            return f"`{decided_by}` of the same exclusion group `{experience.exclusion_group}` decided before it"
        case "no-match":
            return "none of its segments matches" if len(tried) > 1 else "its segment does not match"
    winner = next(one.segment for one in tried if one.outcome == "matches")
    return f"segment `{winner}` matches; {draws[-1].words}"


def sentence(visitor_id: str, told: Sequence[Reasons], only: str | None) -> str:
    """The verdict."""
    visitor = f"Visitor `{readable(visitor_id)}`"
    answers = [answer for reasons in told if (answer := _answer(reasons))]
    if answers:
        return f"{visitor} {_listed(answers)}."
    if only is not None:
        return f"{visitor} gets nothing of `{only}`: {told[0].because}."
    return f"{visitor} sees the page as it is: {_nothing(told)}."


def short(text: str, most: int = _TEXT_CHARS) -> str:
    """A text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _culprit(step: Step) -> Step:
    """The part that makes the step what it is."""
    if step.kind == "all":
        return _culprit(next(part for part in step.parts if part.truth == step.truth))
    return step


def _told(step: Step) -> str:
    first = next(_causes(step), None) if step.truth == "unknown" else None
    reason = f": {first}" if first else ""
    return f"`{short(step.text)}` is {step.truth}{reason}"


def _causes(step: Step) -> Iterator[str]:
    yield from (cause.words for cause in step.causes)
    for part in step.parts:
        if part.truth == "unknown":
            yield from _causes(part)


def _answer(reasons: Reasons) -> str:
    where = f"`{reasons.experience}` (segment `{reasons.segment}`)"
    if reasons.shown is not None:
        return f"sees variant `{reasons.shown.variant}` of {where}"
    if reasons.outcome == "control":
        return f"is control in {where}"
    return f"is held out of {where}" if reasons.outcome == "held-out" else ""


def _nothing(told: Sequence[Reasons]) -> str:
    asked = sum(reasons.outcome == "no-match" for reasons in told)
    if asked == 0:
        return "no experience runs on it now"
    if asked == 1:
        return "the one experience that runs on it has no segment that matches"
    return f"none of the {asked} experiences that run on it has a segment that matches"


def _listed(answers: Sequence[str]) -> str:
    *before, last = answers
    return f"{', '.join(before)} and {last}" if before else last


def _moment(moment: datetime | None) -> str:
    return str(msgspec.to_builtins(moment))

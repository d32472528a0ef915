"""What follows from figures: better, worse, undecided or withheld; and one sentence that says it in plain words. Pure.

What lives here: the order of the reasons, thresholds of judgement, sentences. What may not: counting, formulas, tables.

1. *Withheld*: there is nobody to compare with, or the split is not what the rules say. Then the groups differ in more
   than what they saw, and any figure may come from that: no winner is called, whatever the interval says.
2. *Undecided*: too few conversions to say anything, or the interval still holds 0.
3. *Better* or *worse*: the always-valid interval is on one side of 0.
4. The split is judged by the control share of today's rules. If they do not name this experience and segment, or not
   with one share, it cannot be judged, and the sentence says so. If the share was changed while it ran, the
   figures of before and after are of different splits: that is withheld too, and `--since` is the way out.
5. How many days are still needed is told where nothing is decided: for the smallest lift worth having, by the
   traffic while visitors came, with a chance of 80%.
"""

from math import exp, log
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from engine.lift.figures import Figures, Pair
from engine.lift.statistics import (
    Group,
    Interval,
    always_valid,
    always_valid_p,
    days_needed,
    fixed_horizon,
    lift,
    people_needed,
    probability_better,
    split_evidence,
)

Word: TypeAlias = Literal["better", "worse", "undecided", "withheld"]

CONVERSIONS_LEAST: Final = 20  # in each group; below, the formulas do not hold yet
SPLIT_DOUBT: Final = 0.01  # a sound split is suspected once in a hundred experiences, however often one looks
_DAY_S: Final = 86_400
_YEAR_DAYS: Final = 365


class SampleRatio(Struct, frozen=True):
    """Control's part of the visitors: as the rules want it and as it is. `ok` None: it cannot be judged."""

    expected: float | None
    observed: float | None
    p: float | None
    ok: bool | None


class Judgement(Struct, frozen=True):
    """What follows from one line of figures. `interval` may be looked at any day, `fixed_horizon` once."""

    figures: Figures
    lift: float | None
    interval: Interval | None
    fixed_horizon: Interval | None
    probability_better: float | None
    p: float | None
    sample_ratio: SampleRatio
    days_needed: int | None
    verdict: Word
    text: str


def judge(figures: Figures, smallest: float) -> Judgement:
    """The verdict; `smallest` is the smallest lift worth having."""
    personalized, control = figures.closed.personalized, figures.closed.control
    interval = always_valid(personalized, control)
    ratio = sample_ratio(figures)
    days = _days(figures, ratio, smallest)
    verdict, text = _verdict(figures, interval, ratio, days, smallest)
    return Judgement(
        figures,
        lift(personalized, control),
        interval,
        fixed_horizon(personalized, control),
        probability_better(personalized, control),
        always_valid_p(personalized, control),
        ratio,
        days if verdict == "undecided" else None,
        verdict,
        text,
    )


def sample_ratio(figures: Figures) -> SampleRatio:
    """Whether the groups are as large as the rules make them."""
    sizes = figures.closed.control.visitors, figures.closed.personalized.visitors
    expected = figures.control_share
    observed = sizes[0] / sum(sizes) if any(sizes) else None
    if expected is None or observed is None:
        return SampleRatio(expected, observed, None, None)
    evidence = split_evidence(sizes, (expected, 1 - expected))
    return SampleRatio(expected, observed, min(1.0, exp(-evidence)), evidence < -log(SPLIT_DOUBT))


def _verdict(
    figures: Figures, interval: Interval | None, ratio: SampleRatio, days: int | None, smallest: float
) -> tuple[Word, str]:
    alone = _alone(figures)
    if alone:
        return "withheld", alone
    if ratio.ok is False:
        return "withheld", _broken_split(ratio)
    early = _too_early(figures.closed)
    if early:
        return "undecided", f"{early}{_wait(days, smallest)}"
    unjudged = " Whether the split is as it should be cannot be judged: " if ratio.ok is None else ""
    if unjudged:
        unjudged += "the rules name no one control share for this experience and segment."
    if interval is None or interval[0] <= 0 <= interval[1]:
        return "undecided", f"Undecided: {_between(interval)}{_wait(days, smallest)}{unjudged}"
    word: Word = "better" if interval[0] > 0 else "worse"
    return word, f"Personalized is {word}: {_rates(figures.closed)}, {_by(figures.closed, interval)}{unjudged}"


def _alone(figures: Figures) -> str:
    """Why there is nobody to compare with, if so."""
    everyone = figures.closed.plus(figures.open)
    if not everyone.control.visitors and everyone.personalized.visitors:
        reason = "the rules give control no share" if figures.control_share == 0 else "nobody was in control"
        return f"No verdict: {reason}, so there is nothing to compare with."
    if not everyone.personalized.visitors and everyone.control.visitors:
        return "No verdict: everybody was in control, so there is nothing to compare."
    return ""


def _broken_split(ratio: SampleRatio) -> str:
    """`ratio` is one that is not ok."""
    return (
        f"No verdict: control should be {_percent(ratio.expected or 0)} of the visitors and is "
        f"{_percent(ratio.observed or 0)}, which chance does not explain, so the rates may differ for that reason"
        " alone. Either exposures of one group get lost on their way, or the control share was changed while it ran;"
        " then --since with the time of the change looks at those who came after it."
    )


def _too_early(pair: Pair) -> str:
    """Why nothing can be said yet, if so."""
    if not pair.visitors:
        return "Too early to say: no visitor's window is over yet."
    least = fewest(pair)
    if least >= CONVERSIONS_LEAST:
        return ""
    of = "control" if least == pair.control.converters else "personalized"
    counted = "1 conversion" if least == 1 else f"{least} conversions"
    return f"Too early to say: {counted} in {of}; {CONVERSIONS_LEAST} are needed in each group."


def fewest(pair: Pair) -> int:
    """The conversions of the group that has fewer."""
    return min(pair.control.converters, pair.personalized.converters)


def _between(interval: Interval | None) -> str:
    if interval is None:  # nobody converted
        return "the rates cannot be compared."
    if interval[0] == interval[1]:
        return "everybody converted, so the rates cannot be compared."
    return f"the lift lies somewhere between {signed(interval[0])} and {signed(interval[1])}, so it may be none."


def _wait(days: int | None, smallest: float) -> str:
    if days is None:
        return ""
    if days > _YEAR_DAYS:
        return f" At this traffic, a lift of {_percent(smallest)} would take more than a year to show."
    if not days:
        return f" A lift of {_percent(smallest)} would probably show by now."
    return f" About {days:,} more day{'' if days == 1 else 's'} would show a lift of {_percent(smallest)}."


def _rates(pair: Pair) -> str:
    return f"{rate_text(pair.personalized)} of its visitors convert, of control {rate_text(pair.control)}"


def _by(pair: Pair, interval: Interval) -> str:
    found = lift(pair.personalized, pair.control) or 0.0
    return f"a lift of {signed(found)} (95% sure: between {signed(interval[0])} and {signed(interval[1])})."


def _days(figures: Figures, ratio: SampleRatio, smallest: float) -> int | None:
    """Until there are enough visitors for the smallest lift worth having; 0: there are."""
    rate = figures.closed.control.rate
    share = ratio.expected if ratio.expected is not None else ratio.observed
    needed = people_needed(rate, share, smallest) if rate and share else None
    if needed is None or figures.since is None or figures.until is None:
        return None
    if needed <= figures.closed.visitors:
        return 0
    came = figures.closed.visitors + figures.open.visitors
    of_a_day = came / max(1.0, (figures.until - figures.since).total_seconds() / _DAY_S)
    return days_needed(max(0, needed - came), of_a_day, figures.window_s)


def signed(lift: float) -> str:
    """`+12.3%`, `-4.5%`; from a thousand percent on without decimals."""
    return f"{lift:+.1%}" if abs(lift) < 10 else f"{lift:+,.0%}"


def rate_text(group: Group) -> str:
    """`4.21%`, with two significant digits at least; a dash where there is nobody."""
    return "-" if group.rate is None else _percent(group.rate)


def _percent(share: float) -> str:
    """With as many decimals as say something; a whole number of percent without."""
    points = round(share * 100, 6)
    if points == int(points):
        return f"{points:.0f}%"
    return f"{points:.{1 if share >= 0.1 else 2 if share >= 0.01 else 3}f}%"

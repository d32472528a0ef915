"""The formulas of lift: two groups' counts in, figures out. Pure; `math` alone.

What lives here: intervals, probabilities, the check of the split, how many people are needed. What may not: words,
thresholds of judgement other than a formula's own parameters.

1. Everything is about the ratio of two rates, on its logarithm: lift is that ratio less 1. `x` of `n` convert; the
   first group is personalized, the second control.
2. **`always_valid` may be looked at every day.** Asymptotic confidence sequence (Waudby-Smith et al., arXiv
   2103.06476): the chance that it is *ever* wrong, at any look, is at most `ALPHA`. It is tuned to be tightest around
   `TUNED_TO` people, and wider than an interval for one look: that is the price of looking.
3. `fixed_horizon` is that interval for one look (Katz 1978), right only if the day of the look was fixed beforehand.
4. `probability_better` is exact for few converters: two rates with a uniform prior, P(personalized > control).
5. `split_evidence`: Lindon & Malek (arXiv 2011.03567), a Bayes factor that may be looked at every day as well.
6. Where a group has no converter there is no ratio: None.
"""

from math import ceil, erfc, exp, inf, lgamma, log, sqrt
from typing import Final

from msgspec import Struct

ALPHA: Final = 0.05
TUNED_TO: Final = 5_000  # people in both groups; Segment's and growthbook's users decide at about that size
QUANTILE: Final = 1.959963984540054  # of the normal distribution, two-sided for ALPHA
POWER_QUANTILE: Final = 0.8416212335729143  # one-sided, for the usual power of 80%
SPLIT_CONCENTRATION: Final = 100.0  # of the prior over splits, as the paper's authors use it
EXACT_UP_TO: Final = 5_000  # converters; beyond, the normal distribution is as good and does not sum so many terms
MOST_PEOPLE: Final = 10**12  # of a search for how many are needed: more than there are


class Group(Struct, frozen=True):
    """Of so many visitors, so many converted."""

    visitors: int
    converters: int

    @property
    def rate(self) -> float | None:
        """The share that converted."""
        return self.converters / self.visitors if self.visitors else None


Interval = tuple[float, float]


def lift(personalized: Group, control: Group) -> float | None:
    """The rate of one over that of the other, less 1."""
    if not (control.converters and personalized.visitors):
        return None
    return personalized.converters * control.visitors / (personalized.visitors * control.converters) - 1


def always_valid(personalized: Group, control: Group, alpha: float = ALPHA) -> Interval | None:
    """Bounds of the lift that hold at every look."""
    known = _log_ratio(personalized, control)
    if known is None:
        return None
    ratio, variance = known
    half = _half(personalized.visitors + control.visitors, variance, alpha)
    return _lifts(ratio, half)


def always_valid_p(personalized: Group, control: Group, alpha: float = ALPHA) -> float | None:
    """The evidence against "no difference" at this look; the least over all looks is a p-value at any time."""
    known = _log_ratio(personalized, control)
    if known is None:
        return None
    ratio, variance = known
    if not variance:
        return 0.0 if ratio else 1.0
    weight = (personalized.visitors + control.visitors) * _rho2(alpha)
    return min(1.0, sqrt(weight + 1) * exp(-weight * ratio**2 / variance / (2 * (weight + 1))))


def fixed_horizon(personalized: Group, control: Group) -> Interval | None:
    """The ordinary interval, for one look on a day that was fixed beforehand."""
    known = _log_ratio(personalized, control)
    if known is None:
        return None
    ratio, variance = known
    return _lifts(ratio, QUANTILE * sqrt(variance))


def probability_better(personalized: Group, control: Group) -> float | None:
    """How likely personalized is the better one, if every rate was as likely as any other before."""
    if not (personalized.visitors and control.visitors):
        return None
    fewer = min(personalized.converters, control.converters)
    known = _log_ratio(personalized, control)
    if known is not None and known[1] and fewer > EXACT_UP_TO:
        ratio, variance = known
        return erfc(-ratio / sqrt(2 * variance)) / 2
    if personalized.converters <= control.converters:
        return _exceeds(personalized, control)
    return 1 - _exceeds(control, personalized)


def split_evidence(groups: tuple[int, int], shares: tuple[float, float]) -> float:
    """The logarithm of how much better "another split" explains these sizes than "these shares"; infinite if they
    cannot be.
    """
    if any(size and not share for size, share in zip(groups, shares, strict=True)):
        return inf
    total = lgamma(SPLIT_CONCENTRATION) - lgamma(SPLIT_CONCENTRATION + sum(groups))
    for size, share in zip(groups, shares, strict=True):
        if size:
            prior = SPLIT_CONCENTRATION * share
            total += lgamma(prior + size) - lgamma(prior) - size * log(share)
    return total


def people_needed(control_rate: float, control_share: float, smallest: float) -> int | None:
    """In both groups, so that a lift of `smallest` is called with a chance of 80%; None where no number would do."""
    rate = control_rate * (1 + smallest)
    if not (0 < control_rate < 1 and 0 < rate < 1 and 0 < control_share < 1):
        return None
    of_one = (1 - rate) / (rate * (1 - control_share)) + (1 - control_rate) / (control_rate * control_share)
    wanted = abs(log(1 + smallest))

    def suffices(people: int) -> bool:
        variance = of_one / people
        return _half(people, variance, ALPHA) + POWER_QUANTILE * sqrt(variance) <= wanted

    few, many = 0, MOST_PEOPLE
    if not suffices(many):
        return None
    while many - few > max(1, few // 1_000):
        middle = (few + many) // 2
        few, many = (few, middle) if suffices(middle) else (middle, many)
    return many


def days_needed(missing: int, of_a_day: float, window_s: int) -> int | None:
    """Until so many more people came and their windows closed."""
    return ceil(missing / of_a_day + window_s / 86_400) if of_a_day else None


def _log_ratio(personalized: Group, control: Group) -> tuple[float, float] | None:
    """The logarithm of the ratio of the rates, and its variance."""
    if not (personalized.converters and control.converters):
        return None
    one, other = (group.converters / group.visitors for group in (personalized, control))
    return log(one / other), (1 - one) / personalized.converters + (1 - other) / control.converters


def _rho2(alpha: float) -> float:
    spread = -2 * log(alpha)
    return (spread + log(spread + 1)) / TUNED_TO


def _half(people: int, variance: float, alpha: float) -> float:
    weight = people * _rho2(alpha)
    return sqrt(variance * 2 * (weight + 1) / weight * log(sqrt(weight + 1) / alpha))


def _lifts(ratio: float, half: float) -> Interval:
    return exp(ratio - half) - 1, exp(ratio + half) - 1


def _exceeds(one: Group, other: Group) -> float:
    """P(the rate of one > that of the other), as a sum of as many terms as one has converters, and one more."""
    a, b = other.converters + 1, other.visitors - other.converters + 1
    c, d = one.converters + 1, one.visitors - one.converters + 1
    term = lgamma(a + b) + lgamma(b + d) - lgamma(b) - lgamma(a + b + d)  # B(a, b + d) / B(a, b)
    total = 0.0
    for i in range(c):
        total += exp(term)
        term += log((a + i) * (d + i) / ((a + b + d + i) * (i + 1)))
    return min(1.0, total)

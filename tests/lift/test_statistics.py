"""The formulas: their papers' vectors, published examples, and scipy and statsmodels beside them."""

from math import exp, inf, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special, stats
from statsmodels.stats.proportion import confint_proportions_2indep

from engine.lift.statistics import (
    Group,
    always_valid,
    always_valid_p,
    days_needed,
    fixed_horizon,
    lift,
    people_needed,
    probability_better,
    split_evidence,
)

# Published: (converted, of so many) twice, and the 95% interval of the ratio of the rates as it is printed.
PUBLISHED = {
    # Moore, McCabe and Craig, Introduction to the Practice of Statistics (9th ed.), example 8.18: aspirin and placebo.
    "aspirin and blood clots": ((45, 411), (73, 411), (0.4364, 0.8707)),
    # Sahai and Khurshid, Statistics in Epidemiology (1996), example 3.1, as scipy computes it.
    "catecholamine and heart disease": ((27, 122), (44, 487), (1.5837, 3.7887)),
}


def groups(one, other):
    return Group(one[1], one[0]), Group(other[1], other[0])


def test_the_vectors():
    """As FACTS has them: 190 of 5,000 against 150 of 5,000."""
    pair = groups((190, 5_000), (150, 5_000))
    assert lift(*pair) == pytest.approx(0.266666666667)
    assert always_valid(*pair) == pytest.approx((-0.0882081271, 0.7596608306), abs=1e-10)
    assert always_valid_p(*pair) == pytest.approx(0.4202922878, abs=1e-10)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_examples(name):
    """The interval as it is printed; the ratio is scipy's."""
    one, other, interval = PUBLISHED[name]
    assert [bound + 1 for bound in fixed_horizon(*groups(one, other))] == pytest.approx(interval, abs=0.00005)
    theirs = stats.contingency.relative_risk(*one, *other)
    assert lift(*groups(one, other)) + 1 == pytest.approx(theirs.relative_risk)


COUNTS = st.integers(1, 400)


@given(COUNTS, COUNTS, st.integers(1, 50), st.integers(1, 50))
def test_statsmodels_says_the_same(x, y, more, others):
    """The interval for one look, of any counts."""
    one, other = Group(x * more + 1, x), Group(y * others + 1, y)
    theirs = confint_proportions_2indep(x, one.visitors, y, other.visitors, compare="ratio", method="log")
    assert [bound + 1 for bound in fixed_horizon(one, other)] == pytest.approx(theirs, rel=1e-9)


@given(COUNTS, COUNTS, st.integers(1, 50), st.integers(1, 50))
def test_the_interval_that_may_be_looked_at_is_wider(x, y, more, others):
    """It holds the lift, the ordinary interval, and 0 exactly where the p-value is above alpha."""
    one, other = Group(x * more, x), Group(y * others, y)
    low, high = always_valid(one, other)
    once = fixed_horizon(one, other)
    assert low <= once[0] <= lift(one, other) <= once[1] <= high
    if more > 1 and others > 1:
        assert (low <= 0 <= high) == (always_valid_p(one, other) >= 0.05)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((190, 5_000), (150, 5_000)),
        ((3, 100), (0, 90)),
        ((10, 10), (5, 10)),
        ((0, 40), (2, 50)),
        ((80, 900), (80, 900)),
    ],
)
def test_probability_better_is_an_integral(one, other):
    """Of two beta distributions, by scipy's quadrature; both ways round they add up to 1."""
    personalized, control = groups(one, other)
    a, b = (stats.beta(1 + x, 1 + n - x) for x, n in (one, other))
    middle, spread = a.mean(), a.std()
    points = [max(0, middle - 5 * spread), min(1, middle + 5 * spread)]
    theirs, _ = integrate.quad(lambda rate: a.pdf(rate) * b.cdf(rate), 0, 1, points=points, limit=500)
    assert probability_better(personalized, control) == pytest.approx(theirs, abs=1e-6)
    assert probability_better(personalized, control) + probability_better(control, personalized) == pytest.approx(1)


def test_probability_better_of_many():
    """Where the sum ends and the normal distribution begins, there is no step."""
    few, many = Group(100_000, 5_000), Group(100_000, 5_001)
    for converters in (4_900, 5_010, 5_200):
        of_few = probability_better(Group(100_000, converters), few)
        assert probability_better(Group(100_000, converters), many) == pytest.approx(of_few, abs=0.006)
    assert probability_better(Group(10, 10), Group(10, 10)) == pytest.approx(0.5)


def test_without_converters_there_is_no_ratio():
    """But a probability there is, unless somebody is missing."""
    nobody, none, some = Group(0, 0), Group(10, 0), Group(10, 5)
    assert lift(some, none) is None
    assert lift(none, some) == -1
    assert always_valid(none, some) is fixed_horizon(some, none) is always_valid_p(none, some) is None
    assert probability_better(some, none) > 0.9
    assert probability_better(some, nobody) is None
    assert nobody.rate is None


def test_everybody_converts():
    """No variance: both rates are 1, and that is certain."""
    one, other = Group(10, 10), Group(20, 20)
    assert always_valid(one, other) == fixed_horizon(one, other) == (0, 0)
    assert always_valid_p(one, other) == 1


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.floats(0.01, 0.99))
def test_split_evidence_is_a_ratio_of_likelihoods(control, personalized, share):
    """Of a beta-binomial around the wanted split, and that split itself."""
    a, b = 100 * share, 100 * (1 - share)
    another = special.betaln(a + control, b + personalized) - special.betaln(a, b)
    this = control * log(share) + personalized * log(1 - share)
    assert split_evidence((control, personalized), (share, 1 - share)) == pytest.approx(another - this, abs=1e-6)


def test_a_broken_split_is_caught():
    """55 to 45 among some thousand is beyond doubt, 50 to 50 is not doubted, and nobody belongs where no share is."""
    assert split_evidence((1_650, 1_350), (0.5, 0.5)) > log(100)
    assert split_evidence((5_000, 5_000), (0.5, 0.5)) < 0
    assert split_evidence((1, 999), (0.0, 1.0)) == inf
    assert split_evidence((0, 1_000), (0.0, 1.0)) == pytest.approx(0)


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_people_needed_are_enough(share):
    """With so many, 80% of the lifts that one would see are called; with a tenth fewer, not so many."""
    rate, smallest = 0.05, 0.2
    needed = people_needed(rate, share, smallest)

    def called(people):
        control, personalized = people * share, people * (1 - share)
        variance = (1 - rate * 1.2) / (rate * 1.2 * personalized) + (1 - rate) / (rate * control)
        weight = people * (-2 * log(0.05) + log(-2 * log(0.05) + 1)) / 5_000
        half = sqrt(variance * 2 * (weight + 1) / weight * log(sqrt(weight + 1) / 0.05))
        return stats.norm.sf((half - log(1 + smallest)) / sqrt(variance))

    assert called(needed) == pytest.approx(0.8, abs=0.005)
    assert called(needed * 0.9) < 0.77


def test_people_needed_of_what_cannot_be():
    """A rate that would be above 1, a group without anybody, a lift that nobody could ever tell."""
    assert people_needed(0.95, 0.5, 0.1) is None
    assert people_needed(0.05, 0.0, 0.1) is None
    assert people_needed(1e-12, 0.5, 0.0001) is None


def test_days_needed():
    """Until they came and their windows closed; never where nobody comes."""
    assert days_needed(1_000, 100.0, 7 * 86_400) == 17
    assert days_needed(0, 100.0, 86_400) == 1
    assert days_needed(1_000, 0.0, 86_400) is None


def test_alpha_is_a_chance():
    """With less of it the interval is wider, and the p-value belongs to it."""
    pair = groups((300, 5_000), (200, 5_000))
    assert always_valid(*pair, alpha=0.01)[0] < always_valid(*pair)[0]
    assert exp(log(lift(*pair) + 1)) - 1 == pytest.approx(0.5)

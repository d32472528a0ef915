"""Law: whoever looks every day is wrong in at most 5% of all experiences, and a real lift is found.

1. Visitors come day by day, in two groups of equal size; their windows close a week later, one day's after the other's.
   Somebody looks on every day, and believes the first verdict that they see.
2. Without any difference, at most one experience in twenty may ever get a verdict, however long one looks. An ordinary
   interval beside it shows that the looks do harm: it is wrong many times as often.
3. With a true lift of 20% over 50,000 visitors the interval covers it, and the verdict is right. A split of 55 to 45 is
   caught, and then no verdict is given.
"""

import numpy as np
import pytest

from engine.lift.figures import Figures, Pair
from engine.lift.statistics import Group, fixed_horizon
from engine.lift.verdict import judge

DAYS, RATE = 60, 0.05


def looks(chance, visitors, lift, share=0.5):
    """The pair that somebody sees on each day."""
    sizes = chance.multinomial(visitors // DAYS, [share, 1 - share], size=DAYS)
    converted = [chance.binomial(sizes[:, group], RATE * (1 + lift * group)) for group in (0, 1)]
    columns = [np.cumsum(sizes[:, 0]), np.cumsum(converted[0]), np.cumsum(sizes[:, 1]), np.cumsum(converted[1])]
    for control, of_control, personalized, of_personalized in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        yield Pair(Group(control, of_control), Group(personalized, of_personalized))


def figures(pair):
    return Figures("E", "S", "g", 604_800, 0.5, pair, Pair(), 0, None, None)


def verdicts(runs, visitors, lift):
    """Of each run the first verdict that whoever looks daily comes to; and how often one look's interval is wrong."""
    chance = np.random.default_rng(20_261_125)
    found, wrong = [], 0
    for _ in range(runs):
        seen = [
            pair
            for pair in looks(chance, visitors, lift)
            if min(pair.control.converters, pair.personalized.converters) >= 20
        ]
        words = [judge(figures(pair), 0.1).verdict for pair in seen]
        found.append(next((word for word in words if word != "undecided"), "undecided"))
        ordinary = [fixed_horizon(pair.personalized, pair.control) for pair in seen]
        wrong += any(low > 0 or high < 0 for low, high in ordinary)
    return found, wrong / runs


@pytest.mark.parametrize(
    ("runs", "visitors"), [(60, 20_000), pytest.param(1_000, 50_000, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_no_lift_gets_no_verdict(runs, visitors):
    """In at least 95% of all runs, with a look a day."""
    found, wrong = verdicts(runs, visitors, 0.0)
    assert found.count("undecided") >= 0.95 * runs
    assert wrong > 0.15


@pytest.mark.parametrize("runs", [20, pytest.param(300, marks=pytest.mark.long)], ids=["short", "long"])
@pytest.mark.parametrize(("lift", "word"), [(0.2, "better"), (-0.2, "worse")])
def test_a_true_lift_is_found(runs, lift, word):
    """Over 50,000 visitors: the right verdict as a rule, the wrong one never; the interval covers the truth."""
    chance = np.random.default_rng(7)
    words, covered = [], 0
    for _ in range(runs):
        *_, last = looks(chance, 50_000, lift)
        judgement = judge(figures(last), 0.1)
        words.append(judgement.verdict)
        covered += judgement.interval[0] <= lift <= judgement.interval[1]
    assert words.count(word) >= 0.9 * runs
    assert set(words) <= {word, "undecided"}
    assert covered >= 0.95 * runs


@pytest.mark.parametrize("share", [0.45, 0.55])
def test_a_broken_split_is_caught(share):
    """55 to 45 where the rules say one half: nobody gets a verdict, though the lift is real."""
    *_, last = looks(np.random.default_rng(3), 20_000, 0.5, share)
    judgement = judge(figures(last), 0.1)
    assert judgement.verdict == "withheld"
    assert judgement.sample_ratio.ok is False
    assert judgement.sample_ratio.p < 1e-6


def test_a_sound_split_is_not_suspected():
    """However often one looks: at most one in a hundred."""
    chance = np.random.default_rng(5)
    suspected = sum(
        any(judge(figures(pair), 0.1).sample_ratio.ok is False for pair in looks(chance, 12_000, 0.0))
        for _ in range(40)
    )
    assert suspected <= 1

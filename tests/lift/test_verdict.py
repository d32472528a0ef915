"""What follows from figures: the word, the reason, and how it is said."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.lift.figures import Figures, Pair
from engine.lift.statistics import Group
from engine.lift.verdict import SampleRatio, judge, rate_text, signed

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
NOBODY = Pair()


def judged(control, personalized, *, share=0.5, waiting=NOBODY, days=10, smallest=0.1):
    """The judgement of (visitors, converters) of both groups, who came within some days."""
    closed = Pair(Group(*control), Group(*personalized))
    until = BEGIN + timedelta(days=days)
    return judge(Figures("E", "S", "g", 604_800, share, closed, waiting, 0, BEGIN, until), smallest)


def test_better():
    """The interval is above 0; the sentence has both rates, the lift and its bounds."""
    found = judged((25_000, 1_250), (25_000, 1_500))
    assert found.verdict == "better"
    assert found.text == (
        "Personalized is better: 6% of its visitors convert, of control 5%, a lift of +20.0%"
        " (95% sure: between +6.4% and +35.4%)."
    )
    assert found.lift == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.0635, 0.354), abs=0.0005)
    assert found.fixed_horizon[0] > found.interval[0]
    assert found.probability_better > 0.999
    assert found.p < 0.001
    assert found.days_needed is None


def test_worse():
    """The interval is below 0."""
    found = judged((25_000, 1_500), (25_000, 1_200))
    assert found.verdict == "worse"
    assert "Personalized is worse: 4.80% of its visitors convert, of control 6%" in found.text


def test_undecided():
    """The interval holds 0; how long it may take to find the smallest lift worth having is told."""
    found = judged((5_000, 150), (5_000, 190), smallest=0.3)
    assert found.verdict == "undecided"
    assert found.text == (
        "Undecided: the lift lies somewhere between -8.8% and +76.0%, so it may be none."
        " About 24 more days would show a lift of 30%."
    )
    assert found.days_needed == 24
    assert "would take more than a year to show" in judged((5_000, 150), (5_000, 190), smallest=0.05, days=30).text


def test_enough_have_been_seen():
    """And still there is none to be seen: that is told, too."""
    found = judged((50_000, 2_500), (50_000, 2_510), smallest=0.3)
    assert found.days_needed == 0
    assert found.text.endswith("A lift of 30% would probably show by now.")


@pytest.mark.parametrize(
    ("control", "personalized", "begin"),
    [
        ((500, 19), (500, 60), "Too early to say: 19 conversions in control; 20 are needed in each group."),
        ((500, 60), (500, 1), "Too early to say: 1 conversion in personalized; 20 are needed in each group."),
        ((500, 0), (500, 0), "Too early to say: 0 conversions in control; 20 are needed in each group."),
    ],
)
def test_too_early(control, personalized, begin):
    """Below 20 conversions in a group, whatever the interval says."""
    found = judged(control, personalized)
    assert found.verdict == "undecided"
    assert found.text.startswith(begin)


def test_twenty_are_enough():
    """In the smaller group."""
    assert judged((500, 20), (500, 100)).verdict == "better"


def test_nobodys_window_is_over():
    """Everybody came lately."""
    found = judged((0, 0), (0, 0), waiting=Pair(Group(5, 1), Group(5, 0)))
    assert (found.verdict, found.text) == ("undecided", "Too early to say: no visitor's window is over yet.")
    assert found.sample_ratio == SampleRatio(0.5, None, None, None)
    assert (found.lift, found.interval, found.probability_better, found.days_needed) == (None, None, None, None)


@pytest.mark.parametrize(
    ("control", "personalized", "share", "reason"),
    [
        ((0, 0), (500, 50), 0.0, "the rules give control no share, so there is nothing to compare with"),
        ((0, 0), (500, 50), 0.5, "nobody was in control, so there is nothing to compare with"),
        ((500, 50), (0, 0), 0.5, "everybody was in control, so there is nothing to compare"),
        (
            (4_500, 450),
            (5_500, 900),
            0.5,
            "control should be 50% of the visitors and is 45%, which chance does not explain",
        ),
        ((500, 50), (500, 90), 0.0, "control should be 0% of the visitors and is 50%"),
    ],
)
def test_withheld(control, personalized, share, reason):
    """Nobody to compare with, or another split than that of the rules; the reason is told."""
    found = judged(control, personalized, share=share)
    assert found.verdict == "withheld"
    assert found.text.startswith(f"No verdict: {reason}")
    assert found.days_needed is None


def test_a_split_that_cannot_be_judged():
    """The rules do not name the experience any more: a verdict, and what it does not rest on."""
    for control, personalized in ((25_000, 1_250), (25_000, 1_500)), ((5_000, 150), (5_000, 190)):
        found = judged(control, personalized, share=None)
        assert found.verdict in {"better", "undecided"}
        assert found.sample_ratio.ok is None
        assert found.text.endswith("the rules name no one control share for this experience and segment.")


def test_everybody_converts():
    """There is an interval without width, and no verdict."""
    found = judged((100, 100), (100, 100))
    assert found.verdict == "undecided"


def test_numbers_in_words():
    """As many decimals as say something."""
    rates = [Group(1_000, 421), Group(10_000, 421), Group(100_000, 421), Group(2, 1), Group(2, 0), Group(0, 0)]
    assert [rate_text(group) for group in rates] == ["42.1%", "4.21%", "0.421%", "50%", "0%", "-"]
    assert [signed(lift) for lift in (0.2, -0.045, 12.3456)] == ["+20.0%", "-4.5%", "+1,235%"]

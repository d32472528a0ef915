"""What was counted: sums."""

from datetime import date

from engine.lift.figures import Figures, Pair
from engine.lift.statistics import Group


def test_pairs_add_up():
    """Group by group."""
    pair = Pair(Group(10, 1), Group(20, 2)).plus(Pair(Group(1, 1), Group(2, 2)))
    assert pair == Pair(Group(11, 2), Group(22, 4))
    assert pair.visitors == 33
    assert Pair().visitors == 0


def test_looks_are_sums_up_to_a_day():
    """What somebody saw who looked on that day."""
    first, second = Pair(Group(10, 1), Group(20, 2)), Pair(Group(1, 1), Group(2, 2))
    days = ((date(2026, 11, 1), first), (date(2026, 11, 4), second))
    figures = Figures("E", "S", "g", 60, 0.5, first.plus(second), Pair(), 0, None, None, days)
    assert list(figures.looks()) == [(date(2026, 11, 1), first), (date(2026, 11, 4), figures.closed)]

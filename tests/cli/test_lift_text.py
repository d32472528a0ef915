"""`lift` as people read it: cells, sentences, notes."""

import pytest

from engine.cli.lift_text import print_text
from engine.lift.figures import Figures, Pair
from engine.lift.statistics import Group
from engine.lift.verdict import judge

NOBODY = Pair()


def judged(control, personalized, *, experience="Homepage", segment="Small", goal="g", waiting=NOBODY, both=0):
    closed = Pair(Group(*control), Group(*personalized))
    return judge(Figures(experience, segment, goal, 60, 0.5, closed, waiting, both, None, None), 0.1)


def shown(capsys, *lines, open_=False):
    print_text(lines, open_)
    return capsys.readouterr().out


def test_nothing(capsys):
    """Said, in a sentence."""
    assert shown(capsys).startswith("No exposures: nobody was shown an experience")


def test_a_table_for_each_experience(capsys):
    """With its name, and an empty line between."""
    text = shown(capsys, judged((9, 1), (9, 1)), judged((9, 1), (9, 1), experience="Pricing"))
    assert text.startswith("Homepage\nsegment  goal")
    assert "\n\nPricing\nsegment  goal" in text
    assert text.count("Too early to say") == 2


@pytest.mark.parametrize(
    ("control", "personalized", "cells"),
    [
        ((0, 0), (5, 1), "Small    g      nobody      20% of 5"),
        ((1_000, 0), (1_000, 30), "Small    g     0% of 1,000   3% of 1,000"),
        ((1_000, 19), (1_000, 30), "Small    g     1.90% of 1,000   3% of 1,000\n"),
        ((2_000, 400), (2_000, 900), "+125.0%  +92.6% to +162.8%  >99.9%"),
        ((2_000, 900), (2_000, 400), "-55.6%  -62.0% to -48.1%   <0.1%"),
    ],
)
def test_cells(capsys, control, personalized, cells):
    """What cannot be computed is empty; certainty has no more digits than it deserves."""
    assert cells in shown(capsys, judged(control, personalized))


def test_names_are_safe_for_a_screen(capsys):
    """They come from outside."""
    text = shown(capsys, judged((9, 1), (9, 1), experience="a\x1b[31mb", segment="c\nd"))
    assert "\x1b[31m" not in text
    assert "c\nd" not in text


def test_notes(capsys):
    """Visitors are counted once, though they stand in the line of every goal."""
    waiting = Pair(Group(2, 0), Group(1, 1))
    lines = [judged((9, 1), (9, 1), goal=goal, waiting=waiting, both=4) for goal in "gh"]
    text = shown(capsys, *lines)
    assert "; 3 visitors are still in theirs (--open shows them)." in text
    assert "4 visitors are counted in the group that they saw first, though they saw both" in text
    opened = shown(capsys, *lines, open_=True)
    assert "still in theirs" not in opened
    assert "Window still open, and so no verdict:\nsegment  goal  control  personalized\n" in opened
    assert "Small    g     0% of 2     100% of 1" in opened


def test_windows_that_are_all_open(capsys):
    """There is no table of nobody above theirs."""
    line = judged((0, 0), (0, 0), waiting=Pair(Group(2, 0), Group(1, 1)))
    assert "nobody" in shown(capsys, line)
    assert shown(capsys, line, open_=True).count("control  personalized") == 1


def test_everybody_converted(capsys):
    """Is no interval of nothing."""
    assert "everybody converted, so the rates cannot be compared" in shown(capsys, judged((20, 20), (20, 20)))

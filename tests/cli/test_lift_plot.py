"""`lift --plot`: a picture that holds what it should, the same for the same figures."""

from datetime import date, timedelta

import pytest

from engine.cli.lift_plot import MOST_LINES, draw
from engine.lift.figures import Figures, Pair
from engine.lift.statistics import Group
from engine.lift.verdict import judge


def judged(number, days=9):
    """One line, of so many days."""
    day = Pair(Group(500, 50), Group(500, 60))
    closed = tuple((date(2026, 11, 1) + timedelta(n), day) for n in range(days))
    total = Pair(Group(500 * days, 50 * days), Group(500 * days, 60 * days))
    return judge(Figures("Homepage", f"Segment {number}", "g", 60, 0.5, total, Pair(), 0, None, None, closed), 0.1)


@pytest.mark.parametrize("number", [0, MOST_LINES + 1])
def test_any_number_of_lines(tmp_path, number):
    """None, one, or more than can be looked at: there is a picture."""
    draw(tmp_path / "a.svg", [judged(n) for n in range(number)])
    text = (tmp_path / "a.svg").read_text()
    assert (f"the first {MOST_LINES} of" in text) == (number > MOST_LINES)
    assert f"Segment {MOST_LINES}," not in text


def test_too_early(tmp_path):
    """Without days there is no band, and that is said."""
    draw(tmp_path / "a.svg", [judged(1, days=0)])
    assert "too early to say" in (tmp_path / "a.svg").read_text()


def test_the_same_figures_give_the_same_file(tmp_path):
    """No date, no random ids."""
    for name in ("a.svg", "b.svg"):
        draw(tmp_path / name, [judged(1)])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    draw(tmp_path / "b.png", [judged(1)])
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")

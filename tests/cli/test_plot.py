"""`audience --plot`: a picture that holds what it should, the same for the same figures."""

import pytest

from engine.cli.plot import MOST_BARS, MOST_SHARED, draw
from engine.review.audience import Census, Tally


def census(number: int) -> Census:
    """So many segments, of which every second one has visitors."""
    tallies = tuple(Tally(f"segment-{n:03}", "", n % 2 * n, 100 - n % 2 * n, 0, (), ()) for n in range(number))
    return Census(100, tallies, {("segment-001", "segment-003"): 1})


@pytest.mark.parametrize("number", [0, 1, 2, 5, 90])
def test_any_number_of_segments(tmp_path, number):
    """None, one, or more than can be read: there is a picture."""
    draw(tmp_path / "a.png", census(number), "title")
    assert (tmp_path / "a.png").stat().st_size > 1_000


def test_the_same_figures_give_the_same_file(tmp_path):
    """No date, no random ids: a picture under version control changes only with its figures."""
    for name in ("a.svg", "b.svg"):
        draw(tmp_path / name, census(5), "title")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    draw(tmp_path / "b.svg", census(6), "title")
    assert (tmp_path / "a.svg").read_bytes() != (tmp_path / "b.svg").read_bytes()


def test_the_largest_are_shown(tmp_path):
    """What does not fit is the smallest."""
    assert MOST_SHARED < MOST_BARS < 90
    draw(tmp_path / "a.svg", census(90), "title")
    text = (tmp_path / "a.svg").read_text()
    assert "segment-089" in text
    assert "segment-087" in text
    assert "segment-002" not in text

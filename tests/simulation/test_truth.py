"""The rates that chance was given."""

import pytest

from engine.simulation.truth import Truth


def test_means_over_the_visitors() -> None:
    """By experience, segment and goal; the lift is that of the means."""
    truth = Truth()
    for probability, personalized in ((0.04, False), (0.06, False), (0.06, True), (0.06, True), (0.06, True)):
        truth.add("e", "s", "g", probability, personalized=personalized)
    truth.add("e", "a", "g", 0.5, personalized=True)
    first, second = truth.effects()
    assert (first.segment, second.segment) == ("a", "s")
    assert (second.control.visitors, second.personalized.visitors) == (2, 3)
    assert second.control.rate == pytest.approx(0.05)
    assert second.lift == pytest.approx(0.2)
    assert first.lift is None
    assert first.control.rate == 0

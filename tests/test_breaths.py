"""Long work pauses when it went on for a while, and not before."""

import time

import pytest

from engine.breaths import Breaths


@pytest.mark.parametrize(("every_s", "pauses"), [(0.0, 3), (1e12, 0)])
def test_it_sleeps_when_the_last_time_is_long_ago(monkeypatch: pytest.MonkeyPatch, every_s: float, pauses: int) -> None:
    """For as long as it was told to."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    breathe = Breaths(every_s, 0.25)
    for _ in range(3):
        breathe()
    assert slept == [0.25] * pauses

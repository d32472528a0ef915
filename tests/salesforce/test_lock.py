"""One at a time in a data folder."""

from pathlib import Path

import pytest

from engine.salesforce.lock import alone
from engine.salesforce.trouble import Busy


def test_the_second_one_is_told(tmp_path: Path) -> None:
    """It does not wait; afterwards it may."""
    with alone(tmp_path):
        with pytest.raises(Busy, match="another sync or import"), alone(tmp_path):
            raise AssertionError("two at once")
        with alone(tmp_path / "other"):
            pass
    with alone(tmp_path):
        pass


def test_what_goes_wrong_inside_goes_through(tmp_path: Path) -> None:
    """A file that is locked by somebody else is no second sync."""
    with pytest.raises(BlockingIOError), alone(tmp_path):
        raise BlockingIOError

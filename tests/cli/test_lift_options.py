"""Options that are written as rule files write them."""

from datetime import UTC, datetime

import click
import pytest

from engine.cli.lift_options import SHARE, TIME


def test_they_are_read_as_in_rule_files():
    """A share with its percent sign, a time with its zone."""
    assert SHARE.convert("12.5%", None, None) == 0.125
    assert TIME.convert("2026-11-01T01:00:00+01:00", None, None) == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (SHARE, "10", "the share `10` has no percent sign; `10%`"),
        (SHARE, "0%", "a lift of `0%` is none; the smallest that is worth having is such as `5%`"),
        (TIME, "2026-11-01", "the date `2026-11-01` has no time and zone; `2026-11-01T00:00:00Z` (UTC)"),
        (TIME, "2026-13-45", "the date or time `2026-13-45` does not exist; month must be in 1..12"),
    ],
)
def test_what_is_wrong_is_told(kind, text, told):
    """With what would be right."""
    with pytest.raises(click.BadParameter, match=told.replace("(", r"\(").replace(")", r"\)")):
        kind.convert(text, None, None)

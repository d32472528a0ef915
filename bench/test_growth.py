"""The time of one visitor by the number of segments on the page, side by side."""

import pytest

from bench import growth


@pytest.mark.parametrize("width", [growth.narrower, growth.alike])
@pytest.mark.parametrize("sizes", [(1_000, 10_000), pytest.param((100_000,), marks=pytest.mark.long)])
def test_growth(rules, table, sizes, width):
    """Every size beside 100 segments."""
    table += growth.rows(sizes, rules, width)

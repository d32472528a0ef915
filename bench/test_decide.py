"""A decision from profile to bytes, in process: page, match, split, rendering, JSON."""

from itertools import cycle

import pytest

from engine.decide.decider import Decider
from engine.decide.wire import to_json

SIZES = [100, 1_000, 10_000, pytest.param(100_000, marks=pytest.mark.long)]


@pytest.mark.parametrize("segments", SIZES)
def test_decide(benchmark, rules, profiles, page, visit, now, segments):
    """One page view of visitors who differ."""
    benchmark.group = "decide, to JSON, by segments on the page"
    decider = Decider(rules(segments))
    following = cycle(profiles)
    assert any(decider.decide(profile, page, visit, now).assignments for profile in profiles)
    benchmark(lambda: to_json(decider.decide(next(following), page, visit, now)))

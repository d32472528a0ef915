"""Samples: the same for everybody who asks, and margins that hold."""

from hypothesis import given
from hypothesis import strategies as st

from engine.review.sampling import margin, sample

IDS = st.lists(st.text("abc123", min_size=1, max_size=4), unique=True)


@given(IDS, st.integers(1, 30), st.randoms(use_true_random=False))
def test_order_does_not_matter(ids, size, random):
    """The same ids in any order give the same sample, of the size that was asked for."""
    shuffled = random.sample(ids, len(ids))
    assert sample(ids, size) == sample(shuffled, size)
    assert len(sample(ids, size).ids) == min(size, len(ids))
    assert sample(ids, size).total == len(ids)


@given(IDS, IDS, st.integers(1, 30))
def test_a_store_that_grows_keeps_its_sample(ids, more, size):
    """Who was drawn stays drawn, except for those whose place somebody new takes."""
    grown = list(dict.fromkeys([*ids, *more]))
    before, after = {*sample(ids, size).ids}, {*sample(grown, size).ids}
    assert after & {*ids} <= before


@given(IDS)
def test_all_of_them(ids):
    """Without a size everybody is drawn, and so the margin is nothing."""
    drawn = sample(ids, None)
    assert (drawn.ids, drawn.is_all) == (tuple(sorted(ids)), True)
    assert margin(0, len(ids), len(ids)) == 0


def test_the_margin_holds():
    """Of a thousand visitors of whom each seventh is one, samples of 200 are within their margin 19 times of 20."""
    hits = 0
    for turn in range(400):
        drawn = sample((f"{turn}-{number}" for number in range(1_000)), 200)
        found = sum(int(id_.rpartition("-")[2]) % 7 == 0 for id_ in drawn.ids)
        hits += abs(found / 200 - 143 / 1_000) <= margin(found, 200, 1_000)
    assert 0.92 <= hits / 400 <= 0.98


def test_a_part_is_never_sure():
    """A sample without a single match does not prove that there is none."""
    assert 0.0001 < margin(0, 20_000, 1_000_000) < 0.001
    assert 0.006 < margin(10_000, 20_000, 1_000_000) < 0.007

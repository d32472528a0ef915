"""Numbers that a process counts: each in its group, and only every so many decisions timed."""

from engine.counts import BOUNDS, EVERY, Counts, Durations


def test_a_duration_is_counted_in_its_group() -> None:
    """A bound belongs to the group that it ends, as Prometheus' `le` has it; what takes longer has its own."""
    durations = Durations()
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] * 1.01, BOUNDS[-1], 60.0):
        durations.note(seconds)
    assert durations.groups == [2, 1, *[0] * (len(BOUNDS) - 3), 1, 1]
    assert durations.sum_s == BOUNDS[0] * 2.01 + BOUNDS[-1] + 60.0


def test_bounds_ascend() -> None:
    """Or bisecting would count wrongly."""
    assert list(BOUNDS) == sorted(set(BOUNDS))


def test_one_of_many_decisions_is_timed() -> None:
    """The others ask no clock."""
    counts = Counts()
    for _ in range(3 * EVERY):
        counts.ended(counts.begun())
    assert sum(counts.decided.groups) == 3

"""Too much at once: noticed where it is this process's own work, told once, and over only when it is well over."""

import asyncio
import logging
import time
from contextlib import ExitStack

import pytest

from engine import limits
from engine.counts import Counts
from engine.load import Load


@pytest.fixture
def load() -> Load:
    """A worker with nothing to do."""
    return Load(Counts())


LATE, TIMES = limits.LATE_S * 1.5, limits.LATE_TIMES


def looks(load: Load, times: int, late_s: float, computed_s: float | None = None) -> bool:
    """So many timers came so late, all of it by our own work if nothing else is said."""
    for _ in range(times):
        load.look(late_s, late_s if computed_s is None else computed_s)
    return load.sheds


def test_a_loop_that_is_late_again_and_again_has_too_much_to_do(load: Load) -> None:
    """One timer, or four, are a pass of the garbage collector."""
    assert not looks(load, TIMES - 1, LATE)
    assert not looks(load, 1, 0.0)
    assert not looks(load, TIMES - 1, LATE)
    assert looks(load, 1, LATE)


def test_what_others_do_is_no_load(load: Load) -> None:
    """A machine that gives no core, a stopped process, rules that are compiled in a thread: nobody is turned away."""
    assert not looks(load, 100, 10.0, computed_s=limits.LATE_S)


def test_it_is_over_when_it_is_well_over(load: Load) -> None:
    """Not at the first good timer, and not just below the bound."""
    assert looks(load, TIMES, LATE)
    assert looks(load, 100, limits.LATE_S * 0.9)
    assert looks(load, TIMES - 1, 0.0)
    assert not looks(load, 1, 0.0)


def test_many_that_wait_are_too_much_at_once(load: Load) -> None:
    """No timer is waited for; it is over when half of them have their answers and the loop is at ease."""
    with ExitStack() as few:
        for _ in range(limits.IN_FLIGHT // 2 - 1):
            few.enter_context(load.waiting())
        with ExitStack() as many:
            for _ in range(limits.IN_FLIGHT // 2 + 1):
                many.enter_context(load.waiting())
            assert not load.sheds
            many.enter_context(load.waiting())
            assert load.sheds
            assert looks(load, 100, 0.0)
        assert looks(load, 0, 0.0)
        assert not looks(load, 1, 0.0)


def test_it_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """When it begins, and when it ends with how many were turned away meanwhile."""
    counts = Counts()
    load = Load(counts)
    counts.shed["ingest"] = 5
    with caplog.at_level(logging.INFO):
        looks(load, 10 * TIMES, LATE)
        counts.shed["decide"] += 3
        looks(load, 10 * TIMES, 0.0)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "too much is asked at once, requests are turned away: the event loop was 150 ms late, 5 times in a row",
        "no request is turned away any more; 3 were",
    ]


def test_what_piles_up_is_told_once(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    """When it begins, and when it ends with how many were turned away; it ends when there was none for long."""
    looks_until_over = round(limits.INTAKE_QUIET_S / limits.LOAD_LOOK_S)
    with caplog.at_level(logging.INFO):
        looks(load, looks_until_over, 0.0)
        load.pile("more than 32 MiB wait to be written")
        looks(load, looks_until_over - 1, 0.0)
        load.pile("to write what waits takes more than 2 s")
        looks(load, looks_until_over - 1, 0.0)
        assert load.piles
        assert not looks(load, 2 * looks_until_over, 0.0)
        assert not load.piles
    assert caplog.messages == [
        "what Segment sends is turned away: more than 32 MiB wait to be written",
        "what Segment sends is taken again; 2 requests were turned away",
    ]


def test_a_real_loop_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that never lets go for long sheds; one long piece of work does not, nor does waiting for somebody else."""
    monkeypatch.setattr(limits, "LATE_S", 0.01)
    monkeypatch.setattr(limits, "LOAD_LOOK_S", 0.002)

    def compute(seconds: float) -> None:
        until = time.thread_time() + seconds
        while time.thread_time() < until:
            pass

    async def run() -> None:
        load = Load(Counts())
        watching = asyncio.ensure_future(load.watch())
        await asyncio.sleep(0.01)
        compute(0.1)
        await asyncio.sleep(0.01)
        time.sleep(0.1)  # noqa: ASYNC251 - somebody else has the core
        await asyncio.sleep(0.01)
        assert not load.sheds
        while not load.sheds:
            compute(0.05)
            await asyncio.sleep(0)
        while load.sheds:  # noqa: ASYNC110 - it is the loop that is looked at
            await asyncio.sleep(0.001)
        watching.cancel()

    asyncio.run(asyncio.wait_for(run(), 60))

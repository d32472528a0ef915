"""A background job that fails is started again, counted and seen; stopping leaves nothing behind."""

import asyncio
import logging

import pytest

from engine import jobs
from engine.jobs import Jobs


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "FIRST_PAUSE_S", 0.0)


class Failing:
    """Fails some times, then runs for ever."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.steady = asyncio.Event()

    async def __call__(self) -> None:
        """One run."""
        if self.times:
            self.times -= 1
            raise RuntimeError("on purpose")
        self.steady.set()
        await asyncio.Event().wait()


def test_a_failed_job_is_started_again_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Each failure is in the log with the job's name, each restart in the count."""

    async def run() -> None:
        all_jobs, work = Jobs(), Failing(3)
        all_jobs.start("watch", work)
        await work.steady.wait()
        assert [(job.name, job.restarts, job.down) for job in all_jobs.all] == [("watch", 3, False)]
        assert all_jobs.all[0].error == "RuntimeError"  # what it says may be somebody's
        await all_jobs.stop()

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert [record.getMessage() for record in caplog.records] == [
        "background job watch failed (RuntimeError); it is started again"
    ] * 3


def test_what_the_machine_says_needs_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """A full disk is no fault in a line of code, and a log is no place for one every second."""

    async def full() -> None:
        raise OSError(28, "No space left on device", "/data/run")

    async def run() -> None:
        all_jobs = Jobs()
        all_jobs.start("metrics-share", full)
        while not caplog.records:  # noqa: ASYNC110 - it is no event of ours
            await asyncio.sleep(0)
        await all_jobs.stop()

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    [record] = caplog.records
    assert "No space left on device: '/data/run'" in record.getMessage()
    assert not record.exc_info


@pytest.mark.parametrize(("vital", "up"), [(True, False), (False, True)])
def test_a_vital_job_that_is_down_shows(monkeypatch: pytest.MonkeyPatch, vital: bool, up: bool) -> None:
    """Readiness depends on vital jobs alone."""
    monkeypatch.setattr(jobs, "FIRST_PAUSE_S", 3600.0)

    async def run() -> None:
        all_jobs = Jobs()
        all_jobs.start("watch", Failing(1), vital=vital)
        for _ in range(5):
            await asyncio.sleep(0)
        assert all_jobs.all[0].down
        assert all_jobs.vital_are_up() is up
        await all_jobs.stop()

    asyncio.run(run())


def test_stopping_ends_every_job() -> None:
    """No task outlives `stop`, and stopping twice is harmless."""

    async def run() -> None:
        all_jobs, work = Jobs(), Failing(0)
        all_jobs.start("a", work)
        all_jobs.start("b", Failing(10_000))
        await work.steady.wait()
        await all_jobs.stop()
        await all_jobs.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert all_jobs.all == []

    asyncio.run(run())


def test_a_job_that_ends_by_itself_has_ended() -> None:
    """Work that is done is not done again."""

    async def run() -> None:
        runs = []

        async def once() -> None:
            runs.append(1)

        all_jobs = Jobs()
        all_jobs.start("once", once)
        for _ in range(5):
            await asyncio.sleep(0)
        assert runs == [1]
        await all_jobs.stop()

    asyncio.run(run())


def test_a_step_is_told_to_whoever_listens() -> None:
    """Name, length and what it raised; its result comes back."""
    heard: list[tuple[str, BaseException | None]] = []

    def broken() -> None:
        raise LookupError

    async def run() -> None:
        all_jobs = Jobs()
        assert await all_jobs.step("alone", lambda: 1) == 1
        all_jobs.on_step = lambda name, began, took, raised: heard.append((name, raised)) if took >= 0 < began else None
        assert await all_jobs.step("good", lambda: 2) == 2
        with pytest.raises(LookupError):
            await all_jobs.step("bad", broken)

    asyncio.run(run())
    assert [(name, type(raised)) for name, raised in heard] == [("good", type(None)), ("bad", LookupError)]

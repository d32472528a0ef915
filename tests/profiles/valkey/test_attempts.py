"""Whose turn it is to connect, by a clock that the tests turn."""

from collections import Counter
from threading import Event, Thread

import pytest

from engine.profiles.valkey.attempts import SPACING_S, Attempts, NotTried


class Clock:
    """Seconds, as somebody says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """It stands."""
    return Clock()


def tried(attempts: Attempts, server: str, *, well: bool) -> bool:
    """One attempt; was it allowed?"""
    try:
        attempts.begin(server, wait=False)
    except NotTried:
        return False
    attempts.ended(server, well=well)
    return True


def test_a_server_that_answers_is_never_held_up(clock: Clock) -> None:
    """However often it is connected to."""
    attempts = Attempts(clock)
    assert all(tried(attempts, "a", well=True) for _ in range(100))
    assert attempts.pause_s("a") == attempts.pause_s("never seen") == 0


def test_a_server_that_is_gone_is_tried_twice_a_second(clock: Clock) -> None:
    """However many want it; once it answers, everybody may."""
    attempts = Attempts(clock)
    per_second: Counter[int] = Counter()
    for _ in range(10_000):
        per_second[int(clock.now)] += tried(attempts, "a", well=False)
        clock.now += 0.001
    assert set(per_second.values()) <= {1, 2}
    clock.now += attempts.pause_s("a")
    assert tried(attempts, "a", well=True)
    assert tried(attempts, "a", well=True)


def test_a_server_that_lets_in_and_throws_out_is_tried_twice_a_second(clock: Clock) -> None:
    """Whoever has the connections, once it has done so twice; and no longer than it does so."""
    attempts = Attempts(clock)
    per_second: Counter[int] = Counter()
    for _ in range(30):
        for _ in range(5):
            per_second[int(clock.now)] += tried(attempts, "a", well=True)
        clock.now += 0.3
        attempts.lost("a", 0.3)
    assert max(per_second[second] for second in range(102, 109)) <= 2
    clock.now += 3
    assert all(tried(attempts, "a", well=True) for _ in range(10))
    attempts.lost("a", 3600)
    attempts.lost("a", 3600)
    assert attempts.pause_s("a") == 0


def test_where_somebody_looks_after_it_nobody_else_tries(clock: Clock) -> None:
    """A server that hangs; whoever finds it well finds it for all."""
    attempts = Attempts(clock)
    attempts.hangs("a")
    with attempts.looking_after():
        clock.now += 10
        others: list[type[Exception] | None] = []

        def want() -> None:
            try:
                attempts.begin("a")
            except NotTried:
                others.append(NotTried)

        thread = Thread(target=want)
        thread.start()
        thread.join()
        assert others == [NotTried]
        attempts.begin("a")
        attempts.ended("a", well=True)
    assert tried(attempts, "a", well=True)


def test_several_that_are_gone_share_the_attempts(clock: Clock) -> None:
    """Each has its turn, together they are tried twice a second; one that answers is not held up by them."""
    attempts = Attempts(clock)
    for name in "abcd":
        assert tried(attempts, name, well=False)
    counts: Counter[str] = Counter()
    for _ in range(20_000):
        counts.update(name for name in "abcd" if tried(attempts, name, well=False))
        clock.now += 0.001
    assert counts.total() <= 2 * 20
    assert set(counts.values()) <= {9, 10}
    assert set(counts) == set("abcd")
    assert tried(attempts, "e", well=True)


def test_nobody_waits_for_a_server_that_is_gone(clock: Clock) -> None:
    """Who comes while one tries is refused at once, and told when it may be time."""
    attempts = Attempts(clock)
    tried(attempts, "a", well=False)
    clock.now += SPACING_S
    attempts.begin("a")
    with pytest.raises(NotTried):
        attempts.begin("a")
    assert attempts.pause_s("a") == SPACING_S
    attempts.ended("a", well=True)
    attempts.begin("a")
    attempts.ended("a", well=True)


def test_when_a_server_dies_it_is_tried_once_and_not_once_by_each(clock: Clock) -> None:
    """Ten threads want it: one finds out, the others wait for that and are refused."""
    attempts = Attempts(clock)
    began: list[int] = []
    refused: list[int] = []
    others_wait = Event()

    def want(number: int) -> None:
        try:
            attempts.begin("a")
        except NotTried:
            refused.append(number)
        else:
            began.append(number)
            others_wait.wait(60)
            attempts.ended("a", well=False)

    threads = [Thread(target=want, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    others_wait.set()
    for thread in threads:
        thread.join()
    assert len(began) == 1
    assert len(refused) == 9


def test_one_that_nobody_tries_any_more_no_longer_counts(clock: Clock) -> None:
    """A node that left the cluster long ago slows nothing down."""
    attempts = Attempts(clock)
    tried(attempts, "gone", well=False)
    clock.now += 3600
    tried(attempts, "a", well=False)
    assert attempts.pause_s("a") == pytest.approx(SPACING_S)


def test_without_waiting_two_may_try_a_good_server() -> None:
    """The event loop must not stand still for a thread."""
    attempts = Attempts()
    attempts.begin("a")
    attempts.begin("a", wait=False)
    attempts.ended("a", well=True)
    attempts.ended("a", well=True)
    assert attempts.pause_s("a") == 0

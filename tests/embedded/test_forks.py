"""A program that forks: gunicorn with `preload_app`, multiprocessing, `os.fork` in the middle of everything."""

import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine import Engine, News

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")

_inherited: list[Engine] = []


def open_files() -> set[Path]:
    """The files that this process has open, where the system tells."""
    found = set()
    for number in Path("/proc/self/fd").iterdir() if Path("/proc/self/fd").exists() else ():
        try:
            found.add(number.readlink())
        except OSError:
            continue
    return found


def variant(engine: Engine, url: str, visitor: str = "ada") -> tuple[str | None, bool]:
    """What the visitor sees on the home page, and whether anything was lacking."""
    answer = engine.decide(visitor, url=url)
    return answer.variant("homepage"), answer.degraded


@pytest.mark.parametrize("decided", [False, True], ids=["only loaded", "decided before"])
def test_a_child_decides_by_itself(engine: Engine, site: SimpleNamespace, decided: bool) -> None:
    """As its parent goes on to; the store was closed over the fork."""
    if decided:
        assert variant(engine, site.url) == ("hero", False)

    def work() -> tuple[bool, list[tuple[str | None, bool]], str | None]:
        inherited = site.data / "profiles/lock.mdb" in open_files()
        return inherited, [variant(engine, site.url, visitor) for visitor in ("ada", "bob")], engine.trouble

    assert site.in_child(work) == (False, [("hero", False), (None, False)], None)
    assert variant(engine, site.url) == ("hero", False)
    assert threading.active_count() > 1


def test_a_child_takes_new_rules_and_sees_new_traits(engine: Engine, site: SimpleNamespace) -> None:
    """While its parent, who had a thread too, does the same."""
    variant(engine, site.url)

    def work() -> bool:
        variant(engine, site.url)
        site.file.write_text(site.text.replace("key: hero", "key: bold"))
        site.until(lambda: variant(engine, site.url) == ("bold", False))
        site.write_elsewhere("bob")
        return variant(engine, site.url, "bob") == ("bold", False)

    assert site.in_child(work)
    site.until(lambda: variant(engine, site.url, "bob") == ("bold", False))


def test_a_child_begins_with_the_rules_of_today(engine: Engine, site: SimpleNamespace) -> None:
    """Not with those that its parent loaded when it began, however long ago that was."""
    site.file.write_text(site.text.replace("key: hero", "key: bold"))
    engine.guest._looked -= 60
    assert site.in_child(lambda: variant(engine, site.url)) == ("bold", False)
    assert variant(engine, site.url) == ("bold", False)


@pytest.mark.parametrize(
    "open_",
    [
        lambda: Engine.open("rules", "data"),
        lambda: Engine.from_environment({"MUTINY_EDGE_RULES": "rules", "MUTINY_EDGE_DATA": "data"}),
    ],
    ids=["by arguments", "by variables"],
)
def test_its_folders_are_those_of_the_moment_when_it_was_opened(
    site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, open_: Callable[[], Engine]
) -> None:
    """A program that goes to `/`, as daemons do, and forks, decides on the same visitors and takes new rules."""
    site.write("ada")
    monkeypatch.chdir(site.data.parent)
    with open_() as engine:
        monkeypatch.chdir("/")
        assert site.in_child(lambda: variant(engine, site.url)) == ("hero", False)
        assert variant(engine, site.url) == ("hero", False)
        site.file.write_text(site.text.replace("key: hero", "key: bold"))
        site.until(lambda: variant(engine, site.url) == ("bold", False))
        assert engine.trouble is None


@pytest.mark.parametrize("forks", [8, pytest.param(300, marks=pytest.mark.long)])
def test_forking_while_threads_ask(engine: Engine, site: SimpleNamespace, forks: int) -> None:
    """No answer of theirs lacks anything, and every child's threads are answered too."""
    over = threading.Event()
    answers: list[tuple[str | None, bool]] = []

    def ask() -> None:
        while not over.is_set():
            answers.append(variant(engine, site.url))

    def work() -> set[tuple[str | None, bool]]:
        found: list[tuple[str | None, bool]] = []
        threads = [threading.Thread(target=lambda: found.append(variant(engine, site.url))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return set(found)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    try:
        children = [site.in_child(work) for _ in range(forks)]
    finally:
        over.set()
        for thread in asking:
            thread.join()
    assert children == [{("hero", False)}] * forks
    assert set(answers) == {("hero", False)}


def test_whoever_watches_may_decide_while_the_process_forks(engine: Engine, site: SimpleNamespace) -> None:
    """They are waited for, and answered."""
    told, answers = threading.Event(), []

    def watching(_: News) -> None:
        told.set()
        site.until(lambda: not engine.guest.answers_at_once)
        answers.append(variant(engine, site.url))

    engine.watch(watching)
    site.file.write_text(site.text.replace("key: hero", "key: bold"))
    assert told.wait(60)
    assert site.in_child(lambda: variant(engine, site.url)) == ("bold", False)
    assert answers == [("bold", False)]


def decided_in_a_pool(url: str) -> tuple[str | None, bool]:
    """The work of a pool's process."""
    return variant(_inherited[0], url)


def test_a_pool_of_forked_processes_decides(engine: Engine, site: SimpleNamespace) -> None:
    """`multiprocessing` with what the parent opened."""
    _inherited[:] = [engine]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: threads are there while it forks
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert set(pool.map(decided_in_a_pool, [site.url] * 20)) == {("hero", False)}
    _inherited.clear()


def test_a_grandchild_decides(engine: Engine, site: SimpleNamespace) -> None:
    """A master that forks a worker that forks."""
    in_child: Callable[[Callable[[], object]], object] = site.in_child
    assert in_child(lambda: (variant(engine, site.url), in_child(lambda: variant(engine, site.url)))) == (
        ("hero", False),
        ("hero", False),
    )

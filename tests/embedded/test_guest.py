"""The engine while it lives in a program: rules change, the store comes, goes and comes back, threads ask all along."""

import gc
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine import Answer, Engine, News
from engine.embedded import forks
from engine.words import Decision


@contextmanager
def asking(engine: Engine, url: str, threads: int = 4) -> Iterator[list[Answer]]:
    """What threads get that ask all the time meanwhile; none of them is told an exception."""
    over, answers, faults = threading.Event(), [], []

    def ask() -> None:
        try:
            while not over.is_set():
                answers.append(engine.decide("ada", url=url))
        except Exception as fault:  # noqa: BLE001 - the test fails by it
            faults.append(fault)

    running = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in running:
            thread.join()
    assert faults == []


def looking() -> list[threading.Thread]:
    """The threads that look at rule files."""
    return [thread for thread in threading.enumerate() if thread.name == "mutiny-edge"]


def test_rules_are_swapped_while_threads_ask(engine: Engine, site: SimpleNamespace) -> None:
    """Every answer is by the old rules or by the new ones, none lacks anything, and whoever watches is told what is
    other; its fault is its own.
    """
    news: list[News] = []

    def stumble(_: News) -> None:
        raise ZeroDivisionError

    engine.watch(stumble)
    unwatch = engine.watch(news.append)
    before = engine.ruleset
    with asking(engine, site.url) as answers:
        site.until(lambda: answers)
        site.file.write_text(site.text.replace("key: hero", "key: bold"))
        site.until(lambda: news)
        seen = len(answers)
        site.until(lambda: len(answers) > seen + 100)
    assert {(answer.ruleset, answer.variant("homepage")) for answer in answers} == {
        (before, "hero"),
        (engine.ruleset, "bold"),
    }
    assert not any(answer.degraded for answer in answers)
    assert news == [News(engine.ruleset, ("homepage",), None)]
    unwatch()


def test_broken_rules_change_nothing_and_are_told(engine: Engine, site: SimpleNamespace) -> None:
    """The last good ones decide; once the files are in order again that is told as well."""
    news: list[News] = []
    engine.watch(news.append)
    version = engine.ruleset
    site.file.write_text(site.text.replace("segment: small", "segment: smal"))
    site.until(lambda: engine.trouble)
    assert "site.yaml:8:" in str(engine.trouble)
    assert engine.decide("ada", url=site.url).variant("homepage") == "hero"
    late: list[News] = []
    engine.watch(late.append)
    site.until(lambda: late)
    site.file.write_text(site.text)
    site.until(lambda: engine.trouble is None and news[-1].trouble is None)
    assert {item.ruleset for item in news} == {version}
    assert late[0].trouble == news[0].trouble
    assert all(item.experiences == () for item in news)


def test_a_store_that_is_made_later_is_read(site: SimpleNamespace) -> None:
    """By a service that starts after the program, in a folder that was not there; nothing was made in it before."""
    with Engine.open(site.rules, site.data) as engine:
        before = engine.decide("ada", url=site.url)
        assert (before.variant("homepage"), before.degraded, engine.trouble) == (None, False, None)
        assert not site.data.exists()
        site.write_elsewhere("ada")
        site.until(lambda: engine.decide("ada", url=site.url).variant("homepage") == "hero")
        site.write_elsewhere("bob")
        assert engine.decide("bob", url=site.url).variant("homepage") == "hero"


def test_a_damaged_store_is_trouble_and_heals(site: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    """It opens without profiles and says so; once the folder was moved away and a new store made, that one is read."""
    site.write("ada")
    (site.data / "profiles" / "data.mdb").write_bytes(b"")
    with caplog.at_level(logging.ERROR), Engine.open(site.rules, site.data) as engine:
        assert "was emptied" in str(engine.trouble)
        answer = engine.decide("ada", url=site.url)
        assert (answer.degraded, answer.variant("homepage"), answer.variant("banner")) == (True, None, "v")
        assert [record.message for record in caplog.records if "was emptied" in record.message]
        shutil.rmtree(site.data / "profiles")
        site.write_elsewhere("ada")
        site.until(lambda: engine.decide("ada", url=site.url).variant("homepage") == "hero")
        site.until(lambda: engine.trouble is None)


def test_a_store_that_was_replaced_is_opened_anew(engine: Engine, site: SimpleNamespace) -> None:
    """As `store rebuild` after a move does, while the program runs."""
    assert engine.decide("ada", url=site.url).variant("homepage") == "hero"
    shutil.rmtree(site.data / "profiles")
    site.write_elsewhere("bob")
    site.until(lambda: engine.decide("bob", url=site.url).variant("homepage") == "hero")
    assert engine.decide("ada", url=site.url).variant("homepage") is None
    site.until(lambda: engine.trouble is None)


def test_a_fault_of_ours_is_no_fault_of_the_page(
    engine: Engine, site: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing applies, the answer says `degraded`, and the log has the traceback once."""

    def fail(_: str) -> Decision:
        raise ZeroDivisionError("by no fault of the page")

    with caplog.at_level(logging.ERROR):
        decisions = [engine.guest.ask(fail, "ada") for _ in range(20)]
    assert {(decision.assignments, decision.degraded) for decision in decisions} == {((), True)}
    assert len([record for record in caplog.records if record.exc_info]) == 1


def test_a_store_that_is_closed_meanwhile_costs_no_answer(engine: Engine, site: SimpleNamespace) -> None:
    """Who asked it then is answered by the one that is opened next."""
    with asking(engine, site.url) as answers:
        for _ in range(30):
            seen = len(answers)
            with forks.ORDER:
                engine.guest.lie_down()
            site.until(lambda seen=seen: len(answers) > seen + 5)
    assert {(answer.degraded, answer.variant("homepage")) for answer in answers} == {(False, "hero")}


def test_one_thread_looks_from_the_first_decision_to_the_end(engine: Engine, site: SimpleNamespace) -> None:
    """A program that only loads the engine has none; one that forgets to close it has none once it is gone."""
    assert looking() == []
    engine.decide("ada", url=site.url)
    engine.decide("ada", url=site.url)
    assert len(looking()) == 1
    engine.close()
    assert looking() == []
    forgotten = Engine.open(site.rules, site.data)
    forgotten.decide("ada", url=site.url)
    del forgotten
    gc.collect()
    site.until(lambda: looking() == [])


def test_it_leaves_the_process_as_it_found_it(site: SimpleNamespace) -> None:
    """Nobody's garbage is frozen, and nobody's collector is switched on."""
    gc.disable()
    try:
        frozen = gc.get_freeze_count()
        with Engine.open(site.rules, site.data) as engine:
            engine.decide("ada", url=site.url)
            before = engine.ruleset
            site.file.write_text(site.text.replace("key: hero", "key: bold"))
            site.until(lambda: engine.ruleset != before)
        assert (gc.isenabled(), gc.get_freeze_count()) == (False, frozen)
    finally:
        gc.enable()


def test_nothing_is_written(engine: Engine, site: SimpleNamespace) -> None:
    """Neither beside the rules nor in the data folder of the service; LMDB's own table of readers apart."""

    def listed() -> dict[Path, bytes]:
        paths = [path for path in (*site.data.rglob("*"), *site.rules.rglob("*")) if path.is_file()]
        return {path: path.read_bytes() for path in paths if path.name != "lock.mdb"}

    before = listed()
    engine.decide("ada", url=site.url)
    version = engine.ruleset
    site.file.write_text(site.text.replace("key: hero", "key: bold"))
    site.until(lambda: engine.ruleset != version)
    engine.close()
    assert {path: content for path, content in listed().items() if path != site.file} == {
        path: content for path, content in before.items() if path != site.file
    }

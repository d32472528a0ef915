"""The engine while it lives in a program: rules change, the store comes, goes and comes back, threads ask all along."""

import gc
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from engine import Answer, Engine, News
from engine.decide.decider import Decider
from engine.embedded import forks, guest
from engine.profiles.lmdb import LmdbStore
from engine.profiles.store import StoreUnavailable
from engine.rules.notation.scalars import timestamp
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


def test_a_date_that_passes_is_told(engine: Engine, site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, with what begins or ends then, by the rules that there were; in whatever zone it is written."""
    now, hour, news = timestamp("2099-01-01T11:00:00Z"), timedelta(hours=1), list[News]()
    monkeypatch.setattr(guest, "utc_now", lambda: now)
    ends = "    schedule: {start: 2099-01-01T12:00:00Z, end: 2099-01-01T14:00:00+01:00}\n    audiences: [{segment: all"
    site.file.write_text(site.text.replace("    audiences: [{segment: all", ends))
    engine.watch(news.append)
    site.until(lambda: news)
    for told in (2, 3):
        now += hour
        site.until(lambda told=told: len(news) == told)
    assert news[1:] == [News(engine.ruleset, ("banner",), None)] * 2
    now += hour
    site.file.write_text(site.text)
    site.until(lambda: len(news) > 3)
    assert news[3:] == [News(engine.ruleset, ("banner",), None)]


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


def test_a_store_that_has_gone_is_no_empty_one(engine: Engine, site: SimpleNamespace) -> None:
    """A volume that is not mounted: answers lack what was stored, and say so, until it is back."""
    assert engine.decide("ada", url=site.url).variant("homepage") == "hero"
    elsewhere = site.data.rename(site.data.with_name("elsewhere"))
    site.until(lambda: f"{site.data}: visitors were stored there, and now nothing is" in str(engine.trouble))
    assert engine.decide("ada", url=site.url).degraded
    elsewhere.rename(site.data)
    site.until(lambda: engine.decide("ada", url=site.url).variant("homepage") == "hero")
    site.until(lambda: engine.trouble is None)


def test_a_fault_of_ours_is_no_fault_of_the_page(
    engine: Engine, site: SimpleNamespace, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing applies, the answer says `degraded` and `trouble` why, for a while; the log has the traceback once, and
    not the message, which may hold a trait.
    """

    def fail(*_: object) -> Decision:
        raise ValueError("S3CRET")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(Decider, "decide_on", fail)
        answers = [engine.decide("ada", url=site.url) for _ in range(20)]
    assert {(answer.decisions, answer.degraded) for answer in answers} == {((), True)}
    assert engine.trouble == "a fault in mutiny-edge (ValueError, see the log): nothing applied to a page view"
    assert caplog.text.count("Traceback") == caplog.text.count("ValueError: its message is left out") == 1
    assert 'raise ValueError("S3CRET")' in caplog.text
    assert "S3CRET" not in caplog.text.replace('raise ValueError("S3CRET")', "")
    monkeypatch.setattr(guest, "_FAULT_S", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(Decider, "decide_on", fail)
        engine.decide("ada", url=site.url)
    assert engine.trouble is None


def test_what_an_answer_lacks_is_trouble_at_once(
    engine: Engine, site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before a look at the store finds out why; and for a moment after."""

    def fail(*_: object) -> NoReturn:
        raise StoreUnavailable("by no fault of ours")

    assert (engine.decide("ada", url=site.url).degraded, engine.trouble) == (False, None)
    with monkeypatch.context() as patch:
        patch.setattr(LmdbStore, "one", fail)
        patch.setattr(LmdbStore, "chain", fail)
        assert engine.decide("ada", url=site.url).degraded
        assert engine.trouble == "profiles could not be read, or not in whole; what else is known decided"
        patch.setattr(guest, "_LACKING_S", 0.0)
        assert engine.decide("ada", url=site.url).degraded
        assert engine.trouble is None


@pytest.mark.parametrize("file", ["data", "data/profiles"])
def test_a_file_in_place_of_the_data_folder_is_trouble(site: SimpleNamespace, file: str) -> None:
    """A mistyped path does not look like a store without visitors; once a folder is there, it is read."""
    wrong = site.data.parent / file
    wrong.parent.mkdir(exist_ok=True)
    wrong.touch()
    with Engine.open(site.rules, site.data) as engine:
        assert engine.trouble == f"{wrong}: expected a data folder (a service's, or one that is made later), got a file"
        assert engine.decide("ada", url=site.url).degraded
        wrong.unlink()
        site.write_elsewhere("ada")
        site.until(lambda: engine.decide("ada", url=site.url).variant("homepage") == "hero")
        site.until(lambda: engine.trouble is None)


def test_all_that_is_wrong_is_told(site: SimpleNamespace) -> None:
    """Broken rules do not hide a store that cannot be read."""
    site.data.touch()
    with Engine.open(site.rules, site.data) as engine:
        engine.decide("ada", url=site.url)
        site.file.write_text(site.text.replace("segment: small", "segment: smal"))
        site.until(lambda: "site.yaml:8:" in str(engine.trouble))
        assert str(engine.trouble).endswith("got a file")


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

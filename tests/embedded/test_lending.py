"""Several engines in one process read one store."""

import shutil
from types import SimpleNamespace
from typing import NoReturn

import pytest

from engine import Engine
from engine.embedded import lending
from engine.profiles import trust
from engine.profiles.lmdb import LmdbStore
from engine.profiles.nothing import NothingStored
from engine.profiles.unreadable import UnreadableStore
from engine.settings import Settings


def test_two_engines_read_one_folder(engine: Engine, site: SimpleNamespace) -> None:
    """And the one that stays goes on after the other was closed."""
    with Engine.open(site.rules, site.data) as other:
        for one in (engine, other):
            assert one.decide("ada", url=site.url).variant("homepage") == "hero"
    answer = engine.decide("ada", url=site.url)
    assert (answer.variant("homepage"), answer.degraded) == ("hero", False)


def test_the_last_one_closes_it(site: SimpleNamespace) -> None:
    """Then the file may be opened by somebody else in this process, and by us again."""
    site.write("ada")
    settings = Settings(site.rules, site.data)
    stores = [lending.borrow(settings) for _ in range(3)]
    assert len({id(store) for store in stores}) == 1
    for store in stores:
        lending.give_back(store)
    LmdbStore(site.data / "profiles").close()
    again = lending.borrow(settings)
    assert again is not stores[0]
    lending.give_back(again)


def test_what_was_open_here_is_believed(site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a canary, though no note says how the file was left; another file in its place is not."""
    site.write("ada")
    (site.data / "profiles" / "closed.json").unlink()
    settings = Settings(site.rules, site.data)
    lending.give_back(lending.borrow(settings))

    def run(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a canary was sent")

    monkeypatch.setattr(trust.subprocess, "run", run)
    lending.give_back(lending.borrow(settings))
    shutil.copytree(site.data, site.data.with_name("other"))
    shutil.rmtree(site.data)
    site.data.with_name("other").rename(site.data)
    with pytest.raises(AssertionError, match="a canary was sent"):
        lending.borrow(settings)


def test_a_bad_one_is_lent_no_more(site: SimpleNamespace) -> None:
    """Whoever comes next gets another one."""
    site.write("ada")
    settings = Settings(site.rules, site.data)
    first, second = lending.borrow(settings), lending.borrow(settings)
    lending.give_back(first, bad=True)
    other = lending.borrow(settings)
    assert other is not first
    for store in (second, other):
        lending.give_back(store)


def test_what_cannot_be_opened_is_lent_in_another_shape(site: SimpleNamespace) -> None:
    """Nothing is stored, or it says why it cannot be read."""
    settings = Settings(site.rules, site.data)
    assert isinstance(lending.borrow(settings), NothingStored)
    site.write("ada")
    (site.data / "profiles" / "data.mdb").write_bytes(b"")
    assert isinstance(lending.borrow(settings), UnreadableStore)
    assert isinstance(lending.borrow(Settings(site.rules, site.data / ("x" * 300))), UnreadableStore)

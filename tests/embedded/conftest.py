"""What the tests of the engine inside a program share: rules, stored visitors, and work in other processes."""

import os
import pickle
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine import Engine, limits
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change

URL = "https://www.example.com/"
RULES = """\
segments:
  small: {name: Small, when: traits.employees < 50}
  all: {name: All, when: 'page.host != ""'}
experiences:
  homepage:
    name: Homepage
    pages: ["/**"]
    audiences: [{segment: small, control: 0%, variants: [{key: hero, changes: [{selector: h1, text: Hi}]}]}]
  banner:
    name: Banner
    pages: ["/**"]
    audiences: [{segment: all, control: 0%, variants: [{key: v, changes: [{selector: h2, text: Hi}]}]}]
"""
PATIENCE_S = 60.0  # no test measures time; this only ends what hangs
WRITER = """
import sys
from pathlib import Path
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change
store = LmdbStore(Path(sys.argv[1]))
store.apply([Change(key("visitor", sys.argv[2]), 1, {"employees": 12})])
store.close()
"""


def write(data: Path, *visitors: str) -> None:
    """Store visitors with 12 employees."""
    store = LmdbStore(data / "profiles")
    store.apply([Change(key("visitor", visitor), 1, {"employees": 12}) for visitor in visitors])
    store.close()


def write_elsewhere(data: Path, visitor: str) -> None:
    """The same by another process, while this one may have the store open."""
    subprocess.run([sys.executable, "-c", WRITER, str(data / "profiles"), visitor], check=True, timeout=PATIENCE_S)


def until(what: Callable[[], object]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def in_child(work: Callable[[], Any]) -> Any:
    """What `work` returns in a forked child; its exception is raised here."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: threads are there while it forks
        child = os.fork()
    if child == 0:
        result: Any = None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - nothing of pytest may go on in here
            result = AssertionError(f"in the child: {error!r}")
        finally:
            os.write(writing, pickle.dumps(result))
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123 - a number
        result = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    if isinstance(result, AssertionError):
        raise result
    return result


@pytest.fixture(scope="package", autouse=True)
def hurry() -> Iterator[None]:
    """Rule files are looked at more often than four times a second, so that tests wait less."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "LOOK_INTERVAL_S", 0.03)
        yield


@pytest.fixture
def site(tmp_path: Path) -> SimpleNamespace:
    """A rules folder, a data folder that is not there yet, and what to do with them."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "site.yaml").write_text(RULES)
    return SimpleNamespace(
        rules=tmp_path / "rules",
        file=tmp_path / "rules" / "site.yaml",
        data=tmp_path / "data",
        url=URL,
        text=RULES,
        write=lambda *visitors: write(tmp_path / "data", *visitors),
        write_elsewhere=lambda visitor: write_elsewhere(tmp_path / "data", visitor),
        until=until,
        in_child=in_child,
    )


@pytest.fixture
def engine(site: SimpleNamespace) -> Iterator[Engine]:
    """An engine over it, with the visitor `ada` stored."""
    site.write("ada")
    with Engine.open(site.rules, site.data) as engine:
        yield engine

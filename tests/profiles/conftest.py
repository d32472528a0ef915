"""Every store there is, empty, for the contract suite and for whoever just needs one."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from plain import module_at

from engine.profiles.lmdb import LmdbStore
from engine.profiles.store import Store
from engine.profiles.valkey.address import address
from engine.profiles.valkey.store import ValkeyStore

PATIENCE_S = 120  # no test measures time; this only ends what hangs

Child: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a store may be made."""
    return tmp_path / "profiles"


def _memory() -> Store:
    """The store of `memory.py`; with importlib mode that is in no package."""
    made: Store = module_at(Path(__file__).with_name("memory.py")).MemoryStore()
    return made


def _shared(request: pytest.FixtureRequest, server: str) -> Store:
    return ValkeyStore(address(request.getfixturevalue(server).url()), node="here")


@pytest.fixture(params=["lmdb", "memory", "valkey", "cluster"])
def store(request: pytest.FixtureRequest, folder: Path) -> Iterator[Store]:
    """An empty store of each kind; a new kind is one more name and line here."""
    made: dict[str, Callable[[], Store]] = {
        "lmdb": lambda: LmdbStore(folder),
        "memory": _memory,
        "valkey": lambda: _shared(request, "valkey_server"),
        "cluster": lambda: _shared(request, "valkey_cluster"),
    }
    opened = made[request.param]()
    yield opened
    opened.close()


@pytest.fixture
def emptied(store: Store) -> Callable[[], Store]:
    """Empties the store, for laws that want it many times."""

    def empty() -> Store:
        store.delete([key for key, _ in store.scan()])
        return store

    return empty


@pytest.fixture
def child() -> Child:
    """Run Python code in a process of its own; its arguments are `sys.argv[1:]`."""

    def run(code: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)

    return run


@pytest.fixture
def begin_child() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start Python code in a process of its own, with pipes; whatever still runs in the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", code, *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()

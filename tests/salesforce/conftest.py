"""The loopback org, a client that is let in, a mirror and a store."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from plain import module_at

from engine.profiles.lmdb import LmdbStore
from engine.profiles.store import Store
from engine.salesforce.access import Access
from engine.salesforce.client import Client
from engine.salesforce.mirror import Mirror
from engine.salesforce.session import Session
from engine.salesforce.sync import Sync


@pytest.fixture(scope="session")
def orgs() -> ModuleType:
    """The module that holds the loopback org; with importlib mode it is in no package."""
    return module_at(Path(__file__).with_name("org.py"))


@pytest.fixture
def org(orgs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An org at work, found and trusted by whoever asks Salesforce in this process."""
    made = orgs.Org()
    with orgs.served(made, tmp_path) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def slept() -> list[float]:
    """How long was waited, each time."""
    return []


@pytest.fixture
def client(org: Any, orgs: ModuleType, slept: list[float]) -> Iterator[Client]:
    """Let in by client credentials; it never really waits."""
    with Session(slept.append) as session:
        yield Client(Access(orgs.HOST, orgs.ID, orgs.SECRET), session)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    """An empty one."""
    opened = Mirror(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty one."""
    opened = LmdbStore(tmp_path / "profiles")
    yield opened
    opened.close()


@pytest.fixture
def sync(client: Client, mirror: Mirror, store: Store, org: Any, slept: list[float]) -> Callable[..., Any]:
    """`sync(full=…)`: one run for both objects; our clock is the org's."""

    def clock() -> datetime:
        now: datetime = org.now
        return now

    def run(*objects: Any, full: bool = False) -> Any:
        made = Sync(client, mirror, store, clock=clock, sleep=slept.append, tell=lambda *_: None)
        return made.run(objects or ("Lead", "Contact"), full=full)

    return run

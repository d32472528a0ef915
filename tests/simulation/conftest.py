"""Rules to simulate visitors for: the example, and others as text."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from plain import module_at

from engine.decide.decider import Decider
from engine.problems import as_text
from engine.profiles.store import Store
from engine.rules.folder import load
from engine.words import Ruleset

HOUSE = Path(__file__).resolve().parent.parent.parent
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    """Noon."""
    return NOW


@pytest.fixture
def rules(tmp_path: Path) -> Callable[[str], Ruleset]:
    """A ruleset from YAML."""

    def made(text: str) -> Ruleset:
        folder = tmp_path / "rules"
        folder.mkdir(exist_ok=True)
        folder.joinpath("all.yaml").write_text(text)
        loaded = load(folder)
        assert loaded.ruleset is not None, [as_text(problem) for problem in loaded.problems]
        return loaded.ruleset

    return made


@pytest.fixture(scope="session")
def example() -> Decider:
    """The example rules."""
    loaded = load(HOUSE / "rules")
    assert loaded.ruleset is not None
    return Decider(loaded.ruleset)


@pytest.fixture(scope="session")
def memory() -> Callable[[], Store]:
    """Make an empty store in memory."""
    made: Callable[[], Store] = module_at(HOUSE / "tests" / "profiles" / "memory.py").MemoryStore
    return made

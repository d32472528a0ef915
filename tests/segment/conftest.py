"""What the laws of this room share: generated messages, and stores in memory to hold what comes of them."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from plain import module_at

from engine.profiles.store import Store

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def strategies() -> ModuleType:
    """The module with generated messages."""
    return module_at(HERE / "strategies.py")


@pytest.fixture(scope="session")
def memory() -> Callable[[], Store]:
    """Make an empty store in memory; `tests/profiles` holds it to the contract of all stores."""
    made: Callable[[], Store] = module_at(HERE.parent / "profiles" / "memory.py").MemoryStore
    return made

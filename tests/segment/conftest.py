"""What the laws of this room share: generated messages, and stores in memory to hold what comes of them."""

from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from engine.profiles.store import Store

HERE = Path(__file__).parent


def _load(path: Path) -> ModuleType:
    """A plain module of the tests: with importlib mode they are in no package."""
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def strategies() -> ModuleType:
    """The module with generated messages."""
    return _load(HERE / "strategies.py")


@pytest.fixture(scope="session")
def memory() -> Callable[[], Store]:
    """Make an empty store in memory; `tests/profiles` holds it to the contract of all stores."""
    made: Callable[[], Store] = _load(HERE.parent / "profiles" / "memory.py").MemoryStore
    return made

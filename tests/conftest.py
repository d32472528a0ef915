"""What tests of several rooms share: CEL's conformance cases, generated conditions, rulesets made by hand."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings

HERE = Path(__file__).resolve().parent
WITH_SERVICES = {"browser", "segment_libraries", "web"}


def _load(path: Path) -> ModuleType:
    """A plain module of the tests: with importlib mode they are in no package."""
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# No test asserts a time, so neither does hypothesis.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

maker = _load(HERE / "maker.py")
conformance_cases = _load(HERE / "cel" / "conformance_cases.py")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a `conformance_case` runs once for each."""
    if "conformance_case" in metafunc.fixturenames:
        metafunc.parametrize("conformance_case", conformance_cases.parameters())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On several cores: tests of one file stay together, and those that hold services and clients to their time run
    one after the other in one process, for they keep several cores busy themselves.
    """
    for item in items:
        place = item.path.relative_to(HERE)
        together = "services" if place.parts[0] in WITH_SERVICES else place.as_posix()
        item.add_marker(pytest.mark.xdist_group(together))


@pytest.fixture(scope="session")
def conformance() -> ModuleType:
    """The module that holds the cases: `load()`, `python()`, `literal()`, `NUMBER_OF_CASES`."""
    return conformance_cases


@pytest.fixture(scope="session")
def make() -> Any:
    """The maker of words (`maker.Maker`)."""
    return maker.Maker()


@pytest.fixture(scope="session")
def grammar() -> ModuleType:
    """The generated conditions and visitors of the compiler's tests."""
    return _load(HERE / "compile" / "grammar.py")

"""What tests of several rooms share: CEL's conformance cases, generated conditions, rulesets made by hand, servers."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings
from plain import module_at

HERE = Path(__file__).resolve().parent
WITH_SERVICES = {"browser", "segment_libraries", "web"}


# No test asserts a time, so neither does hypothesis.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

maker = module_at(HERE / "maker.py")
conformance_cases = module_at(HERE / "cel" / "conformance_cases.py")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a `conformance_case` runs once for each."""
    if "conformance_case" in metafunc.fixturenames:
        metafunc.parametrize("conformance_case", conformance_cases.parameters())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Services first: their files take longest, and on several cores the short ones fill what is left at the end."""
    items.sort(key=lambda item: item.path.parent.name not in WITH_SERVICES)


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
    return module_at(HERE / "compile" / "grammar.py")


@pytest.fixture(scope="session")
def valkey() -> ModuleType:
    """The module that starts servers: `until`, `free_port`, `SERVICE`."""
    return module_at(HERE / "valkey_servers.py")


@pytest.fixture
def valkey_servers(valkey: ModuleType) -> Iterator[Any]:
    """Starts servers of a test's own (`valkey_servers.Servers`): for whoever kills, fills or stops one."""
    with closing(valkey.Servers()) as servers:
        yield servers


@pytest.fixture
def proxy_to() -> Iterator[Any]:
    """`proxy_to(port)`: a stretch of network in front of a server, that can be spoiled (`tcp_proxy.Proxy`)."""
    with ExitStack() as closing_all:

        def made(port: int) -> Any:
            return closing_all.enter_context(closing(module_at(HERE / "tcp_proxy.py").Proxy(port)))

        yield made


@pytest.fixture(scope="session")
def _kept(valkey: ModuleType) -> Iterator[Any]:
    with closing(valkey.Servers()) as servers:
        yield servers


@pytest.fixture(scope="session")
def _one(_kept: Any) -> Any:
    return _kept.one()


@pytest.fixture(scope="session")
def _cluster(_kept: Any) -> Any:
    return _kept.cluster()


@pytest.fixture
def valkey_server(_one: Any) -> Any:
    """The server that all tests of this process share, empty (`valkey_servers.Server`)."""
    _one.ask("FLUSHALL")
    return _one


@pytest.fixture
def valkey_cluster(_cluster: Any) -> Any:
    """The cluster of three primaries that all tests of this process share, empty (`valkey_servers.Cluster`)."""
    _cluster.flush()
    return _cluster

"""What the tests of the pages share: each page, each printed command, each table, one test for each."""

from pathlib import Path
from types import ModuleType

import pytest
from plain import module_at

HERE = Path(__file__).resolve().parent


def _load(name: str) -> ModuleType:
    return module_at(HERE / f"{name}.py")


_pages = _load("pages")
_tables = _load("tables")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`page`: each of them, or each with commands; `printed`: page, command and output; `table`: name of each table."""
    names = metafunc.fixturenames
    if "printed" in names:
        cases = [(page, *printed) for page in _pages.PAGES for printed in _pages.printed_on(page)]
        metafunc.parametrize("printed", cases, ids=[f"{_pages.name_of(page)}: {command}" for page, command, _ in cases])
    if "page" in names:
        metafunc.parametrize("page", _pages.PAGES, ids=_pages.name_of)
    if "page_with_commands" in names:
        with_commands = [page for page in _pages.PAGES if _pages.fenced(page.read_text(encoding="utf-8"), "sh")]
        metafunc.parametrize("page_with_commands", with_commands, ids=_pages.name_of)
    if "table" in names:
        metafunc.parametrize("table", _tables.TABLES)


@pytest.fixture(scope="session")
def pages() -> ModuleType:
    """The module that takes pages apart."""
    return _pages


@pytest.fixture(scope="session")
def tables() -> ModuleType:
    """The module that makes tables of the program."""
    return _tables

"""What the benchmarks share: rules of any size, visitors for them, timing switched on, and the table at the end.

1. Rules are written as files and read back as the service does it, so a benchmark measures what ops would get.
2. `table.append(row)` puts a comparison into the one table that the run ends with; every benchmark by the fixture
   `benchmark` has its row there by itself, beside the first of its group. `-v` prints pytest-benchmark's own as well.
3. `--table FILE` writes the rows for a program (`bench.report`).
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec
import pytest

from bench import audiences, growth
from bench.table import Row, as_text, duration
from engine.words import Page, Profile, Ruleset, Visit

ROWS = pytest.StashKey[list[Row]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """The suite's settings switch timing off, so that the normal run never waits for it; here it is what counts."""
    config.option.benchmark_disable = False
    config.option.benchmark_quiet = config.option.verbose <= 0
    config.stash[ROWS] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--table FILE`."""
    parser.addoption("--table", type=Path, metavar="FILE", help="write the rows of the table as JSON")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table."""
    rows = [*config.stash[ROWS], *_timed(config)]
    if not rows:
        return
    terminalreporter.section("measured in this run")
    terminalreporter.write_line(as_text(rows))
    if config.option.table:
        config.option.table.write_bytes(msgspec.json.encode(rows))


def _timed(config: pytest.Config) -> Iterator[Row]:
    """pytest-benchmark's medians, each beside the first of its group; these ran one after the other, not in turns."""
    first = {}
    for timed in config._benchmarksession.benchmarks:
        group = timed.group or ""
        name = (
            f"{group}: {timed.param or timed.name.removeprefix('test_')}" if group else timed.name.removeprefix("test_")
        )
        median = timed.stats.median
        beside, other = first.setdefault(group, (name, median))
        ours = (name, duration(median))
        if beside == name:
            yield Row(*ours)
        else:
            yield Row(*ours, beside.partition(": ")[2], duration(other), median / other, "x the time")


@pytest.fixture(scope="session")
def table(pytestconfig: pytest.Config) -> list[Row]:
    """What the run ends with."""
    return pytestconfig.stash[ROWS]


@pytest.fixture(scope="session")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ruleset]:
    """`rules(100)`: that many segments of three conditions each, four to an experience, all on one page.

    `rules(100, 20)`: narrower ones (`audiences.rules`).
    """

    @cache
    def rules(segments: int, width: int = growth.WIDTH) -> Ruleset:
        folder = tmp_path_factory.mktemp(f"rules-{segments}")
        return audiences.ruleset(folder, audiences.rules(segments, width))

    return rules


@pytest.fixture(scope="session")
def profiles() -> list[Profile]:
    """A thousand visitors, of whom more or less is known."""
    return [Profile(f"visitor-{number}", traits) for number, traits in enumerate(audiences.visitors(1_000))]


@pytest.fixture(scope="session")
def page() -> Page:
    """The page that all experiences stand on."""
    return Page(f"{audiences.PAGE}?utm_source=mail", "https://www.google.com/", "Home")


@pytest.fixture(scope="session")
def now() -> datetime:
    """A Monday in November."""
    return datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def visit() -> Visit:
    """A third visit from a desktop in Germany."""
    return Visit(count=3, device={"type": "desktop", "language": "de"}, geo={"country": "DE"})

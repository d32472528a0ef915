"""A folder, a clock, failing disks and child processes for the tests of the log."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from plain import module_at

PATIENCE_S = 120  # no test measures time; this only ends what hangs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a log may be kept."""
    return tmp_path / "events"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """What time it is."""
        return self.time

    def move(self, seconds: float) -> None:
        """Later by so much."""
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    """Noon."""
    return Clock()


@pytest.fixture(scope="session")
def clock_of() -> type[Clock]:
    """A clock for each of many examples."""
    return Clock


@pytest.fixture(scope="session")
def faults() -> ModuleType:
    """The module of disks that fail."""
    return module_at(Path(__file__).parent / "faults.py")


@pytest.fixture
def child() -> Callable[..., "subprocess.CompletedProcess[str]"]:
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

"""The installed `mutiny-edge` command, run as a user runs it: a process of its own, on pipes or on a terminal."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeAlias

import pytest

HOUSE = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(sys.executable).parent / "mutiny-edge"
PATIENCE_S = 60  # no test measures time; this only ends what hangs

Run: TypeAlias = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(scope="session")
def program() -> Path:
    """Where the command is installed."""
    return PROGRAM


@pytest.fixture(scope="session")
def with_us() -> list[str]:
    """What stands in front of a command that would run on: on Linux it ends with the tests, also if they are killed."""
    ask = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15); os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-c", ask] if sys.platform == "linux" else []


@pytest.fixture(scope="session")
def house() -> Path:
    """The top of the checkout."""
    return HOUSE


@pytest.fixture(scope="session")
def surroundings() -> dict[str, str]:
    """The environment without any setting of ours and without a word about colours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUTINY_EDGE_")}
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        kept.pop(name, None)
    return kept


@pytest.fixture
def run(surroundings: dict[str, str], tmp_path: Path) -> Run:
    """`run("check", folder, cwd=…, env=…, stdin=…)`: the finished process, with text output."""

    def run(
        *arguments: object, cwd: Path = tmp_path, env: Mapping[str, str] | None = None, stdin: str = ""
    ) -> "CompletedProcess[str]":
        return subprocess.run(
            [PROGRAM, *map(str, arguments)],
            cwd=cwd,
            env=surroundings | dict(env or {}),
            input=stdin,
            check=False,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
        )

    return run


@pytest.fixture
def on_terminal(surroundings: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    """`on_terminal("check", folder, env=…)`: everything that the command shows on a terminal, escape codes too."""

    def on_terminal(*arguments: object, env: Mapping[str, str] | None = None) -> str:
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [PROGRAM, *map(str, arguments)],
            cwd=tmp_path,
            env=surroundings | {"TERM": "xterm", "COLUMNS": "120"} | dict(env or {}),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = bytearray()
        try:
            while piece := _read(ours):
                shown += piece
        finally:
            os.close(ours)
            child.wait(PATIENCE_S)
        return shown.decode()

    return on_terminal


def _read(terminal: int) -> bytes:
    """The next bytes; none when the command has gone (Linux says so with an error)."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""

"""Processes are really killed, in the midst of appending and of overwriting: everything acknowledged is there."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from engine.events.line import Entry, encode
from engine.events.log import EventLog
from engine.events.reading import Damaged, entries, files, finished
from engine.events.recovery import recover

BeginChild: TypeAlias = Callable[..., Any]

PREPARE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from engine.events.line import encode
from engine.events.log import EventLog
from engine.events.reading import files
from engine.events.scrub import GONE, KEEP, rewrite
folder = Path(sys.argv[1])
"""
APPEND = f"""{PREPARE}
log = EventLog(folder, lambda: datetime(2026, 11, 23, tzinfo=UTC), file_bytes=100_000)
n = int(sys.argv[2])
while True:
    log.append([encode(n + m, "website", b'{{"pad":"%b"}}' % (b"x" * (n % 5000))) for m in range(10)])
    n += 10
    print(n, flush=True)
"""
SCRUB = f"""{PREPARE}
print(0, flush=True)
for n in range(1_000):
    for path in files(folder):
        rewrite(path, lambda entry: GONE if entry.received_ms == n else KEEP)
    print(n + 1, flush=True)
"""


def wait_for(process: Any, lines: int) -> list[str]:
    """Its first lines."""
    return [process.stdout.readline() for _ in range(lines)]


def rest_of(process: Any) -> str:
    """What it printed besides, once it is dead and its locks are gone."""
    printed = str(process.stdout.read())
    process.wait()
    return printed


def entries_of(folder: Path) -> dict[int, bytes | None]:
    """All that is there."""
    return {
        item.received_ms: item.message for path in files(folder) for item in entries(path) if isinstance(item, Entry)
    }


def test_a_writer_is_killed_again_and_again(folder: Path, begin_child: BeginChild) -> None:
    """What it said was appended is there, whole; its files are finished once it is dead."""
    chance = random.Random(5)
    acknowledged: set[int] = set()
    for turn in range(5):
        first = turn * 1_000_000
        process = begin_child(APPEND, folder, first)
        wait_for(process, 3)
        assert len(finished(folder)) < len(files(folder))
        time.sleep(chance.random() / 10)
        process.kill()
        last = int(rest_of(process).split("\n")[-2:][0] or first)
        acknowledged.update(range(first, last))
    assert finished(folder) == [path for path in files(folder) if path.stat().st_size]
    recover(folder)
    assert entries_of(folder).keys() >= acknowledged
    assert [item for path in files(folder) for item in entries(path) if not isinstance(item, Entry)] == []


@pytest.mark.parametrize("seed", range(3))
def test_who_overwrites_is_killed(folder: Path, begin_child: BeginChild, clock: Any, seed: int) -> None:
    """Nothing but what was to go is gone, and what was said to be gone is."""
    chance = random.Random(seed)
    log = EventLog(folder, clock)
    log.append([encode(n, "website", b'{"pad":"%b"}' % (b"x" * 3_000)) for n in range(1_000)])
    process = begin_child(SCRUB, folder)
    wait_for(process, 2)
    time.sleep(chance.random() / 10)
    process.kill()
    done = int((["1", *rest_of(process).split()])[-1])
    recover(folder)
    found = entries_of(folder)
    assert found.keys() == set(range(1_000))
    gone = {n for n, said in found.items() if said is None}
    assert set(range(done)) <= gone <= set(range(done + 1))
    assert [item for path in files(folder) for item in entries(path) if isinstance(item, Damaged)] == []

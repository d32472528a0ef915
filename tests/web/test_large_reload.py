"""Large rulesets reloaded under load: nobody waits long for the interpreter, and nothing piles up.

1. Every condition, name and text differs from one edition to the next: nothing is remembered, all is compiled anew.
2. The heartbeat runs in the service's own event loop (`HOOK`) and tells how late it was at worst, as far as the process
   used the time itself. Other programs make it late now and then all the same; what this one does makes it late at
   every reload. So the median reload is what counts.
3. Memory is that of a process of its own that does nothing but reload.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

import pytest

STALL_S = 0.05  # DESIGN 11: no event loop stands still for longer
GROWTH = 1.1
CLIENTS = 8
ASK_EVERY_S = 0.02
SEGMENTS_OF_A_FILE = 500
AUDIENCES = 50

# Runs in the service (`sitecustomize`): its event loop tells how late it was since it told the last time.
HOOK = """
import asyncio, os, time
from engine.node import Node
start = Node.start
def started(self):
    start(self)
    loop = asyncio.get_running_loop()
    def beat(due, used, worst, beats):
        worst = max(worst, min(loop.time() - due, time.process_time() - used))
        if beats == 50:
            os.write(2, f"LATE {worst}\\n".encode())
            worst, beats = 0.0, 0
        due = loop.time() + 0.002
        loop.call_at(due, beat, due, time.process_time(), worst, beats + 1)
    beat(loop.time(), 0.0, 0.0, 0)
Node.start = started
"""

# A process that does nothing but reload; tells its memory in KiB after each.
RELOADER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from engine.holder import Holder
from engine.words import Page, Profile, Visit
folder, now = Path(sys.argv[1]), lambda: datetime(2026, 11, 23, tzinfo=UTC)
holder = Holder(folder / "rules", folder / "data", now)
holder.open(lambda _: None)
holder.warm()
print("ready", flush=True)
for line in sys.stdin:
    before = holder.held
    for _ in range(3):
        holder.step()
    assert holder.held is not before, holder.problems
    for number in range(20):
        page = Page(f"https://www.example.com/page-{number}/{line.strip()}")
        holder.held.decider.decide(Profile("v", {"employees": 5}), page, Visit(), now())
    status = Path("/proc/self/status").read_text()
    print(status.split("VmRSS:")[1].split()[0], flush=True)
"""


def write(folder: Path, segments: int, edition: int) -> None:
    """An edition: so many segments in files of 500, an experience for every 50 of them, each file replaced whole."""
    for first in range(0, segments, SEGMENTS_OF_A_FILE):
        numbers = range(first, min(first + SEGMENTS_OF_A_FILE, segments))
        lines = ["segments:"]
        for n in numbers:
            when = f'traits.employees >= {n} && traits.employees < {n + edition} && traits.plan in ["a{n % 7}", "b"]'
            lines.append(f"  s{n}: {{name: Segment {n} in {edition}, when: '{when}'}}")
        lines.append("experiences:")
        for start in numbers[::AUDIENCES]:
            pages = f'["https://www.example.com/page-{start // AUDIENCES % 20}/**"]'
            lines += [f"  e{start}:", f"    name: Experience {start}", f"    pages: {pages}", "    audiences:"]
            for n in range(start, min(start + AUDIENCES, numbers.stop)):
                change = f'{{selector: "#e{start}", text: "Version {n} of {edition}"}}'
                lines.append(f"      - {{segment: s{n}, variants: [{{key: v, changes: [{change}]}}]}}")
        aside = folder / f".{first}.yaml"
        aside.write_text("\n".join(lines) + "\n")
        aside.replace(folder / f"{first}.yaml")


async def ask(wire: ModuleType, service: Any, number: int, ended: asyncio.Event, failed: list[str]) -> None:
    """One client at a steady pace, on pages of all experiences."""
    connection = await wire.Wire.open(wire.at(service.url))
    body = '{"visitorId": "v%d", "page": {"url": "https://www.example.com/page-%d/"}, "traits": {"employees": %d}}'
    asked = 0
    while not ended.is_set():
        asked += 1
        answer = await connection.ask(wire.post((body % (number, asked % 20, asked % 97)).encode()))
        if answer.status != 200:
            failed.append(str(answer))
        await asyncio.sleep(ASK_EVERY_S)
    await connection.close()


async def reload(
    service: Any, wire: ModuleType, folder: Path, segments: int, reloads: int
) -> tuple[list[float], list[str]]:
    """How late the service's event loop was at worst, for each reload; and failed requests."""
    worst, failed, ended = list[float](), list[str](), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(ask(wire, service, number, ended, failed))
        for edition in range(2, reloads + 2):
            start = len(service.log)
            await asyncio.to_thread(write, folder, segments, edition)
            while not any(" -> " in line for line in service.log[start:]):
                assert not any("not taken" in line for line in service.log[start:])
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)  # what was replaced is freed at the next look
            worst.append(max(float(line.split()[1]) for line in service.log[start:] if line.startswith("LATE")))
        ended.set()
    return worst, failed


@pytest.mark.parametrize(("segments", "reloads"), [(1_000, 2), pytest.param(10_000, 20, marks=pytest.mark.long)])
def test_no_event_loop_stands_still(
    serve: Callable[..., Any],
    wire: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    segments: int,
    reloads: int,
) -> None:
    """While all of a large folder is read and compiled anew no request fails, and the loop runs on."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hook"))
    (tmp_path / "rules").mkdir()
    write(tmp_path / "rules", segments, 1)
    service = serve(tmp_path / "rules", "--drain", "0").up()
    began = time.monotonic()
    worst, failed = asyncio.run(reload(service, wire, tmp_path / "rules", segments, reloads))
    took_s = (time.monotonic() - began) / reloads
    shown = ", ".join(f"{1000 * late:.0f}" for late in worst)
    print(f"{segments} segments, {reloads} reloads of {took_s:.1f} s: the loop was late by {shown} ms")
    assert failed == []
    assert median(worst) <= STALL_S


@pytest.mark.parametrize(("segments", "reloads"), [(200, 20), pytest.param(1_000, 50, marks=pytest.mark.long)])
def test_nothing_piles_up(tmp_path: Path, segments: int, reloads: int) -> None:
    """After many reloads a process has hardly more memory than after five."""
    (tmp_path / "rules").mkdir()
    write(tmp_path / "rules", segments, 1)
    command, memory = [sys.executable, "-c", RELOADER, str(tmp_path)], []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for edition in range(2, reloads + 2):
            write(tmp_path / "rules", segments, edition)
            process.stdin.write(f"{edition}\n")
            memory.append(int(process.stdout.readline()))
    print(f"{segments} segments: {memory[4]} KiB after 5 reloads, {memory[-1]} KiB after {reloads}")
    assert memory[-1] <= GROWTH * memory[4]

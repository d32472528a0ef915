"""A disk that fills up under a load, and has room again: log and store share it.

1. The data folder is a file system of its own, of some megabytes, in a mount namespace that lives as long as the test.
   Another file takes all that is left of it.
2. Beside the sources a page asks without a pause for a visitor whose trait only the store knows: every answer must
   show that it was read. While the disk is full every worker is killed, one after the other: the next ones serve too.
3. How long it took until something was acknowledged again is printed; what is asserted is that it was.
"""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

SIZE = "24m"
CLIENTS = 6
REFUSED = 30  # answers that say so, before there is room again
PATIENCE_S = 60.0
LOOKING = """\
from engine import limits
limits.LOG_LOOK_S = 0.2  # nobody wants to wait for two looks of the real length
from engine.cli.main import main
main()
"""
VISITOR = {
    "type": "identify",
    "messageId": "visitor",
    "userId": "visitor",
    "traits": {"employees": 12, "mutinyVisitorId": "known"},
}


class Disk(Struct):
    """A small file system: the command that runs something where it is mounted, and its folder seen from here."""

    inside: list[str]
    folder: Path

    def fill(self) -> int:
        """Take all that is left; how much that was."""
        taken = 0
        with (self.folder / "filler").open("wb", buffering=0) as file:
            for size in (65_536, 512, 1):
                try:
                    while written := file.write(b"\0" * size):
                        taken += written
                except OSError as error:
                    assert error.errno == ENOSPC  # noqa: PT017 - any other one is not what is tested
        return taken

    def free(self) -> None:
        """Give it back."""
        (self.folder / "filler").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Mounted on the data folder."""
    data = tmp_path / "data"
    data.mkdir()
    script = f"mount -t tmpfs -o size={SIZE} none {data} && echo mounted && exec sleep 3600"
    command = ["unshare", "-rm", "sh", "-c", script]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert holder.stdout is not None
        if holder.stdout.readline() != "mounted\n":
            pytest.skip("a file system cannot be mounted here")
        inside = ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(holder.pid)]
        yield Disk(inside, Path(f"/proc/{holder.pid}/root{data}"))
    finally:
        holder.kill()
        holder.communicate()


class Page(Struct):
    """What a page was told that asks without a pause."""

    answers: int = 0
    cut: int = 0
    faults: list[str] = []

    async def ask(self, wire: Any, address: tuple[str, int], ended: asyncio.Event) -> None:
        """Until then, each time on a connection of its own."""
        body = b'{"visitorId": "known", "page": {"url": "https://www.example.com/"}}'
        while not ended.is_set():
            connection = await wire.Wire.open(address)
            try:
                answer = await connection.ask(wire.post(body))
            except wire.Cut:  # of a worker that was killed
                self.cut += 1
                continue
            finally:
                await connection.close()
            self.answers += 1
            if answer.status != 200 or b'"Edition 1"' not in answer.body:
                self.faults.append(str(answer))


async def replace_all(service: Any, wire: Any) -> None:
    """Kill one worker after the other, each time until there is another one that serves."""
    for pid in wire.children(service):
        others = [other for other in wire.children(service) if other != pid]
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(serves, service, wire, others)


def serves(service: Any, wire: Any, others: list[int]) -> None:
    """Wait until somebody else than these answers."""
    for other in others:
        wire.stop(other)
    try:
        assert service.get("/healthz").status == 200
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)


async def until(true: Callable[[], bool]) -> float:
    """Wait for what is bound to happen; how long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + PATIENCE_S, "it did not happen"
        await asyncio.sleep(0.002)
    return time.monotonic() - began


@pytest.mark.parametrize("times", [2, pytest.param(8, marks=pytest.mark.long)])
def test_the_disk_is_full_under_load(
    disk: Disk, serve: Callable[..., Any], rules: Path, tmp_path: Path, wire: Any, sending: Any, times: int
) -> None:
    """503 with Retry-After, decisions as before, and it goes on by itself."""
    source = sending.Source(disk.folder, wire)
    service = serve(rules, "--workers", "2", "--drain", "0", inside=disk.inside).up()
    address = wire.at(service.url)
    [known] = asyncio.run(wire.each(address, [source.request([VISITOR])]))
    assert known.status == 200
    source.offered.add("visitor")
    page = Page()
    waited: list[float] = []
    while_full: list[int] = []

    async def fill_and_free() -> None:
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(page.ask(wire, address, ended))
            for _ in range(times):
                before = len(source.acknowledged)
                await until(lambda before=before: len(source.acknowledged) > before + 1_000)
                assert await asyncio.to_thread(disk.fill) > 0
                refused, asked = source.answers[503], page.answers
                await until(lambda refused=refused: source.answers[503] >= refused + REFUSED)
                await replace_all(service, wire)
                while_full.append(page.answers - asked)
                before = len(source.acknowledged)
                disk.free()
                waited.append(await until(lambda before=before: len(source.acknowledged) > before))
            ended.set()

    source.beside(address, CLIENTS, fill_and_free)
    asyncio.run(until(lambda: sending.is_caught_up(disk.folder)))
    assert page.faults == []
    assert min(while_full) > 0
    assert service.end() == 0
    log = "\n".join(service.log)
    assert "Traceback" not in log, log
    assert log.count("died (exit code -9)") == log.count("died") == 2 * times, log
    took = ", ".join(f"{wait:.2f}" for wait in waited)
    print(
        f"full {times} times, acknowledged again after {took} s; meanwhile {source.answers[503]} batches refused, "
        f"{while_full} of {page.answers} decisions"
    )
    source.check(tmp_path / "replayed")


def test_a_full_disk_is_told_when_it_begins_and_when_it_ends(
    disk: Disk, serve: Callable[..., Any], rules: Path, wire: Any, sending: Any
) -> None:
    """In the log, once each, however many are refused in between."""
    source = sending.Source(disk.folder, wire)
    service = serve(rules, "--drain", "0", inside=disk.inside, program=LOOKING).up()

    def answered() -> int:
        [answer] = asyncio.run(wire.each(wire.at(service.url), [source.batch()[1]]))
        return int(answer.status)

    def told() -> list[str]:
        return [said for line in service.log if (said := json.loads(line)["event"]).startswith("intake: ")]

    assert disk.fill() > 0
    refused = 0
    while refused < REFUSED:
        refused += answered() == 503
    disk.free()
    while answered() != 200:
        pass
    asyncio.run(until(lambda: "intake: all is well again" in told()))
    said = told()
    assert said[0].startswith("intake: what comes cannot be taken: no room to write in ")
    assert said[-1] == "intake: all is well again"
    assert len(set(said)) == len(said)

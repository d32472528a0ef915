"""Ten thousand segments changed, all at once, while visitors are served: what do they notice?

1. The service runs as a process of its own, one worker; clients ask at a steady pace, on forty pages.
2. The same clients, the same minute: waiting times with the rules at rest, and while all of them are read and
   compiled anew. What counts is the ratio. No request may fail.
3. Beside it: how long a start and a reload take, and one where a single segment was changed.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

SEGMENTS, EXPERIENCES, PAGES, FILES = 10_000, 200, 40, 20
CLIENTS = 8
ASK_EVERY_S = 0.02
QUIET_S = 5.0


class Service:
    """`mutiny-edge serve`, its log, and the waiting times of its clients."""

    def __init__(self, folder: Path) -> None:
        # On Linux it ends with us (PR_SET_PDEATHSIG), also if we are killed.
        ask = "import ctypes, sys; sys.platform == 'linux' and ctypes.CDLL(None).prctl(1, 15)"
        program = [sys.executable, "-c", f"{ask}; from engine.cli.main import main; main()", "serve", "--port", "0"]
        where = ["--drain", "0", "--rules", str(folder / "rules"), "--data", str(folder / "data")]
        began = time.monotonic()
        self.process = subprocess.Popen(
            [*program, *where], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.log: list[str] = []
        self.waited: list[float] = []
        self.measured = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        while not any("serving http" in line for line in self.log):
            assert self.process.poll() is None, self.log
            time.sleep(0.01)
        host, port = next(line for line in self.log if "serving" in line).split("http://")[1].split()[0].split(":")
        self.address = host, int(port)
        asyncio.run(self._first())
        self.start_s = time.monotonic() - began

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self.log.append(line)

    def end(self) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        self._reader.join()
        if self.process.stderr is not None:
            self.process.stderr.close()

    async def _first(self) -> None:
        reader, writer = await asyncio.open_connection(*self.address)
        await self._ask(reader, writer, 0, 0)
        writer.close()
        await writer.wait_closed()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: int, number: int) -> None:
        page = {"url": f"https://www.example.com/page-{number % PAGES}/"}
        body = json.dumps({"visitorId": f"v{who}-{number % 97}", "page": page, "traits": {"employees": number % 5_000}})
        head = "POST /v1/decide HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: "
        began = time.perf_counter()
        writer.write(f"{head}{len(body)}\r\n\r\n{body}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        length = answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
        self.waited.append(time.perf_counter() - began)
        assert answer.split()[1] == b"200", answer

    async def client(self, who: int) -> None:
        """Asks at a steady pace until all is measured."""
        reader, writer = await asyncio.open_connection(*self.address)
        number = 0
        while not self.measured:
            await asyncio.sleep(ASK_EVERY_S)
            number += 7
            await self._ask(reader, writer, who, number)
        writer.close()
        await writer.wait_closed()

    async def until_taken(self) -> float:
        """Seconds until the log tells of a new ruleset."""
        began, start = time.monotonic(), len(self.log)
        while not any(" -> " in line for line in self.log[start:]):
            assert not any("not taken" in line for line in self.log[start:]), self.log[start:]
            await asyncio.sleep(0.02)
        return time.monotonic() - began


def write(folder: Path, edition: int) -> None:
    """All files, each segment and variant another than in any other edition."""
    each = EXPERIENCES // FILES
    for file in range(FILES):
        segments, experiences = ["segments:"], ["experiences:"]
        for e in range(file * each, (file + 1) * each):
            experiences += [
                f"  e{e}:",
                f"    name: Experience {e}",
                f'    pages: ["/page-{e % PAGES}/**"]',
                "    audiences:",
            ]
            for s in range(e * SEGMENTS // EXPERIENCES, (e + 1) * SEGMENTS // EXPERIENCES):
                test = (
                    f'traits.employees >= {s} && traits.employees < {s + edition} && traits.plan in ["a{s % 7}", "b"]'
                )
                segments += [f"  s{s}:", f"    name: Segment {s}", f"    when: {test}"]
                change = f'{{selector: "#e{e}", text: "Version {s} of {edition}"}}'
                experiences.append(f"      - {{segment: s{s}, variants: [{{key: v, changes: [{change}]}}]}}")
        aside = folder / f".{file}"
        aside.write_text("\n".join([*segments, *experiences, ""]))
        aside.replace(folder / f"{file}.yaml")


@pytest.fixture
def service(tmp_path):
    """The service, on the first edition."""
    (tmp_path / "rules").mkdir()
    write(tmp_path / "rules", 1)
    service = Service(tmp_path)
    yield service
    service.end()


async def measured(service: Service, folder: Path) -> dict[str, tuple[float, list[float]]]:
    """For each phase, how long it took and the waiting times of requests in it."""
    phases = {}
    clients = [asyncio.ensure_future(service.client(who)) for who in range(CLIENTS)]
    await asyncio.sleep(1)

    async def phase(name, waiting):
        service.waited.clear()
        took = await waiting
        phases[name] = took, list(service.waited)

    await phase("at rest", asyncio.sleep(QUIET_S, QUIET_S))
    await asyncio.to_thread(write, folder, 2)
    await phase("all changed", service.until_taken())
    await phase("at rest again", asyncio.sleep(QUIET_S, QUIET_S))
    one = folder / "0.yaml"
    text = await asyncio.to_thread(one.read_text)
    await asyncio.to_thread(one.write_text, text.replace("traits.employees >= 0 ", "traits.employees > 0 "))
    await phase("one changed", service.until_taken())
    service.measured = True
    await asyncio.gather(*clients)
    return phases


def at_share(waited: list[float], share: float) -> float:
    """The waiting time that this share of requests stays below, in milliseconds."""
    return 1_000 * sorted(waited)[int(share * (len(waited) - 1))]


def test_reload(service, tmp_path, capsys):
    """Requests while rules are read and compiled, beside requests while they rest."""
    phases = asyncio.run(measured(service, tmp_path / "rules"))
    rest = phases["at rest"][1]
    with capsys.disabled():
        print(f"\n{SEGMENTS} segments, {os.cpu_count()} cores; start {service.start_s:.1f} s")
        for name, (took_s, waited) in phases.items():
            middle, last = at_share(waited, 0.5), at_share(waited, 0.99)
            times = f"{middle / at_share(rest, 0.5):4.1f}x {last / at_share(rest, 0.99):4.1f}x"
            print(f"  {name:14} {took_s:5.1f} s  p50 {middle:6.2f} ms  p99 {last:6.2f} ms  {times}  of {len(waited)}")

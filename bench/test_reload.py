"""Ten thousand segments changed, all at once, while visitors are served: what do they notice?

1. The service runs as a process of its own, one worker; clients ask at a steady pace, on forty pages.
2. The same clients, the same minute: waiting times with the rules at rest, and while all of them are read and
   compiled anew. What counts is the ratio. No request may fail.
3. Beside it: how long a start and a reload take, and one where a single segment was changed.
"""

import asyncio
import json
import time
from pathlib import Path

import pytest

from bench.service import Service
from bench.table import Row, duration, waiting

SEGMENTS, EXPERIENCES, PAGES, FILES = 10_000, 200, 40, 20
CLIENTS = 8
ASK_EVERY_S = 0.02
QUIET_S = 5.0


class Clients:
    """Who asks at a steady pace, and how long each had to wait."""

    def __init__(self, service: Service) -> None:
        self.waited: list[float] = []
        self.measured = False
        self._service = service

    async def client(self, who: int) -> None:
        """One of them, until all is measured."""
        reader, writer = await asyncio.open_connection(*self._service.address)
        number = 0
        while not self.measured:
            await asyncio.sleep(ASK_EVERY_S)
            number += 7
            await self._ask(reader, writer, who, number)
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


async def until_taken(service: Service) -> float:
    """Seconds until the log tells of a new ruleset."""
    began, start = time.monotonic(), len(service.log)
    while not any(" -> " in line for line in service.log[start:]):
        assert not any("not taken" in line for line in service.log[start:]), service.log[start:]
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
    service = Service.serving(tmp_path)
    yield service
    service.end()


async def measured(service: Service, folder: Path) -> dict[str, tuple[float, list[float]]]:
    """For each phase, how long it took and the waiting times of requests in it."""
    phases = {}
    clients = Clients(service)
    asking = [asyncio.ensure_future(clients.client(who)) for who in range(CLIENTS)]
    await asyncio.sleep(1)

    async def phase(name, waiting):
        clients.waited.clear()
        took = await waiting
        phases[name] = took, list(clients.waited)

    await phase("at rest", asyncio.sleep(QUIET_S, QUIET_S))
    await asyncio.to_thread(write, folder, 2)
    await phase("all changed", until_taken(service))
    await phase("at rest again", asyncio.sleep(QUIET_S, QUIET_S))
    one = folder / "0.yaml"
    text = await asyncio.to_thread(one.read_text)
    await asyncio.to_thread(one.write_text, text.replace("traits.employees >= 0 ", "traits.employees > 0 "))
    await phase("one changed", until_taken(service))
    clients.measured = True
    await asyncio.gather(*asking)
    return phases


def test_reload(service, tmp_path, table):
    """Requests while rules are read and compiled, beside requests while they rest, before and after."""
    phases = asyncio.run(measured(service, tmp_path / "rules"))
    rest = [*phases["at rest"][1], *phases["at rest again"][1]]
    table.append(Row(f"start with {SEGMENTS:,} segments", duration(service.start_s)))
    for name, bars in (("all changed", {"p99": "reload"}), ("one changed", {})):
        took_s, waited = phases[name]
        table.append(Row(f"reload of {SEGMENTS:,} segments, {name}", duration(took_s)))
        what = f"a page meanwhile, {name}: {SEGMENTS:,} segments over {PAGES} pages"
        table += waiting(what, waited, "at rest", rest, **bars)

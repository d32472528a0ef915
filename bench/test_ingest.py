"""Batches of a hundred as browsers send them, durable before they are answered: how many events a second on one core?

1. The service runs as a process of its own, one worker, on one core; whoever sends and asks is on the others.
2. A page asks at a steady pace, in a process of its own: its waiting times while nobody sends, and while sources send
   as fast as they are answered. They take turns, so that what else the machine does falls on both alike. What counts is
   the ratio.
3. Beside the events a second stands what they cost of the core: on a machine that is shared, that is the better figure.
4. No request may fail, and what was answered is in the log afterwards.
"""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from pathlib import Path

import pytest

from engine.events.reading import entries, files
from engine.segment.sources import Sources

EVENTS, BATCHES, CONNECTIONS, PEOPLE = 100, 300, 8, 20_000
ASK_EVERY_S = 0.002
TURNS, TURN_S = 6, 1.0
RULES = """\
segments:
  small: {name: Small company, when: "traits.employees < 50 && traits.plan in ['free', 'team']"}
experiences:
  site:
    name: Site
    pages: ["https://www.example.com/**"]
    audiences:
      - {segment: small, control: 0%, variants: [{key: hero, changes: [{selector: h1, text: Small}]}]}
"""
AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
BRANDS = [{"brand": brand, "version": "131"} for brand in ("Google Chrome", "Chromium", "Not_A Brand")]
HEAD = "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\nauthorization: Basic {basic}\r\n"


def message(number: int, chance: random.Random) -> dict:
    """As analytics.js makes it: 1.2 KB, a third of the people known by name."""
    who = chance.randrange(PEOPLE)
    page = {
        "path": f"/pricing/{who % 50}",
        "referrer": "https://www.google.com/",
        "search": "?utm_source=news&utm_medium=mail&utm_campaign=autumn",
        "title": "Pricing - Example Software",
        "url": f"https://www.example.com/pricing/{who % 50}?utm_source=news&utm_medium=mail&utm_campaign=autumn",
    }
    context = {
        "page": page,
        "userAgent": AGENT,
        "userAgentData": {"brands": BRANDS, "mobile": False, "platform": "macOS"},
        "locale": "en-US",
        "timezone": "Europe/Berlin",
        "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
        "campaign": {"source": "news", "medium": "mail", "name": "autumn"},
    }
    kind = chance.choice(["identify", "track", "track", "page", "page", "page"])
    traits = {
        "email": f"person{who}@example.org",
        "firstName": "Ann",
        "plan": chance.choice(["free", "team", "enterprise"]),
        "employees": chance.randrange(5_000),
        "mutinyVisitorId": f"visitor-{who}",
    }
    own = {
        "identify": {"traits": traits},
        "track": {"event": chance.choice(["Signed Up", "Video Played", "Demo Requested"]), "properties": {"value": 1}},
        "page": {"name": "Pricing", "properties": page},
    }[kind]
    return {
        "timestamp": f"2026-11-25T13:{number // 60_000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}Z",
        "integrations": {},
        "anonymousId": f"7ab2fde1-8d1b-4a63-9b6d-{who:012x}",
        "userId": f"user-{who}" if who % 3 == 0 else None,
        "type": kind,
        **own,
        "context": context,
        "messageId": f"ajs-next-1795614300000-{number:032x}",
        "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
    }


def batches(key: str) -> list[bytes]:
    """Requests, ready to be sent."""
    chance = random.Random(5)
    head = HEAD.format(path="/v1/batch", basic=b64encode(f"{key}:".encode()).decode())
    made = []
    for first in range(0, EVENTS * BATCHES, EVENTS):
        sent = [message(number, chance) for number in range(first, first + EVENTS)]
        body = json.dumps({"batch": sent, "sentAt": "2026-11-25T14:00:00.000Z"}, separators=(",", ":")).encode()
        made.append(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    return made


class Service:
    """`mutiny-edge serve` on the cores that whoever starts it has."""

    def __init__(self, folder: Path) -> None:
        program = [sys.executable, "-c", "from engine.cli.main import main; main()", "serve", "--port", "0"]
        where = ["--drain", "0", "--rules", str(folder / "rules"), "--data", str(folder / "data")]
        self.process = subprocess.Popen(
            [*program, *where], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        while not any("serving http" in line for line in self.log):
            assert self.process.poll() is None, self.log
            time.sleep(0.01)
        host, port = next(line for line in self.log if "serving" in line).split("http://")[1].split()[0].split(":")
        self.address = host, int(port)

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self.log.append(line)

    def cpu_s(self) -> float:
        """What it has computed so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        self._reader.join()
        if self.process.stderr is not None:
            self.process.stderr.close()


@pytest.fixture
def service(tmp_path):
    """On the first core; everybody else keeps off it, where there are several."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "site.yaml").write_text(RULES)
    cores = os.sched_getaffinity(0)
    first = {min(cores)}
    os.sched_setaffinity(0, first)
    service = Service(tmp_path)
    os.sched_setaffinity(0, cores - first or cores)
    yield service
    os.sched_setaffinity(0, cores)
    service.end()


async def send(address, requests, until):
    """One connection: a batch, its answer, the next; how many were answered."""
    reader, writer = await asyncio.open_connection(*address)
    answered = 0
    while time.monotonic() < until:
        writer.write(next(requests))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.split()[1] == b"200", head
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        answered += 1
    writer.close()
    await writer.wait_closed()
    return answered


async def send_all(address, requests, seconds):
    """All connections at once; how many events were acknowledged."""
    began = time.monotonic()
    answered = await asyncio.gather(*(send(address, requests, began + seconds) for _ in range(CONNECTIONS)))
    return sum(answered) * EVENTS


def ask(host: str, port: int, until: float) -> list[tuple[float, float]]:
    """When a page asked that asks at a steady pace, and how long it waited: the program of a process of its own."""
    waited = []
    with socket.create_connection((host, port)) as made, made.makefile("rb") as answers:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = 0
        while time.monotonic() < until:
            time.sleep(ASK_EVERY_S)
            number += 7
            asked = {"visitorId": f"visitor-{number % PEOPLE}", "page": {"url": "https://www.example.com/"}}
            body = json.dumps(asked).encode()
            head = HEAD.format(path="/v1/decide", basic="")
            request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
            began = time.monotonic()
            made.sendall(request)
            status, length = answers.readline(), 0
            while (line := answers.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length: "):
                    length = int(line.split()[1])
            answers.read(length)
            waited.append((began, time.monotonic() - began))
            assert status.startswith(b"HTTP/1.1 200"), status
    return waited


def in_turns(service: Service, requests) -> tuple[int, float, list[tuple[float, float]]]:
    """Rest and load in turns: how many events were acknowledged, in what time of computing, and when that was."""
    acknowledged, computed, loads = 0, 0.0, []
    for _ in range(TURNS):
        time.sleep(TURN_S)
        before, began = service.cpu_s(), time.monotonic()
        acknowledged += asyncio.run(send_all(service.address, requests, TURN_S))
        loads.append((began, time.monotonic()))
        computed += service.cpu_s() - before
    return acknowledged, computed, loads


def at_share(waited: list[float], share: float) -> float:
    """The waiting time that this share of requests stays below, in milliseconds."""
    return 1_000 * sorted(waited)[int(share * (len(waited) - 1))]


def test_ingest(service, tmp_path, capsys):
    """A page's waiting times at rest and under load, and the load."""
    requests = iter(batches(Sources(tmp_path / "data").add("website", "website")) * 1_000)
    asyncio.run(send_all(service.address, requests, TURN_S))
    program = [sys.executable, __file__, *map(str, service.address), str(time.monotonic() + TURNS * 2 * TURN_S)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as page:
        events, computed, loads = in_turns(service, requests)
        asked = json.loads(page.communicate()[0])
    loaded = [waited for at, waited in asked if any(begin < at < end for begin, end in loads)]
    rest = [waited for at, waited in asked if not any(begin - 0.1 < at < end + 0.1 for begin, end in loads)]
    kept = sum(1 for path in files(tmp_path / "data" / "events") for _ in entries(path))
    assert kept >= events
    took_s = sum(end - begin for begin, end in loads)
    with capsys.disabled():
        print(
            f"\n{CONNECTIONS} connections, batches of {EVENTS}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        )
        print(f"  {events / took_s:8,.0f} events/s durable; {events / computed:8,.0f} a second of computing")
        for name, waited in (("at rest", rest), ("under load", loaded)):
            middle, last = at_share(waited, 0.5), at_share(waited, 0.99)
            times = f"{middle / at_share(rest, 0.5):4.1f}x {last / at_share(rest, 0.99):4.1f}x"
            print(f"  decide {name:10}  p50 {middle:6.2f} ms  p99 {last:6.2f} ms  {times}  of {len(waited)}")


if __name__ == "__main__":
    print(json.dumps(ask(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))

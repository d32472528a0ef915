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
import random
import socket
import subprocess
import sys
import time
from base64 import b64encode

import pytest

from bench.service import Service, on_cores, two_sides
from bench.table import Row, waiting
from engine.events.reading import entries, files
from engine.segment.sources import Sources

EVENTS, BATCHES, CONNECTIONS, PEOPLE = 100, 300, 8, 20_000
ASK_EVERY_S = 0.002
TURNS, TURN_S = 6, 1.0
LATEST_S = 30.0  # an answer that takes longer never comes
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


@pytest.fixture
def service(tmp_path):
    """On the first core; everybody else keeps off it, where there are several."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "site.yaml").write_text(RULES)
    core, others = two_sides()
    service = Service.serving(tmp_path, core)
    with on_cores(others):
        yield service
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
    async with asyncio.timeout(seconds + LATEST_S):
        answered = await asyncio.gather(*(send(address, requests, began + seconds) for _ in range(CONNECTIONS)))
    return sum(answered) * EVENTS


def ask(host: str, port: int, until: float) -> list[tuple[float, float]]:
    """When a page asked that asks at a steady pace, and how long it waited: the program of a process of its own."""
    waited = []
    with socket.create_connection((host, port), LATEST_S) as made, made.makefile("rb") as answers:
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


def test_ingest(service, tmp_path, table):
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
    rate = events / computed
    what = f"ingest, batches of {EVENTS}, durable"
    ours = f"{events / took_s:,.0f} events/s, {rate:,.0f} a second of computing"
    table.append(Row(what, ours, figure=rate, unit=" events/s", bar="ingest"))
    table += waiting("a page meanwhile", loaded, "at rest", rest)


if __name__ == "__main__":
    print(json.dumps(ask(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))

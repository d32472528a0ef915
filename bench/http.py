"""Page views over HTTP, beside an app that answers constant bytes: `python -m bench.http`.

1. Three servers, each on stock Python with uvloop and httptools, each alone on the first core when its turn comes: ours
   as `mutiny-edge serve` runs it (the lane), ours as any ASGI server runs it (the ordinary road, on stock uvicorn), and
   an app on stock uvicorn that gives every request one constant answer of ours.
2. Asked by wrk on the other core: 50 experiences of 200 audience segments on the page, 50,000 stored visitors, one
   after the other; with the least headers and with the fourteen of a browser.
3. Answers first: both roads give the same bytes for the same visitors, and the constant answer is one of them, head and
   all. While wrk asks, every answer must be a 200.
4. They take turns of a second or so. What counts is requests in a second *of the server's computing*, as a ratio within
   a round, and of the rounds the median: what a server does that has its core for itself, also where this one has not.
5. Requests a second by the clock and waiting times stand beside it. wrk keeps all its connections busy, so these are
   the waiting times of a server at its limit. On a busy machine the server also waits for wrk, and waking up costs both
   sides the same: that draws ratios towards 1. Many connections make it rare.
"""

import argparse
import io
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from subprocess import PIPE, run
from tempfile import TemporaryDirectory

from msgspec import Struct

from bench import audiences
from bench.service import Service, on_cores, two_sides
from bench.table import Drawn, Row, as_text, duration, row, short
from bench.turns import Ratio, ratio_of
from engine.node import STORE_FOLDER
from engine.profiles.importing import import_lines
from engine.profiles.lmdb import LmdbStore

SEGMENTS, WIDTH = 200, 1_000  # of a width that the usual visitor sees one experience
STORED = 50_000
CONNECTIONS = 64
ROUNDS, TURN_S = 7, 1
HEADERS = ("small", "browser")
COMPARED = 200
LATEST_S = 60  # an answer that takes longer never comes
NO_WRK = "wrk is not there (on Debian: apt-get install wrk; on macOS: brew install wrk)"
_OURS = {"lane": "the lane", "ordinary": "plain ASGI"}
_ADDED_BY_SERVER = ("date", "connection")


class Turn(Struct, frozen=True):
    """What one server did in one turn."""

    requests_s: float
    p50_us: float
    p99_us: float
    cpu_us: float  # a request


class Measured(Struct, frozen=True):
    """All turns of one server with one kind of headers."""

    server: str
    headers: str
    turns: list[Turn]

    def middle(self, name: str) -> float:
        """The median of the turns."""
        return median(getattr(turn, name) for turn in self.turns)

    def waiting(self) -> str:
        """`0.3 ms, 0.9 ms`: half, and 99 of 100, waited for less."""
        return ", ".join(duration(self.middle(name) / 1e6) for name in ("p50_us", "p99_us"))

    def to(self, other: "Measured") -> Ratio:
        """Requests in a second of computing, to those of the other."""
        return ratio_of([b.cpu_us / a.cpu_us for a, b in zip(self.turns, other.turns, strict=True)])

    def by_the_clock(self, other: "Measured") -> Ratio:
        """Requests in a second, to those of the other."""
        return ratio_of([a.requests_s / b.requests_s for a, b in zip(self.turns, other.turns, strict=True)])


def there() -> bool:
    """Can it be measured here?"""
    return shutil.which("wrk") is not None


def prepare(folder: Path, stored: int = STORED) -> None:
    """Rules, and visitors with a dozen traits each, a tenth of the telling ones missing."""
    (folder / "rules").mkdir()
    audiences.write(folder / "rules", audiences.rules(SEGMENTS, WIDTH))
    people = audiences.visitors(1_000)
    more = {
        "firstName": "Ann",
        "lastName": "Miller",
        "title": "Head of Operations",
        "company": "Example Software",
        "website": "https://software.example.org",
        "phone": "+49 30 901820",
        "createdAt": "2026-03-14T09:26:53Z",
        "newsletter": True,
    }
    lines = (
        json.dumps({"visitorId": f"visitor-{number}", "traits": {**more, **people[number % len(people)]}}).encode()
        for number in range(stored)
    )
    store = LmdbStore(folder / "data" / STORE_FOLDER)
    import_lines(io.BytesIO(b"\n".join(lines)), store, datetime(2026, 11, 23, 12, tzinfo=UTC))
    store.close()


@contextmanager
def servers(folder: Path) -> Iterator[dict[str, Service]]:
    """All three, on one core; their answers compared."""
    core, _ = two_sides()
    with ExitStack() as stack:

        def started(service: Service) -> Service:
            stack.callback(service.end)
            return service

        lane = started(Service.serving(folder, core))
        ordinary = started(Service("bench.stock", ["ordinary", str(folder / "rules"), str(folder / "data")], core))
        compare(lane, ordinary)
        answer = folder / "answer.json"
        answer.write_text(json.dumps(usual_answer(lane)))
        constant = started(Service("bench.stock", ["constant", str(answer)], core))
        assert ask(constant, 0) == ask(lane, usual_visitor(lane)), "the constant answer is none of ours"
        yield {"constant": constant, "lane": lane, "ordinary": ordinary}


def question(number: int) -> bytes:
    """What this visitor's browser asks."""
    asked = {"visitorId": f"visitor-{number}", "page": {"url": audiences.PAGE}, "visit": {"count": 3}}
    return json.dumps(asked).encode()


def ask(service: Service, number: int) -> tuple[int, dict[str, str], bytes]:
    """What this visitor is answered: status, headers that are not of the moment, body."""
    with closing(HTTPConnection(*service.address, timeout=LATEST_S)) as connection:
        connection.request("POST", "/v1/decide", question(number), {"content-type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return answer.status, {name: value for name, value in headers.items() if name not in _ADDED_BY_SERVER}, body


def compare(lane: Service, ordinary: Service) -> None:
    """Both roads say the same, and something."""
    told = 0
    for number in range(COMPARED):
        one, other = ask(lane, number), ask(ordinary, number)
        assert one == other, f"visitor-{number}: the lane answers {one}, the ordinary road {other}"
        assert one[0] == 200, one
        told += b'"experience"' in one[2]
    assert told > COMPARED / 4, f"only {told} of {COMPARED} visitors see anything"


def usual_visitor(service: Service) -> int:
    """One whose answer is neither the shortest nor the longest."""
    return sorted(range(COMPARED), key=lambda number: len(ask(service, number)[2]))[COMPARED // 2]


def usual_answer(service: Service) -> dict[str, object]:
    """What `bench.stock` gives everybody."""
    _, headers, body = ask(service, usual_visitor(service))
    return {"headers": list(headers.items()), "body": body.decode()}


def turn(service: Service, headers: str, seconds: int, stored: int = STORED) -> Turn:
    """wrk asks for so long."""
    _, cores = two_sides()
    script = str(Path(__file__).parent / "visits.lua")
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script, service.url]
    before = service.cpu_s()
    with on_cores(cores):
        done = run([*command, "--", str(stored), headers], check=True, stdout=PIPE, text=True)
    computed = service.cpu_s() - before
    said = json.loads(done.stdout.splitlines()[-1])
    assert not said["wrong"] + said["refused"], done.stdout
    requests = said["requests"]
    return Turn(requests / said["took_us"] * 1e6, said["p50_us"], said["p99_us"], computed / requests * 1e6)


def measure(
    folder: Path, headers: Sequence[str] = HEADERS, rounds: int = ROUNDS, seconds: int = TURN_S, stored: int = STORED
) -> list[Measured]:
    """Every server with every kind of headers, in turns."""
    turns: dict[tuple[str, str], list[Turn]] = {}
    with servers(folder) as running:
        for service in running.values():
            turn(service, headers[0], 1, stored)  # the first second is like no other
        for _ in range(rounds):
            for kind in headers:
                for name, service in running.items():
                    turns.setdefault((name, kind), []).append(turn(service, kind, seconds, stored))
    return [Measured(name, kind, made) for (name, kind), made in turns.items()]


def rows(measured: Sequence[Measured]) -> list[Row]:
    """Ours beside the constant app, for the table."""
    constant = {one.headers: one for one in measured if one.server == "constant"}
    found = []
    for one in measured:
        if one.server in _OURS:
            found += _rows(one, constant[one.headers])
    return found


def _rows(ours: Measured, theirs: Measured) -> list[Row]:
    what, beside = f"page views, {_OURS[ours.server]}, {ours.headers} headers", "constant bytes, stock uvicorn"
    computing = [f"{duration(one.middle('cpu_us') / 1e6)} of computing" for one in (ours, theirs)]
    clock = [f"{short(one.middle('requests_s'))}/s" for one in (ours, theirs)]
    drawn = Drawn("http", SEGMENTS, *(1e6 / one.middle("cpu_us") for one in (ours, theirs)))
    return [
        row(what, computing[0], beside, computing[1], ours.to(theirs), bar=ours.server, drawn=drawn),
        row("  by the clock", clock[0], beside, clock[1], ours.by_the_clock(theirs)),
        Row("  waited, p50 and p99", ours.waiting(), beside, theirs.waiting()),
    ]


def main() -> None:
    """What was asked for on the command line."""
    what, _, how = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        prog="python -m bench.http",
        description=what,
        epilog=how,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of each server ({ROUNDS})")
    parser.add_argument("--seconds", type=int, default=TURN_S, help=f"length of a turn ({TURN_S})")
    parser.add_argument("--stored", type=int, default=STORED, help=f"stored visitors ({STORED:,})")
    parser.add_argument("--headers", choices=HEADERS, action="append", help="only these; both if not given")
    asked = parser.parse_args()
    if not there():
        parser.exit(2, f"bench.http: {NO_WRK}\n")
    core, others = two_sides()
    print(f"server on core {sorted(core)}, wrk on {sorted(others)}; {CONNECTIONS} connections", file=sys.stderr)
    with TemporaryDirectory() as made:
        folder = Path(made)
        prepare(folder, asked.stored)
        measured = measure(folder, asked.headers or HEADERS, asked.rounds, asked.seconds, asked.stored)
    print(as_text(rows(measured)))


if __name__ == "__main__":
    main()

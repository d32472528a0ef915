"""Segment's libraries send through an outage, and every event is there once afterwards.

1. All five send steadily at the same time, each in its own process. The outage is a real one: the service may write no
   more (its file size limit is nothing), so that it answers 503 by itself; then it is killed; then it is started anew.
2. What is retried, and when, is the libraries' own, as they come; but python 2.3 waits a random time below 1, 2, 4, … s
   before each of its 10 retries, so that by bad luck they are used up within a minute. It gets 20, by `max_retries`, as
   its users would give it. The others hold longer: python 2.4 does not count a 503 that has `Retry-After` (it gives up
   after half an hour), and waits 3 minutes in all while nobody is there; node and the browsers wait twice as long each
   time, 10 times.
3. The browser's 1.70 takes any answer that it can read for a success, a 503 too. It sends again what fails without one.
   So the service's 503 must be unreadable for it (no `Access-Control-Allow-Origin`), and is.
"""

import resource
import signal
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final
from urllib.error import URLError

import pytest
from msgspec import Struct

BEFORE_S: Final = 1.5  # sending while all is well: connections and, in the browser, permission by preflight are there
OPTIONS: Final = {
    "python-2.3": {"max_retries": 20},
    "python-2.4": {"gzip": True},
    "node": {"flushAt": 5, "flushInterval": 200},
}
BROWSERS: Final = ("browser-1.70", "browser-newest")
LENGTHS_S: Final = [pytest.param(4, id="4s"), pytest.param(60, id="60s", marks=pytest.mark.long)]


class Outage(Struct):
    """What each library sent and gave up, what the log holds of it; for the browsers, how requests ended."""

    sent: dict[str, dict[str, str]]
    errors: dict[str, list[str]]
    stored: dict[str, set[str]]
    met: dict[str, set[int | str]]


def processes(pid: int) -> list[int]:
    """A process and all that it started."""
    children = (file.read_text().split() for file in Path(f"/proc/{pid}/task").glob("*/children"))
    return [pid, *(process for line in children for child in line for process in processes(int(child)))]


def disk_full(edge: Any) -> None:
    """From now on every write to a file fails: EFBIG, as if there were no room."""
    for pid in processes(edge.pid):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def probe(edge: Any) -> Any:
    """One event of our own, and the answer to it."""
    return edge.post("/v1/track", {"userId": "probe", "event": "Probe", "writeKey": edge.keys["node"]})


def break_down(edge: Any, length_s: float) -> None:
    """Half the time 503, half the time nobody there, then back."""
    disk_full(edge)
    answer = probe(edge)
    assert (answer.status, answer.json["success"]) == (503, False)
    assert int(answer.headers["retry-after"]) >= 1
    sleep(length_s / 2)
    edge.end(signal.SIGKILL)
    with pytest.raises(URLError):
        probe(edge)
    sleep(length_s / 2)
    edge.start()


def settle(edge: Any, sent: dict[str, dict[str, str]], quiet_s: float) -> None:
    """Wait until all of it has come, or nothing more has for so long that the rest is lost."""
    lacking, since = -1, monotonic()
    while lacking != 0 and monotonic() - since < quiet_s:
        now = sum(len(sent[name].keys() - {message["messageId"] for message in edge.stored(name)}) for name in sent)
        if now != lacking:
            lacking, since = now, monotonic()
        sleep(0.2)


@pytest.fixture(scope="module", params=LENGTHS_S)
def outage(request: pytest.FixtureRequest, stage: Any) -> Outage:
    """All libraries, through one outage."""
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux can make the disk full for a process that runs")
    edge = stage.edge()
    programs = {name: stage.speaker(name, "steady", edge, **options) for name, options in OPTIONS.items()}
    pages = {name: stage.browser(name, edge) for name in BROWSERS}
    for page in pages.values():
        page.ask("steady", 200)
    sleep(BEFORE_S)
    break_down(edge, request.param)
    sleep(BEFORE_S)

    sent = {name: page.ask("stop") for name, page in pages.items()}
    told = {name: program.told() for name, program in programs.items()}
    errors = {name: it.errors for name, it in told.items()} | {name: [] for name in pages}
    sent |= {name: it.sent for name, it in told.items()}
    # A page that failed for so long waits up to twice that until it tries again, and some seconds that it draws.
    settle(edge, {name: sent[name] for name in pages}, 20 + 2 * request.param)
    stored = {name: {message["messageId"] for message in edge.stored(name)} for name in sent}
    met = {name: {end for _, _, end in page.network()} for name, page in pages.items()}
    return Outage(sent, errors, stored, met)


@pytest.mark.parametrize("library", [*OPTIONS, *BROWSERS])
def test_every_event_is_there_once(library: str, outage: Outage) -> None:
    """What the library took before, in and after the outage is in the log, and it gave up nothing.

    Once by `messageId`: what was in the log when the disk was full, and not yet acknowledged, is sent again.
    """
    assert outage.errors[library] == []
    assert outage.stored[library] == outage.sent[library].keys()
    assert len(outage.sent[library]) > 25


@pytest.mark.parametrize(("library", "trouble"), [("browser-1.70", "net::ERR_FAILED"), ("browser-newest", 503)])
def test_the_browsers_met_it(library: str, trouble: int | str, outage: Outage) -> None:
    """Both forms of the outage came to the page: 503, which the older library must not see, and nobody there."""
    assert {trouble, "net::ERR_CONNECTION_REFUSED", 200} <= outage.met[library]
    assert (503 in outage.met[library]) == (trouble == 503)

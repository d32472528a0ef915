"""A sync that is stopped, by whatever, goes on where it was; and a very large one stays small.

1. Killed with SIGKILL while a page is on its way: the pages before it are kept, no more and no less, and the next sync
   asks for none of them again.
2. Memory is that of a page, however much there is. What is measured is the process's own (not the store's file, which
   LMDB maps). The long form has 200,000 records.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.profiles.ids import key
from engine.profiles.store import Store
from engine.salesforce.mirror import Mirror
from engine.salesforce.trouble import LimitReached, Unreachable

PATIENCE_S = 300
CHILD = """
import json, sys, threading, time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from engine import limits
from engine.profiles.lmdb import LmdbStore
from engine.salesforce.access import Access
from engine.salesforce.client import Client
from engine.salesforce.mirror import Mirror
from engine.salesforce.session import Session
from engine.salesforce.sync import Sync

def own_kb():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon"))

def watch():
    while True:
        most[0] = max(most[0], own_kb())
        time.sleep(0.005)

data, page = Path(sys.argv[1]), int(sys.argv[2])
limits.SALESFORCE_PAGE_RECORDS = page
now = datetime(2026, 6, 1, 12, tzinfo=UTC)
most = [0]
with closing(LmdbStore(data / "profiles")) as store, closing(Mirror(data)) as mirror, Session(time.sleep) as session:
    client = Client(Access("acme", "client-id", "client-secret"), session)
    begun = own_kb()
    threading.Thread(target=watch, daemon=True).start()
    limits.SALESFORCE_POLL_S = 0.01
    sync = Sync(client, mirror, store, clock=lambda: now, sleep=time.sleep, tell=lambda *_: None)
    outcome = sync.run(["Lead"])
print(json.dumps({"grown_kb": most[0] - begun, "total": outcome.parts[0].total, "written": outcome.written}))
"""


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """A sync in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def begin(data: Path, page: int) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", CHILD, str(data), str(page)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_killed_in_mid_load(org: Any, begin: Callable[..., "subprocess.Popen[str]"], tmp_path: Path) -> None:
    """SIGKILL while the third page is on its way: two are kept, the store has nothing yet; then all of it."""
    for number in range(10):
        org.put("Lead", number, Email=f"{number}@x.org")
    org.trouble = [("locator=4", "hang")]
    process = begin(tmp_path / "data", 2)
    assert org.hung.wait(PATIENCE_S)
    process.send_signal(signal.SIGKILL)
    assert process.wait(PATIENCE_S) == -signal.SIGKILL
    org.go_on.set()
    with closing(Mirror(tmp_path / "data", read_only=True)) as mirror:
        job = mirror.state("Lead").job
        assert job is not None
        assert (job.locator, job.records, mirror.count("COUNT(*) FROM records")) == ("4", 4, 4)
    org.asked.clear()
    done, _ = begin(tmp_path / "data", 2).communicate(timeout=PATIENCE_S)
    assert json.loads(done) | {"grown_kb": 0} == {"grown_kb": 0, "total": 10, "written": 10}
    assert [line.rpartition("locator=")[2] for line in org.asked if "results" in line] == ["4", "6", "8"]
    assert not [line for line in org.asked if line.startswith("POST") and "jobs" in line]


def test_the_daily_limit_stops_it_kindly(org: Any, sync: Any, mirror: Mirror, store: Store, monkeypatch: Any) -> None:
    """What was read is in the store, the message says when to go on, and the next one goes on."""
    monkeypatch.setattr("engine.limits.SALESFORCE_PAGE_RECORDS", 2)
    for number in range(6):
        org.put("Lead", number, Email=f"{number}@x.org")
    org.trouble = [("locator=4", (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))]
    with pytest.raises(LimitReached, match="what was read is kept; they come back over 24 hours: run the same later"):
        sync()
    assert len(list(store.scan("lead"))) == 4
    outcome = mirror.outcome()
    assert outcome is not None
    assert "used up" in str(outcome.trouble)
    org.asked.clear()
    assert sync().parts[0].total == 6
    assert next(line for line in org.asked if "results" in line).endswith("locator=4")
    assert len(list(store.scan("lead"))) == 6


def test_interrupted_by_hand(org: Any, sync: Any, mirror: Mirror, store: Store, monkeypatch: Any) -> None:
    """Ctrl-C between two pages: the same."""
    monkeypatch.setattr("engine.limits.SALESFORCE_PAGE_RECORDS", 2)
    for number in range(6):
        org.put("Lead", number, Email=f"{number}@x.org")
    page, pages = mirror.page, []

    def interrupted(*args: Any) -> Any:
        pages.append(1)
        if len(pages) == 3:
            raise KeyboardInterrupt
        return page(*args)

    with monkeypatch.context() as patched:
        patched.setattr(mirror, "page", interrupted)
        with pytest.raises(KeyboardInterrupt):
            sync()
    outcome = mirror.outcome()
    assert outcome is not None
    assert "interrupted" in str(outcome.trouble)
    assert len(list(store.scan("lead"))) == 4
    assert sync().parts[0].total == 6


def test_an_org_that_is_down(org: Any, sync: Any, mirror: Mirror, slept: list[float]) -> None:
    """Tried again and again, then told; nothing is taken away."""
    org.put("Lead", 1, Email="a@x.org")
    sync()
    org.trouble = [("", (503, "SERVER_UNAVAILABLE"))] * 50
    with pytest.raises(Unreachable, match="SERVER_UNAVAILABLE"):
        sync()
    assert mirror.count("COUNT(*) FROM records") == 1
    assert slept[-5:] == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_a_store_that_was_lost_is_filled_without_reading_anew(org: Any, sync: Any, store: Store) -> None:
    """From the mirror."""
    org.put("Lead", 1, Email="a@x.org")
    sync()
    store.delete([name for name, _ in store.scan()])
    org.asked.clear()
    sync()
    assert store.get([key("lead", "a@x.org")]) != [None]
    assert not [line for line in org.asked if "jobs" in line]


def grown_kb(org: Any, begin: Callable[..., "subprocess.Popen[str]"], data: Path, records: int, page: int) -> int:
    """By how much a process grows that reads so many records of 4 KB; more than 10,000 share 40 MB."""
    text = "x" * min(4_000, 40_000_000 // records)
    for number in range(records):
        org.put("Lead", number, Email=f"{number}@x.org", Name=text)
    org.now += timedelta(hours=1)  # so that none of them changed just before
    done, _ = begin(data, page).communicate(timeout=PATIENCE_S)
    found = json.loads(done)
    assert (found["total"], found["written"]) == (records, records)
    grown: int = found["grown_kb"]
    return grown


def test_memory_is_that_of_a_page(org: Any, begin: Callable[..., "subprocess.Popen[str]"], tmp_path: Path) -> None:
    """25 MB of records in pages of 400 KB: the process does not grow by half of it."""
    assert grown_kb(org, begin, tmp_path / "data", 6_000, 100) < 12_000


@pytest.mark.long
def test_memory_with_very_many_records(org: Any, begin: Callable[..., "subprocess.Popen[str]"], tmp_path: Path) -> None:
    """200,000 records in pages as they are: the process does not grow by a tenth of what they are."""
    grown = grown_kb(org, begin, tmp_path / "data", 200_000, 10_000)
    print(f"grown by {grown / 1024:.1f} MB")
    assert grown < 20_000

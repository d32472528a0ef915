"""What is read for the chain: names, sources, the two logs; and that reading changes nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from engine.cli.checkup_chain import heard, look, refused, skews_s
from engine.cli.checkup_links import Refused
from engine.events.line import encode
from engine.events.log import EventLog
from engine.events.rejected import Rejected, RejectedLog
from engine.events.rejected import encode as rejected_line
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change, time_ms
from engine.profiles.store import Store
from engine.segment.sources import Sources
from engine.settings import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = time_ms(NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store that has heard of two sources: two traits and an event."""
    opened = LmdbStore(tmp_path / "profiles")
    for name, at, source in (
        ("trait:email", AT, "website"),
        ("event:Signed Up", AT - 5, "website"),
        ("trait:plan", AT - 9, "backend"),
    ):
        of = key("name", name)
        opened.apply([Change(of, -at, {"first": at}), Change(of, at, {"last": at, f"source:{source}": True})])
    yield opened
    opened.close()


def event(source: str, sent: datetime | None, received: datetime = NOW) -> bytes:
    """A line of the event log."""
    times = {"receivedAt": received.isoformat()} | ({"sentAt": sent.isoformat()} if sent else {})
    return encode(time_ms(received), source, msgspec.json.encode({"type": "track"} | times))


def test_all_of_it(tmp_path: Path, store: Store) -> None:
    """Sources from their file, names from the store, clocks and rejected messages from the logs."""
    settings = Settings(data=tmp_path)
    Sources(tmp_path).add("website", "website")
    log = EventLog(settings.logs.events, lambda: NOW)
    log.append([event("website", NOW - timedelta(seconds=2))])
    log.close()
    rejected = RejectedLog(settings.logs.rejected, lambda: NOW)
    rejected.append([rejected_line(AT, "website", "bad-id", "userId: too long", b"{}")])
    rejected.close()
    (settings.logs.events / "torn").mkdir()
    (settings.logs.events / "torn" / "x.5").touch()
    chain = look(settings, store, {"signed-up": "Signed Up"}, NOW)
    assert (chain.sources, chain.heard) == (("website",), {"website": AT, "backend": AT - 9})
    assert (list(chain.traits), list(chain.events)) == (["email", "plan"], ["Signed Up"])
    assert chain.traits["email"].sources == ("website",)
    assert (chain.skews_s, chain.torn) == ({"website": 2.0}, ("x.5",))
    assert chain.rejected == (Refused("bad-id", 1, "userId: too long"),)
    assert chain.trouble is None


def test_nothing_at_all(tmp_path: Path, store: Store) -> None:
    """No file of sources, no log: nothing is made."""
    before = sorted(tmp_path.iterdir())
    chain = look(Settings(data=tmp_path), store, {}, NOW)
    assert (chain.sources, chain.skews_s, chain.rejected, chain.torn) == ((), {}, (), ())
    assert sorted(tmp_path.iterdir()) == before


def test_what_cannot_be_read_is_its_trouble(tmp_path: Path, store: Store) -> None:
    """A file of sources that was cut short."""
    (tmp_path / "sources.json").write_text("{")
    chain = look(Settings(data=tmp_path), store, {}, NOW)
    assert chain.trouble is not None
    assert "sources.json" in chain.trouble


def test_very_many_names(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that are asked for are kept, whatever else there is."""
    monkeypatch.setattr("engine.limits.CATALOGUE_NAMES", 0)
    chain = look(Settings(data=tmp_path), store, {"signed-up": "Signed Up"}, NOW)
    assert (list(chain.traits), list(chain.events)) == ([], ["Signed Up"])
    assert heard(store).keys() == {"website", "backend"}


def test_clocks_by_the_median(tmp_path: Path) -> None:
    """One phone that is a year ahead says nothing about its source; what has no time is left out."""
    log = EventLog(tmp_path, lambda: NOW)
    sent = [NOW - timedelta(minutes=10)] * 3 + [NOW + timedelta(days=365), None]
    log.append([event("app", at) for at in sent] + [event("web", NOW)])
    log.close()
    assert skews_s(tmp_path) == {"app": 600.0, "web": 0.0}


def test_only_the_end_of_a_long_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent long ago counts for nothing; wherever the look begins, it finds the next line."""
    old = [event("web", NOW - timedelta(hours=1)) for _ in range(50)]
    new = [event("web", NOW) for _ in range(50)]
    log = EventLog(tmp_path, lambda: NOW)
    log.append(old + new)
    log.close()
    for lines in (1, 2, 3):
        monkeypatch.setattr("engine.limits.CLOCK_LINES", lines)
        assert skews_s(tmp_path) == {"web": 0.0}
    monkeypatch.setattr("engine.limits.CLOCK_LINES", 0)
    assert skews_s(tmp_path) == {}


def test_rejected_by_code() -> None:
    """The most common first; of each the newest one's words."""
    rejected = [
        Rejected("f", n, AT + n, "web", code, reason, b"", whole=True)
        for n, (code, reason) in enumerate([("b", "old"), ("a", "one"), ("b", "new")])
    ]
    assert refused(rejected[::-1]) == [Refused("b", 2, "new"), Refused("a", 1, "one")]

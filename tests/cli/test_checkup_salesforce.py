"""What `doctor` says of Salesforce, on reports made by hand."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.cli.checkup_salesforce import addresses, freshness, look
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.nothing import NothingStored
from engine.profiles.record import Change
from engine.salesforce.mirror import Mirror, path_of
from engine.salesforce.report import Report, Told
from engine.salesforce.state import Outcome

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
FRESH = NOW - timedelta(minutes=5)
TOLD = Told("Lead", 1_000, 0, 0, 0, 9, FRESH)
REPORT = Report((TOLD,), Outcome(FRESH), 0, is_filled=True)


@pytest.mark.parametrize(
    ("report", "state", "text", "do"),
    [
        (REPORT, "ok", "1,000 leads, synced 5 min ago", ""),
        (replace(REPORT, objects=(replace(TOLD, synced=NOW - timedelta(days=3)),)), "warning", "3 days ago", "--watch"),
        (replace(REPORT, is_filled=False), "warning", "the store does not have all of it", "replay"),
        (replace(REPORT, waiting=3), "warning", "the store does not have all of it", "replay"),
        (replace(REPORT, is_filled=None, objects=(replace(TOLD, synced=None),)), "ok", "from exports", ""),
        (replace(REPORT, outcome=Outcome(FRESH, trouble="used; wait")), "warning", "5 min ago, stopped: used", "wait"),
        ("x.sqlite: not a database; move it away", "warning", "not a database", "move it away"),
    ],
)  # fmt: skip
def test_freshness(report: Report | str, state: str, text: str, do: str) -> None:
    """What is not in order says what to do."""
    said = freshness(report, NOW)
    assert said is not None
    assert said[0] == state
    assert text in said[1]
    assert do in "".join(said[2:])


def test_addresses() -> None:
    """How many share one, how many have none."""
    assert addresses(REPORT) == ("ok", "each record has one of its own")
    told = replace(TOLD, shared=2, without_email=7)
    assert addresses(replace(REPORT, objects=(told,))) == (
        "ok", "2 addresses are shared by several leads, of which the last modified counts; 7 leads have no address",
    )  # fmt: skip
    assert addresses(replace(REPORT, objects=(replace(TOLD, without_email=1),))) == ("ok", "1 lead has no address")


def test_how_the_email_is_spelled_of_those_who_are_stored(tmp_path: Path) -> None:
    """However they came here: another name, or no text; whoever has an `email` too is in order."""
    traits = [{"Email": "a@x.org"}, {"e_mail": "b@x.org"}, {"Email": "c@x.org"}, {"email": 5}]
    traits += [{"email": "d@x.org", "mail": "e@x.org"}, {"plan": "free"}, {"Email": None}]
    with closing(LmdbStore(tmp_path / "profiles")) as store, closing(Mirror(tmp_path)):
        store.apply([Change(key("visitor", f"v{number}"), 1, held) for number, held in enumerate(traits)])
        found = look(tmp_path, store)
    assert isinstance(found, Report)
    assert found.spelled == {"Email": 2, "e_mail": 1, "email, and no text": 1}
    said = addresses(found)
    assert said is not None
    assert said[0] == "warning"
    assert "people's addresses are here as `Email` (2), `e_mail` (1), `email, and no text` (1)" in said[1]


def test_what_is_absent_and_what_was_not_read() -> None:
    """Both are told, with what would mend it."""
    told = replace(TOLD, unusable=("Score__c",))
    said = freshness(replace(REPORT, objects=(told,)), NOW)
    assert said is not None
    assert said[0] == "warning"
    assert said[1].endswith("; some values are none of their field's type, and absent: lead.Score__c")
    said = freshness(replace(REPORT, objects=(replace(TOLD, synced=None, imported=False, records=1),)), NOW)
    assert said is not None
    assert said[:2] == ("warning", "1 lead, from exports; the last file was not read to its end")


def test_not_in_use(tmp_path: Path) -> None:
    """Nothing is said, and nothing is made; what cannot be read is a text."""
    nothing = NothingStored("nothing")
    assert look(tmp_path / "data", nothing) is None
    assert (freshness(None, NOW), addresses(None), addresses("broken")) == (None, None, None)
    path_of(tmp_path).parent.mkdir()
    path_of(tmp_path).write_bytes(b"x" * 5_000)
    assert "not a database" in str(look(tmp_path, nothing))

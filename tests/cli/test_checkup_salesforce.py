"""What `doctor` says of Salesforce, on reports made by hand."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.cli.checkup_salesforce import addresses, freshness, look
from engine.profiles.nothing import NothingStored
from engine.salesforce.mirror import path_of
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
        "ok", "several records have one: 2 of leads; the last modified counts; none have 7 leads",
    )  # fmt: skip


def test_not_in_use(tmp_path: Path) -> None:
    """Nothing is said, and nothing is made; what cannot be read is a text."""
    nothing = NothingStored("nothing")
    assert look(tmp_path / "data", nothing) is None
    assert (freshness(None, NOW), addresses(None), addresses("broken")) == (None, None, None)
    path_of(tmp_path).parent.mkdir()
    path_of(tmp_path).write_bytes(b"x" * 5_000)
    assert "not a database" in str(look(tmp_path, nothing))

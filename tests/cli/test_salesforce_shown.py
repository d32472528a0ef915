"""`mutiny-edge salesforce status`, `fields` and `replay`, as they are run after an import."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.cli.salesforce_shown import lines
from engine.salesforce.report import Report, Told
from engine.salesforce.state import Outcome

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def data(run: Any, tmp_path: Path) -> Path:
    """A data folder with two leads of one address."""
    path = tmp_path / "leads.csv"
    path.write_text("Id,Email,Score__c\n00Q5g0000000001,a@x.org,1\n00Q5g0000000002,A@x.org,2\n", "utf-8")
    run("salesforce", "import", path, "--object", "Lead")
    return tmp_path / "data"


def test_status(run: Any, data: Path) -> None:
    """How much there is, and how many share an address."""
    shown = run("salesforce", "status").stdout
    assert shown.splitlines()[0] == "Lead     2 records, 3 fields, from a file"
    assert "1 address with several" in shown


def test_fields_beside_what_check_says(run: Any, data: Path, tmp_path: Path) -> None:
    """The catalogue; and a rule that asks for what it does not have."""
    shown = run("salesforce", "fields").stdout
    assert "salesforce.lead.Score__c  number (double)" in shown
    rows = json.loads(run("salesforce", "fields", "--object", "Lead", "--format", "json").stdout)
    assert rows[-1] == {
        "name": "salesforce.lead.Score__c", "type": "number", "salesforceType": "double", "label": "",
        "formula": False, "values": [],
    }  # fmt: skip
    (tmp_path / "rules").mkdir()
    text = "segments: {s: {name: S, when: salesforce.lead.Scor__c > 1}}\n"
    (tmp_path / "rules" / "a.yaml").write_text(text, "utf-8")
    done = run("check")
    assert "did you mean `salesforce.lead.Score__c`?" in done.stdout
    assert "[unknown-field]" in done.stdout


def test_a_lost_store(run: Any, data: Path) -> None:
    """Doctor sees it, replay mends it."""
    shutil.rmtree(data / "profiles")
    shown = run("doctor").stdout
    assert "1 address is shared by several leads" in shown
    assert "the store does not have all of it" in shown
    done = run("salesforce", "replay")
    assert (done.returncode, done.stderr) == (0, "1 address looked at, 1 record changed in the store\n")
    assert "the store does not have all of it" not in run("doctor").stdout


def test_nothing_was_ever_read(run: Any, tmp_path: Path) -> None:
    """Told, and nothing is made."""
    done = run("salesforce", "fields")
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing was read from Salesforce yet" in done.stderr
    assert run("salesforce", "replay").returncode == 2
    assert not (tmp_path / "data").exists()


def test_a_job_at_work_and_a_sync_that_stopped() -> None:
    """Both are told."""
    told = Told("Lead", 5, 1, 2, 0, 9, AT, 40_000)
    shown = list(lines(Report((told,), Outcome(AT, calls=3, trouble="no; wait"), 7, is_filled=False)))
    notes = "1 without an email, 0 addresses with several, 2 converted"
    assert shown == [
        "Lead     5 records, 9 fields, synced 2026-06-01 12:00 UTC",
        f"         {notes}, a job is at work, 40,000 of its records are kept",
        "store    7 addresses wait to be brought there",
        "last     2026-06-01 12:00 UTC: no; wait",
        "API      3 calls",
    ]


def test_what_is_not_in_order() -> None:
    """Values that are absent, a file that was not read to its end; one is one."""
    told = Told("Lead", 1, 0, 0, 0, 1, None, None, ("A", "B", "C", "D"), imported=False)
    shown = list(lines(Report((told,), None, 1, is_filled=True)))
    assert shown == [
        "Lead     1 record, 1 field, from a file",
        "         0 without an email, 0 addresses with several, 0 converted",
        "         some values are none of their field's type, and absent: A, B, C and 1 more",
        "         the last file was not read to its end: run `mutiny-edge salesforce import` again",
        "store    1 address waits to be brought there",
    ]

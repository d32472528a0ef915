"""The audit log: a line a change, its owner's alone, with nobody's id in it."""

import json
import stat
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from engine.web.audit import AUDIT_FILE, Entry, note, target

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def entry(number: int) -> Entry:
    """A line."""
    return Entry(NOW, "0123abcd", "192.0.2.1", "delete-profile", target("user", f"u{number}"))


def test_a_line_a_change(tmp_path: Path) -> None:
    """In their order; the folder is made."""
    for number in range(3):
        note(tmp_path / "data", entry(number))
    lines = [json.loads(line) for line in (tmp_path / "data" / AUDIT_FILE).read_text().splitlines()]
    assert [line["target"] for line in lines] == [f"user {sha256(b'u%d' % n).hexdigest()[:12]}" for n in range(3)]
    assert lines[0] == {
        "at": "2026-11-23T12:00:00Z",
        "by": "0123abcd",
        "from": "192.0.2.1",
        "action": "delete-profile",
        "target": lines[0]["target"],
    }


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    """Who changed what is nobody else's business."""
    note(tmp_path, entry(1))
    assert stat.S_IMODE((tmp_path / AUDIT_FILE).stat().st_mode) == 0o600


def test_what_cannot_be_noted_is_told(tmp_path: Path) -> None:
    """So that the change is not made."""
    (tmp_path / AUDIT_FILE).mkdir()
    with pytest.raises(OSError, match="directory"):
        note(tmp_path, entry(1))

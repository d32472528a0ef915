"""The last good ruleset comes back as it was, or not at all."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.rules import lastgood
from engine.words import (
    Audience,
    Case,
    Change,
    Condition,
    Expected,
    Experience,
    Given,
    Page,
    Place,
    Profile,
    Ruleset,
    Segment,
    Slot,
    Variant,
    Visit,
)

AT = Place("rules/a.yaml", 3, 5)
WHEN = datetime(2026, 11, 1, tzinfo=UTC)
SEGMENT = Segment("small", "Small", (Condition("true", AT, b"\x00\xff"),), (), AT)
CHANGE = Change(selector="h1", text=("Hi ", Slot(("traits", "company"), None, "text")), style={"color": "red"})
AUDIENCE = Audience("small", 500_000, "v1", (Variant("hero", 1, (CHANGE,)),), AT)
EXPERIENCE = Experience("site", "Site", ("/*",), "live", WHEN, None, 0, "visitor", None, 10, (AUDIENCE,), AT)
CASE = Case("c", Given(Profile("v", {"since": WHEN}), Page("https://a.example/"), Visit(3), WHEN), Expected(), AT)
RULESET = Ruleset("9f3c01ab", {"small": SEGMENT}, {"site": EXPERIENCE}, {}, {}, ("traits.company",), (CASE,))


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    """Every word of it, times and bytes too; the data folder is made if it is not there."""
    lastgood.keep(RULESET, Path("rules"), tmp_path / "data")
    assert lastgood.kept(Path("rules"), tmp_path / "data") == RULESET


def test_another_folders_rules_are_never_served(tmp_path: Path) -> None:
    """Two services with one data folder must not answer with each other's rules."""
    lastgood.keep(RULESET, Path("rules"), tmp_path)
    assert lastgood.kept(Path("other"), tmp_path) is None


def test_the_newer_one_replaces_the_older(tmp_path: Path) -> None:
    """There is one file, and nothing else is left lying about."""
    for version in ("00000001", "00000002"):
        lastgood.keep(Ruleset(version, {}, {}, {}, {}, (), ()), Path("rules"), tmp_path)
    found = lastgood.kept(Path("rules"), tmp_path)
    assert found is not None
    assert found.version == "00000002"
    assert list(tmp_path.iterdir()) == [lastgood.file_of(Path("rules"), tmp_path)]


def test_each_folder_has_its_own(tmp_path: Path) -> None:
    """Two services with one data folder do not take each other's away."""
    other = Ruleset("00000002", {}, {}, {}, {}, (), ())
    lastgood.keep(RULESET, Path("rules"), tmp_path)
    lastgood.keep(other, Path("other"), tmp_path)
    assert lastgood.kept(Path("rules"), tmp_path) == RULESET
    assert lastgood.kept(Path("other"), tmp_path) == other


@pytest.mark.parametrize("length", [0, 1, 40, -1])
def test_a_torn_file_reads_as_absent(tmp_path: Path, length: int) -> None:
    """Cut anywhere, it is none; nothing is guessed."""
    lastgood.keep(RULESET, Path("rules"), tmp_path)
    file = lastgood.file_of(Path("rules"), tmp_path)
    file.write_bytes(file.read_bytes()[:length])
    assert lastgood.kept(Path("rules"), tmp_path) is None


def test_an_altered_file_reads_as_absent(tmp_path: Path) -> None:
    """One bit, wherever it is: rules that nobody wrote are worse than none."""
    lastgood.keep(RULESET, Path("rules"), tmp_path)
    whole = lastgood.file_of(Path("rules"), tmp_path).read_bytes()
    for at in range(0, len(whole), 7):
        altered = bytearray(whole)
        altered[at] ^= 4
        lastgood.file_of(Path("rules"), tmp_path).write_bytes(altered)
        assert lastgood.kept(Path("rules"), tmp_path) is None


def test_foreign_bytes_read_as_absent(tmp_path: Path) -> None:
    """Also such that a decoder takes for something else."""
    for content in (b"\xc1", b"\x93\x63\xa1/\x80", b"\x91" * 100_000, b"hello"):
        lastgood.file_of(Path("rules"), tmp_path).write_bytes(content)
        assert lastgood.kept(Path("rules"), tmp_path) is None


def test_no_file_is_none(tmp_path: Path) -> None:
    """A new data folder holds no ruleset."""
    assert lastgood.kept(Path("rules"), tmp_path / "missing") is None

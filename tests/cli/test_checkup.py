"""Each check of `doctor`, on places made by hand."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.cli.checkup import CHECKS, Place, findings, is_trouble, look
from engine.holder import Reading
from engine.profiles.store import StoreStats
from engine.settings import Settings

STATS = StoreStats("lmdb", 5, 10**9, 0, (), 2**30, 1, 1024)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Where all is in order."""
    return Place(Settings(Path("rules"), tmp_path), Reading(None, ()), STATS, 10**12, None)


def states(place: Place) -> dict[str, str]:
    """What each check says."""
    return {finding.check: finding.state for finding in findings(place)}


def test_every_finding_that_is_not_in_order_says_what_to_do(place: Place) -> None:
    """No complaint without a way out."""
    bad = replace(place, store=replace(STATS, damaged=3, readers=1024), free_bytes=1)
    assert all(finding.do for finding in findings(bad) if finding.state != "ok")
    assert is_trouble(list(findings(bad)))


@pytest.mark.parametrize(("free", "state"), [(10**12, "ok"), (10**9 - 1, "warning"), (2**20, "trouble")])
def test_disk(place: Place, free: int, state: str) -> None:
    """Room to double, some room, none."""
    assert states(replace(place, free_bytes=free))["disk"] == state


@pytest.mark.parametrize(("taken", "state"), [(1, "ok"), (600, "warning"), (1024, "trouble")])
def test_readers(place: Place, taken: int, state: str) -> None:
    """How full LMDB's table of readers is."""
    assert states(replace(place, store=replace(STATS, readers=taken)))["readers"] == state


def test_a_store_that_does_not_open(place: Place) -> None:
    """What is wrong, and behind the semicolon what to do; checks that need a store say nothing."""
    found = {finding.check: finding for finding in findings(replace(place, store="it is cut short; restore it"))}
    assert (found["store"].text, found["store"].do) == ("it is cut short", "restore it")
    assert "readers" not in found


def test_a_data_folder_that_is_a_file(place: Place, tmp_path: Path) -> None:
    """`--data` given a file."""
    (tmp_path / "file").touch()
    assert states(replace(place, settings=Settings(data=tmp_path / "file")))["data"] == "trouble"


def test_a_folder_that_is_not_there_yet_will_need_room(tmp_path: Path) -> None:
    """The disk is that of the folder in which it would be made."""
    seen = look(Settings(tmp_path / "rules", tmp_path / "data" / "here"))
    assert "disk" in states(seen)
    assert states(replace(seen, free_bytes=0))["disk"] == "trouble"


def test_looking_makes_nothing(tmp_path: Path) -> None:
    """A place where there is nothing yet stays so."""
    seen = look(Settings(tmp_path / "rules", tmp_path / "data"))
    assert seen.store is None
    assert states(seen)["rules"] == "trouble"
    assert list(tmp_path.iterdir()) == []


def test_every_check_is_a_sentence() -> None:
    """A check says in its first line what should be so."""
    assert all((check.__doc__ or "").strip().endswith(".") for check in CHECKS.values())

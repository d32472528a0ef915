"""The id of a node: one a data folder, the same for everybody, for good."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.events.disk import LogUnavailable
from engine.events.node_id import FILE, node_id

_ASK = "import sys, pathlib, engine.events.node_id as n; print(n.node_id(pathlib.Path(sys.argv[1])))"


def test_it_stays_and_every_folder_has_its_own(tmp_path: Path) -> None:
    """Random, of sixteen digits; the folder is made where there is none."""
    first = node_id(tmp_path / "a" / "data")
    assert len(first) == 16
    assert int(first, 16) >= 0
    assert node_id(tmp_path / "a" / "data") == first
    assert node_id(tmp_path / "b") != first


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    """Whoever comes first makes it, and the others are told the same."""
    command = [sys.executable, "-c", _ASK, str(tmp_path / "data")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    told = {process.communicate()[0].strip() for process in started}
    assert told == {node_id(tmp_path / "data")}


def test_who_only_reads_makes_none(tmp_path: Path) -> None:
    """Each time it is nobody; once there is one, that is read."""
    assert node_id(tmp_path / "data", makes=False) != node_id(tmp_path / "data", makes=False)
    assert not (tmp_path / "data").exists()
    made = node_id(tmp_path / "data")
    assert node_id(tmp_path / "data", makes=False) == made


@pytest.mark.parametrize("content", [b"", b"0123", b"0123456789abcdef", b"0123456789ABCDEF\n", b"\xff" * 17])
def test_a_file_that_is_not_whole_is_made_anew(tmp_path: Path, content: bytes) -> None:
    """A process died while writing it, so nobody was ever told of it."""
    (tmp_path / FILE).write_bytes(content)
    made = node_id(tmp_path)
    assert (tmp_path / FILE).read_bytes() == made.encode() + b"\n"
    assert (tmp_path / FILE).stat().st_uid == tmp_path.stat().st_uid


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    """In the log's words, with the path."""
    (tmp_path / FILE).mkdir()
    with pytest.raises(LogUnavailable, match=str(tmp_path)):
        node_id(tmp_path)

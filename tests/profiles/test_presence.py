"""Who is there, and who died."""

import os
from collections.abc import Callable
from pathlib import Path

from engine.profiles import presence

ARRIVE = """
import sys
from pathlib import Path
from engine.profiles import presence
presence.arrive(Path(sys.argv[1]))
print("there", flush=True)
sys.stdin.readline()
"""


def test_who_lives_is_not_dead(tmp_path: Path, begin_child: Callable[..., object]) -> None:
    """A process that has the store open, and later did not say that it ends."""
    process = begin_child(ARRIVE, tmp_path)
    assert process.stdout.readline() == "there\n"  # type: ignore[attr-defined]
    assert presence.dead(tmp_path) == []
    process.communicate("\n")  # type: ignore[attr-defined]
    assert len(presence.dead(tmp_path)) == 1


def test_a_file_of_our_own_number_is_of_one_who_died(tmp_path: Path) -> None:
    """In a container every process has the number of the one before."""
    presence.arrive(tmp_path)
    assert [path.name for path in presence.dead(tmp_path)] == [f"open.{os.getpid()}"]
    presence.depart(tmp_path)
    assert presence.dead(tmp_path) == []
    presence.depart(tmp_path)


def test_other_files_are_no_processes(tmp_path: Path) -> None:
    """Whatever somebody put there."""
    (tmp_path / "open.me").touch()
    assert presence.dead(tmp_path) == []

"""LMDB that lies: a store file damaged at random, thousands of times in the long form. `lies.py` says how.

Each test prints how often its fault bit, and fails if it never did: a fault that bites nobody proves nothing.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "lies.py"
SHORT, LONG = 1, 20  # times the number that stands beside the fault
PATIENCE_S = 3600

# How many copies make it all but certain that the fault bites; emptied files and the like always do.
FAULTS = {"any_bit": 40, "tree_bit": 40, "meta_bit": 80, "zeroed": 15, "exchanged": 15, "cut": 25}
FAULTS |= {"emptied": 2, "another": 3, "older": 3}
ROTS = {"open_any_bit": 50, "open_tree_bit": 50, "open_zeroed": 25, "open_cut": 25, "open_emptied": 3}
HARMLESS = {"open_cut", "open_emptied"}
FORMS = [pytest.param(SHORT, id="short"), pytest.param(LONG, id="long", marks=pytest.mark.long)]

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems end such a process otherwise")


def readers(fault: str, times: int) -> dict[str, dict[str, int]]:
    """What became of the readers of so many damaged copies."""
    command = [sys.executable, str(PROGRAM), fault, str(times), str(times)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, int]] = json.loads(done.stdout)
    bit = times - found["unguarded"].get("right", 0)
    print(f"{fault}: bit {bit} of {times}: {found}")
    assert bit, "the fault bit nobody"
    return found


@linux
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_file_is_refused_or_read_rightly(fault: str, form: int) -> None:
    """No reader dies, none raises anything else, no wrong value is served or left by a write; a refusal is one line."""
    ends = readers(fault, FAULTS[fault] * form)["guarded"]
    assert ends.keys() <= {"right", "refused", "degraded", "absent"}


@linux
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", ROTS)
def test_damage_under_an_open_store_serves_nothing_wrong(fault: str, form: int) -> None:
    """A bad tree page can end who reads it, and then the next one is refused; a wrong value is never served.

    A file that is cut or emptied ends nobody.
    """
    found = readers(fault, ROTS[fault] * form)
    assert found["guarded"].keys() <= {"right", "degraded", "absent"} | (set() if fault in HARMLESS else {"died"})
    assert found["after a death"] == ({"refused": died} if (died := found["guarded"].get("died")) else {})

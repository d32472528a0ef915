"""What the canary finds in a file, and that it dies in place of others."""

import json
import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from engine.profiles import canary
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change

RECORDS = 3_000
PAGE = 4096


@pytest.fixture
def data(folder: Path) -> Path:
    """The data file of a closed store."""
    store = LmdbStore(folder)
    store.apply(Change(key("visitor", f"v{n}"), 1, {"note": f"note {n}"}) for n in range(RECORDS))
    store.apply([Change(key("visitor", "v7"), 2, {"long": "x" * 3 * PAGE})])
    store.close()
    return folder / "data.mdb"


def test_a_whole_file_is_read_wholly(folder: Path, data: Path) -> None:
    """Every record, and two that are the store's own."""
    assert canary.look(str(folder), 60) == {"records": RECORDS + 2, "all": True, "damaged": [], "lie": None}


def test_damaged_records_are_named_and_are_no_lie(folder: Path, data: Path) -> None:
    """A store can serve the others."""
    data.write_bytes(data.read_bytes().replace(b"note 77\xc0", b"nope 77\xc0").replace(b"note 1234", b"nope 1234"))
    seen = canary.look(str(folder), 60)
    assert bytes.fromhex(seen["damaged"][0]) == b"v:v1234"
    assert seen["lie"] is None


def test_it_stops_in_time(folder: Path, data: Path) -> None:
    """A store that takes minutes to read must not take minutes to open; and that it stopped is told."""
    seen = canary.look(str(folder), 0)
    assert (seen["all"], seen["records"]) == (False, 1_000)


def test_keys_that_do_not_rise_are_a_lie(folder: Path, data: Path) -> None:
    """LMDB searches by halves: what stands in the wrong place makes its neighbours disappear."""
    with lmdb.open(str(folder)) as environment, environment.begin() as txn:
        raw = txn.get(b"v:v1500")
    whole = data.read_bytes()
    data.write_bytes(whole.replace(b"v:v1500" + raw, b"v:v9500" + raw))
    assert canary.look(str(folder), 60)["lie"] == "keys are not in order"


@pytest.mark.parametrize("kind", [1, 2, 4], ids=["branch", "leaf", "overflow"])
def test_a_page_in_the_place_of_another_is_a_lie(folder: Path, data: Path, kind: int) -> None:
    """Whatever it holds: each page knows its own number."""
    whole = data.read_bytes()
    pages = [whole[at : at + PAGE] for at in range(0, len(whole), PAGE)]
    strange = pages[0]
    told = []
    for number in (number for number, page in enumerate(pages) if number > 1 and page[10] == kind):
        data.write_bytes(b"".join([*pages[:number], strange, *pages[number + 1 :]]))
        told.append((number, canary.look(str(folder), 60)["lie"]))
    found = [number for number, lie in told if lie == f"page {number:,} is not the one that belongs there"]
    assert found
    assert all(lie is None for number, lie in told if number not in found)  # pages that are free


def test_pages_that_name_each_other_are_a_lie(folder: Path, data: Path) -> None:
    """A branch that leads back to itself is found by its own number, and by its kind; yet that way never ends."""
    whole = bytearray(data.read_bytes())
    branches = [at for at in range(2 * PAGE, len(whole), PAGE) if whole[at + 10] == 1]
    for at in branches:
        first = at + int.from_bytes(whole[at + 16 : at + 18], "little")
        whole[first : first + 4] = (at // PAGE).to_bytes(4, "little")
    data.write_bytes(whole)
    assert str(canary.look(str(folder), 60)["lie"]).endswith("is none")


def test_as_a_program_it_prints_what_it_saw(folder: Path, data: Path) -> None:
    """Also of a file that is none."""

    def run() -> str:
        command = [sys.executable, "-P", canary.__file__, str(folder), "60"]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    assert json.loads(run())["lie"] is None
    data.write_bytes(b"no LMDB file" * 1000)
    assert json.loads(run())["lie"]

"""Files are read in constant memory, whatever is in them; torn ends and damage are told, and cost only themselves."""

import os
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events.disk import DISK, opened, take
from engine.events.line import Entry, encode, sealed
from engine.events.overwriting import alone
from engine.events.reading import Damaged, Line, Torn, after_blanks, entries, files, finished, is_finished, lines
from engine.limits import EVENT_LINE_BYTES

LINES = [encode(n, "website", b'{"n":%d}' % n) for n in range(5)]


def numbers(path: Path, start: int = 0) -> list[int]:
    """When the events of a file came, which is what tells them apart here."""
    return [found.received_ms for found in entries(path, start) if isinstance(found, Entry)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of five lines."""
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"".join(LINES))
    return path


def test_entries_say_where_they_end(path: Path) -> None:
    """So that one can go on from there later."""
    found = [item for item in entries(path) if isinstance(item, Entry)]
    assert [item.message for item in found] == [b'{"n":%d}' % n for n in range(5)]
    assert found[-1].end == path.stat().st_size
    for n, item in enumerate(found):
        assert numbers(path, item.end) == list(range(n + 1, 5))


def test_where_blanks_end(path: Path) -> None:
    """Lines of nothing but blanks, however long; not what is no whole line, or one of something else."""
    end = path.stat().st_size
    blanks = b" " * 20 + b"\n" + b" " * (2 * EVENT_LINE_BYTES) + b"\n"
    for behind, whole in (
        (b"", 0),
        (b"   ", 0),
        (LINES[0], 0),
        (blanks, len(blanks)),
        (blanks + b"  x\n", len(blanks)),
    ):
        path.write_bytes(path.read_bytes()[:end] + behind)
        assert after_blanks(path, end) == end + whole


def test_a_file_that_grows_is_read_on_from_where_one_was(path: Path) -> None:
    """Nothing twice, nothing left out."""
    end = path.stat().st_size
    with path.open("ab") as file:
        file.write(encode(9, "website", b"{}"))
    assert numbers(path, end) == [9]


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    """No entry, no damage, not torn."""
    (tmp_path / "a.ndjson").touch()
    assert list(entries(tmp_path / "a.ndjson")) == []


@pytest.mark.parametrize("end", [LINES[3][:-1], LINES[3][:1], b"\0" * 10, b"\0" * (3 * EVENT_LINE_BYTES)])
def test_what_has_no_line_end_is_torn(path: Path, end: bytes) -> None:
    """Half a line, a line that lacks its newline alone, zeros without end."""
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes() + end)
    assert numbers(path) == [0, 1, 2, 3, 4]
    assert list(entries(path))[5:] == [Torn(whole)]


@pytest.mark.parametrize(
    "damage",
    [b"\n", b"x\n", b"\0" * 70 + b"\n", LINES[1][:-2] + b"\n", LINES[1].replace(b"website", b"wabsite")],
)
def test_a_damaged_line_costs_only_itself(path: Path, damage: bytes) -> None:
    """It is told with its place; a blank one is no damage."""
    path.write_bytes(LINES[0] + damage + LINES[2])
    assert numbers(path) == [0, 2]
    start = len(LINES[0])
    told = [found for found in entries(path) if not isinstance(found, Entry)]
    assert told == ([] if damage == b"\n" else [Damaged(start, start + len(damage), "its checksum is wrong")])


def test_a_whole_line_that_is_no_event_is_told(path: Path) -> None:
    """A rejected message, for instance, in a file of the wrong folder."""
    strange = sealed(b'"received":1,"source":"website","code":"x"}')
    path.write_bytes(LINES[0] + strange + LINES[2])
    assert numbers(path) == [0, 2]
    assert Damaged(len(LINES[0]), len(LINES[0] + strange), "it is no event") in list(entries(path))
    assert len([found for found in lines(path) if isinstance(found, Line)]) == 3


def test_a_line_without_end_is_damage_in_constant_memory(path: Path) -> None:
    """Sixteen mebibytes of nothing between two events: told as one, and never held at once."""
    nothing = b"x" * (16 * 2**20) + b"\n"
    path.write_bytes(LINES[0] + nothing + LINES[2])
    tracemalloc.start()
    found = list(entries(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [type(item) for item in found] == [Entry, Damaged, Entry]
    assert found[1] == Damaged(len(LINES[0]), len(LINES[0] + nothing), "it is longer than any event")
    assert peak < 2 * 2**20


def test_a_line_that_is_being_overwritten_is_waited_for(path: Path) -> None:
    """Half of it looks damaged, and is not."""
    shall = encode(7, "website", b'{"n":7}')
    found: list[int] = []
    reader = threading.Thread(target=lambda: found.extend(numbers(path)))
    with alone(path.parent, DISK):
        path.write_bytes(shall[:30] + LINES[0][30:] + LINES[1])
        reader.start()
        reader.join(0.2)
        path.write_bytes(shall + LINES[1])
    reader.join()
    assert found == [7, 1]


def test_files_come_by_age(tmp_path: Path) -> None:
    """Other files and folders are none of them; no folder, no files."""
    for name in ("20261123T120000Z-7-b.ndjson", "20261123T110000Z-9-a.ndjson", "overwriting", "x.txt"):
        (tmp_path / name).write_text("x")
    assert [path.name[:11] for path in files(tmp_path)] == ["20261123T11", "20261123T12"]
    assert files(tmp_path / "nowhere") == []


def test_a_file_is_finished_when_nobody_holds_it(path: Path) -> None:
    """Asking does not take it from anybody; an empty file and none at all are not finished."""
    with opened(DISK, path, os.O_RDWR) as writer:
        assert take(writer)
        assert finished(path.parent) == []
    assert finished(path.parent) == [path]
    assert is_finished(path)
    path.write_bytes(b"")
    assert finished(path.parent) == []
    assert not is_finished(path.with_name("nowhere.ndjson"))


@given(st.lists(st.binary(max_size=40) | st.sampled_from([*LINES, b"\n", b" "]), max_size=12), st.data())
def test_any_bytes_are_read_to_their_end(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], data: st.DataObject
) -> None:
    """What is told covers the file without a gap; whole lines that begin a line are found, and nothing else is."""
    path = tmp_path_factory.getbasetemp() / "any.ndjson"
    content = b"".join(pieces)
    path.write_bytes(content)
    blank, at = [], 0
    for found in entries(path):
        if isinstance(found, Torn):
            assert b"\n" not in content[found.start :]
            blank.append(content[at : found.start])
            at = len(content)
        elif isinstance(found, Damaged):
            blank.append(content[at : found.start])
            at = found.end
        else:
            at = found.end
    blank.append(content[at:])
    assert b"".join(blank).strip(b" \n") == b""
    expected = [line + b"\n" for line in content.split(b"\n")[:-1] if line + b"\n" in LINES]
    assert numbers(path) == [LINES.index(line) for line in expected]

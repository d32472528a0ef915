"""After a crash: torn ends are set aside and told, files of the living left alone, half overwritten lines finished."""

from pathlib import Path
from types import ModuleType
from typing import Any
from zlib import crc32

import msgspec
import pytest

from engine.events.disk import LogUnavailable
from engine.events.line import Entry, encode, entry, rewritten, sealed, unsealed
from engine.events.log import EventLog
from engine.events.overwriting import Replacement
from engine.events.reading import AT_WORK_FILE, Torn, entries, files
from engine.events.recovery import TORN_FOLDER, Recovered, forget_torn, recover, set_aside_torn, torn
from engine.limits import EVENT_LINE_BYTES, TORN_KEPT


def line(n: int) -> bytes:
    """The n-th event."""
    return encode(n, "website", b'{"n":%d}' % n)


def numbers(folder: Path) -> list[int]:
    """What can be read, file by file."""
    return [found.received_ms for path in files(folder) for found in entries(path) if isinstance(found, Entry)]


@pytest.fixture
def path(folder: Path) -> Path:
    """A file of six lines, of a process that died."""
    folder.mkdir()
    path = folder / "20261123T110000.000Z-7-aa.ndjson"
    path.write_bytes(b"".join(map(line, range(6))))
    return path


def test_cut_at_every_byte_of_its_last_three_records(path: Path, clock: Any, faults: ModuleType) -> None:
    """The log opens, loses only what was cut, keeps the torn piece, and is gone on with."""
    content = path.read_bytes()
    third_last = len(content) - len(line(3) + line(4) + line(5))
    for cut in range(third_last, len(content) + 1):
        path.write_bytes(content[:cut])
        whole = content[:cut].count(b"\n")
        end = len(b"".join(map(line, range(whole))))
        assert numbers(path.parent) == list(range(whole))
        assert [found for found in entries(path) if not isinstance(found, Entry)] == ([Torn(end)] if end < cut else [])
        recovered = recover(path.parent, disk=faults.QUICK)
        assert [aside.read_bytes() for aside in recovered.torn] == ([content[end:cut]] if end < cut else [])
        assert path.read_bytes() == content[:end]
        log = EventLog(path.parent, clock, disk=faults.QUICK)
        log.append([line(9)])
        assert numbers(path.parent) == [*range(whole), 9]
        log.close()
        files(path.parent)[-1].unlink()


def test_nothing_to_do(path: Path) -> None:
    """Whole files, an empty folder, none at all."""
    assert recover(path.parent) == Recovered(0, ())
    assert recover(path.parent / "nowhere") == Recovered(0, ())
    assert not (path.parent / TORN_FOLDER).exists()
    assert set_aside_torn(path.parent / "gone.ndjson") is None


def test_the_end_of_a_living_file_is_its_writers(folder: Path, clock: Any) -> None:
    """What looks torn may just be being written."""
    log = EventLog(folder, clock)
    log.append([line(1)])
    with files(folder)[0].open("ab") as file:
        file.write(line(2)[:20])
    assert recover(folder).torn == ()
    log.close()
    assert len(recover(folder).torn) == 1


def test_a_file_of_nothing_but_a_torn_end_is_removed(path: Path) -> None:
    """Its piece is kept, for its owner alone."""
    path.write_bytes(line(1)[:30])
    [aside] = recover(path.parent).torn
    assert aside == path.parent / TORN_FOLDER / f"{path.stem}.0"
    assert aside.read_bytes() == line(1)[:30]
    assert aside.stat().st_mode & 0o177 == 0
    assert not path.exists()


@pytest.mark.parametrize("length", [4_096, 3 * EVENT_LINE_BYTES])
def test_a_long_torn_end_is_kept_in_part(path: Path, length: int) -> None:
    """Zeros that a file system left: so many that a line could have, the rest says nothing more."""
    content = path.read_bytes()
    path.write_bytes(content + b"\0" * length)
    [aside] = recover(path.parent).torn
    assert aside.read_bytes() == b"\0" * min(length, EVENT_LINE_BYTES)
    assert path.read_bytes() == content


def test_torn_ends_do_not_pile_up(path: Path) -> None:
    """The newest are kept."""
    for n in range(TORN_KEPT + 3):
        each = path.with_name(f"{n:04}.ndjson")
        each.write_bytes(line(n) + b"{")
        set_aside_torn(each)
    kept = torn(path.parent)
    assert [piece.stem[:4] for piece in kept] == [f"{n:04}" for n in range(3, TORN_KEPT + 3)]


def test_torn_ends_are_forgotten_with_a_deletion(path: Path) -> None:
    """Nobody can say whose they are."""
    assert forget_torn(path.parent) == 0
    path.write_bytes(path.read_bytes() + b"{")
    recover(path.parent)
    assert len(torn(path.parent)) == 1
    assert forget_torn(path.parent) == 1
    assert torn(path.parent) == []


def test_half_overwritten_lines_are_finished(path: Path) -> None:
    """Whoever was deleting somebody died in the midst of a line."""
    old = line(2)
    rest = unsealed(old)
    assert rest is not None
    new = sealed(rewritten(rest, None), len(old))
    at = len(line(0) + line(1))
    noted = msgspec.msgpack.encode([Replacement(path.name, at, crc32(old), new)])
    path.with_name(AT_WORK_FILE).write_bytes(crc32(noted).to_bytes(4, "little") + noted)
    content = path.read_bytes()
    path.write_bytes(content[:at] + new[:30] + content[at + 30 :])
    assert recover(path.parent) == Recovered(1, ())
    assert numbers(path.parent) == list(range(6))
    gone = unsealed(path.read_bytes()[at : at + len(new)])
    assert gone is not None
    assert entry(0, gone).message is None


def test_trouble_is_told(path: Path) -> None:
    """Where the torn ends would go stands a file."""
    path.write_bytes(path.read_bytes() + b"{")
    (path.parent / TORN_FOLDER).write_text("a file")
    with pytest.raises(LogUnavailable, match="Not a directory"):
        forget_torn(path.parent)
    with pytest.raises(LogUnavailable, match="cannot keep a log in"):
        recover(path.parent)
    assert numbers(path.parent) == list(range(6))

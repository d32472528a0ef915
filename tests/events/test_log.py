"""What `append` returned for is there: rotation, refusals of the disk, folders that vanish, two writers at once."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from errno import EACCES, EDQUOT, EFBIG, EIO, ENOSPC
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.events.disk import DISK, Disk, LogFull, LogUnavailable, opened, take
from engine.events.line import Entry, encode
from engine.events.log import EventLog, Position
from engine.events.reading import AT_WORK_FILE, Torn, entries, files, finished

FULL = """
import os, sys, resource, subprocess
from datetime import UTC, datetime
from pathlib import Path
from engine.events.disk import LogError
from engine.events.line import Entry, encode
from engine.events.log import EventLog
from engine.events.reading import entries, files
folder = Path(sys.argv[1]) / "events"
acknowledged, refused = [], []
def append(log, n):
    try:
        log.append([encode(n, "website", b'{"pad":"%b"}' % (b"x" * 1000))])
        acknowledged.append(n)
    except LogError as error:
        refused.append(type(error).__name__)
def check():
    found = [item for path in files(folder) for item in entries(path)]
    assert all(isinstance(item, Entry) for item in found)
    assert sorted(item.received_ms for item in found) == acknowledged
log = EventLog(folder, lambda: datetime(2026, 11, 23, tzinfo=UTC))
"""
ON_A_FULL_DISK = f"""{FULL}
if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", sys.argv[1]]).returncode:
    sys.exit("no mount")
for n in range(400):
    append(log, n)
check()
assert 100 < len(acknowledged) < 300, acknowledged
print(sorted(set(refused)), len(files(folder)))
before = len(acknowledged)
append(log, 1000)
print(len(acknowledged) - before, len(files(folder)))
subprocess.run(["mount", "-o", "remount,size=1m", sys.argv[1]], check=True)
append(log, 1001)
print(len(acknowledged) - before, len(files(folder)))
check()
"""
WITH_SMALL_FILES = f"""{FULL}
resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, 64 * 1024))
for n in range(200):
    append(log, n)
check()
print(sorted(set(refused)), len(refused), len(acknowledged), len(files(folder)))
"""
AS_NOBODY = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from engine.events.disk import LogError
from engine.events.line import encode
from engine.events.log import EventLog
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    EventLog(Path(sys.argv[1]), lambda: datetime(2026, 11, 23, tzinfo=UTC)).append([encode(1, "website", b"{}")])
except LogError as error:
    print(type(error).__name__, error)
"""


def line(n: int) -> bytes:
    """The n-th event."""
    return encode(n, "website", b'{"n":%d}' % n)


def numbers(folder: Path) -> list[int]:
    """What can be read, file by file."""
    return [found.received_ms for path in files(folder) for found in entries(path) if isinstance(found, Entry)]


def test_what_was_appended_is_read(folder: Path, clock: Any) -> None:
    """In its order, up to the position that was returned."""
    log = EventLog(folder, clock)
    first = log.append([line(1), line(2)])
    second = log.append([line(3)])
    [path] = files(folder)
    assert first == Position(path.name, len(line(1) + line(2)))
    assert second == Position(path.name, path.stat().st_size)
    assert numbers(folder) == [1, 2, 3]


def test_nothing_is_made_before_the_first_line(folder: Path, clock: Any) -> None:
    """Opening and closing a log leaves no trace; a file closed is not written again."""
    EventLog(folder, clock).close()
    assert not folder.exists()
    log = EventLog(folder, clock)
    log.append([line(1)])
    log.close()
    log.close()
    log.append([line(2)])
    assert len(files(folder)) == 2
    assert sorted(numbers(folder)) == [1, 2]


def test_a_name_tells_when_and_who(folder: Path, clock: Any) -> None:
    """So that a listing reads by itself, and no two processes ever choose the same; of whatever node they are."""
    position = EventLog(folder, clock).append([line(1)])
    assert position.file.startswith(f"20261123T120000.000Z-{os.getpid()}-")
    assert position.file.endswith(".ndjson")
    others = {EventLog(folder.with_name(f"node{n}"), clock).append([line(1)]).file for n in range(100)}
    assert len(others | {position.file}) == 101


def test_a_file_is_left_by_its_name(folder: Path, clock: Any) -> None:
    """Nobody else's, and not one that was begun meanwhile; the next append begins another."""
    log = EventLog(folder, clock)
    log.leave("none")
    first = log.append([line(1)]).file
    log.leave("none")
    assert finished(folder) == []
    log.leave(first)
    assert [path.name for path in finished(folder)] == [first]
    log.append([line(2)])
    log.leave(first)
    assert len(finished(folder)) == 1
    log.close()
    assert sorted(numbers(folder)) == [1, 2]


def test_only_its_owner_reads_the_files(folder: Path, clock: Any) -> None:
    """Events are personal data."""
    EventLog(folder, clock).append([line(1)])
    assert folder.stat().st_mode & 0o077 == 0
    assert [path.stat().st_mode & 0o177 for path in folder.iterdir()] == [0, 0]


def test_a_new_file_every_hour_and_when_it_is_full(folder: Path, clock: Any) -> None:
    """The one before is finished then."""
    log = EventLog(folder, clock, file_bytes=3 * len(line(1)))
    for _ in range(4):
        log.append([line(1)])
    assert len(files(folder)) == 2
    clock.move(3_599)
    log.append([line(1)])
    assert len(files(folder)) == 2
    clock.move(1)
    log.append([line(1)])
    assert len(files(folder)) == 3
    assert len(finished(folder)) == 2


def test_an_idle_file_is_finished_when_its_hour_is_over(folder: Path, clock: Any) -> None:
    """By whoever asks now and then; before that nothing happens."""
    log = EventLog(folder, clock)
    log.settle()
    log.append([line(1)])
    log.settle()
    assert finished(folder) == []
    clock.move(3_600)
    log.settle()
    assert finished(folder) == files(folder)


def test_without_hours_only_its_size_ends_a_file(folder: Path, clock: Any) -> None:
    """As the rejected log has it."""
    log = EventLog(folder, clock, hourly=False)
    log.append([line(1)])
    clock.move(30 * 86_400)
    log.append([line(2)])
    assert len(files(folder)) == 1


@pytest.mark.parametrize("lines", [[], [b"no end"], [line(1), line(2)[:-1]]])
def test_only_whole_lines_are_taken(folder: Path, clock: Any, lines: list[bytes]) -> None:
    """Half a line would spoil the next one."""
    with pytest.raises(ValueError, match="at least one line, and each with its newline"):
        EventLog(folder, clock).append(lines)


@pytest.mark.parametrize(
    ("code", "kind"), [(ENOSPC, LogFull), (EDQUOT, LogFull), (EFBIG, LogFull), (EIO, LogUnavailable)]
)
def test_half_a_write_is_cut_off_again(folder: Path, clock: Any, faults: ModuleType, code: int, kind: type) -> None:
    """A full disk's file waits for room; after another error a new one begins. Nothing of the half is left."""
    broken = faults.Faults(0, code)
    log = EventLog(folder, clock, disk=broken.disk)
    log.append([line(1)])
    broken.at = len(broken.calls) + 1
    with pytest.raises(kind):
        log.append([line(2), line(3)])
    assert files(folder)[0].read_bytes() == line(1)
    log.append([line(4)])
    assert sorted(numbers(folder)) == [1, 4]
    assert len(files(folder)) == (1 if code in {ENOSPC, EDQUOT} else 2)


def test_nobody_overwrites_lines_while_they_are_cut_off(folder: Path, clock: Any, faults: ModuleType) -> None:
    """Or else a line could be overwritten where another one stands by now."""
    held: list[bool] = []

    def cut(fd: int, length: int) -> None:
        with opened(DISK, folder / AT_WORK_FILE, os.O_RDWR) as other:
            held.append(not take(other))
        DISK.cut(fd, length)

    refusing = faults.Faults(0, ENOSPC)
    log = EventLog(folder, clock, disk=Disk(write_at=refusing.disk.write_at, cut=cut))
    log.append([line(1)])
    refusing.at = 2
    with pytest.raises(LogFull):
        log.append([line(2)])
    assert held == [True]


def test_what_cannot_be_cut_off_is_left_behind(folder: Path, clock: Any, faults: ModuleType) -> None:
    """The file is closed, torn, and the next one is whole."""
    refusing = faults.Faults(0, ENOSPC)

    def cut(fd: int, length: int) -> None:
        raise OSError(EIO, "Input/output error")

    log = EventLog(folder, clock, disk=Disk(write_at=refusing.disk.write_at, cut=cut))
    log.append([line(1)])
    refusing.at = 2
    with pytest.raises(LogFull):
        log.append([line(2)])
    log.append([line(3)])
    assert sorted(numbers(folder)) == [1, 3]
    torn = [item for path in files(folder) for item in entries(path) if isinstance(item, Torn)]
    assert torn == [Torn(len(line(1)))]
    assert len(finished(folder)) == 1


def test_after_a_failed_fsync_a_file_is_never_written_again(folder: Path, clock: Any) -> None:
    """The kernel would say yes the next time, and nothing of it might be on the disk."""
    failing: list[int] = []
    written: list[int] = []

    def sync(fd: int) -> None:
        if failing:
            raise OSError(failing.pop(), "Input/output error")

    def write_at(fd: int, data: bytes | memoryview, at: int) -> int:
        written.append(os.fstat(fd).st_ino)
        return DISK.write_at(fd, data, at)

    log = EventLog(folder, clock, disk=Disk(sync=sync, write_at=write_at))
    log.append([line(1)])
    failing.append(EIO)
    with pytest.raises(LogUnavailable, match="Input/output error"):
        log.append([line(2)])
    assert finished(folder) == files(folder)
    log.append([line(3)])
    assert written[0] == written[1] != written[2]
    assert set(numbers(folder)) >= {1, 3}


def test_files_of_which_nothing_was_acknowledged_do_not_pile_up(folder: Path, clock: Any) -> None:
    """A disk that refuses every fsync for an hour leaves nothing behind."""

    def sync(fd: int) -> None:
        raise OSError(EIO, "Input/output error")

    log = EventLog(folder, clock, disk=Disk(sync=sync))
    for _ in range(5):
        with pytest.raises(LogUnavailable):
            log.append([line(1)])
    assert files(folder) == []


def test_an_interrupted_write_leaves_nothing_uncertain(folder: Path, clock: Any) -> None:
    """Whatever comes in between, not only what the system says: that file is not gone on with."""
    interruptions: list[type[BaseException]] = []

    def sync(fd: int) -> None:
        for interruption in interruptions:
            interruptions.clear()
            raise interruption

    log = EventLog(folder, clock, disk=Disk(sync=sync))
    log.append([line(1)])
    interruptions.append(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        log.append([line(2)])
    log.append([line(3)])
    assert sorted(numbers(folder)) == [1, 2, 3]
    assert len(files(folder)) == 2


def test_a_file_or_folder_that_was_removed_is_begun_anew(folder: Path, clock: Any) -> None:
    """What is written to a file without a name would be durable nowhere."""
    log = EventLog(folder, clock)
    log.append([line(1)])
    files(folder)[0].unlink()
    log.append([line(2)])
    assert numbers(folder) == [2]
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    log.append([line(3)])
    assert numbers(folder) == [3]


def test_a_folder_above_that_is_not_ours_is_no_trouble(folder: Path, clock: Any) -> None:
    """It can be used, but not opened; other trouble with it is trouble."""

    def sync_folder(code: int) -> Callable[[Path], None]:
        def refuse(path: Path) -> None:
            if path != folder:
                raise OSError(code, os.strerror(code))

        return refuse

    EventLog(folder, clock, disk=Disk(sync_folder=sync_folder(EACCES))).append([line(1)])
    with pytest.raises(LogUnavailable):
        EventLog(folder, clock, disk=Disk(sync_folder=sync_folder(EIO))).append([line(2)])
    assert numbers(folder) == [1]


def test_threads_share_a_log(folder: Path, clock: Any, faults: ModuleType) -> None:
    """Every group stands together, and where it was said to end."""
    log = EventLog(folder, clock, disk=faults.QUICK, file_bytes=5_000)
    ends: dict[int, Position] = {}

    def append(first: int) -> None:
        for n in range(first, first + 100, 2):
            ends[n] = log.append([line(n), line(n + 1)])

    threads = [threading.Thread(target=append, args=(first,)) for first in range(0, 800, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers(folder)) == list(range(800))
    for n, position in ends.items():
        start = position.end - len(line(n) + line(n + 1))
        assert (folder / position.file).read_bytes()[start : position.end] == line(n) + line(n + 1)


def test_a_file_system_that_is_full(tmp_path: Path) -> None:
    """256 KiB of it: what was acknowledged is read, the file waits for room, and goes on by itself."""
    # In a mount namespace of its own, which ends with the process.
    command = ["unshare", "-rm", sys.executable, "-c", ON_A_FULL_DISK, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    if "no mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("a file system cannot be mounted here")
    assert done.stdout == "['LogFull'] 1\n0 1\n1 1\n", done.stderr


def test_files_that_may_not_grow(tmp_path: Path, child: Any) -> None:
    """The system's limit is below ours: each file takes what it may, and the next append begins another."""
    done = child(WITH_SMALL_FILES, tmp_path)
    assert done.stdout == "['LogFull'] 3 197 4\n", done.stderr


def test_a_folder_that_cannot_be_written_is_named_with_a_way_out(tmp_path: Path, child: Any) -> None:
    """Which folder, why, and what to do."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    printed = child(AS_NOBODY, locked / "events").stdout
    assert printed.startswith(f"LogUnavailable cannot keep a log in {locked / 'events'}: Permission denied")

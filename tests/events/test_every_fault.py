"""Law: whichever call to the disk fails, whenever the process dies or the power goes, nothing acknowledged is lost,
nothing is read that was never handed over, and no half of anything is believed.

A scenario runs with the first call failing, then with the second, and so on until it passes without a fault.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from errno import EIO, ENOSPC
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest

from engine.events.disk import Disk, LogError
from engine.events.line import Entry, encode
from engine.events.log import EventLog, Position
from engine.events.reading import AT_WORK_FILE, Damaged, entries, files
from engine.events.recovery import recover
from engine.events.rejected import RejectedLog, listing, mark
from engine.events.rejected import encode as encode_rejected
from engine.events.scrub import GONE, KEEP, Verdict, rewrite

Messages: TypeAlias = dict[int, bytes | None]
Scenario: TypeAlias = Callable[[Disk], None]

GROUPS = [range(first, first + 3) for first in range(0, 18, 3)]
SCRUBBED = {1, 4, 5, 8}


def line(n: int) -> bytes:
    """The n-th event."""
    return encode(n, "website", message(n))


def message(n: int) -> bytes:
    """What it says, in a length of its own."""
    return b'{"n":%d,"of":"%b"}' % (n, b"ann" * (n % 4))


def read(folder: Path) -> Messages:
    """All that is read, and that it is what was written."""
    found = {
        item.received_ms: item.message for path in files(folder) for item in entries(path) if isinstance(item, Entry)
    }
    assert {n: said for n, said in found.items() if said not in (None, message(n), b"{}")} == {}
    return found


def damage(folder: Path) -> list[Damaged]:
    """What can be read of nothing."""
    return [item for path in files(folder) for item in entries(path) if isinstance(item, Damaged)]


def scrubbed(entry: Entry) -> Verdict:
    """Some are gone, one leaves something over."""
    if entry.received_ms not in SCRUBBED:
        return KEEP
    return b"{}" if entry.received_ms == 4 else GONE


class Writing:
    """Groups of events, over several hours and files; what is refused is tried again, as senders do."""

    def __init__(self, folder: Path, clock: Any, tries: int) -> None:
        self.folder, self.clock, self.tries = folder, clock, tries
        self.offered: set[int] = set()
        self.acknowledged: dict[int, Position] = {}
        self.refused = 0

    def __call__(self, disk: Disk) -> None:
        """Two writers, one after the other."""
        for groups in (GROUPS[:4], GROUPS[4:]):
            log = EventLog(self.folder, self.clock, file_bytes=350, disk=disk)
            for group in groups:
                self.append(log, group)
            log.close()
            self.clock.move(1_800)

    def append(self, log: EventLog, group: range) -> None:
        """Until it is taken."""
        for _ in range(self.tries):
            self.offered.update(group)
            try:
                position = log.append([line(n) for n in group])
            except LogError:
                self.refused += 1
            else:
                self.acknowledged |= dict.fromkeys(group, position)
                return

    def check(self) -> None:
        """The law, and that positions are what they say."""
        found = read(self.folder)
        assert found.keys() >= self.acknowledged.keys()
        assert found.keys() <= self.offered
        assert damage(self.folder) == []
        for n, position in self.acknowledged.items():
            before = [item for item in entries(self.folder / position.file) if isinstance(item, Entry)]
            assert n in {item.received_ms for item in before if item.end <= position.end}
            assert position.end in {item.end for item in before}


def every(scenario: Callable[[int], bool]) -> int:
    """Run it with its first call failing, its second, …; how many there were before one passed without a fault."""
    return next(n for n in count(1) if not scenario(n)) - 1


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    """A fresh folder each time."""
    return (tmp_path / str(n) / "events" for n in count())


@pytest.mark.parametrize("error", [ENOSPC, EIO])
def test_one_call_fails(folders: Iterator[Path], clock: Any, faults: ModuleType, error: int) -> None:
    """Two tries are enough for everything to be taken, and at most one is refused."""

    def scenario(n: int) -> bool:
        writing = Writing(next(folders), clock, tries=2)
        broken = faults.Faults(n, error)
        writing(broken.disk)
        assert len(writing.acknowledged) == 18
        assert writing.refused <= 1
        writing.check()
        return broken.happened

    assert every(scenario) >= 30


@pytest.mark.parametrize("error", [ENOSPC, EIO])
def test_a_call_fails_from_then_on(folders: Iterator[Path], clock: Any, faults: ModuleType, error: int) -> None:
    """As on a full disk: while it lasts nothing false is acknowledged; then it goes on by itself."""

    def scenario(n: int) -> bool:
        writing = Writing(next(folders), clock, tries=2)
        broken = faults.Faults(n, error, lasting=True)
        writing(broken.disk)
        writing.check()
        broken.heal()
        log = EventLog(writing.folder, clock, disk=broken.disk)
        writing.append(log, range(100, 103))
        assert 100 in writing.acknowledged
        writing.check()
        return broken.happened

    assert every(scenario) >= 30


def test_the_writer_heals_itself(folders: Iterator[Path], clock: Any, faults: ModuleType) -> None:
    """The same log, not a new one: the first append after the trouble is taken, whatever the trouble was."""

    def scenario(n: int) -> bool:
        writing = Writing(next(folders), clock, tries=1)
        broken = faults.Faults(n, ENOSPC, lasting=True)
        log = EventLog(writing.folder, clock, file_bytes=350, disk=broken.disk)
        for group in GROUPS:
            writing.append(log, group)
        broken.heal()
        writing.append(log, range(100, 103))
        assert 100 in writing.acknowledged
        writing.check()
        return broken.happened

    assert every(scenario) > 15


def test_the_process_dies(folders: Iterator[Path], clock: Any, faults: ModuleType) -> None:
    """At any call, with half a write written: a torn end is set aside, and the next process goes on."""
    torn = 0

    def scenario(n: int) -> bool:
        nonlocal torn
        writing = Writing(next(folders), clock, tries=1)
        dying = faults.Faults(n, None)
        with suppress(faults.Killed):
            writing(dying.disk)
        writing.check()
        before = read(writing.folder)
        torn += len(recover(writing.folder, disk=faults.QUICK).torn)
        assert read(writing.folder) == before
        writing.append(EventLog(writing.folder, clock, disk=faults.QUICK), range(100, 103))
        writing.check()
        return dying.happened

    assert every(scenario) >= 30
    assert torn >= 5


@pytest.mark.parametrize("seed", range(4))
def test_the_power_goes(folders: Iterator[Path], clock: Any, faults: ModuleType, seed: int) -> None:
    """At any call: of what was not synced any part is there, in any mixture; everything acknowledged is whole."""
    chance = random.Random(seed)

    def scenario(n: int) -> bool:
        writing = Writing(next(folders), clock, tries=1)
        power = faults.Power()
        dying = faults.Faults(n, None, disk=power.disk)
        with suppress(faults.Killed):
            writing(dying.disk)
        if writing.folder.exists():
            power.lost(writing.folder, chance)
        recover(writing.folder, disk=faults.QUICK)
        found = read(writing.folder)
        assert set(writing.acknowledged) <= set(found) <= writing.offered
        return dying.happened

    assert every(scenario) >= 30


def written(folder: Path, clock: Any, faults: ModuleType) -> Path:
    """A log of one file, ten events."""
    log = EventLog(folder, clock, disk=faults.QUICK)
    log.append([line(n) for n in range(10)])
    log.close()
    return files(folder)[0]


def check_scrubbed(folder: Path, *, done: bool) -> None:
    """All of it or nothing of it; whoever was told that it is done finds it done."""
    recover(folder, disk=DISK_THAT_WORKS)
    found = read(folder)
    assert damage(folder) == []
    assert found.keys() == set(range(10))
    as_before = {n: message(n) for n in range(10)}
    as_wanted = as_before | dict.fromkeys(SCRUBBED, None) | {4: b"{}"}
    assert found == as_wanted or (not done and found == as_before)
    if found == as_wanted:
        assert (
            sum(path.read_bytes().count(message(n)) for n in SCRUBBED for path in folder.iterdir() if path.is_file())
            == 0
        )


DISK_THAT_WORKS = Disk()


@pytest.mark.parametrize("error", [ENOSPC, EIO, None])
def test_overwriting_fails_or_dies(folders: Iterator[Path], clock: Any, faults: ModuleType, error: int | None) -> None:
    """At any call: afterwards all of it is done, or nothing; and trying again does it."""

    def scenario(n: int) -> bool:
        path = written(next(folders), clock, faults)
        broken = faults.Faults(n, error)
        done = False
        with suppress(LogError, faults.Killed):
            rewrite(path, scrubbed, disk=broken.disk)
            done = True
        check_scrubbed(path.parent, done=done)
        rewrite(path, scrubbed)
        check_scrubbed(path.parent, done=True)
        return broken.happened

    assert every(scenario) >= 8


@pytest.mark.parametrize("seed", range(8))
def test_the_power_goes_while_overwriting(folders: Iterator[Path], clock: Any, faults: ModuleType, seed: int) -> None:
    """Lines that were half overwritten on the disk are finished; the events beside them are whole."""
    chance = random.Random(seed)

    def scenario(n: int) -> bool:
        folder = next(folders)
        power = faults.Power()
        EventLog(folder, clock, disk=power.disk).append([line(n) for n in range(10)])
        if seed % 2:  # as if nobody had ever made it: then the journal is new
            (folder / AT_WORK_FILE).unlink()
            power.disk.sync_folder(folder)
        dying = faults.Faults(n, None, disk=power.disk)
        done = False
        with suppress(faults.Killed):
            rewrite(files(folder)[0], scrubbed, disk=dying.disk)
            done = True
        power.lost(folder, chance)
        check_scrubbed(folder, done=done)
        return dying.happened

    assert every(scenario) >= 8


@pytest.mark.parametrize("error", [EIO, ENOSPC, None])
def test_recovery_fails_or_dies(folders: Iterator[Path], clock: Any, faults: ModuleType, error: int | None) -> None:
    """At any call: nothing whole is touched, and the next recovery does what is left to do."""

    def scenario(n: int) -> bool:
        path = written(next(folders), clock, faults)
        only_torn = path.with_name("0-dead.ndjson")
        only_torn.write_bytes(line(50)[:25])
        path.write_bytes(path.read_bytes() + line(51)[:20])
        broken = faults.Faults(n, error)
        with suppress(LogError, faults.Killed):
            recover(path.parent, disk=broken.disk)
        assert read(path.parent).keys() == set(range(10))
        recover(path.parent, disk=faults.QUICK)
        assert files(path.parent) == [path]
        kept = sorted(piece.read_bytes() for piece in (path.parent / "torn").iterdir())
        assert kept == sorted([line(50)[:25], line(51)[:20]])
        return broken.happened

    assert every(scenario) >= 10


@pytest.mark.parametrize("error", [EIO, ENOSPC])
def test_the_rejected_log_fails(folders: Iterator[Path], clock: Any, faults: ModuleType, error: int) -> None:
    """Keeping, bounding and marking: what was acknowledged is there, what was marked is not."""

    def scenario(n: int) -> bool:
        folder = next(folders)
        broken = faults.Faults(n, error)
        kept: set[int] = set()
        for first in (0, 10):
            log = RejectedLog(folder, clock, disk=broken.disk)
            for number in (first, first + 1):
                with suppress(LogError):
                    log.append([encode_rejected(number, "website", "no-id", "why", b'{"n":%d}' % number)])
                    kept.add(number)
            log.close()
        marked = False
        with suppress(LogError):
            mark(folder, [each for each in listing(folder) if each.received_ms == 10], disk=broken.disk)
            marked = True
        recover(folder, disk=faults.QUICK)
        listed = {each.received_ms for each in listing(folder)}
        assert kept - {10} <= listed
        assert not (marked and 10 in listed)
        return broken.happened

    assert every(scenario) > 20

"""Law: after any history of appends, failures, deaths, deletions and recoveries the log says what a dict would say."""

from contextlib import suppress
from errno import EIO, ENOSPC
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.events.disk import LogError
from engine.events.line import Entry, encode
from engine.events.log import EventLog
from engine.events.reading import Damaged, entries, files
from engine.events.recovery import recover
from engine.events.scrub import GONE, KEEP, Verdict, rewrite

LEFT = b'{"left":1}'
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 4)),
        st.tuples(st.just("fail"), st.sampled_from([ENOSPC, EIO, None]), st.integers(1, 9), st.booleans()),
        st.tuples(st.just("heal")),
        st.tuples(st.just("scrub"), st.sets(st.integers(0, 20), max_size=6), st.booleans()),
        st.tuples(st.just("recover")),
        st.tuples(st.just("wait"), st.integers(1, 4_000)),
        st.tuples(st.just("tear"), st.binary(min_size=1, max_size=90).filter(lambda end: b"\n" not in end)),
    ),
    max_size=25,
)


class History:
    """A log and what it has to say: `told` is acknowledged, `offered` may be there."""

    def __init__(self, folder: Path, clock: Any, faults: ModuleType) -> None:
        self.folder, self.clock, self.faults = folder, clock, faults
        self.told: dict[int, set[bytes | None]] = {}
        self.offered: set[int] = set()
        self.begin()

    def heal(self) -> None:
        """The process ends, and there is another, with a disk that works."""
        with suppress(self.faults.Killed):
            self.log.close()
        self.begin()

    def begin(self) -> None:
        """A process and its disk."""
        self.broken = self.faults.Faults(0, None)
        self.log = EventLog(self.folder, self.clock, file_bytes=400, disk=self.broken.disk)

    def append(self, count: int) -> None:
        """The next events."""
        group = range(len(self.offered), len(self.offered) + count)
        self.offered.update(group)
        with suppress(LogError, self.faults.Killed):
            self.log.append([encode(n, "website", message(n)) for n in group])
            self.told |= {n: {message(n)} for n in group}

    def fail(self, error: int | None, at: int, lasting: bool) -> None:
        """Some call from here fails."""
        self.broken.error, self.broken.lasting = error, lasting
        self.broken.at = len(self.broken.calls) + at

    def scrub(self, chosen: set[int], gone: bool) -> None:
        """These lose their message, or most of it; if that fails, either may be."""
        shall: Verdict = GONE if gone else LEFT
        verdicts = dict.fromkeys(chosen, shall)
        after = None if gone else LEFT
        done = False
        with suppress(LogError, self.faults.Killed):
            for path in files(self.folder):
                rewrite(path, lambda entry: verdicts.get(entry.received_ms, KEEP), disk=self.broken.disk)
            done = True
        for n in chosen & self.told.keys():
            touched = {None if said is None else after for said in self.told[n]}
            self.told[n] = touched if done else self.told[n] | touched

    def recover(self) -> None:
        """As every process does now and then."""
        with suppress(LogError, self.faults.Killed):
            recover(self.folder, disk=self.broken.disk)

    def wait(self, seconds: int) -> None:
        """So long."""
        self.clock.move(seconds)

    def tear(self, end: bytes) -> None:
        """A process that is no more has left half a line."""
        if self.folder.exists():
            (self.folder / f"0-{len(self.offered)}.ndjson").write_bytes(end)

    def check(self) -> None:
        """What is read is what was told, and nothing else that was never offered."""
        found: dict[int, bytes | None] = {}
        for path in files(self.folder):
            for item in entries(path):
                assert not isinstance(item, Damaged)
                if isinstance(item, Entry):
                    assert item.received_ms not in found
                    found[item.received_ms] = item.message
        assert self.told.keys() <= found.keys() <= self.offered
        assert {n: found[n] for n, may in self.told.items() if found[n] not in may} == {}


def message(n: int) -> bytes:
    """What the n-th event says, in a length of its own."""
    return b'{"n":%d,"of":"%b"}' % (n, b"ann" * (n % 4))


@settings(max_examples=300)
@given(STEPS)
def test_any_history(clock_of: Any, faults: ModuleType, steps: list[tuple[Any, ...]]) -> None:
    """Whatever happened in whatever order; and after a last recovery nothing is torn."""
    with TemporaryDirectory() as base:
        history = History(Path(base) / "events", clock_of(), faults)
        for step, *arguments in steps:
            getattr(history, step)(*arguments)
        history.heal()
        history.recover()
        history.check()
        assert recover(history.folder, disk=faults.QUICK).torn == ()
        history.append(2)
        assert len(history.offered) - 1 in history.told
        history.check()

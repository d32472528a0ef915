"""Events are taken out in place: what is left has its old place, and nothing of the rest is to be found."""

import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.events.disk import LogUnavailable
from engine.events.line import Entry, encode
from engine.events.log import EventLog
from engine.events.reading import Damaged, Torn, entries, files
from engine.events.scrub import GONE, KEEP, Verdict, rewrite

SHORT = b'{"short":true}'


def line(n: int) -> bytes:
    """The n-th event, of a length of its own."""
    return encode(n, "website", b'{"n":%d,"secret":"%b"}' % (n, b"s" * (n % 7)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of ten lines."""
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"".join(map(line, range(10))))
    return path


def messages(path: Path) -> dict[int, bytes | None]:
    """What is there, by when it came."""
    return {found.received_ms: found.message for found in entries(path) if isinstance(found, Entry)}


def test_what_is_gone_is_gone(path: Path) -> None:
    """No byte of it is left, its line is in its place and says null, and all others are as they were."""
    before = path.read_bytes()
    assert rewrite(path, lambda entry: GONE if entry.received_ms in {3, 4, 9} else KEEP) == 3
    after = messages(path)
    assert [n for n, message in after.items() if message is None] == [3, 4, 9]
    assert b'"n":3' not in path.read_bytes()
    assert path.stat().st_size == len(before)
    assert before.startswith(path.read_bytes()[: len(line(0) + line(1) + line(2))])


def test_what_is_left_over_stands_in_its_place(path: Path) -> None:
    """A shorter message, and then nothing more to do."""
    places = [found.end for found in entries(path) if isinstance(found, Entry)]
    assert rewrite(path, lambda _: SHORT) == 10
    assert [found.end for found in entries(path) if isinstance(found, Entry)] == places
    assert set(messages(path).values()) == {SHORT}
    assert rewrite(path, lambda _: SHORT) == 0


def test_what_is_gone_is_not_asked_about_again(path: Path) -> None:
    """There is nothing to decide upon."""
    rewrite(path, lambda _: GONE)
    asked: list[Entry] = []
    assert rewrite(path, lambda entry: asked.append(entry) or GONE) == 0
    assert asked == []


def test_a_longer_message_is_refused(path: Path) -> None:
    """Nothing was changed then."""
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"the line at 0 of a\.ndjson has \d+ bytes, not \d+"):
        rewrite(path, lambda _: b'{"much":"longer than it was before"}')
    assert path.read_bytes() == before


def test_damaged_lines_are_blanked_on_demand(path: Path) -> None:
    """They are shown as they stand there; blank, they are nothing to anybody. A torn end is not touched."""
    content = path.read_bytes().replace(b'"n":3', b'"N":3').replace(b'"n":5', b'"N":5') + b'{"crc":"torn'
    path.write_bytes(content)
    assert rewrite(path, lambda _: KEEP) == 0
    assert path.read_bytes() == content
    assert rewrite(path, lambda _: KEEP, lambda raw: b'"N":3' in raw) == 1
    assert path.stat().st_size == len(content)
    assert b'"N":3' not in path.read_bytes()
    told = [type(found) for found in entries(path) if not isinstance(found, Entry)]
    assert told == [Damaged, Torn]
    assert len(messages(path)) == 8


def test_of_a_file_that_is_gone_there_is_nothing_to_do(path: Path) -> None:
    """It may have been compacted, or been among the oldest of the rejected log."""
    assert rewrite(path.with_name("gone.ndjson"), lambda _: GONE) == 0


def test_many_changes_go_in_batches(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal holds a bounded part of them at a time."""
    monkeypatch.setattr("engine.events.scrub.OVERWRITE_BYTES", 200)
    assert rewrite(path, lambda _: GONE) == 10
    assert set(messages(path).values()) == {None}


def test_somebody_elses_change_is_decided_upon_again(path: Path) -> None:
    """Two deletions at once: what the one leaves, the other one sees."""
    seen: list[bytes | None] = []

    def decide(entry: Entry) -> Verdict:
        if entry.received_ms != 3:
            return KEEP
        seen.append(entry.message)
        if len(seen) == 1:
            rewrite(path, lambda other: b'{"left":"over"}' if other.received_ms == 3 else KEEP)
        return b"{}"

    rewrite(path, decide)
    assert seen == [b'{"n":3,"secret":"sss"}', b'{"left":"over"}']
    assert messages(path)[3] == b"{}"


def test_a_line_that_was_half_overwritten_is_finished_and_then_asked_about(path: Path, faults: ModuleType) -> None:
    """It is no damaged one: whoever deletes after a deletion that failed deletes all the same."""
    failing = faults.Faults(6, 5)
    with pytest.raises(LogUnavailable):
        rewrite(path, lambda _: SHORT, disk=failing.disk)
    assert failing.calls[-1] == "write_at"
    assert any(isinstance(found, Damaged) for found in entries(path))
    assert rewrite(path, lambda _: GONE) == 10
    assert set(messages(path).values()) == {None}


def test_beside_a_living_writer_nothing_is_lost(folder: Path, clock: Any, faults: ModuleType) -> None:
    """One thread appends, with full disks in between; the other takes every third event out, over and over."""
    acknowledged: list[int] = []
    done = threading.Event()

    def write() -> None:
        full = faults.Faults(0, None)
        log = EventLog(folder, clock, disk=full.disk, file_bytes=20_000)
        for n in range(0, 3_000, 3):
            if n % 5 == 0:
                full.at, full.error = len(full.calls) + 1, 28
            try:
                log.append([line(n), line(n + 1), line(n + 2)])
            except Exception:  # noqa: BLE001 - whatever was refused is not counted
                continue
            acknowledged.extend((n, n + 1, n + 2))
        done.set()

    def take_out() -> None:
        for path in files(folder):
            rewrite(path, lambda entry: GONE if entry.received_ms % 3 == 0 else KEEP, disk=faults.QUICK)

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        take_out()
    writer.join()
    take_out()
    found: dict[int, bytes | None] = {}
    for path in files(folder):
        assert [item for item in entries(path) if not isinstance(item, Entry)] == []
        found |= messages(path)
    assert found.keys() >= set(acknowledged)
    assert len(acknowledged) > 1_000
    assert {n % 3 for n, message in found.items() if message is None} == {0}
    assert {n % 3 for n, message in found.items() if message is not None} == {1, 2}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sets(st.integers(0, 9)), st.booleans()), max_size=5))
def test_any_order_of_rewriting_ends_as_it_would_in_memory(
    path: Path, faults: ModuleType, rounds: list[tuple[set[int], bool]]
) -> None:
    """The model is a dict."""
    path.write_bytes(b"".join(map(line, range(10))))
    model = messages(path)
    for chosen, gone in rounds:
        shall: Verdict = GONE if gone else SHORT
        verdicts = dict.fromkeys(chosen, shall)
        rewrite(path, lambda entry, verdicts=verdicts: verdicts.get(entry.received_ms, KEEP), disk=faults.QUICK)
        model |= {n: None if gone else SHORT for n in chosen if model[n] is not None}
    assert messages(path) == model

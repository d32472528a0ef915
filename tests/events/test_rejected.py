"""Rejected messages are kept with their reason whatever they are, listed, counted, marked, and never too many."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events.line import encode as event
from engine.events.line import unsealed
from engine.events.reading import Damaged, entries, files, lines
from engine.events.rejected import Rejected, RejectedLog, counts, encode, forget, listing, mark, rejections
from engine.limits import EVENT_BYTES, EVENT_LINE_BYTES, REJECTED_FILE_LEAST_BYTES, REJECTED_TEXT_BYTES

JSON = b'{"type":"track","event":"Signed Up"}'


def line(n: int, code: str = "no-id", message: bytes = JSON) -> bytes:
    """The n-th rejected message."""
    return encode(n, "website", code, "Expected an anonymousId or a userId", message)


@pytest.fixture
def log(folder: Path, clock: Any) -> RejectedLog:
    """An empty rejected log."""
    return RejectedLog(folder, clock)


def test_what_was_rejected_is_listed(log: RejectedLog, folder: Path) -> None:
    """With its reason and its place, the newest last."""
    position = log.append([line(2), line(1, "bad-time")])
    log.append([line(3)])
    older, newer, newest = listing(folder)
    assert (older.received_ms, newer.received_ms, newest.received_ms) == (1, 2, 3)
    assert older == Rejected(
        file=position.file,
        offset=len(line(2)),
        received_ms=1,
        source="website",
        code="bad-time",
        reason="Expected an anonymousId or a userId",
        message=JSON,
        whole=True,
    )
    assert listing(folder, 1) == [newest]
    assert listing(folder / "nowhere") == []


def test_a_line_looks_as_it_is_documented() -> None:
    """`raw` is JSON, `text` is whatever is not."""
    assert list(json.loads(line(1))) == ["crc", "received", "source", "code", "reason", "raw"]
    assert json.loads(line(1))["raw"] == json.loads(JSON)
    assert list(json.loads(line(1, message=b"{"))) == ["crc", "received", "source", "code", "reason", "text"]


@pytest.mark.parametrize(
    "message",
    [
        b'{"n":NaN}',
        b'{"half":"\\ud83d"}',
        b"null",
        b"",
        b"{",
        b"[" * 40 + b"]" * 40,
        b"[" * 2000 + b"]" * 2000,
        b'{"line":\n1}\r\n',
        "é".encode(),
        b'{"n":NaN,"pad":"' + b"x" * 30_000 + b'"}',
        b'"' + b"x" * EVENT_BYTES + b'"',
        b'{"n":1e999}',
    ],
)
def test_whatever_it_was_it_is_kept(log: RejectedLog, folder: Path, message: bytes) -> None:
    """As it came, but for line ends in JSON and what is too long."""
    log.append([line(1, message=message)])
    [kept] = listing(folder)
    if len(message) <= EVENT_BYTES:
        assert kept.whole
        assert kept.message == (b'{"line": 1}' if b"line" in message else message)
    else:
        assert not kept.whole
        assert message.startswith(kept.message)
        assert len(kept.message) == REJECTED_TEXT_BYTES
    assert mark(folder, [kept]) == 1
    assert listing(folder) == []


def test_bytes_that_are_no_text_are_shown(log: RejectedLog, folder: Path) -> None:
    """They cannot be kept as they are; what they were can be seen."""
    log.append([line(1, message=b'{"name":"\xff\xfe"}')])
    assert listing(folder)[0].message == b'{"name":"\\xff\\xfe"}'


@given(
    st.binary(max_size=60) | st.sampled_from([b"\xff" * 20_000, b"\x01" * 12_000, b'"' * 40_000, b"0" * 70_000]),
    st.text(max_size=9) | st.just('"' * 200),
    st.sampled_from(["", "é", "\x01" * 600]),
)
def test_every_line_is_one_and_short_enough(message: bytes, source: str, reason: str) -> None:
    """Whatever stands in it, a reader takes it."""
    written = encode(2**53, source, "a-code", reason, message)
    assert written.endswith(b"\n")
    assert written.count(b"\n") == 1
    assert len(written) <= EVENT_LINE_BYTES
    assert unsealed(written) is not None
    assert json.loads(written)["code"] == "a-code"


def test_the_longest_lines_are_read(log: RejectedLog, folder: Path) -> None:
    """JSON to the bound, and text of which every character is escaped."""
    longest = b'"' + b"x" * (EVENT_BYTES - 2) + b'"'
    log.append([line(1, message=longest), line(2, message=b"\x01" * EVENT_BYTES)])
    first, second = listing(folder)
    assert first.message == longest
    assert second.message == b"\x01" * REJECTED_TEXT_BYTES


def test_what_was_replayed_is_marked_in_place(log: RejectedLog, folder: Path) -> None:
    """It is neither listed nor counted, nothing of it is left, and all others stay."""
    log.append([line(n, message=b'{"n":%d}' % n) for n in range(5)])
    size = files(folder)[0].stat().st_size
    assert mark(folder, [kept for kept in listing(folder) if kept.received_ms in {1, 3}]) == 2
    assert [kept.received_ms for kept in listing(folder)] == [0, 2, 4]
    content = files(folder)[0].read_bytes()
    assert b'"n":1' not in content
    assert len(content) == size
    assert all(json.loads(each)["code"] == "no-id" for each in content.splitlines())
    assert counts(folder) == {"no-id": 3}
    log.append([line(5)])
    assert [kept.received_ms for kept in listing(folder)] == [0, 2, 4, 5]


@pytest.mark.parametrize("message", [b"", b"{", b"0", b'""'])
def test_the_shortest_can_be_marked(log: RejectedLog, folder: Path, message: bytes) -> None:
    """There is room for what says that it is gone."""
    log.append([line(1, message=message)])
    assert mark(folder, listing(folder)) == 1
    assert listing(folder) == []
    assert mark(folder, [Rejected("gone.ndjson", 0, 0, "", "", "", b"", whole=True)]) == 0


def test_a_person_is_forgotten_here_too(log: RejectedLog, folder: Path) -> None:
    """By what was rejected, and by what stands in damaged lines."""
    log.append([line(1, message=b'{"userId":"ann"}'), line(2, message=b'{"userId":"bob"}'), line(3, message=b'"ann')])
    log.append([line(4, message=b'{"userId":"ann","damaged":1}')])
    path = files(folder)[0]
    path.write_bytes(path.read_bytes().replace(b"damaged", b"changed"))
    assert forget(folder, lambda kept: b"ann" in kept.message, lambda raw: b"ann" in raw) == 3
    assert b"ann" not in path.read_bytes()
    assert [kept.message for kept in listing(folder)] == [b'{"userId":"bob"}']


def test_counts_are_by_code(log: RejectedLog, folder: Path) -> None:
    """Since a time, too; what a message itself calls a code counts nothing."""
    sly = b'{"code":"x","raw":1,"text":"\\",\\"code\\":\\"y\\""}'
    log.append([line(1, "no-id"), line(2, "bad-time", sly), line(3, "no-id", b'"code":"z","raw":')])
    assert counts(folder) == Counter({"no-id": 2, "bad-time": 1})
    assert counts(folder, since_ms=2) == Counter({"no-id": 1, "bad-time": 1})
    mark(folder, [kept for kept in rejections(folder) if kept.code == "bad-time"])
    assert counts(folder) == Counter({"no-id": 2})


def test_strange_lines_are_nothing(log: RejectedLog, folder: Path) -> None:
    """Damage and lines of the other log: neither listed nor counted, nor fatal."""
    log.append([line(1)])
    path = files(folder)[0]
    path.write_bytes(path.read_bytes() + b"damage\n" + event(2, "website", b'{"code":1,"raw":2}') + line(3) + b"{")
    assert [kept.received_ms for kept in listing(folder)] == [1, 3]
    assert counts(folder) == {"no-id": 2}
    assert forget(folder, lambda _: True) == 2
    assert any(isinstance(found, Damaged) for found in entries(path))


def test_the_oldest_go_when_there_are_too_many(folder: Path, clock: Any) -> None:
    """Those of living writers stay; small files count as more than they are."""
    most = 4 * REJECTED_FILE_LEAST_BYTES
    living = RejectedLog(folder, clock, most_bytes=most)
    living.append([line(0)])
    for n in range(1, 9):
        clock.move(1)
        log = RejectedLog(folder, clock, most_bytes=most)
        log.append([line(n)])
        log.close()
    assert [kept.received_ms for kept in listing(folder)] == [0, 6, 7, 8]


def test_it_never_grows_beyond_its_bound(folder: Path, clock: Any, faults: Any) -> None:
    """One writer, files of its own size: the bound holds to within one file."""
    file_bytes, most = REJECTED_FILE_LEAST_BYTES, 3 * REJECTED_FILE_LEAST_BYTES
    log = RejectedLog(folder, clock, most_bytes=most, file_bytes=file_bytes, disk=faults.QUICK)
    for n in range(40):
        clock.move(1)
        log.append([line(n, message=b'"' + b"x" * 60_000 + b'"')])
        assert sum(path.stat().st_size for path in files(folder)) <= most + file_bytes + EVENT_LINE_BYTES
    newest = [kept.received_ms for kept in listing(folder)]
    assert newest == list(range(newest[0], 40))
    assert len(newest) >= 10


def test_lines_end_where_they_are_said_to(log: RejectedLog, folder: Path) -> None:
    """The machinery is the event log's."""
    position = log.append([line(1), line(2)])
    log.close()
    assert position.end == (folder / position.file).stat().st_size
    assert len(list(lines(folder / position.file))) == 2

"""The rejected log: messages that were not acceptable, each with the reason; kept until they are too many.

What lives here: its lines, its bound, listing, counting, and marking what was replayed or deleted. What may not: why a
message is rejected, and trying it again.

1. A line is `{"crc","received","source","code","reason","raw"}`; `raw` is the message as JSON. What is no JSON that
   everybody reads is kept as `text` instead; what is too long is cut (`"cut":true`).
2. Durable as the event log is, by the same writer; the oldest finished files are removed when it is too much in all.
3. A message that was replayed, or that has to be forgotten, loses `raw` or `text`, in place: its line stays, with its
   code and reason, and is neither listed nor counted any more.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from heapq import nlargest
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from engine.events.disk import DISK, Disk
from engine.events.line import sealed
from engine.events.log import EventLog, Position
from engine.events.reading import Line, files, is_finished, lines
from engine.events.scrub import kept_as_it_is, replace
from engine.limits import (
    EVENT_BYTES,
    REJECTED_BYTES,
    REJECTED_FILE_BYTES,
    REJECTED_FILE_LEAST_BYTES,
    REJECTED_SHOWN,
    REJECTED_TEXT_BYTES,
    VALUE_DEPTH,
)

_REASON_CHARS: Final = 500
_SOURCE_CHARS: Final = 100
_CODE: Final = b',"code":"'  # in text a quote has a backslash before it, so the first one is the line's own
_PAYLOADS: Final = (b',"raw":', b',"text":')


class Rejected(Struct, frozen=True):
    """One message of the rejected log, where it stands, and why. `whole`: nothing of it was cut off."""

    file: str
    offset: int
    received_ms: int
    source: str
    code: str
    reason: str
    message: bytes
    whole: bool


class _Kept(Struct):
    received: int
    source: str
    code: str
    reason: str
    raw: Raw = Raw(b"")
    text: str | None = None
    cut: bool = False


_decode: Final = msgspec.json.Decoder(_Kept).decode
_encode: Final = msgspec.json.encode


class RejectedLog:
    """The writer of one process."""

    def __init__(
        self,
        folder: Path,
        now: Callable[[], datetime],
        *,
        most_bytes: int = REJECTED_BYTES,
        file_bytes: int = REJECTED_FILE_BYTES,
        disk: Disk = DISK,
    ) -> None:
        self._folder = folder
        self._disk = disk
        self._most_bytes = most_bytes
        self._log = EventLog(folder, now, file_bytes=file_bytes, hourly=False, disk=disk)
        self._last = ""

    def append(self, rejected: Sequence[bytes]) -> Position:
        """Write these lines (`encode`), durably; where the last one ends. Raises LogError."""
        position = self._log.append(rejected)
        if position.file != self._last:
            self._last = position.file
            with suppress(OSError):  # another process was quicker, or the next file's turn will be luckier
                self._remove_oldest()
        return position

    def close(self) -> None:
        """Let go of the file. Closing twice is harmless."""
        self._log.close()

    def _remove_oldest(self) -> None:
        sizes = {path: size for path in files(self._folder) if (size := _size(path))}
        total = sum(sizes.values())
        for path, size in sizes.items():
            if total <= self._most_bytes:
                break
            if is_finished(path):
                self._disk.remove(path)
                total -= size


def encode(received_ms: int, source: str, code: str, reason: str, message: bytes) -> bytes:
    """The line of a rejected message, whatever its bytes are."""
    head = _head(received_ms, source, code, reason)
    if len(message) <= EVENT_BYTES and _is_plain_json(message):
        one_line = message.replace(b"\n", b" ").replace(b"\r", b" ")
        return sealed(b'%b,"raw":%b}' % (head, one_line))
    text = _text(message) if len(message) <= EVENT_BYTES else b""
    if text and len(text) <= EVENT_BYTES:
        return sealed(b'%b,"text":%b}' % (head, text))
    return sealed(b'%b,"text":%b,"cut":true}' % (head, _text(message[:REJECTED_TEXT_BYTES])))


def rejections(folder: Path) -> Iterator[Rejected]:
    """All that were neither replayed nor forgotten, file by file. Raises `OSError`."""
    for path, line in _lines(folder):
        if (rejected := _rejected(path.name, line)) is not None:
            yield rejected


def listing(folder: Path, most: int = REJECTED_SHOWN) -> list[Rejected]:
    """The newest of them, the newest last. Raises `OSError`."""
    newest = nlargest(most, rejections(folder), key=attrgetter("received_ms", "file", "offset"))
    return newest[::-1]


def counts(folder: Path, since_ms: int = 0) -> Counter[str]:
    """How many there are of each code, received at `since_ms` or later; no message is decoded. Raises `OSError`."""
    counted: Counter[str] = Counter()
    for _, line in _lines(folder):
        if (code := _code(line.rest, since_ms)) is not None:
            counted[code] += 1
    return counted


def _lines(folder: Path) -> Iterator[tuple[Path, Line]]:
    for path in files(folder):
        with suppress(FileNotFoundError):  # it was among the oldest
            for found in lines(path):
                if isinstance(found, Line):
                    yield path, found


def mark(folder: Path, replayed: Iterable[Rejected], *, disk: Disk = DISK) -> int:
    """These were replayed: what was rejected is blanked; how many were still there. Raises LogError."""
    by_file: dict[str, set[int]] = {}
    for rejected in replayed:
        by_file.setdefault(rejected.file, set()).add(rejected.offset)

    def wanted(offsets: set[int]) -> Callable[[Line], bytes | None]:
        return lambda line: _blanked(line) if line.start in offsets else None

    return sum(replace(folder / name, wanted(offsets), disk=disk) for name, offsets in by_file.items())


def forget(
    folder: Path,
    unwanted: Callable[[Rejected], bool],
    damaged: Callable[[bytes], bool] = kept_as_it_is,
    *,
    disk: Disk = DISK,
) -> int:
    """Blank every message of which `unwanted` says so, and damaged lines (`scrub`); how many. Raises LogError."""

    def wanted(name: str) -> Callable[[Line], bytes | None]:
        def decide(line: Line) -> bytes | None:
            rejected = _rejected(name, line)
            return _blanked(line) if rejected is not None and unwanted(rejected) else None

        return decide

    return sum(replace(path, wanted(path.name), damaged, disk=disk) for path in files(folder))


def _head(received_ms: int, source: str, code: str, reason: str) -> bytes:
    return b'"received":%d,"source":%b,"code":%b,"reason":%b' % (
        received_ms,
        _encode(source[:_SOURCE_CHARS]),
        _encode(code),
        _encode(reason[:_REASON_CHARS]),
    )


def _text(message: bytes) -> bytes:
    """As JSON; bytes that are no text can be seen, and not be told from their escapes."""
    return _encode(message.decode(errors="backslashreplace"))


def _is_plain_json(message: bytes) -> bool:
    """Such as every reader takes: no `null`, which means that it is gone, and not nested without end."""
    try:
        level: list[Any] = [msgspec.json.decode(message)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    if level == [None]:
        return False
    for _ in range(VALUE_DEPTH + 1):
        nested = [
            value.values() if isinstance(value, dict) else value for value in level if isinstance(value, dict | list)
        ]
        level = [value for values in nested for value in values]
    return not level


def _rejected(file: str, line: Line) -> Rejected | None:
    """What was rejected; None where it is gone, or never was such a line."""
    try:
        kept = _decode(b"{" + line.rest)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    message = bytes(kept.raw) if kept.text is None else kept.text.encode()
    if not message and kept.text is None:
        return None
    return Rejected(file, line.start, kept.received, kept.source, kept.code, kept.reason, message, whole=not kept.cut)


def _code(rest: bytes, since_ms: int) -> str | None:
    start = rest.find(_CODE)
    if start < 0 or int(rest[rest.index(b":") + 1 : rest.index(b",")]) < since_ms:
        return None
    start += len(_CODE)
    if not any(rest.find(payload, start) > 0 for payload in _PAYLOADS):
        return None
    return rest[start : rest.index(b'"', start)].decode()


def _blanked(line: Line) -> bytes | None:
    """The rest without what was rejected; shorter in any case."""
    kept = _decode(b"{" + line.rest)
    return b"%b}" % _head(kept.received, kept.source, kept.code, kept.reason)


def _size(path: Path) -> int:
    """As it counts: a small file for more than it is, one that is empty or gone for nothing."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return 0
    return max(size, REJECTED_FILE_LEAST_BYTES) if size else 0

"""The text of one rule file, and where in it something stands.

What lives here: bytes into text (UTF-8 alone, no invisible characters), index into line and column, problems with
their source line. What may not: YAML, opening files.

1. Line ends are made `\\n` first (`\\r\\n` and `\\r` count as one), a byte order mark at the start is dropped: lines
   and columns are then those that an editor shows. Columns count characters (code points), not bytes.
2. A character that nobody can see is a problem and becomes a space; a byte that is no UTF-8 is one too, and
   becomes U+FFFD. Reading goes on, so that the other problems of the file are found in the same run. A line that is
   shown has a visible mark in its place: what clears a terminal in a file must not do so in a message.
"""

from bisect import bisect_right
from functools import cached_property

from engine import limits
from engine.problems import Problem, Severity
from engine.words import Place

NOT_UTF8 = "not-utf-8"
_LINE_SHOWN = 240  # characters of a line that a problem shows; a line of a megabyte helps nobody
_BREAKS = {"\x85": "a line break of old mainframes", "\u2028": "a line separator", "\u2029": "a paragraph separator"}


class Source:
    """One rule file as text: `text` has `\\n` as its only line end, `lines` are its lines."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends; there is always at least one."""
        return self.text.split("\n")

    @cached_property
    def starts(self) -> list[int]:
        """The index of every line's first character."""
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line) + 1)
        starts.pop()
        return starts

    def position(self, index: int) -> tuple[int, int]:
        """The line and column, from 1, of the character at `index`; past the end: just behind the last one."""
        index = max(0, min(index, len(self.text)))
        line = bisect_right(self.starts, index)
        return line, index - self.starts[line - 1] + 1

    def place(self, index: int) -> Place:
        """The character at `index` as a `Place`."""
        line, column = self.position(index)
        return Place(self.file, line, column)

    def problem(
        self, start: int, end: int, code: str, message: str, hint: str = "", *, severity: Severity = "error"
    ) -> Problem:
        """A problem with the characters from `start` up to `end`; the caret stays on the first line of them."""
        place = self.place(start)
        line = self.lines[place.line - 1]
        width = max(1, min(end - start, len(line) - place.column + 1))
        if place.column > _LINE_SHOWN:
            return Problem(place, code, message, hint, severity=severity)
        shown = "".join(_mark(c) if _is_unseen(c) else c for c in line[:_LINE_SHOWN].rstrip())
        width = max(1, min(width, len(shown) - place.column + 1))
        return Problem(place, code, message, hint, shown, width, severity)


def decode(file: str, data: bytes) -> tuple[Source | None, list[Problem]]:
    """The file's text, and what is wrong with its bytes. `None` where it cannot be read as text at all."""
    if len(data) > limits.RULE_FILE_BYTES:
        message = f"the file is larger than {limits.RULE_FILE_BYTES // 1024} KiB"
        return None, [
            Problem(Place(file, 1, 1), "file-too-large", message, "split it: a rules folder holds any number of files")
        ]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        message = "the file is not UTF-8 but UTF-16 (or no text at all)"
        return None, [Problem(Place(file, 1, 1), NOT_UTF8, message, "save it as UTF-8 in your editor")]
    problems = []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = data.decode("utf-8-sig", errors="replace")
        problems.append(_not_utf8(file, data, error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0), text))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    source = Source(file, text)
    unseen = sorted({c for c in set(text) if _is_unseen(c)})
    problems += [_unseen(source, c) for c in unseen]
    if unseen:
        source = Source(file, text.translate(dict.fromkeys(map(ord, unseen), " ")))
    return source, problems


def _not_utf8(file: str, data: bytes, at: int, text: str) -> Problem:
    index = len(data[:at].decode("utf-8-sig").replace("\r\n", "\n"))
    source = Source(file, text.replace("\r\n", "\n").replace("\r", "\n"))
    hint = "save it as UTF-8 in your editor"
    if data[at] >= 0xA0:
        hint = f"in Windows-1252 it would be `{bytes([data[at]]).decode('cp1252')}`; {hint}"
    return source.problem(index, index + 1, NOT_UTF8, f"this byte (0x{data[at]:02X}) is not UTF-8", hint)


def _is_unseen(character: str) -> bool:
    """Control characters, line ends that only YAML 1.1 and browsers know, a byte order mark, non-characters."""
    code = ord(character)
    return (
        (code < 0x20 and character not in "\t\n")
        or 0x7F <= code < 0xA0
        or character in "\u2028\u2029\ufeff\ufffe\uffff"
    )


def _mark(character: str) -> str:
    """What stands for a character that nobody can see: of old control characters their picture (`␛`)."""
    return chr(0x2400 + ord(character)) if ord(character) < 0x20 else "\ufffd"


def _unseen(source: Source, character: str) -> Problem:
    index = source.text.index(character)
    count = source.text.count(character)
    kind = "a byte order mark" if character == "\ufeff" else _BREAKS.get(character, "a control character")
    more = f", {count} times in this file" if count > 1 else ""
    hint = f'delete it; where it is meant, write "\\u{ord(character):04X}" in double quotes'
    return source.problem(
        index,
        index + 1,
        "invisible-character",
        f"{kind} (U+{ord(character):04X}) that nobody can see stands here{more}",
        hint,
    )

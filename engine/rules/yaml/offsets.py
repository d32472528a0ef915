"""Where a character of a scalar's text stands in the file. Pure.

What lives here: one walk for plain and quoted scalars, one for block scalars. What may not: what the text means.

1. The text is already known (libyaml made it), so nothing is decoded twice: each walk goes along the file and the
   text side by side, and the text says which of the file's characters were dropped.
2. A break that was folded stands at the end of its line.
3. Plain and quoted scalars drop blanks around a break; one break is a space, n breaks are n - 1 `\\n`.
   Block scalars drop their header and the indentation of each line.
4. The end of the text is found too: errors about an early end point behind the last character.
"""

_BLANK = " \t\n"
_ESCAPE_DIGITS = {"x": 2, "u": 4, "U": 8}


def index(source: str, start: int, end: int, text: str, style: str, offset: int) -> int:  # noqa: PLR0917  (plain values of one scalar)
    """The index in `source` of `text[offset]`, for the scalar at `source[start:end]` in that style."""
    offset = max(0, min(offset, len(text)))
    if not style and source[start:end] == text:
        return start + offset
    spots = _block(source, start, end, text) if style in ("|", ">") else _flow(source, start, text, style)
    return spots[offset]


def _flow(source: str, start: int, text: str, style: str) -> list[int]:
    """Plain and quoted: the index of every character of the text, and of its end."""
    spots: list[int] = []
    at = start + len(style)
    while len(spots) < len(text):
        made, behind = _step(source, at, style)
        spots += [at] * made
        at = behind
    del spots[len(text) :]
    spots.append(at)
    return spots


def _step(source: str, at: int, style: str) -> tuple[int, int]:
    """How many characters of text the file's next ones make, and the index behind them."""
    character = source[at : at + 1]
    if character and character in _BLANK:
        behind = _over_blank(source, at)
        breaks = source.count("\n", at, behind)
        if breaks:
            return max(1, breaks - 1), behind
    elif character == "'" and style == "'":
        return 1, at + 2
    elif character == "\\" and style == '"':
        return _escape(source, at)
    return 1, at + 1


def _escape(source: str, at: int) -> tuple[int, int]:
    """`\\n`, `\\x41`, `\\u00e9` make one character; a backslash at a line's end drops that break."""
    kind = source[at + 1 : at + 2]
    if kind == "\n":
        behind = _over_blank(source, at + 2)
        return source.count("\n", at + 2, behind), behind
    return 1, at + 2 + _ESCAPE_DIGITS.get(kind, 0)


def _over_blank(source: str, at: int) -> int:
    while at < len(source) and source[at] in _BLANK:
        at += 1
    return at


def _block(source: str, start: int, end: int, text: str) -> list[int]:
    """Literal and folded: the index of every character of the text, and of its end.

    Between two filled lines stand b blank ones, so b + 1 breaks; the text has a space, b `\\n` (the first was
    folded) or b + 1 of them there. At the end chomping leaves none, one or all.
    """
    rows = _rows(source, start, end, text)
    spots: list[int] = []
    tail = start  # where the text ends so far
    row = 0
    while row < len(rows):
        first, stop = rows[row]
        spots += range(first, stop)
        tail = max(tail, stop) if stop > first else tail
        behind = row + 1
        while behind < len(rows) and rows[behind][0] == rows[behind][1] and stop > first:
            behind += 1
        made = _breaks(text, len(spots))
        skipped = max(0, behind - row - made) if behind < len(rows) else 0
        spots += [rows[min(row + skipped + i, len(rows) - 1)][1] for i in range(min(made, behind - row))]
        row = behind
    del spots[len(text) :]
    return spots + [tail] * (len(text) + 1 - len(spots))


def _breaks(text: str, done: int) -> int:
    """How many characters the breaks made that stand at `text[done:]`: one space or some `\\n`."""
    if text[done : done + 1] == " ":
        return 1
    rest = done
    while text[rest : rest + 1] == "\n":
        rest += 1
    return rest - done


def _rows(source: str, start: int, end: int, text: str) -> list[tuple[int, int]]:
    """The lines of the scalar: the index of the first character behind the indentation, and of the line's end."""
    at = source.find("\n", start, end) + 1
    if not at:
        return []
    lines = source[at:end].removesuffix("\n").split("\n")
    body = text.lstrip("\n")
    blank = len(text) - len(body)  # every blank line before the first filled one made one `\n`
    indent = _leading(lines[blank]) - _leading(body) if body else end
    rows = []
    for line in lines:
        rows.append((at + min(indent, len(line)), at + len(line)))
        at += len(line) + 1
    return rows


def _leading(line: str) -> int:
    return len(line) - len(line.lstrip(" "))

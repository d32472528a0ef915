"""Reading on behind a syntax error: the lines at fault are blanked, and what is missing because of it is no problem.

What lives here: which lines, and what was lost with them. What may not: messages.

1. A value that is the whole mistake becomes another value, which `compose` takes for `Broken`. Else the line of the
   error and the deeper lines below it become spaces. Every index stays what it was. Then the file is read again.
2. A second error in the same entry (a segment, an experience) that is only YAML being lost in the first one is not
   reported; the whole entry is blanked then.
3. `mark` tells the tree: a mapping that lost lines is `partial` (nobody misses its keys), a key that lost its value has
   a `Broken` one. `words` are all the words of the blanked lines: a reference to one of them is not "unknown".
"""

from engine.problems import Problem
from engine.rules.yaml.nodes import Broken, Listing, Mapping, Node, Scalar
from engine.rules.yaml.source import Source
from engine.rules.yaml.syntax import Finding

_BETWEEN_WORDS = str.maketrans(dict.fromkeys(":,[]{}\"'#", " "))


class Blanked:
    """The file's text without the lines that could not be read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.gone: set[int] = set()  # line numbers from 0
        self.values: dict[int, int] = {}  # where values begin that were taken out, and where they end
        self._entries: set[int] = set()

    @property
    def text(self) -> str:
        """The text to read next: blanked lines are spaces."""
        text = self.source.text
        for start, end in self.values.items():
            rest = "".join("\n" if c == "\n" else " " for c in text[start + 1 : end])
            text = f"{text[:start]}x{rest}{text[end:]}"
        lines = text.split("\n")
        return "\n".join(" " * len(line) if n in self.gone else line for n, line in enumerate(lines))

    def take(self, finding: Finding) -> list[Problem]:
        """Blanks what the finding is about; the problem to report, unless it only follows from an earlier one."""
        if finding.value is not None and finding.value[0] not in self.values and finding.value[0] < finding.value[1]:
            self.values[finding.value[0]] = finding.value[1]
            return [finding.problem]
        line = min(max(finding.line - 1, 0), len(self.source.lines) - 1)
        entry = _entry(self.source.lines, line)
        known = entry.start in self._entries
        self._entries.add(entry.start)
        before = len(self.gone)
        if finding.problem.code == "tab":
            self.gone.update(n for n, text in enumerate(self.source.lines) if "\t" in text[: _indent(text)])
        if finding.sure or not known:
            self.gone.update(_block(self.source.lines, line))
        if len(self.gone) == before:
            self.gone.update(entry)
        if len(self.gone) == before:
            self.gone.update(range(line, len(self.source.lines)))
        if len(self.gone) == before:
            self.gone.update(range(len(self.source.lines)))
        return [] if known and not finding.sure else [finding.problem]

    def words(self) -> frozenset[str]:
        """The words of all blanked lines."""
        return words([self.source.lines[n] for n in self.gone])

    def mark(self, root: Mapping | None) -> None:
        """Tells the tree what it lost."""
        if self.gone and root is not None:
            self._mark(root, 0)

    def _mark(self, node: Node, start: int) -> None:
        """`start` is where the node's key stands: its first lines may be among the blanked."""
        if isinstance(node, Listing):
            for number, item in enumerate(node.items):
                node.items[number] = self._kept(item)
                self._mark(item, item.start)
        elif isinstance(node, Mapping):
            node.partial = node.partial or self._lost_between(start, node.end)
            for entry in node.entries.values():
                entry.value = self._kept(entry.value)
                self._mark(entry.value, entry.key.start)

    def _kept(self, node: Node) -> Node:
        """The value, or `Broken` where it lost lines."""
        if isinstance(node, Scalar) and self._lost_behind(node):
            return Broken(self.source, node.start, node.end)
        return node

    def _lost_between(self, start: int, end: int) -> bool:
        first, last = self.source.position(start)[0] - 1, self.source.position(end)[0] - 1
        return any(n in self.gone for n in range(first, last + 1))

    def _lost_behind(self, scalar: Scalar) -> bool:
        block = scalar.style in ("|", ">")
        if block and self._lost_between(scalar.start, scalar.end):
            return True
        if scalar.text if block else scalar.value is not None:
            return False
        line = self.source.position(scalar.end)[0]
        while line < len(self.source.lines) and not self.source.lines[line].strip():
            line += 1
        return line in self.gone


def words(lines: list[str]) -> frozenset[str]:
    """The words in these lines that may be keys."""
    return frozenset("\n".join(lines).translate(_BETWEEN_WORDS).split())


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _is_filled(line: str) -> bool:
    body = line.strip()
    return bool(body) and body[0] != "#"


def _block(lines: list[str], line: int) -> range:
    """The line and the deeper ones below it."""
    stop = line + 1
    while stop < len(lines) and (not _is_filled(lines[stop]) or _indent(lines[stop]) > _indent(lines[line])):
        stop += 1
    while stop > line + 1 and not _is_filled(lines[stop - 1]):
        stop -= 1
    return range(line, stop)


def _entry(lines: list[str], line: int) -> range:
    """The lines of the entry that the line belongs to: one step below a top-level key, or that key's whole section."""
    top = line
    while top > 0 and not _is_top(lines[top]):
        top -= 1
    stop = next((n for n in range(top + 1, len(lines)) if _is_top(lines[n])), len(lines))
    filled = [n for n in range(top + 1, stop) if _is_filled(lines[n])]
    if line == top or not filled:
        return range(top, stop)
    level = _indent(lines[filled[0]])
    heads = [n for n in filled if _indent(lines[n]) <= level]
    start = max((n for n in heads if n <= line), default=filled[0])
    end = min((n for n in heads if n > line), default=stop)
    return range(start, end)


def _is_top(line: str) -> bool:
    return _is_filled(line) and not line[0].isspace() and not line.startswith("- ")

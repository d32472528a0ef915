"""One rule file that could be read: its shape, its tree, and problems at exact places.

What lives here: from a path to its place. What may not: finding problems.

1. A path (`nodes.Path`) names a value as the file does.
2. A problem of a value that is left out in the file stands at the nearest block around it that is there.
3. A problem inside a text (a condition, a template) has an `offset` into that text, and stands at the very character
   of the file, however the text is written there.
"""

from typing import Literal

from msgspec import Struct

from engine.problems import Problem, Severity
from engine.rules.shape import RuleFile
from engine.rules.yaml.nodes import Listing, Mapping, Node, Path, Scalar, find
from engine.rules.yaml.source import Source
from engine.words import Place

__all__ = ["Document", "Path"]


class Document(Struct, frozen=True, eq=False):
    """A rule file as it was read. `root` is `None` where the file holds no key."""

    source: Source
    shape: RuleFile
    root: Mapping | None
    unread: frozenset[Path] = frozenset()  # values that were reported and stand in `shape` as empty

    @property
    def file(self) -> str:
        """The file's name as problems show it."""
        return self.source.file

    def of(self, path: Path) -> Node | None:
        """The value at the path; `None` where nothing stands there."""
        return find(self.root, path)[1]

    def key(self, path: Path) -> Node | None:
        """The key that the path ends with; of a list's item, the item."""
        key, value = find(self.root, path)
        return value if key is None else key

    def names(self, section: str) -> list[str]:
        """All keys under a top-level key, whether what they name could be read or not."""
        node = self.of((section,))
        return list(node.entries) if isinstance(node, Mapping) else []

    def items(self, path: Path) -> list[tuple[Path, str]]:
        """Path and text of a text or a list of texts, as far as they could be read."""
        node = self.of(path)
        if isinstance(node, Listing):
            found = [((*path, i), item) for i, item in enumerate(node.items)]
        else:
            found = [(path, node)] if node is not None else []
        return [(at, item.text) for at, item in found if isinstance(item, Scalar) and at not in self.unread]

    def is_doubtful(self, path: Path) -> bool:
        """Whether a part of the value (or of what is around it) could not be read: what seems to be wrong with it as a
        whole may be that alone, and that was reported."""
        node = self.of(path)
        if isinstance(node, Mapping) and node.partial:
            return True
        return any(unread[: len(path)] == path or path[: len(unread)] == unread for unread in self.unread)

    def place(self, path: Path, offset: int | None = None) -> Place:
        """Where the value stands, or the character at `offset` of its text."""
        node = self.of(path)
        if offset is not None and isinstance(node, Scalar):
            return self.source.place(node.index(offset))
        found = node or self._nearest(path)
        return found.place if found is not None else Place(self.file, 1, 1)

    def problem(
        self,
        path: Path,
        code: str,
        message: str,
        hint: str = "",
        *,
        at: Literal["value", "key"] = "value",
        offset: int | None = None,
        width: int | None = None,
        severity: Severity = "error",
    ) -> Problem:
        """A problem with the value at the path (or its key, or a part of its text)."""
        node = (self.key(path) if at == "key" else self.of(path)) or self._nearest(path)
        if node is None:
            return self.source.problem(0, 1, code, message, hint, severity=severity)
        start, end = node.start, node.end
        if offset is not None and isinstance(node, Scalar):
            start = node.index(offset)
            end = max(start + 1, node.index(offset + (width or 1)))
        elif width is not None:
            end = start + width
        return self.source.problem(start, end, code, message, hint, severity=severity)

    def _nearest(self, path: Path) -> Node | None:
        """The key of the innermost block around the path that is there."""
        for length in range(len(path), 0, -1):
            found = self.key(path[:length])
            if found is not None:
                return found
        return self.root

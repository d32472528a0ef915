"""The YAML tree: what a file says, each part with its place. Made by `compose`, read by `read`.

What lives here: four kinds of node. What may not: what a key means.

1. `start` and `end` are indices into `source.text`: the first character and the one behind the last.
2. A `Scalar` keeps its text and its style; `value` is what YAML 1.2 takes it for (only plain scalars are ever
   anything but text). `at(offset)` finds the place in the file of a character of the text, whatever the style.
3. A `Broken` stands where something was refused (an alias, a tag): it was reported and nobody reports it again.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from engine.rules.yaml import offsets, plain
from engine.rules.yaml.source import Source
from engine.words import Place

# Keys as written and indices of lists: `("segments", "small", "when", 0)`.
Path: TypeAlias = tuple[str | int, ...]
Style: TypeAlias = Literal["", "'", '"', "|", ">"]


class Node(Struct, eq=False):
    """Something in a file, from `start` up to `end`."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """The line, from 1, where it begins."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column, from 1 and in characters, where it begins."""
        return self.source.position(self.start)[1]

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.source.place(self.start)


class Scalar(Node, eq=False):
    """A single value. `style` is "" for plain, else the character that opens it."""

    text: str
    style: Style

    @property
    def value(self) -> plain.Value:
        """What YAML 1.2 (core schema) takes it for: None, a boolean, a number or the text."""
        return self.text if self.style else plain.value(self.text)

    def index(self, offset: int) -> int:
        """The index in the file of the text's character at `offset`; of its end, the one behind the last."""
        return offsets.index(self.source.text, self.start, self.end, self.text, self.style, offset)

    def at(self, offset: int) -> tuple[int, int]:
        """The line and column in the file of the text's character at `offset`."""
        return self.source.position(self.index(offset))


class Entry(Struct, eq=False):
    """One `key: value` of a mapping."""

    key: Scalar
    value: Node


class Mapping(Node, eq=False):
    """Keys with values, in the order of the file. `partial`: some were refused, so a missing one may be among them."""

    flow: bool
    entries: dict[str, Entry]
    partial: bool = False


class Listing(Node, eq=False):
    """A list."""

    flow: bool
    items: list[Node]


class Broken(Node, eq=False):
    """Something that was refused and reported."""


def find(root: Node | None, path: Path) -> tuple[Scalar | None, Node | None]:
    """The key (if the path ends with one) and the value at the path; `None` for what is not there.

    The index 0 onto a single value is that value itself, since a condition may be written as text or as a list.
    """
    key: Scalar | None = None
    node = root
    for part in path:
        if isinstance(node, Mapping) and isinstance(part, str) and part in node.entries:
            entry = node.entries[part]
            key, node = entry.key, entry.value
        elif isinstance(node, Listing) and isinstance(part, int) and 0 <= part < len(node.items):
            key, node = None, node.items[part]
        elif not (isinstance(node, Scalar) and part == 0):
            return None, None
    return key, node

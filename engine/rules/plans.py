"""What reading a file is made of: the `Reading` in work, the `Plan` of a type, the sentence "expected X, got Y".

What lives here: what all kinds of values share. What may not: the kinds (`values`, and blocks of keys in `read`).
"""

from abc import ABC, abstractmethod
from typing import Any

from engine import limits
from engine.problems import Problem
from engine.rules.yaml.compose import kind
from engine.rules.yaml.nodes import Broken, Node, Path, Scalar, find
from engine.rules.yaml.source import Source


class Reading:
    """The reading of one file: its problems so far, and the paths of what could not be read."""

    def __init__(self, source: Source, root: Node | None) -> None:
        self.source = source
        self.root = root
        self.problems: list[Problem] = []
        self.unread: set[Path] = set()
        self.split: set[Path] = set()  # conditions that go on in what YAML took for the next item or key

    @property
    def full(self) -> bool:
        """Whether enough problems were found."""
        return len(self.problems) >= limits.RULE_FILE_PROBLEMS

    def report(self, node: Node, code: str, message: str, hint: str = "") -> None:
        """A problem with the whole node."""
        if not self.full:
            self.problems.append(self.source.problem(node.start, node.end, code, message, hint))


class Plan(ABC):
    """How a value of one type is read. `expected` is what messages call it, `noun` one of many in a list."""

    expected: str

    @property
    def noun(self) -> str:
        return self.expected

    @abstractmethod
    def accepts(self, node: Node) -> bool:
        """Whether the node is of this kind at all."""

    @abstractmethod
    def blank(self) -> Any:
        """What stands for a value that could not be read."""

    @abstractmethod
    def read(self, reading: Reading, node: Node, path: Path) -> Any:
        """The value, or the blank where it could not be read and that was reported."""

    def mistyped(self, reading: Reading, node: Node, path: Path, hint: str = "") -> Any:
        """Reports "expected X, got Y" (but for what was refused before); the blank."""
        reading.unread.add(path)
        if not isinstance(node, Broken):
            message = f"expected {self.expected}, got {_got(node)} - at {shown(path)}"
            reading.report(
                node if node.end > node.start else _behind_key(reading, node, path), "wrong-type", message, hint
            )
        return self.blank()


def shown(path: Path) -> str:
    """`experiences.corporate.audiences[0].control`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{short(part)}" for part in path)
    return text.removeprefix(".")


def short(text: str) -> str:
    """The text, not too long for a message, on one line."""
    text = " ".join(text.split("\n"))
    return text if len(text) <= 60 else text[:57] + "…"


def _got(node: Node) -> str:
    """A node in the words of messages, with its text where that helps."""
    if isinstance(node, Scalar) and node.value is not None:
        value = node.value
        word = "the text" if isinstance(value, str) else "" if isinstance(value, bool) else "the number"
        return f"{word} `{short(node.text)}`".strip() if node.text else "an empty text"
    return kind(node)


def _behind_key(reading: Reading, node: Node, path: Path) -> Node:
    """A value that is not there has no width: the problem stands at the colon (or dash) behind which it is missing."""
    key = find(reading.root, path)[0]
    if key is not None:
        return Node(reading.source, key.end, key.end + 1)
    text = reading.source.text[: node.start].rstrip()
    return Node(reading.source, max(0, len(text) - 1), len(text))

"""How each kind of value is read from a node: texts, conditions, words, numbers, lists, tables.

What lives here: one `Plan` a kind. What may not: blocks with known keys (`read`), what a text means (build).

1. YAML 1.2 decides what a plain scalar is; a plan says whether that was wanted. Nothing is converted silently, but for
   one case: `when: true` is the condition `true`.
2. Where the mistake is a common one, the hint shows the value as it should be written.
3. A condition that YAML mangled without an error (cut at ` #`, split at a comma, read as `key: value`) is found here.
"""

import math
from collections.abc import Sequence
from typing import Any

import msgspec.inspect as types

from engine.problems import did_you_mean
from engine.rules.plans import Plan, Reading, short, shown
from engine.rules.yaml import mangled, plain
from engine.rules.yaml.nodes import Broken, Listing, Mapping, Node, Path, Scalar, find

_INT64 = range(-(2**63), 2**63)


class Text(Plan):
    """A text; `example` makes the right form out of a number (`{}%`)."""

    def __init__(self, expected: str, *, filled: bool, example: str = "") -> None:
        self.expected = expected
        self.filled = filled
        self.example = example

    def accepts(self, node: Node) -> bool:
        return isinstance(node, Scalar) and isinstance(node.value, str)

    def blank(self) -> Any:
        return ""

    def read(self, reading: Reading, node: Node, path: Path) -> Any:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return self.mistyped(reading, node, path, self._hint(reading, node, path))
        if self.filled and not node.text.strip():
            reading.unread.add(path)
            reading.report(node, "empty", f"expected {self.expected}, got an empty text - at {shown(path)}")
            return ""
        return node.text

    def _hint(self, reading: Reading, node: Node, path: Path) -> str:
        if not isinstance(node, Scalar):
            if isinstance(node, Mapping) and reading.source.text.startswith("{{", node.start):
                return "write the value in quotes"
            return "write one text instead of the list" if isinstance(node, Listing) else ""
        if node.value is None:
            return _comment_hint(reading, node, path)
        right = ""
        if self.example and isinstance(node.value, int | float):
            right = self.example.format(node.text)
            if self.example == "{}%" and 0 < node.value < 1:
                right = f"{node.value * 100:g}% (or {right})"
        return f"write {right}" if right else f'write it in quotes: "{short(node.text)}"'


class Condition(Text):
    """A CEL condition, on guard against what YAML does to it."""

    def read(self, reading: Reading, node: Node, path: Path) -> Any:
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.text.lower()
        if isinstance(node, Mapping) or (isinstance(node, Listing) and isinstance(path[-1], int)):
            return self._mangled(
                reading, node, path, mangled.STARTS.get(reading.source.text[node.start], mangled.COLON)
            )
        if isinstance(node, Scalar) and not node.style:
            behind = reading.source.text[node.end : node.end + 200].lstrip(" \t")[:1]
            if behind and behind in ",]}" and self._is_rest(reading, node, path):
                reading.unread.add(path)
                return ""
            if behind and behind in "#,]}" and mangled.is_cut(node.text):
                if behind != "#":
                    reading.split.add(path)
                reason = mangled.COMMENT if behind == "#" else mangled.COMMA
                return self._mangled(reading, node, path, reason)
        return super().read(reading, node, path)

    def _hint(self, reading: Reading, node: Node, path: Path) -> str:
        if isinstance(node, Scalar) and isinstance(node.value, int | float):
            asked = "properties.seats" if path[0] == "conversions" else "traits.employees"
            return f"a condition compares something: `{asked} == {short(node.text)}`"
        return super()._hint(reading, node, path)

    def _is_rest(self, reading: Reading, node: Scalar, path: Path) -> bool:
        """Whether it belongs to the item before it, which was split at a comma."""
        last = path[-1]
        if not isinstance(last, int) or (*path[:-1], last - 1) not in reading.split:
            return False
        if not mangled.reach(node.text).closes:
            reading.split.add(path)
        return True

    def _mangled(self, reading: Reading, node: Node, path: Path, reason: str) -> str:
        reading.unread.add(path)
        around = find(reading.root, path[:-1])[1]
        flow = isinstance(around, Mapping | Listing) and around.flow
        value = mangled.whole(reading.source, node.start, condition=True, flow=flow)
        before = "-" if isinstance(path[-1], int) else f"{path[-1]}:"
        hint = mangled.hint(before, value, condition=True, flow=flow)
        reading.report(node, "mangled-condition", f"YAML misreads this condition: {reason}", hint)
        return ""


def condition_or_text(type_: types.StrType, extra: dict[str, Any]) -> Text:
    """The plan of a text type of `shape`."""
    expected, filled = extra.get("expected", "a text"), bool(type_.min_length)
    if extra.get("condition"):
        return Condition(expected, filled=filled)
    return Text(expected, filled=filled, example=extra.get("example", ""))


class Choice(Plan):
    """One of some words."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        quoted = [f"`{word}`" for word in words]
        self.expected = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"

    def accepts(self, node: Node) -> bool:
        return isinstance(node, Scalar) and isinstance(node.value, str)

    def blank(self) -> Any:
        return self.words[0]

    def read(self, reading: Reading, node: Node, path: Path) -> Any:
        if isinstance(node, Scalar) and node.text in self.words:
            return node.text
        near = did_you_mean(node.text[:80], self.words) if isinstance(node, Scalar) else ""
        return self.mistyped(reading, node, path, near)


class Flag(Plan):
    """true or false."""

    expected = "true or false"

    def accepts(self, node: Node) -> bool:
        return isinstance(node, Scalar) and isinstance(node.value, bool)

    def blank(self) -> Any:
        return False

    def read(self, reading: Reading, node: Node, path: Path) -> Any:
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        hint = ""
        if isinstance(node, Scalar) and node.text in plain.NORWAY:
            right = "true" if node.text.lower() in ("yes", "on", "y") else "false"
            hint = f"YAML 1.2 has only true and false: write {right}"
        elif isinstance(node, Scalar) and node.text.lower() in ("true", "false"):
            hint = f"write {node.text.lower()} without quotes"
        return self.mistyped(reading, node, path, hint)


class Whole(Plan):
    """A whole number within bounds."""

    def __init__(self, least: int | None, most: int | None) -> None:
        self.least = _INT64.start if least is None else least
        self.most = _INT64.stop - 1 if most is None else most
        self.expected = "a whole number"

    def accepts(self, node: Node) -> bool:
        return isinstance(node, Scalar) and type(node.value) is int

    def blank(self) -> Any:
        return max(self.least, 0)

    def read(self, reading: Reading, node: Node, path: Path) -> Any:
        value = node.value if isinstance(node, Scalar) else None
        if type(value) is not int:
            text = node.text if isinstance(node, Scalar) and node.style else ""
            quoted = bool(text) and type(plain.value(text)) is int
            return self.mistyped(reading, node, path, f"write {short(text)} without quotes" if quoted else "")
        if not self.least <= value <= self.most:
            reading.unread.add(path)
            most = f" to {self.most}" if value > self.most or self.most < 10**9 else ""
            message = f"expected a whole number from {self.least}{most}, got {short(_digits(value))} - at {shown(path)}"
            reading.report(node, "out-of-range", message)
            return self.blank()
        return value


class Number(Plan):
    """A finite number; whole ones within 64 bits."""

    expected = "a number"

    def accepts(self, node: Node) -> bool:
        return isinstance(node, Scalar) and type(node.value) in (int, float)

    def blank(self) -> Any:
        return 0

    def read(self, reading: Reading, node: Node, path: Path) -> Any:
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            return self.mistyped(reading, node, path)
        if (isinstance(value, int) and value not in _INT64) or (isinstance(value, float) and not math.isfinite(value)):
            reading.unread.add(path)
            wanted = f"whole numbers go from {_INT64.start} to {_INT64.stop - 1}" if isinstance(value, int) else ""
            got = short(node.text) if isinstance(node, Scalar) else ""
            message = f"expected {'a number' if wanted else 'a finite number'}, got {got} - at {shown(path)}"
            reading.report(node, "out-of-range", message, wanted)
            return 0
        return value


class Anything(Plan):
    """A value as JSON has it: what a trait may be."""

    expected = "a value"
    _number = Number()

    def accepts(self, node: Node) -> bool:
        return not isinstance(node, Broken)

    def blank(self) -> Any:
        return None

    def read(self, reading: Reading, node: Node, path: Path) -> Any:
        if isinstance(node, Mapping):
            return {k: self.read(reading, e.value, (*path, k)) for k, e in node.entries.items()}
        if isinstance(node, Listing):
            return [self.read(reading, item, (*path, i)) for i, item in enumerate(node.items)]
        if self._number.accepts(node):
            return self._number.read(reading, node, path)
        return node.value if isinstance(node, Scalar) else None


class Items(Plan):
    """A list of one kind of thing."""

    def __init__(self, item: Plan, least: int) -> None:
        self.item = item
        self.least = least
        self.expected = f"a list of {_many(item)}"

    def accepts(self, node: Node) -> bool:
        return isinstance(node, Listing)

    def blank(self) -> Any:
        return []

    def read(self, reading: Reading, node: Node, path: Path) -> Any:
        if not isinstance(node, Listing):
            if len(path) == 1 and isinstance(node, Scalar) and node.value is None:
                return []  # `tests:` whose items are all commented out
            return self.mistyped(reading, node, path, self._hint(node, path))
        if len(node.items) < self.least:
            reading.unread.add(path)
            reading.report(node, "empty", f"expected {self.expected}, got an empty one - at {shown(path)}")
        return [self.item.read(reading, item, (*path, i)) for i, item in enumerate(node.items)]

    def _hint(self, node: Node, path: Path) -> str:
        if isinstance(node, Scalar) and node.value is not None and isinstance(self.item, Text):
            return f"write {path[-1]}: [{_quoted(node.text)}]"
        return "begin every item with a dash (`- `)" if isinstance(node, Mapping) else ""


class Table(Plan):
    """Keys that the user chooses, each with one kind of value."""

    def __init__(self, key: Plan, value: Plan) -> None:
        self.key = key
        self.value = value
        self.expected = "a block of keys"

    def accepts(self, node: Node) -> bool:
        return isinstance(node, Mapping)

    def blank(self) -> Any:
        return {}

    def read(self, reading: Reading, node: Node, path: Path) -> Any:
        if not isinstance(node, Mapping):
            if len(path) == 1 and isinstance(node, Scalar) and node.value is None:
                return {}  # `segments:` whose entries are all commented out
            hint = "write `key:` instead of the dashes" if isinstance(node, Listing) else ""
            return self.mistyped(reading, node, path, hint)
        made = {}
        for name, entry in node.entries.items():
            at = (*path, name)
            if entry.key.value == name:  # else it is no text, and `compose` said so
                self.key.read(reading, entry.key, at)
            made[name] = self.value.read(reading, entry.value, at)
        return made


class Either(Plan):
    """Several kinds: the first that accepts the node reads it."""

    def __init__(self, plans: Sequence[Plan], expected: str = "") -> None:
        self.plans = plans
        self.expected = expected or " or ".join(dict.fromkeys(plan.expected for plan in plans))

    def accepts(self, node: Node) -> bool:
        return any(plan.accepts(node) for plan in self.plans)

    def blank(self) -> Any:
        return self.plans[0].blank()

    def read(self, reading: Reading, node: Node, path: Path) -> Any:
        for plan in self.plans:
            if plan.accepts(node):
                return plan.read(reading, node, path)
        if any(isinstance(plan, Condition) for plan in self.plans):
            return self.plans[0].read(reading, node, path)
        return self.mistyped(reading, node, path)


def _digits(value: int) -> str:
    """The number as text; Python refuses to print more than some thousand digits."""
    return str(value) if abs(value) < 10**60 else "a number of many digits"


def _many(item: Plan) -> str:
    return f"{item.noun.removeprefix('a ')}s"


def _quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text and "\\" not in text else "'" + text.replace("'", "''") + "'"


def _comment_hint(reading: Reading, node: Scalar, path: Path) -> str:
    """`selector: #cta`: for YAML, a comment."""
    key = find(reading.root, path)[0]
    start = key.end + 1 if key is not None else node.end
    rest = reading.source.text[start:].split("\n", 1)[0].strip()
    if rest.startswith("#") and len(rest) > 1 and rest[1] not in " #":
        before = "-" if isinstance(path[-1], int) else f"{path[-1]}:"
        return f"for YAML, ` #` begins a comment: write {before} {_quoted(rest)}"
    return ""

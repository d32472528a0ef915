"""From a file's text to the YAML tree, over libyaml's event stream.

What lives here: the composer, and what of YAML a rule file may not use. What may not: what keys mean (one exception:
the correction of a mangled condition is shown for the keys that hold conditions).

1. Events, never `yaml.compose`: that one recurses in C and 100,000 brackets crash the process. The stack is a list.
2. Refused, each with its own message: tags, anchors, aliases, merge keys, keys that are no text, the same key twice,
   several documents, nesting deeper than `limits.YAML_DEPTH`. Reading goes on behind each of them.
3. What libyaml gives up on is explained by `syntax`; then the lines at fault are blanked and the file is read
   again, so that everything else in it is checked in the same run (`repair`).
4. Scalars stay text; `nodes.Scalar.value` says what YAML 1.2 takes a plain one for.
"""

from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

import yaml
from msgspec import Struct

from engine import limits
from engine.problems import Problem
from engine.rules.yaml import plain, repair, syntax
from engine.rules.yaml.nodes import Broken, Entry, Listing, Mapping, Node, Scalar
from engine.rules.yaml.source import Source

_Event: TypeAlias = Any  # libyaml's events; the published types know neither their marks nor their tags

_REPAIRS = 100  # syntax errors shown of one file
_REPAIRED_CHARS = 8_000_000  # read again and again because of them: about two seconds at worst


class Composed(Struct, frozen=True):
    """A file's tree. `root` None: no keys. `lost` are the words of lines that could not be read."""

    root: Mapping | None
    problems: list[Problem]
    lost: frozenset[str] = frozenset()


def compose(source: Source) -> Composed:
    """The tree of what can be read, and every problem. Never raises for what a file holds."""
    text, blanked = source.text, repair.Blanked(source)
    found: list[Problem] = []
    for _ in range(min(_REPAIRS, 1 + _REPAIRED_CHARS // (len(source.text) + 1))):
        composer = _Composer(source, blanked.values)
        try:
            root = composer.run(text)
        except (yaml.YAMLError, syntax.TooDeep) as error:
            finding = syntax.explain(source, composer.trail(composer.frames), error)
            found += blanked.take(finding)
            text = blanked.text
            if not text.strip():
                return Composed(None, found, blanked.words())
        else:
            blanked.mark(root)
            return Composed(root, found + composer.problems, blanked.words())
    return Composed(None, found, repair.words(source.lines))


class _Frame:
    """A list or mapping that is still open; `key` waits for its value."""

    __slots__ = ("broken", "key", "node")

    def __init__(self, node: Mapping | Listing, *, broken: bool) -> None:
        self.node = node
        self.key: Scalar | Broken | None = None
        self.broken = broken


class _Composer:
    """One pass over the events of a text."""

    def __init__(self, source: Source, refused: Collection[int]) -> None:
        self.source = source
        self.refused = refused  # where values begin that `repair` took out
        self.problems: list[Problem] = []
        self.frames: list[_Frame] = []
        self.root: Node | None = None
        self.last: Scalar | None = None

    def run(self, text: str) -> Mapping | None:
        events: Iterator[_Event] = yaml.parse(text, Loader=yaml.CSafeLoader)
        for event in events:
            what = type(event)
            if what is yaml.ScalarEvent:
                self._scalar(event)
            elif what is yaml.MappingStartEvent:
                self._open(event, Mapping(self.source, event.start_mark.index, 0, event.flow_style, {}))
            elif what is yaml.SequenceStartEvent:
                self._open(event, Listing(self.source, event.start_mark.index, 0, event.flow_style, []))
            elif what is yaml.MappingEndEvent or what is yaml.SequenceEndEvent:
                self._close(event.end_mark.index if self.frames[-1].node.flow else event.start_mark.index)
            elif what is yaml.AliasEvent:
                alias = Broken(self.source, event.start_mark.index, event.end_mark.index)
                self._attach(self._refused(event, alias))
            elif what is yaml.DocumentStartEvent and self.root is not None:
                self._second_document(event)
                break
        return self._checked_root()

    def _scalar(self, event: _Event) -> None:
        scalar = Scalar(self.source, event.start_mark.index, event.end_mark.index, event.value, event.style or "")
        if scalar.start in self.refused:
            self._attach(Broken(self.source, scalar.start, scalar.end))
        elif event.tag is None and event.anchor is None:
            self.last = scalar
            self._attach(scalar)
        else:
            self._attach(self._refused(event, scalar))

    def _open(self, event: _Event, node: Mapping | Listing) -> None:
        if len(self.frames) >= limits.YAML_DEPTH:
            raise syntax.TooDeep(event.start_mark.index)
        refused = event.tag is not None or event.anchor is not None
        broken = refused and isinstance(self._refused(event, node), Broken)
        self.frames.append(_Frame(node, broken=broken))

    def _close(self, end: int) -> None:
        frame = self.frames.pop()
        frame.node.end = end
        self._attach(Broken(self.source, frame.node.start, end) if frame.broken else frame.node)

    def _attach(self, node: Node) -> None:
        """Puts a complete node where it belongs: the root, the next item, a key, or the value of the waiting key."""
        if not self.frames:
            self.root = node
            return
        frame = self.frames[-1]
        if isinstance(frame.node, Listing):
            frame.node.items.append(node)
        elif frame.key is None:
            frame.key = self._key(frame.node, node)
        else:
            if isinstance(frame.key, Scalar):
                frame.node.entries[frame.key.text] = Entry(frame.key, node)
            frame.key = None

    def _key(self, mapping: Mapping, node: Node) -> Scalar | Broken:
        """The key, if it may stand; a refused one swallows its value."""
        if isinstance(node, Scalar):
            first = mapping.entries.get(node.text)
            if first is not None:
                message = f"duplicate key `{_short(node.text)}`: it stands already at line {first.key.line}"
                self._report(
                    node, "duplicate-key", message, "YAML would silently keep one of them: join or rename them"
                )
                return Broken(self.source, node.start, node.end)
            if node.style or (isinstance(plain.value(node.text), str) and node.text != "<<"):
                return node
        mapping.partial = True
        return self._refused_key(node)

    def _refused_key(self, node: Node) -> Scalar | Broken:
        code = "key-not-text"
        if isinstance(node, Scalar) and node.text == "<<":
            self._report(node, "merge-key", "merge keys (`<<`) are not used in rule files", "write the keys out")
        elif isinstance(node, Scalar) and node.text:
            message = f"a key must be text, and YAML reads `{_short(node.text)}` as {kind(node)}"
            self._report(node, code, message, f'write it in quotes: "{_short(node.text)}":')
            return node
        elif isinstance(node, Scalar):
            self._report(node, code, "a key is missing before the colon")
        elif self.source.text.startswith("{{", node.start - 1):
            self._unquoted_template(node.start - 1)
        elif not isinstance(node, Broken):
            self._report(node, code, f"a key must be text, not {kind(node)}")
        return Broken(self.source, node.start, node.end)

    def _unquoted_template(self, start: int) -> None:
        """`text: {{ traits.company }}`: YAML takes it for nested blocks of keys; all of it is refused."""
        self.frames[-1].broken = True
        trail = self.trail(self.frames[:-1])
        self.problems.append(syntax.mangled_value(self.source, trail, start))

    def _refused(self, event: _Event, node: Node) -> Node:
        """Reports a tag, anchor or alias. What only has an anchor can be read all the same."""
        trail = self.trail(self.frames)
        collection = isinstance(node, Mapping | Listing)
        is_value = bool(trail.before) and (trail.before == "-" or trail.value is None)
        if is_value and trail.condition and not collection:
            self.problems.append(syntax.mangled_value(self.source, trail, node.start))
        else:
            sign = self.source.text[node.start]
            word = {"!": "tags (`!`)", "&": "anchors (`&`)"}.get(sign, "aliases (`*`)")
            hint = "write the value out" + (f"; a text that begins with `{sign}` stands in quotes" if is_value else "")
            self._report(node, "yaml-feature", f"{word} are not used in rule files", hint, width=1)
        if collection and event.tag is None:
            return node
        return Broken(self.source, node.start, node.end)

    def _second_document(self, event: _Event) -> None:
        start = event.start_mark.index
        message = "a second YAML document begins here, and a rule file is only one"
        hint = "remove the `---`, or make the rest a file of its own"
        self.problems.append(self.source.problem(start, start + 3, "several-documents", message, hint))

    def _checked_root(self) -> Mapping | None:
        if self.root is None or isinstance(self.root, Mapping):
            return self.root
        if not (isinstance(self.root, Scalar) and self.root.value is None) and not isinstance(self.root, Broken):
            message = f"expected keys such as `segments:` or `experiences:`, got {kind(self.root)}"
            self._report(self.root, "no-keys", message)
        return None

    def _report(self, node: Node, code: str, message: str, hint: str = "", width: int | None = None) -> None:
        if len(self.problems) >= limits.RULE_FILE_PROBLEMS:
            return
        end = node.end if width is None else node.start + width
        self.problems.append(self.source.problem(node.start, end, code, message, hint))

    def trail(self, frames: list[_Frame]) -> syntax.Trail:
        """Where the reading stands in these open lists and mappings: whose value comes next, or came last."""
        if not frames:
            return syntax.Trail(last=self.last)
        node, waiting = frames[-1].node, frames[-1].key
        opened = next((frame.node.start for frame in reversed(frames) if frame.node.flow), None)
        if isinstance(node, Listing):
            key = next((frame.key for frame in reversed(frames) if isinstance(frame.key, Scalar)), None)
            value = node.items[-1] if node.items else None
            after = value.end if value else node.start
            return syntax.Trail(key.text if key else "", "-", after, value, opened, self.last)
        value = None
        if waiting is None and node.entries:
            entry = next(reversed(node.entries.values()))
            waiting, value = entry.key, entry.value
        if not isinstance(waiting, Scalar):
            return syntax.Trail(opened=opened, last=self.last)
        return syntax.Trail(waiting.text, f"{_short(waiting.text)}:", waiting.end, value, opened, self.last)


def kind(node: Node) -> str:
    """What a node is, in the words of messages."""
    if isinstance(node, Mapping):
        return "a block of keys"
    if isinstance(node, Listing):
        return "a list"
    value = node.value if isinstance(node, Scalar) else ""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "a boolean"
    return "a number" if isinstance(value, int | float) else "a text"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"

"""What is known of a visitor at a path, and why a test is neither true nor false.

What lives here: the way from a path to its value, and from an unknown back to what made it so. What may not: truth;
what an expression comes to is asked of the reference implementation (`cel.oracle`), part by part.

1. A cause is found by asking the parts: an expression without a value either has a part without one (then the cause
   is there) or all its parts have one (then it is the cause itself). What a loop binds is not asked apart.
2. A path without a value was *never sent* (absent), was sent and is *unusable* under its declaration, or leads
   through something that has no members (unlike).
3. Anything else without a value was given something that it cannot take (unlike), or is an error of its own.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from engine.cel.oracle import Failure, value
from engine.cel.scope import ROOTS
from engine.cel.tree import Call, Comprehension, Const, Ident, Node
from engine.cel.vocabulary import operator
from engine.cel.walk import children, walk, walk_free
from engine.cel.wire import cut
from engine.decide.coerce import in_words
from engine.decide.explanation import Cause, Fact, plain, readable
from engine.decide.render import Roots
from engine.rules.doubts.celtext import path as path_of
from engine.rules.notation.slots import shown
from engine.words import TraitDeclaration, Traits

_ABSENT: Final = object()
_WORDS_CHARS = 60  # of a visitor's value within a sentence; the whole stands in its fact
_TYPES = {"string": "text", "number": "number", "boolean": "`true` or `false`", "timestamp": "timestamp with a zone"}


class Facts:
    """What is known at one page view: `sent` are the traits as they came, `roots` what conditions see."""

    def __init__(self, roots: Roots, sent: Traits, declared: dict[str, TraitDeclaration], unusable: tuple[str, ...]):
        self.bindings: dict[str, Any] = dict(zip(ROOTS, roots, strict=True))
        self._sent = sent
        self._declared = declared
        self._unusable = frozenset(unusable)
        self._values: dict[tuple[bytes, int], Any] = {}  # by condition and node

    def at(self, path: tuple[str, ...]) -> Fact:
        """What is known at a path."""
        found, name = self._find(path), shown(path)
        if path[0] == "traits" and len(path) > 1 and path[1] in self._declared:
            return self._declared_fact(path, name, found)
        return Fact(name, "absent") if found is _ABSENT else Fact(name, "known", plain(found))

    def unusable(self) -> Iterator[Fact]:
        """The declared traits that came with a value of another type."""
        return (self.at(("traits", name)) for name in sorted(self._unusable))

    def in_(self, node: Node) -> Iterator[Fact]:
        """The facts that an expression looks at, each once, in the order of its text."""
        inside: set[int] = set()  # parts of paths that were taken as a whole
        seen: set[tuple[str, ...]] = set()
        for part, bound in walk_free(node):
            path = None if id(part) in inside else _path(part)
            if path is None or path[0] in bound or path[0] not in self.bindings:
                continue
            inside.update(map(id, walk(part)))
            if path not in seen:
                seen.add(path)
                yield self.at(path)

    def causes(self, checked: bytes, node: Node) -> Iterator[Cause]:
        """Why an expression has no value, or (where it has one) why that is no truth."""
        came = self.value(checked, node)
        if isinstance(came, Failure):
            found = {cause.words: cause for cause in self._failing(checked, node, came)}
            yield from found.values()
        else:
            path = _path(node)
            subject = f"`{shown(path)}`" if path else "this"
            yield Cause("unlike", shown(path) if path else "", f"{subject} is {in_sentence(came)}, not true or false")

    def value(self, checked: bytes, node: Node) -> Any:
        """What the reference implementation says that a part of an expression comes to; each part is asked once."""
        if isinstance(node, Const):
            return node.value
        if isinstance(node, Ident) and node.name in self.bindings:
            return self.bindings[node.name]
        asked = checked, node.id
        if asked not in self._values:
            self._values[asked] = value(cut(checked, node), self.bindings)
        return self._values[asked]

    def _failing(self, checked: bytes, node: Node, failure: Failure) -> Iterator[Cause]:
        values = [(part, self.value(checked, part)) for part in _parts(node)]
        deeper = [(part, came) for part, came in values if isinstance(came, Failure)]
        if deeper:
            for part, came in self._asked(checked, node, deeper):
                yield from self._failing(checked, part, came)
            return
        path = _path(node)
        if path is not None and path[0] in self.bindings:
            yield self._missing(path)
        else:
            yield _operation(node, [came for _, came in values], failure)

    def _asked(self, checked: bytes, node: Node, parts: list[tuple[Node, Failure]]) -> list[tuple[Node, Failure]]:
        """Of `a ? b : c` only the parts that were asked."""
        if not (isinstance(node, Call) and node.function == "_?_:_"):
            return parts
        choice = self.value(checked, node.args[0])
        asked = node.args[0] if not isinstance(choice, bool) else node.args[1 if choice else 2]
        return [(part, came) for part, came in parts if part is asked] or parts

    def _missing(self, path: tuple[str, ...]) -> Cause:
        """Why there is no value at a path."""
        name, value = shown(path), self.bindings[path[0]]
        for depth, key in enumerate(path[1:], 1):
            if type(value) is not dict:
                before = shown(path[:depth])
                return Cause("unlike", name, f"`{before}` is {in_sentence(value)}, which has no `{readable(key)}`")
            if key not in value:
                return self._absent(path, depth, name)
            value = value[key]
        return Cause("error", name, f"`{name}` is a value that conditions cannot hold")

    def _absent(self, path: tuple[str, ...], depth: int, name: str) -> Cause:
        root, key = path[0], readable(path[depth])
        if root == "traits" and depth == 1:
            if path[1] in self._unusable:
                type_ = _TYPES[self._declared[path[1]].type or "string"]
                sent = in_sentence(self._sent[path[1]])
                return Cause(
                    "unusable", name, f"trait `{key}` was sent as {sent}, which is no {type_}, so it counts as unknown"
                )
            return Cause("absent", name, f"no trait `{key}`: never sent at all")
        if root == "account" and depth == 1:
            why = "never sent at all" if self.bindings["account"] else "no account is known at all"
            return Cause("absent", name, f"no account trait `{key}`: {why}")
        if root == "salesforce" and depth == 1:
            return Cause("absent", name, f"no Salesforce {key} is known at all")
        if path[:2] == ("page", "query") and depth == 2:
            return Cause("absent", name, f"the URL has no query parameter `{key}`")
        if depth == 1:
            return Cause("absent", name, f"`{name}` is not known of this visit")
        return Cause("absent", name, f"`{shown(path[:depth])}` has no `{key}`: never sent at all")

    def _find(self, path: tuple[str, ...]) -> Any:
        value = self.bindings[path[0]]
        for key in path[1:]:
            if type(value) is not dict or key not in value:
                return _ABSENT
            value = value[key]
        return value

    def _declared_fact(self, path: tuple[str, ...], name: str, found: Any) -> Fact:
        """What is known of a declared trait, or within one."""
        trait = path[1]
        if len(path) > 2:
            return Fact(name, "absent") if found is _ABSENT else Fact(name, "known", plain(found))
        sent = plain(self._sent.get(trait))
        if trait in self._unusable:
            return Fact(name, "unusable", None, sent) if found is _ABSENT else Fact(name, "default", plain(found), sent)
        if found is _ABSENT:
            return Fact(name, "absent")
        if self._sent.get(trait) is None:
            return Fact(name, "default", plain(found))
        if plain(found) == sent and type(found) is type(self._sent[trait]):
            return Fact(name, "known", sent)
        return Fact(name, "coerced", plain(found), sent)


def in_sentence(value: Any) -> str:
    """A value as a sentence names it: `the text "45 people"`."""
    kind = type(value)
    if kind is list or kind is dict:
        noun = "list" if kind is list else "map"
        return f"a {noun} of {len(value)}" if value else f"an empty {noun}"
    words = in_words(value)
    if words is None:
        return {timedelta: "a duration", bytes: "bytes", float: f"the number {value}"}.get(kind, "no plain value")
    words = readable(words if len(words) <= _WORDS_CHARS else words[: _WORDS_CHARS - 1] + "…")
    if kind is str:
        return f'the text "{words}"'
    return {bool: words, datetime: f"the moment {words}"}.get(kind, f"the number {words}")


def _path(node: Node) -> tuple[str, ...] | None:
    """`traits.plan`, `traits["plan"]` and `traits.?plan` as `("traits", "plan")`; None where it is no path."""
    if isinstance(node, Call) and node.function in {"_?._", "_[?_]"}:
        before, key = _path(node.args[0]), getattr(node.args[1], "value", None)
        return (*before, key) if before is not None and isinstance(key, str) else None
    return path_of(node)


def _parts(node: Node) -> tuple[Node, ...]:
    """The parts that can be asked apart: not within a loop, which binds names, and no optional values."""
    below = (node.iter_range, node.accu_init) if isinstance(node, Comprehension) else children(node)
    return tuple(part for part in below if not part.type.startswith("optional_type"))


def _operation(node: Node, values: list[Any], failure: Failure) -> Cause:
    """An operation whose operands are known, and that has no value all the same."""
    name = _name(node)
    taken = " and ".join(in_sentence(came) for came in values)
    said = failure.message.partition(": ")[2] or failure.message
    if any(word in said for word in ("overload", "convert", "conversion", "non-message")):
        about = f"`{name}` cannot take {taken}" if taken else f"`{name}` cannot take what it is given"
        paths = [path for part in _parts(node) if (path := _path(part)) is not None]
        return Cause("unlike", shown(paths[0]) if paths else "", about)
    return Cause("error", "", f"`{name}` fails: {readable(said)}")


def _name(node: Node) -> str:
    if isinstance(node, Call):
        return operator(node.function) or node.function
    return "a loop" if isinstance(node, Comprehension) else "this"

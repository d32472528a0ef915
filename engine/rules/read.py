"""From the YAML tree to the shape, with every problem on the way.

What lives here: the walk that a type drives, and blocks of keys. What may not: what the values of texts mean (build),
how each kind of value is read (`values`).

1. `plan` turns a type of `shape` into a `Plan` once; reading a file runs plans. A new key needs nothing here.
2. Nothing stops at the first problem: a plan that cannot read reports and gives its `blank`, so that lists keep their
   length and paths stay exact; `unread` remembers where.
3. One mistake is one problem: a misspelt key is not missing as well, and what `compose` refused is not missed.
"""

from typing import Any

import msgspec.inspect as types
from msgspec import NODEFAULT

from engine.problems import Problem, did_you_mean
from engine.rules import values
from engine.rules.document import Document, Path
from engine.rules.plans import Plan, Reading, short, shown
from engine.rules.shape import RuleFile
from engine.rules.yaml.compose import Composed
from engine.rules.yaml.nodes import Entry, Mapping, Node, find
from engine.rules.yaml.source import Source

# What people write who know another tool, and what it is called here.
_OTHER_WORDS = {
    "condition": "when", "conditions": "when", "if": "when", "rule": "when", "unless": "except", "exclude": "except",
    "goals": "conversions", "goal": "conversions", "audience": "audiences", "variations": "variants",
    "page": "pages", "urls": "pages", "state": "status", "group": "exclusion_group", "css": "style", "class": "classes",
    "visitor_id": "visitorId", "visitor": "visitorId",
}  # fmt: skip


def read(source: Source, composed: Composed) -> tuple[Document, list[Problem]]:
    """The file's shape as far as it can be read, and what is wrong with it."""
    root = composed.root
    reading = Reading(source, root)
    shape = RuleFile() if root is None else _FILE.read(reading, root, ())
    return Document(source, shape, root, frozenset(reading.unread)), reading.problems


class Block(Plan):
    """A struct: known keys, some of which must be there."""

    def __init__(self, type_: types.StructType) -> None:
        self.cls = type_.cls
        self.expected = f"keys such as `{type_.fields[0].encode_name}:`"
        self.plans = {field.encode_name: (field.name, plan(field.type)) for field in type_.fields}
        self.required = tuple(field.encode_name for field in type_.fields if field.required)
        self.defaults = {f.name: f.default for f in type_.fields if not f.required and f.default is not NODEFAULT}

    @property
    def noun(self) -> str:
        return str(self.cls.__name__.lower())

    def accepts(self, node: Node) -> bool:
        return isinstance(node, Mapping)

    def blank(self) -> Any:
        made = {self.plans[name][0]: self.plans[name][1].blank() for name in self.required}
        return self.cls(**made)

    def read(self, reading: Reading, node: Node, path: Path) -> Any:
        if not isinstance(node, Mapping):
            return self.mistyped(reading, node, path)
        made: dict[str, Any] = {}
        suggested: set[str] = set()
        for key, entry in node.entries.items():
            known = self.plans.get(key)
            if known is None:
                suggested.add(self._unknown(reading, entry, path))
                continue
            name, value_plan = known
            value = value_plan.read(reading, entry.value, (*path, key))
            # An optional value that could not be read counts as left out.
            unread = name in self.defaults and (*path, key) in reading.unread
            made[name] = self.defaults[name] if unread else value
        for key in self.required:
            name, value_plan = self.plans[key]
            if name not in made:
                made[name] = value_plan.blank()
                reading.unread.add((*path, key))
                if not node.partial and key not in suggested:
                    self._missing(reading, key, path)
        return self.cls(**made)

    def _missing(self, reading: Reading, key: str, path: Path) -> None:
        """At the block's own key; of a list's item, at the item."""
        own, block = find(reading.root, path)
        place = own or block
        if place is not None:
            hint = f"expected {self.plans[key][1].expected}"
            reading.report(place, "missing-key", f"missing key `{key}`{_at(path)}", hint)

    def _unknown(self, reading: Reading, entry: Entry, path: Path) -> str:
        """Reports an unknown key; the known one that was probably meant, or "" ."""
        if reading.full:
            return ""
        key = entry.key.text
        meant = _OTHER_WORDS.get(key.lower(), "")
        hint = f"did you mean `{meant}`?" if meant in self.plans else did_you_mean(key[:80], self.plans)
        suggested = hint.split("`")[1] if hint else ""
        if reading.source.text[entry.key.end : entry.key.end + 1] in (",", "}"):
            if any(split[:-1] == path for split in reading.split):
                return ""  # the rest of a condition that was split at a comma
            hint = "inside { }, YAML splits at every comma: quote the value if this belongs to it"
        hint = hint or "known here: " + ", ".join(self.plans)
        reading.report(entry.key, "unknown-key", f"unknown key `{short(key)}`{_at(path)}", hint)
        return suggested


def plan(type_: types.Type, extra: dict[str, Any] | None = None) -> Plan:
    """How values of a type are read; `extra` are the user's words for it (`shape`, point 5)."""
    extra = extra or {}
    if isinstance(type_, types.Metadata):
        return plan(type_.type, {**extra, **(type_.extra or {})})
    if isinstance(type_, types.UnionType):
        return _union(type_, extra)
    if isinstance(type_, types.StructType):
        return Block(type_)
    if isinstance(type_, types.ListType):
        return values.Items(plan(type_.item_type), type_.min_length or 0)
    if isinstance(type_, types.DictType):
        return values.Table(plan(type_.key_type), plan(type_.value_type))
    if isinstance(type_, types.LiteralType):
        return values.Choice(tuple(str(value) for value in type_.values))
    if isinstance(type_, types.StrType):
        return values.condition_or_text(type_, extra)
    if isinstance(type_, types.IntType):
        return values.Whole(type_.ge, type_.le)
    if isinstance(type_, types.BoolType):
        return values.Flag()
    if isinstance(type_, types.FloatType):
        return values.Number()
    if isinstance(type_, types.AnyType):
        return values.Anything()
    raise TypeError(f"shape uses a type that nobody can read: {type_}")


def _union(type_: types.UnionType, extra: dict[str, Any]) -> Plan:
    plans = [plan(option, extra) for option in type_.types if not isinstance(option, types.NoneType)]
    return plans[0] if len(plans) == 1 else values.Either(plans, extra.get("expected", ""))


def _at(path: Path) -> str:
    return f" - at {shown(path)}" if path else ""


_FILE = plan(types.type_info(RuleFile))

"""Doubts about rules that ask for what nobody ever sent.

What lives here: traits that nobody has, comparisons with a kind of value that nobody has, goals whose event never
came. What may not: stores and records (what was seen comes in as `Seen`), doubts that files alone raise.

1. Of the roots only `traits` and `account` are looked at, and only while any trait was seen at all; goals only while
   any event was: of a store that is not fed yet nothing can be learned.
2. A name is doubted once a condition or template, at its first place; a condition that asks for a name that nobody has
   is not asked for kinds of it as well. What was sent once and nobody has any more is not doubted.
3. A declared type decides the kind, so comparisons of such a trait are left to lint_segments.py.
4. A comparison is doubted only where no kind that it could be true of was ever seen. `!= ""` means "is there".
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from engine.cel.closed import asked
from engine.cel.scope import TIMESTAMP
from engine.cel.tree import Call, Const, Ident, MakeList, Node, Select
from engine.cel.walk import walk_free
from engine.cel.wire import read
from engine.problems import Problem
from engine.rules.desk import Desk, Parsed
from engine.rules.doubts.celtext import path, start, written
from engine.rules.doubts.demands import Kind, value
from engine.rules.doubts.fields import ROOT as SALESFORCE
from engine.rules.doubts.seen import ROOTS, Seen, SeenTrait
from engine.rules.notation import slots
from engine.words import Ruleset

_KINDS = {"string": "string", "int": "number", "uint": "number", "double": "number", "bool": "boolean"}
_KINDS[TIMESTAMP] = "timestamp"
ONE = {"string": "a text", "number": "a number", "boolean": "true or false", "timestamp": "a timestamp"}
MANY = {
    "string": "texts",
    "number": "numbers",
    "boolean": "true or false",
    "timestamp": "timestamps",
    "list": "lists",
    "map": "groups of values",
}
_COMPARISONS = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
_ON_TEXT = frozenset({"startsWith", "endsWith", "contains", "matches"})
_TRUTHS = frozenset({"_&&_", "_||_", "!_"})
_LATER = "right only where pages send it themselves, or Segment is about to"
Trait = tuple[str, ...]


class Comparison(Struct, frozen=True):
    """A trait, or a field of a Salesforce record, that is compared with values of these kinds."""

    trait: Trait
    kinds: frozenset[Kind]
    node: Node
    constant: str


def unseen(desks: Iterable[Desk], ruleset: Ruleset, seen: Seen) -> Iterator[Problem]:
    """Every doubt about what rules ask for."""
    known = any(seen.roots.values())
    for desk in desks:
        if seen.events:
            yield from _goals(desk, seen)
        if not known:
            continue
        for parsed in desk.parsed:
            if parsed.path[0] == "segments":
                yield from _condition(parsed, ruleset, seen)
        for at, text in desk.templates:
            yield from _template(desk, at, text, seen)


def _condition(parsed: Parsed, ruleset: Ruleset, seen: Seen) -> Iterator[Problem]:
    text, told = parsed.condition.text, set[Trait]()
    tree = read(parsed.condition.checked)
    for (root, name), near in _names(tree):
        if seen.of(root, name) is None and (root, name) not in told:
            told.add((root, name))
            found = text.find(name, near)
            at, width = (found, len(name)) if found >= 0 else (near, 1)
            yield parsed.doubt("unseen-trait", *_nobody(root, name, seen), at, width)
    for one in comparisons(tree):
        if one.trait[0] not in ROOTS:
            continue
        known = seen.of(*one.trait)
        declared = ruleset.traits.get(one.trait[1]) if one.trait[0] == "traits" else None
        kinds = set(known.kinds) if known else set()
        if declared is not None and declared.default is not None:
            kinds.add(_kind_of(declared.default))
        fits = declared is not None and declared.type is not None
        if known is None or not known.kinds or fits or kinds & one.kinds or one.trait in told:
            continue
        told.add(one.trait)
        yield parsed.doubt("unseen-type", *_unlike(one, known), max(0, start(one.node)), len(written(one.node)))


def _template(desk: Desk, at: tuple[str | int, ...], text: str, seen: Seen) -> Iterator[Problem]:
    parts = slots.cut(text, desk.known.insertable)[0] if "{{" in text else []
    told = set[Trait]()
    for part in parts:
        if not isinstance(part, slots.Hole) or part.path[0] not in ROOTS or part.path[:2] in told:
            continue
        root, name = part.path[:2]
        told.add((root, name))
        if seen.of(root, name) is None:
            message, hint = _nobody(root, name, seen)
            yield desk.document.problem(
                at, "unseen-trait", message, hint, offset=part.offset, width=part.width, severity="warning"
            )


def _goals(desk: Desk, seen: Seen) -> Iterator[Problem]:
    for key, goal in desk.document.shape.conversions.items():
        if goal.event not in seen.events:
            message = f"no event `{goal.event}` was ever sent"
            hint = seen.nearest_event(goal.event) or "right only where it is about to be sent"
            path = ("conversions", key, "event")
            yield desk.document.problem(path, "unseen-event", message, hint, severity="warning")


def _nobody(root: str, name: str, seen: Seen) -> tuple[str, str]:
    message = f"none of {seen.whom} has `{slots.shown((root, name))}`"
    return message, seen.nearest(root, name) or _LATER


def _names(tree: Node) -> Iterator[tuple[Trait, int]]:
    """Every trait that is asked for, each with an offset at or before its name."""
    for node, bound in walk_free(tree):
        for root, name, near in asked(node):
            if root in ROOTS and root not in bound:
                yield (root, name), max(0, near)


def comparisons(tree: Node) -> Iterator[Comparison]:
    """Every comparison of a trait or field with values whose kind is plain to see."""
    yield from _bare(tree)
    for node, bound in walk_free(tree):
        if isinstance(node, Call):
            yield from (one for one in _compared(node) if one.trait[0] not in bound)


def _compared(node: Call) -> Iterator[Comparison]:
    args = node.args
    if node.function in _TRUTHS or node.function == "_?_:_":
        for arg in args if node.function in _TRUTHS else args[:1]:
            yield from _bare(arg)
    elif node.function in _COMPARISONS:
        for one, other in (args, args[::-1]):
            yield from _with(one, [other], node)
    elif node.function == "@in" and isinstance(args[1], MakeList):
        yield from _with(args[0], args[1].elements, node)
    elif node.function in _ON_TEXT and node.target is not None:
        trait = _trait(node.target)
        if trait is not None:
            yield Comparison(trait, frozenset({"string"}), node, "")


def _bare(node: Node) -> Iterator[Comparison]:
    """A trait that stands by itself where something true or false has to."""
    trait = _trait(node)
    if trait is not None:
        yield Comparison(trait, frozenset({"boolean"}), node, "")


def _with(left: Node, right: Iterable[Node], node: Node) -> Iterator[Comparison]:
    trait = _trait(left)
    values = list(right)
    kinds = [_kind(one) for one in values]
    empty = any(isinstance(one, Const) and one.value == "" for one in values)
    if trait is not None and kinds and all(kinds) and not empty:
        yield Comparison(trait, frozenset(kinds), node, written(values[0]) if len(values) == 1 else "")


def _trait(node: Node) -> Trait | None:
    found = None if isinstance(node, Select) and node.test_only else path(node)
    if found is None:
        return None
    return found if (len(found) == 2 and found[0] in ROOTS) or (len(found) == 3 and found[0] == SALESFORCE) else None


def _kind(node: Node) -> Kind:
    """The kind of a value, where it is plain to see."""
    known = value(node)
    if known is not None:
        return known[0] if known[0] in ONE else ""
    return "" if isinstance(node, Ident) and node.name != "now" else _KINDS.get(node.type, "")


def _kind_of(plain: object) -> Kind:
    return "boolean" if isinstance(plain, bool) else "string" if isinstance(plain, str) else "number"


def _unlike(one: Comparison, known: SeenTrait) -> tuple[str, str]:
    name = slots.shown(one.trait)
    with_ = " or ".join(ONE[kind] for kind in sorted(one.kinds))
    are = " or ".join(MANY.get(kind, kind) for kind in sorted(known.kinds))
    function = one.node.function if isinstance(one.node, Call) else ""
    what = f"is asked for {with_}" if function in {"", *_ON_TEXT} else f"is compared with {with_}"
    message = f"`{name}` {what}, but of {known.values:,} stored value{'s' * (known.values != 1)} all are {are}"
    return message, _meant(one, known)


def _meant(one: Comparison, known: SeenTrait) -> str:
    """What would be right, where that is plain."""
    root, trait = one.trait
    wanted = next(iter(one.kinds)) if len(one.kinds) == 1 else ""
    texts = known.kinds.get("string", 0)
    function = one.node.function if isinstance(one.node, Call) else ""
    if root == "traits" and wanted in {"number", "boolean", "timestamp"} and known.texts.get(wanted, 0) * 2 > texts:
        counted = "all" if known.texts[wanted] == texts else f"{known.texts[wanted]:,}"
        return f"{counted} of these texts can be read as {ONE[wanted]}: `traits: {{{_key(trait)}: {{type: {wanted}}}}}`"
    digits = one.constant.strip('"')
    if wanted == "string" and "number" in known.kinds and function == "_==_" and digits.isdecimal():
        return f"`{slots.shown(one.trait)} == {digits}`"
    if root == "traits" and wanted == "string" and not {"list", "map"} & known.kinds.keys():
        return f"to have it as text: `traits: {{{_key(trait)}: {{type: string}}}}`"
    if "list" in known.kinds and one.constant and function in {"_==_", "_!=_"}:
        inside = f"{one.constant} in {slots.shown(one.trait)}"
        return f"`{inside}`" if function == "_==_" else f"`!({inside})`"
    return ""


def _key(name: str) -> str:
    return slots.shown(("", name)).removeprefix(".").removeprefix("[").removesuffix("]")

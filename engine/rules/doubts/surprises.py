"""The surprise of DESIGN 3: a visitor of whom nothing is known does not match `traits.plan != "enterprise"`. Pure.

What lives here: finding negations of facts that may be unknown, and what to write instead. What may not: places in
files, other doubts.

1. A *negation* is `!=`, or any other test under an odd number of `!`; `&&` and `||` are looked through (De Morgan).
2. It surprises only where the author did not think of the unknown. They did where, beside it in the same conjunction,
   `has()` or any positive test asks for the same fact, where an alternative (`||`, `?:`) asks `!has()`, where the
   comparison is with `""` or `null` (that *means* "is there"), or where the trait has a declared default.
3. A fact surprises once a segment, and a negation once, whatever the number of its facts.
"""

from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct, structs

from engine.cel.tree import Call, Const, Node, Select
from engine.rules.doubts.celtext import MACRO, Fact, conjuncts, disjuncts, facts, is_fact, path, start, written


class Surprise(Struct, frozen=True):
    """A negation at `offset` of the condition; `hint` has both ways to write what was meant."""

    offset: int
    width: int
    message: str
    hint: str


def surprises(conditions: Iterable[tuple[Node, str]], known: Collection[Fact]) -> list[list[Surprise]]:
    """The surprises of each condition (tree and text) of one conjunction, a segment's `when`.

    `known`: facts that are never missing, since they have a default.
    """
    all_of = list(conditions)
    guards = frozenset(known) | _guards([part for tree, _ in all_of for part in conjuncts(tree)])
    seen: set[Fact] = set()
    return [list(_look(tree, text, guards, seen)) for tree, text in all_of]


def _look(tree: Node, text: str, guards: frozenset[Fact], seen: set[Fact]) -> Iterator[Surprise]:
    for part in conjuncts(tree):
        units: dict[int, tuple[Node, list[Fact]]] = {}
        for fact, unit in _negations(part, guards, odd=False):
            if fact not in seen:
                seen.add(fact)
                units.setdefault(unit.id, (unit, []))[1].append(fact)
        for unit, unknown in units.values():
            yield _surprise(unit, unknown, text if unit is tree else "", alone=unit is part)


def _negations(node: Node, guards: frozenset[Fact], *, odd: bool) -> Iterator[tuple[Fact, Node]]:
    """Unguarded facts in negations, each with its whole negation. `odd`: under an odd number of `!`."""
    if isinstance(node, Call) and node.function == "!_":
        for fact, unit in _negations(node.args[0], guards, odd=not odd):
            yield fact, unit if odd else node
    elif isinstance(node, Call) and node.function in {"_&&_", "_||_"}:
        together = (node.function == "_&&_") != odd
        parts = conjuncts(node) if node.function == "_&&_" else disjuncts(node)
        guards |= _guards(parts, odd=odd) if together else _excused(parts, odd=odd)
        for part in parts:
            yield from _negations(part, guards, odd=odd)
    elif isinstance(node, Call) and node.function == "_?_:_":
        asked, then, otherwise = node.args
        yield from _negations(asked, guards, odd=odd)
        yield from _negations(then, guards | _guards(conjuncts(asked)), odd=odd)
        yield from _negations(otherwise, guards | _excused(disjuncts(asked), odd=False), odd=odd)
    elif _is_negative(node, odd=odd):
        yield from ((fact, node) for fact, _ in facts(node) if not _is_guarded(fact, guards))


def _is_negative(node: Node, *, odd: bool) -> bool:
    if isinstance(node, Call) and node.function == "_!=_":
        return not odd and not any(isinstance(arg, Const) and arg.value in ("", None) for arg in node.args)
    return odd


def _guards(parts: Iterable[Node], *, odd: bool = False) -> frozenset[Fact]:
    """Facts that a conjunction asks for by itself."""
    found: set[Fact] = set()
    for part in parts:
        bare, flipped = _unnegated(part)
        negated = odd != flipped
        asked = _asked_for(bare)
        if asked is not None:
            found |= set() if negated else {asked}
        elif isinstance(bare, Call) and bare.function in {"_&&_", "_||_", "_?_:_"}:
            continue
        elif not (_is_negative(bare, odd=negated)):
            found.update(fact for fact, _ in facts(bare))
    return frozenset(found)


def _excused(parts: Iterable[Node], *, odd: bool) -> frozenset[Fact]:
    """Facts of which an alternative says what happens without them: `!has(traits.plan) || …`."""
    found = set()
    for part in parts:
        bare, flipped = _unnegated(part)
        asked = _asked_for(bare)
        if asked is not None and odd != flipped:
            found.add(asked)
    return frozenset(found)


def _unnegated(node: Node) -> tuple[Node, bool]:
    odd = False
    while isinstance(node, Call) and node.function == "!_":
        node, odd = node.args[0], not odd
    return node, odd


def _asked_for(node: Node) -> Fact | None:
    """The fact of `has(traits.plan)` or `"plan" in traits`."""
    found: Fact | None = None
    if isinstance(node, Select) and node.test_only:
        above = path(node.operand)
        found = (*above, node.field) if above else None
    elif isinstance(node, Call) and node.function == "@in" and isinstance(node.args[0], Const):
        above = path(node.args[1])
        # A list's member is no key, but whoever tests a list for it asks for the list; that is no harm here.
        found = (*above, str(node.args[0].value)) if above else None
    return found if is_fact(found) else None


def _is_guarded(fact: Fact, guards: frozenset[Fact]) -> bool:
    return any(guard[: len(fact)] == fact for guard in guards)


def _surprise(unit: Node, unknown: list[Fact], text: str, *, alone: bool) -> Surprise:
    """`text`: the condition's, where the negation is all of it."""
    names = {fact: written(node) for fact, node in facts(unit)}
    listed = " or ".join(f"`{names[fact]}`" for fact in unknown)
    said, opposite = written(unit), _opposite(unit)
    if MACRO in said:
        said = text.strip() or "…"
        opposite = said.removeprefix("!") if said.startswith("!") else "…"
    return Surprise(
        offset=start(unit),
        width=len(said),
        message=f"visitors without {listed} do not match here: of them this is neither true nor false",
        hint=_hint(unit, said, opposite, alone=alone),
    )


def _hint(unit: Node, said: str, opposite: str, *, alone: bool) -> str:
    """Both ways, as text that can be pasted."""
    needed = list(dict.fromkeys(_has(node) for _, node in facts(unit)))
    out = " && ".join([*needed, said])
    without = " || ".join(f"!{has}" if has.startswith("has(") else f"!({has})" for has in needed)
    let_in = f"`except: {opposite}`, in place of this" if alone else f"`({without} || {said})`"
    return f"to leave them out, and say so: `{out}`\nto let them in: {let_in}"


def _has(node: Node) -> str:
    """`has(traits.plan)`, or for a name that is no identifier `"job title" in traits`."""
    if isinstance(node, Select):
        return f"has({written(node)})"
    if isinstance(node, Call):
        return f"{written(node.args[1])} in {written(node.args[0])}"
    return written(node)


def _opposite(unit: Node) -> str:
    """The test that is negated, without its negation."""
    if isinstance(unit, Call) and unit.function == "!_":
        return written(unit.args[0])
    if isinstance(unit, Call) and unit.function == "_!=_":
        return written(structs.replace(unit, function="_==_"))
    return f"!({written(unit)})"

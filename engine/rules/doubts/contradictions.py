"""Conditions that can never be true. Pure.

What lives here: contradictions between the parts of one conjunction, found without a visitor. What may not: what a
single part demands (demands.py), places in files, anything that is only unlikely.

1. All conditions of a conjunction are taken apart into literals: parts that must be true, parts that must be false.
2. Each is read as a demand on a term. Two demands on one term that exclude each other are a contradiction, and so is a
   set of values that the other demands empty; a part beside its own negation; a part without a term that is not true.
3. What is known beforehand counts: the types of `page`, `visit`, `device`, `geo`, declared types of traits,
   `fold: lower`, and that null is absent.
4. An `||` is looked at branch by branch, each with what stands around it: a branch that cannot be true is named.
5. When in doubt: possible. No false alarms; so some contradictions are not found.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from engine.cel.tree import Call, Ident, Node
from engine.cel.walk import walk
from engine.rules.doubts.celtext import MACRO, conjuncts, disjuncts, start, written
from engine.rules.doubts.demands import Demand, Kind, demand, excludes


class Term(Struct, frozen=True):
    """What is known of a term beforehand: its kind ("": any), if it is in small letters, and `why`."""

    kind: Kind
    why: str
    lower: bool = False


class Never(Struct, frozen=True):
    """A part of condition number `condition` that cannot be true: `width` characters from `offset` on."""

    condition: int
    offset: int
    width: int
    message: str
    hint: str = ""


class Literal(Struct, frozen=True, eq=False):
    """A part that must be true, or false where `odd`, for the whole to be true."""

    condition: int
    node: Node
    odd: bool
    demand: Demand | None

    @property
    def text(self) -> str:
        """As it reads in a message."""
        plain = written(self.node)
        if MACRO in plain:
            return "…"  # a macro has no text of its own any more
        if not self.odd:
            return plain
        return f"!({plain})" if " " in plain else f"!{plain}"


Terms = Callable[[str], Term | None]


def contradictions(conditions: list[Node], terms: Terms, is_true: Callable[[int, Node], bool]) -> list[Never]:
    """What can never be true where all of the conditions have to be. `is_true(number, part)` evaluates a part of a
    condition that asks for nothing."""
    return list(_Search(terms, is_true).look([(number, tree, False) for number, tree in enumerate(conditions)], []))


class _Search:
    def __init__(self, terms: Terms, is_true: Callable[[int, Node], bool]) -> None:
        self.terms = terms
        self.is_true = is_true

    def look(self, parts: list[tuple[int, Node, bool]], around: list[Literal]) -> Iterator[Never]:
        """`parts` have to be true together with `around`, which was looked at before."""
        literals: list[Literal] = []
        branches: list[tuple[int, Node, bool]] = []
        for part in parts:
            for number, node, odd in _conjuncts(*part):
                if _is_choice(node, odd=odd):
                    branches.append((number, node, odd))
                else:
                    literals.append(Literal(number, node, odd, demand(node, odd=odd)))
        wrong = next(self._conflicts(literals, around), None)
        if wrong is not None:
            yield wrong
            return
        for number, node, odd in branches:
            for branch in disjuncts(node) if not odd else conjuncts(node):
                yield from self.look([(number, branch, odd)], around + literals)

    def _conflicts(self, literals: list[Literal], around: list[Literal]) -> Iterator[Never]:
        before = list(around)
        for literal in literals:
            alone = self._alone(literal)
            if alone is not None:
                yield alone
            for earlier in before:
                if _is_negation(literal, earlier) or _conflict(literal, earlier):
                    yield _together(literal, earlier)
            emptied = _emptied(literal, before)
            if emptied:
                yield _together(literal, *emptied)
            before.append(literal)

    def _alone(self, literal: Literal) -> Never | None:
        """A literal that cannot be true by itself."""
        asked = literal.demand
        if not any(isinstance(node, Ident) for node in walk(literal.node)):
            true = self.is_true(literal.condition, literal.node)
            return None if true != literal.odd else _never(literal, f"`{literal.text}` is never true")
        if asked is None or asked.absent:
            return None
        if asked.values == ():
            return _never(literal, "nothing is in an empty list")
        if asked.kinds() == {"null"}:
            hint = f"`!has({asked.term})` is true of visitors without it"
            return _never(literal, "null is absent here, so nothing ever equals null", hint)
        return self._against_known(literal, asked)

    def _against_known(self, literal: Literal, asked: Demand) -> Never | None:
        term = self.terms(asked.term)
        if term is None:
            return None
        kinds = asked.kinds()
        if kinds is not None and term.kind and term.kind not in kinds:
            return _never(literal, f"`{literal.text}` can never be true: {term.why}", _as_kind(term.kind, asked))
        texts = [asked.prefix] if asked.prefix else [value for _, value in asked.values or ()]
        if term.lower and texts and all(isinstance(text, str) and text != text.lower() for text in texts):
            return _never(literal, f"`{literal.text}` can never be true: {term.why}", f'write `"{texts[0].lower()}"`')
        return None


def _conjuncts(number: int, node: Node, odd: bool) -> Iterator[tuple[int, Node, bool]]:  # noqa: FBT001  (a triple taken apart)
    """The literals of a part: `&&` that must be true, `||` that must be false, `!` looked through."""
    todo = [(node, odd)]
    while todo:
        part, negated = todo.pop()
        function = part.function if isinstance(part, Call) else ""
        if isinstance(part, Call) and function == "!_":
            todo.append((part.args[0], not negated))
        elif isinstance(part, Call) and function == ("_||_" if negated else "_&&_"):
            todo += [(arg, negated) for arg in reversed(part.args)]
        else:
            yield number, part, negated


def _is_choice(node: Node, *, odd: bool) -> bool:
    return isinstance(node, Call) and node.function == ("_&&_" if odd else "_||_")


def _is_negation(a: Literal, b: Literal) -> bool:
    return a.odd != b.odd and written(a.node) == written(b.node)


def _conflict(a: Literal, b: Literal) -> bool:
    return (
        a.demand is not None
        and b.demand is not None
        and a.demand.term == b.demand.term
        and excludes(a.demand, b.demand)
    )


def _emptied(literal: Literal, before: list[Literal]) -> list[Literal]:
    """Those that, together with the literal, leave none of the values that one of them asks for."""
    if literal.demand is None:
        return []
    same = [one for one in [*before, literal] if one.demand is not None and one.demand.term == literal.demand.term]
    for one in same:
        values = one.demand.values if one.demand is not None else None
        if values and not any(
            all(other.demand is not None and other.demand.allows(value) for other in same) for value in values
        ):
            return [other for other in same if other is not literal]
    return []


def _together(literal: Literal, *others: Literal) -> Never:
    listed = ", ".join(f"`{other.text}`" for other in others)
    hint = ""
    values = [value for one in (*others, literal) if one.demand for value in one.demand.values or ()]
    if literal.demand and len(values) == len(others) + 1 and all(kind == "string" for kind, _ in values):
        options = ", ".join(f'"{value}"' for _, value in values)
        hint = f"one or the other: `{literal.demand.term} in [{options}]`"
    return _never(literal, f"`{literal.text}` can never be true together with {listed}", hint)


def _never(literal: Literal, message: str, hint: str = "") -> Never:
    text = written(literal.node)
    return Never(literal.condition, max(0, start(literal.node)), 1 if MACRO in text else len(text), message, hint)


def _as_kind(kind: Kind, asked: Demand) -> str:
    """The same comparison with a constant of the right kind, where there is one."""
    if asked.values and len(asked.values) == 1:
        given, value = asked.values[0]
        if kind == "number" and given == "string" and str(value).isdecimal():
            return f"`{asked.term} == {value}`"
        if kind == "string" and given == "number":
            return f'`{asked.term} == "{value}"`'
        if kind == "boolean" and str(value) in {"true", "false"}:
            return f"`{asked.term} == {value}`"
    return ""

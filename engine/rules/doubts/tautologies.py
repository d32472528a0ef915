"""Conditions that are always true. Pure.

What lives here: what every visitor fulfils, also one of whom nothing is known; what everybody fulfils of whom something
is known; and an `except` that leaves out everybody. What may not: proofs (proofs.py), places in files.

1. Each part of a conjunction is looked at by itself: one that is always true is said to do nothing.
2. `true` is no mistake: it is how one writes "everybody else". So it is none in `when`; an `except` of it is one.
3. `traits.plan != "a" || traits.plan != "b"` is an error of a visitor without a plan, so not always true; but it is
   true of every plan, which nobody means. Only an `||` (or a negated `&&`) is doubted so, and none that asks `has()`.
4. Whatever is said here is proved.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from engine.cel.tree import Call, Const, Ident, Node, Select
from engine.cel.walk import walk
from engine.rules.doubts.celtext import MACRO, conjuncts, disjuncts, start, written
from engine.rules.doubts.proofs import Background, Claim, is_impossible
from engine.rules.doubts.statements import Formula, leaves, statement

Constant = Callable[[Node], bool | None]


class Always(Struct, frozen=True):
    """A part that is always true: `width` characters from `offset` on; unless of `everybody`, where it is known."""

    offset: int
    width: int
    message: str
    hint: str = ""
    everybody: bool = True


def always(tree: Node, constant: Constant, background: Background, *, everybody: bool = True) -> Iterator[Always]:
    """The parts of a condition that are always true; `everybody`: `true` by itself is meant."""
    for part in conjuncts(tree):
        if isinstance(part, Const) and part.value is True and everybody:
            continue
        formula = statement(part, constant)
        if is_impossible([Claim(formula, holds=False)], background):
            yield _always(part, constant, background)
            continue
        terms = _asked(formula) if _is_open(part) else []
        if terms and is_impossible([Claim(formula, holds=False)], background, there=terms):
            yield _where_known(part, terms)


def _always(part: Node, constant: Constant, background: Background) -> Always:
    """Said of the branch of an `||` that makes it so, where there is one."""
    branches = disjuncts(part)
    if len(branches) > 1:
        for branch in branches:
            if is_impossible([Claim(statement(branch, constant), holds=False)], background):
                message = f"`{_text(branch)}` is always true, and so is everything that it is joined to by `||`"
                return _at(branch, message, "`&&` where both are meant; `true` alone where everybody is meant")
        return _at(part, f"`{_text(part)}` is always true, of every visitor", "`true` where everybody is meant")
    if not any(isinstance(node, Ident) for node in walk(part)):
        return _at(part, f"`{_text(part)}` is always true: it asks for nothing", "`true` where everybody is meant")
    term = written(part)[len("has(") : -1] if isinstance(part, Select) and part.test_only else ""
    why = f"leave it out: `{term}` is always there" + ", by its default" * term.startswith("traits.") if term else ""
    return _at(part, f"`{_text(part)}` is always true, of every visitor", why)


def _where_known(part: Node, terms: Sequence[str]) -> Always:
    listed = " and ".join(f"`{term}`" for term in terms)
    verb = "is" if len(terms) == 1 else "are"
    known = " && ".join(f"has({term})" for term in terms if "[" not in term)
    hint = "`&&` in place of `||` where all of it is meant"
    if known:
        hint += f"; `{known}` where nothing but that is asked"
    message = f"this is true of every visitor whose {listed} {verb} known, whatever the value"
    return _at(part, message, hint, everybody=False)


def _at(part: Node, message: str, hint: str, *, everybody: bool = True) -> Always:
    text = written(part)
    opening = len(text) - len(text.lstrip("("))  # a node's place is behind the parentheses that it begins with
    return Always(max(0, start(part) - opening), 1 if MACRO in text else len(text), message, hint, everybody)


def _text(part: Node) -> str:
    text = written(part)
    return "…" if MACRO in text else text


def _is_open(part: Node) -> bool:
    """Is it an `||`, or a negated `&&`?"""
    odd = False
    while isinstance(part, Call) and part.function == "!_":
        part, odd = part.args[0], not odd
    return isinstance(part, Call) and part.function == ("_&&_" if odd else "_||_")


def _asked(formula: Formula) -> list[str]:
    """The terms of a formula that only compares; nothing where it asks whether something is there."""
    found = [leaf.atom for leaf in leaves(formula)]
    if any(atom.test == "there" for atom in found):
        return []
    return list(dict.fromkeys(atom.term for atom in found))


def leaves_out_all(when: Sequence[Formula], formula: Formula, background: Background) -> bool:
    """Does this `except` leave out everybody whom `when` lets in? Not said where `when` lets in nobody."""
    claims = [Claim(one) for one in when]
    return is_impossible([*claims, Claim(formula, holds=False)], background) and not is_impossible(claims, background)

"""Doubts about single conditions, and about `when` and `except` of a segment together.

What lives here: which look (contradictions, tautologies, surprises, cel.doubts) is taken at which condition, and the
words for it. What may not: the looks themselves; segments beside others (lint_experiences.py); what visitors have
(lint_traits.py).

1. All of `when` counts together; of `except` any one leaves out, so each stands for itself.
2. Each mistake is said once: within what is always true or never true, nothing else is doubted.
"""

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from engine.cel.doubts import doubts
from engine.cel.errors import CelError
from engine.cel.oracle import truth
from engine.cel.scope import CONVERSION, FIELDS, VISIT, Scope
from engine.cel.tree import Node
from engine.cel.wire import cut
from engine.problems import Problem
from engine.rules.desk import Desk, Parsed
from engine.rules.document import Path
from engine.rules.doubts.contradictions import Never, Term, contradictions
from engine.rules.doubts.matchers import constant, formula, tree
from engine.rules.doubts.proofs import Background
from engine.rules.doubts.surprises import Surprise, surprises
from engine.rules.doubts.tautologies import Always, always, leaves_out_all
from engine.rules.notation import slots
from engine.words import Ruleset

_KINDS = {"string": "string", "int": "number", "bool": "boolean", "google.protobuf.Timestamp": "timestamp"}
_KIND_WORDS = {"string": "text", "number": "a number", "boolean": "true or false", "timestamp": "a timestamp"}


def conditions(desk: Desk, ruleset: Ruleset, background: Background) -> Iterator[Problem]:
    """Doubts about every condition of a document."""
    parts: dict[Path, list[Parsed]] = defaultdict(list)
    for parsed in desk.parsed:
        parts[parsed.path[:3]].append(parsed)
    defaults = {("traits", name) for name, trait in ruleset.traits.items() if trait.default is not None}
    terms = _terms(ruleset)
    for path, found in parts.items():
        if path[0] == "segments" and path[2] == "when":
            yield from _letting_in(_looked(found, background), terms, defaults)
        elif path[0] == "segments":
            excepts = _looked(found, background, everybody=False)
            yield from _leaving_out(parts.get((*path[:2], "when"), []), excepts, terms, background)
        else:
            for one in _looked(found, background, CONVERSION):
                yield from one.always_true()
                yield from one.doubtful(CONVERSION, [])


class _Look(Struct, frozen=True, eq=False):
    """One condition, and what is always true in it."""

    parsed: Parsed
    tree: Node
    always: list[Always]

    def always_true(self) -> Iterator[Problem]:
        """What is always true in it."""
        for one in self.always:
            yield self.parsed.doubt("always-true", one.message, one.hint, one.offset, one.width)

    def leaving_out_all(self) -> Iterator[Problem]:
        """The same, of an `except`."""
        for one in self.always:
            ends = (
                ": everybody is left out, the segment never matches" if one.everybody else ": all of them are left out"
            )
            hint = "" if one.everybody else one.hint
            yield self.parsed.doubt("always-true", one.message + ends, hint, one.offset, one.width)

    def doubtful(self, scope: Scope, told: list[Never]) -> Iterator[Problem]:
        """What comes to the same whatever visitor comes, but for what was `told` of it."""
        spans = [range(one.offset, one.offset + one.width) for one in told] + self.spans()
        for one in doubts(self.parsed.condition.checked, scope):
            if not any(one.offset in span for span in spans):
                yield _in_text(self.parsed, "doubtful", one)

    def spans(self) -> list[range]:
        """The offsets at which it is always true."""
        return [range(one.offset, one.offset + one.width) for one in self.always]


def _looked(
    found: list[Parsed], background: Background, scope: Scope = VISIT, *, everybody: bool = True
) -> list[_Look]:
    looks = []
    for parsed in found:
        checked = parsed.condition.checked
        whole = tree(checked)
        true = always(whole, constant(checked, scope), background, everybody=everybody)
        looks.append(_Look(parsed, whole, list(true)))
    return looks


def _in_text(parsed: Parsed, code: str, found: Surprise | Never | Always | CelError) -> Problem:
    return parsed.doubt(code, found.message, found.hint, found.offset, found.width)


def _letting_in(when: list[_Look], terms: dict[str, Term], defaults: set[tuple[str, str]]) -> Iterator[Problem]:
    """A segment's `when`: what can never be, what always is, and those of whom nothing is known."""
    yield from _never_true(when, terms)
    surprising = surprises([(one.tree, one.parsed.condition.text) for one in when], defaults)
    for one, surprised in zip(when, surprising, strict=True):
        yield from one.always_true()
        spans = one.spans()
        for surprise in surprised:
            if not any(surprise.offset in span for span in spans):
                yield _in_text(one.parsed, "unknown-surprise", surprise)


def _leaving_out(
    when: list[Parsed], excepts: list[_Look], terms: dict[str, Term], background: Background
) -> Iterator[Problem]:
    """An `except` that leaves out nobody, everybody, or everybody whom `when` lets in."""
    lets_in = [formula(parsed.condition) for parsed in when]
    for look in excepts:
        yield from _never_true([look], terms)
        yield from look.leaving_out_all()
        if not look.always and leaves_out_all(lets_in, formula(look.parsed.condition), background):
            message = "this leaves out everybody whom `when` lets in: the segment never matches"
            hint = "`except` names some of those whom `when` lets in"
            yield look.parsed.document.problem(look.parsed.path, "never-true", message, hint, severity="warning")


def _terms(ruleset: Ruleset) -> dict[str, Term]:
    """What is known of values before a visitor comes."""
    terms = {}
    for root, fields in FIELDS.items():
        for field, kind in fields.items():
            if kind in _KINDS:
                known = _KINDS[kind]
                terms[f"{root}.{field}"] = Term(known, f"`{root}.{field}` is {_KIND_WORDS[known]}")
    for name, trait in ruleset.traits.items():
        term = slots.shown(("traits", name))
        if trait.fold:
            # Without a type, a value that is no text stays what it is.
            terms[term] = Term(trait.type or "", f"`{term}` is declared to be in small letters", lower=True)
        elif trait.type:
            terms[term] = Term(trait.type, f"`{term}` is declared as {_KIND_WORDS[trait.type]}")
    return terms


def _never_true(looks: list[_Look], terms: dict[str, Term]) -> Iterator[Problem]:
    """What can never be true where all of these have to be, and what comes to the same for every visitor."""

    def known(term: str) -> Term | None:
        if term.startswith(("page.query.", "page.query[")):
            return Term("string", "what a query holds is text")
        return terms.get(term)

    def is_true(number: int, part: Node) -> bool:
        return truth(cut(looks[number].parsed.condition.checked, part), {}) is True

    found = contradictions([look.tree for look in looks], known, is_true)
    for never in found:
        yield _in_text(looks[never.condition].parsed, "never-true", never)
    for number, look in enumerate(looks):
        yield from look.doubtful(VISIT, [never for never in found if never.condition == number])

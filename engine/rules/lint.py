"""Doubts: what is right in itself and still not what anybody can have meant. All of them are warnings.

What lives here: one function a doubt, and the words for it. What may not: errors (build.py), how conditions are looked
through (surprises.py, contradictions.py), how experiences meet (collisions.py).

1. Only a ruleset without errors is doubted, and where parts of files could not be read, nothing is called unused.
2. No false alarms: a warning that is wrong once is never read again.
3. There is no clock here: a schedule that is over is no doubt.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from engine import limits
from engine.cel.doubts import doubts
from engine.cel.errors import CelError
from engine.cel.oracle import truth
from engine.cel.scope import CONVERSION, FIELDS, VISIT
from engine.cel.tree import Node
from engine.cel.wire import cut, read
from engine.problems import Problem
from engine.rules import slots
from engine.rules.celtext import conjuncts, written
from engine.rules.collisions import REDIRECT, Collision, Touch, collisions
from engine.rules.contradictions import Never, Term, contradictions
from engine.rules.desk import Desk, Parsed
from engine.rules.document import Document, Path
from engine.rules.shape import RuleFile
from engine.rules.surprises import Surprise, surprises
from engine.words import Experience, Ruleset

SHOWN = 3  # experiences that are named in one message
_APART = "a visitor of both would get a mixture that neither test knows of: give both the same `exclusion_group`"
_ALL_APART = "a visitor of several would get a mixture that no test knows of: give them all the same `exclusion_group`"

_KINDS = {"string": "string", "int": "number", "bool": "boolean", "google.protobuf.Timestamp": "timestamp"}
_KIND_WORDS = {"string": "text", "number": "a number", "boolean": "true or false", "timestamp": "a timestamp"}


def lint(ruleset: Ruleset, desks: Sequence[Desk]) -> list[Problem]:
    """Every doubt about a ruleset without errors."""
    found: list[Problem] = []
    for desk in desks:
        found += _segments(desk, ruleset)
        found += _empty_slots(desk, ruleset)
    found += _collisions(desks, ruleset)
    found += _idle_experiences(desks, ruleset)
    found += _same_names(desks)
    if all(_is_whole(desk) for desk in desks):
        found += _unused_segments(desks, ruleset)
    return found


def _is_whole(desk: Desk) -> bool:
    """Was everything in the file read? Else a part that was not may be what uses a segment."""
    document = desk.document
    sections = set(document.root.entries) if document.root else set()
    return not desk.known.elsewhere and not document.unread and sections <= set(RuleFile.__struct_fields__)


def _segments(desk: Desk, ruleset: Ruleset) -> Iterator[Problem]:
    """Doubts about the conditions of every segment of a document."""
    parts: dict[Path, list[Parsed]] = defaultdict(list)
    for parsed in desk.parsed:
        parts[parsed.path[:3]].append(parsed)
    defaults = {("traits", name) for name, trait in ruleset.traits.items() if trait.default is not None}
    terms = _terms(ruleset)
    for path, conditions in parts.items():
        trees = [read(parsed.condition.checked) for parsed in conditions]
        if path[0] == "segments" and path[2] == "when":
            yield from _never_true(conditions, trees, terms)
            excepts = parts.get((*path[:2], "except"), [])
            yield from _swallowed(trees, excepts)
            texts = [parsed.condition.text for parsed in conditions]
            for parsed, found in zip(conditions, surprises(zip(trees, texts, strict=True), defaults), strict=True):
                yield from (_in_text(parsed, "unknown-surprise", surprise) for surprise in found)
        elif path[0] == "segments":
            # Of `except` any one leaves out, so each stands for itself.
            for parsed, tree in zip(conditions, trees, strict=True):
                yield from _never_true([parsed], [tree], terms)
        else:
            for parsed in conditions:
                yield from (
                    _in_text(parsed, "doubtful", doubt) for doubt in doubts(parsed.condition.checked, CONVERSION)
                )


def _in_text(parsed: Parsed, code: str, found: Surprise | Never | CelError) -> Problem:
    line = len(parsed.condition.text[found.offset :].partition("\n")[0])
    width = max(1, min(found.width, line))
    return parsed.document.problem(
        parsed.path, code, found.message, found.hint, offset=found.offset, width=width, severity="warning"
    )


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


def _never_true(conditions: list[Parsed], trees: list[Node], terms: dict[str, Term]) -> Iterator[Problem]:
    def known(term: str) -> Term | None:
        if term.startswith(("page.query.", "page.query[")):
            return Term("string", "what a query holds is text")
        return terms.get(term)

    def is_true(number: int, part: Node) -> bool:
        return truth(cut(conditions[number].condition.checked, part), {}) is True

    found = contradictions(trees, known, is_true)
    for never in found:
        yield _in_text(conditions[never.condition], "never-true", never)
    for number, parsed in enumerate(conditions):
        told = [range(never.offset, never.offset + never.width) for never in found if never.condition == number]
        for doubt in doubts(parsed.condition.checked, VISIT):
            if not any(doubt.offset in span for span in told):
                yield _in_text(parsed, "doubtful", doubt)


def _swallowed(when: list[Node], excepts: list[Parsed]) -> Iterator[Problem]:
    """An `except` that asks for no more than `when` does leaves out everybody."""
    asked = {written(part) for tree in when for part in conjuncts(tree)}
    for parsed in excepts:
        parts = {written(part) for part in conjuncts(read(parsed.condition.checked))}
        if parts <= asked:
            message = "this leaves out everybody whom `when` lets in: the segment never matches"
            yield parsed.document.problem(parsed.path, "never-true", message, severity="warning")


def _empty_slots(desk: Desk, ruleset: Ruleset) -> Iterator[Problem]:
    """Slots that may be empty and say nothing for it."""
    for path, text in desk.templates:
        if "{{" not in text:
            continue
        parts, _ = slots.cut(text, desk.known.insertable)
        for part in parts:
            if isinstance(part, slots.Hole) and part.default is None and not _has_default(part.path, ruleset):
                name = slots.shown(part.path)
                yield desk.document.problem(
                    path,
                    "no-default",
                    f"visitors without `{name}` see nothing here",
                    f"`{{{{ {name} | default: 'your company' }}}}`",
                    offset=part.offset,
                    width=part.width,
                    severity="warning",
                )


def _has_default(path: slots.Path, ruleset: Ruleset) -> bool:
    trait = ruleset.traits.get(path[1]) if path[0] == "traits" and len(path) == 2 else None
    return trait is not None and trait.default is not None


def _collisions(desks: Iterable[Desk], ruleset: Ruleset) -> Iterator[Problem]:
    """One doubt for every experience that meets earlier ones, at its first change of a common element."""
    documents = _home(desks, ruleset.experiences.values())
    met: dict[tuple[str, str], list[Collision]] = defaultdict(list)
    for found in collisions(list(ruleset.experiences.values())):
        met[found.later.experience.key, found.later.selector].append(found)
    for (key, selector), pairs in met.items():
        what = "redirect" if selector == REDIRECT else f"change `{selector}`"
        others = [_shown(pair.earlier, documents) for pair in pairs[:SHOWN]]
        more = len(pairs) - len(others)
        listed = ", ".join([*others, f"{more} more"] if more else others)
        yield documents[key].problem(
            _path(pairs[0].later),
            "collision",
            f"`{key}` and {listed} {what} on the same page",
            _APART if len(pairs) == 1 else _ALL_APART,
            severity="warning",
        )


def _shown(touch: Touch, documents: dict[str, Document]) -> str:
    key = touch.experience.key
    at = documents[key].place(_path(touch))
    return f"`{key}` ({at.file}:{at.line})"


def _path(touch: Touch) -> Path:
    audience, variant, change = touch.at
    end = "redirect" if touch.selector == REDIRECT else "selector"
    return ("experiences", touch.experience.key, "audiences", audience, "variants", variant, "changes", change, end)


def _home(desks: Iterable[Desk], experiences: Iterable[Experience]) -> dict[str, Document]:
    """The document in which each experience stands."""
    by_file = {desk.document.file: desk.document for desk in desks}
    return {experience.key: by_file[experience.place.file] for experience in experiences}


def _idle_experiences(desks: Iterable[Desk], ruleset: Ruleset) -> Iterator[Problem]:
    """Live experiences that show nothing to anybody."""
    documents = _home(desks, ruleset.experiences.values())
    for key, experience in ruleset.experiences.items():
        if experience.status == "live" and all(a.control_ppm == limits.PPM for a in experience.audiences):
            message = f"every audience of `{key}` is 100% control: it shows nothing to anybody"
            hint = "lower `control`, or `status: paused`"
            yield documents[key].problem(
                ("experiences", key), "all-control", message, hint, at="key", severity="warning"
            )


def _same_names(desks: Iterable[Desk]) -> Iterator[Problem]:
    """Names go out with every exposure; two things of one name cannot be told apart there."""
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for desk in desks:
        shape = desk.document.shape
        for section, parts in (("segments", shape.segments), ("experiences", shape.experiences)):
            for key, part in parts.items():
                if not part.name:
                    continue
                place = desk.document.place((section, key, "name"))
                other, where = first.setdefault((section, part.name), (key, f"{place.file}:{place.line}"))
                if other != key:
                    yield desk.document.problem(
                        (section, key, "name"),
                        "same-name",
                        f"`{other}` ({where}) has the same name: reports could not tell them apart",
                        "names go out with every exposure, keys do not",
                        severity="warning",
                    )


def _unused_segments(desks: Iterable[Desk], ruleset: Ruleset) -> Iterator[Problem]:
    used = {audience.segment for experience in ruleset.experiences.values() for audience in experience.audiences}
    for desk in desks:
        for key in desk.document.shape.segments:
            if key not in used:
                used.add(key)
                message, hint = f"no experience uses the segment `{key}`", "take it out, or give it an audience"
                yield desk.document.problem(
                    ("segments", key), "unused-segment", message, hint, at="key", severity="warning"
                )

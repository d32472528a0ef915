"""Documents made into a `Ruleset`: references resolved, small texts read, conditions parsed.

What lives here: the blocks of a file and how the files come together. What may not: YAML, files, single notations
(scalars, patterns, templates, selectors), doubts about what is right in itself (lint.py).

1. First the names of the whole folder are gathered, then every document is worked on at a desk of its own, then
   the parts are put together, sorted by key.
2. Everything that is wrong is reported in one run. There is a ruleset only where nothing was.
3. Keys that stand in several files were reported by whoever read them; the first counts here.
4. Warnings come last, and only of a ruleset without errors: half a ruleset raises doubts that are none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from msgspec import structs

from engine import words
from engine.cel.scope import CONVERSION
from engine.problems import Problem, Severity, did_you_mean, errors
from engine.rules import shape
from engine.rules.cases import NONE, case
from engine.rules.desk import REMEMBERED, Desk, Known, Rest
from engine.rules.document import Document, Path
from engine.rules.doubts.lint import NOTHING_KNOWN, Circumstances, lint
from engine.rules.experiences import experience
from engine.rules.notation import scalars, slots
from engine.rules.notation.mistake import Mistake
from engine.rules.version import version
from engine.rules.yaml import plain
from engine.rules.yaml.nodes import Scalar

T = TypeVar("T")


def build(
    documents: Sequence[Document],
    elsewhere: frozenset[str] = frozenset(),
    *,
    doubts: bool = True,
    circumstances: Circumstances = NOTHING_KNOWN,
    rest: Rest = lambda: None,
) -> tuple[words.Ruleset | None, list[Problem]]:
    """The ruleset, `None` where there is an error, and everything that is wrong or doubtful.

    `elsewhere`: words in parts of files that could not be read. They may be what a reference means.
    `doubts`: whether to look for what is only doubtful, which takes as long as all the rest; `circumstances`: what is
    known for that beside the files. `rest` is called every now and then (`desk`).
    """
    REMEMBERED.turn()
    experiences = _by_key(document.shape.experiences for document in documents)
    known = Known(
        segments=frozenset(name for document in documents for name in document.names("segments") if name),
        experiences=frozenset(name for document in documents for name in document.names("experiences")),
        insertable=frozenset(_insertable_paths(documents)),
        elsewhere=elsewhere,
    )
    desks = [Desk(document, known, rest) for document in documents]
    ruleset = _ruleset(desks, experiences)
    problems = [problem for desk in desks for problem in desk.problems]
    wrong = bool(errors(problems))
    if not wrong:
        problems = problems + lint(ruleset, desks, circumstances) if doubts else []
    while desks:
        desks.pop()  # one after the other: what lies on the desks of a large folder at once holds everything up
    return None if wrong else ruleset, problems


def _ruleset(desks: list[Desk], experiences: Mapping[str, shape.Experience]) -> words.Ruleset:
    for desk in desks:
        _check_insertable(desk)
    ruleset = words.Ruleset(
        version="",
        segments=_by_key({key: _segment(d, key, s) for key, s in d.document.shape.segments.items()} for d in desks),
        experiences=_by_key(
            {key: experience(d, key, e) for key, e in d.document.shape.experiences.items()} for d in desks
        ),
        goals=_by_key({key: _goal(d, key, g) for key, g in d.document.shape.conversions.items()} for d in desks),
        traits=_by_key({name: _trait(d, name, t) for name, t in d.document.shape.traits.items()} for d in desks),
        insertable=tuple(sorted(slots.shown(path) for path in (desks[0].known.insertable if desks else ()))),
        cases=tuple(
            sorted(
                (
                    case(d, number, test, experiences)
                    for d in desks
                    for number, test in enumerate(d.document.shape.tests)
                ),
                key=lambda made: (
                    made.name,
                    made.given.profile.visitor_id,
                    made.given.page.url,
                    made.place.file,
                    made.place.line,
                ),
            )
        ),
    )
    return structs.replace(ruleset, version=version(ruleset))


def _by_key(parts: Iterable[dict[str, T]]) -> dict[str, T]:
    """All of them, sorted by key; of two with one key the first."""
    made: dict[str, T] = {}
    for part in parts:
        made = part | made
    return {key: made[key] for key in sorted(made)}


def _segment(desk: Desk, key: str, written: shape.Segment) -> words.Segment:
    path: Path = ("segments", key)
    desk.key(path, _segment_key)
    return words.Segment(
        key=key,
        name=written.name,
        when=desk.conditions((*path, "when"), written.when),
        excepts=desk.conditions((*path, "except"), written.except_ or []),
        place=desk.document.place(path),
    )


def _segment_key(text: str) -> str:
    if text == NONE:
        raise Mistake(f"no segment can be called `{NONE}`: tests say so where no segment matches", "`nobody`")
    return scalars.key(text, "segment")


def _goal(desk: Desk, key: str, written: shape.Conversion) -> words.Goal:
    path: Path = ("conversions", key)
    desk.key(path, lambda text: scalars.key(text, "conversion"))
    return words.Goal(
        key=key,
        event=written.event,
        where=desk.conditions((*path, "where"), written.where or [], CONVERSION),
        window_s=desk.read((*path, "window"), "window", scalars.window_s, written.window) or 0,
        place=desk.document.place(path),
    )


def _trait(desk: Desk, name: str, written: shape.Trait) -> words.TraitDeclaration:
    path: Path = ("traits", name)
    default = written.default
    if _is_norway(desk, (*path, "default")) and written.type in {None, "boolean"}:
        severity: Severity = "warning" if written.type is None else "error"
        desk.say((*path, "default"), "norway", *_norway(str(default)), severity=severity)
    elif default is not None and not _fits(default, written.type):
        desk.say(
            (*path, "default"), "trait", f"the default of `{name}` is no {written.type}", _DEFAULTS[written.type or ""]
        )
    if written.fold and written.type not in {None, "string"}:
        desk.say(
            (*path, "fold"), "trait", f"only a string has capitals: `{name}` is a {written.type}", "leave out `fold`"
        )
    return words.TraitDeclaration(name, written.type, default, written.fold)


def _is_norway(desk: Desk, path: Path) -> bool:
    """Is it a plain `no`, `yes`, `on` …: text for YAML 1.2, and to many people a boolean?"""
    node = desk.document.of(path)
    return isinstance(node, Scalar) and not node.style and node.text in plain.NORWAY


def _norway(text: str) -> tuple[str, str]:
    truth = "true" if text.lower() in {"yes", "on", "y"} else "false"
    return f"`{text}` is a text here, not {truth}", f'write `"{text}"` for the text, `{truth}` for the boolean'


_DEFAULTS = {
    "string": 'a text, such as `default: free` (a number as text: `"1"`)',
    "number": "a number, such as `default: 0`",
    "boolean": "`default: false` or `default: true`",
    "timestamp": "a timestamp, such as `default: 2026-01-01T00:00:00Z`",
}


def _fits(default: object, kind: str | None) -> bool:
    match kind:
        case "boolean":
            return isinstance(default, bool)
        case "number":
            return isinstance(default, int | float) and not isinstance(default, bool)
        case "string":
            return isinstance(default, str)
        case "timestamp":
            return isinstance(default, str) and _is_timestamp(default)
    return True


def _is_timestamp(text: str) -> bool:
    try:
        scalars.timestamp(text)
    except Mistake:
        return False
    return True


def _insertable_paths(documents: Iterable[Document]) -> Iterable[slots.Path]:
    for document in documents:
        for text in document.shape.insertable:
            try:
                yield _insertable(text)
            except Mistake:
                continue  # said at its place by _check_insertable


def _check_insertable(desk: Desk) -> None:
    for number, text in enumerate(desk.document.shape.insertable):
        desk.read(("insertable", number), "insertable", _insertable, text)


def _insertable(text: str) -> slots.Path:
    """A path that pages may show: a whole trait or a part of it, never all of them."""
    path, end = slots.read_path(text)
    if end != len(text):
        raise Mistake(
            f"`{text}` is no path", 'a path is such as `traits.company` or `traits["job title"]`', end, len(text) - end
        )
    if path[0] not in slots.INSERTABLE_ROOTS:
        near = did_you_mean(path[0], slots.INSERTABLE_ROOTS)
        raise Mistake(f"`{path[0]}` cannot be shown", near or f"what can be shown begins with {slots.ROOTS_TEXT}")
    if path[0] == "salesforce" and path[1:2] not in (("lead",), ("contact",)):
        raise Mistake(
            f"`{text}` is no part of a Salesforce record", "`salesforce.contact.Industry` or `salesforce.lead.Title`"
        )
    if len(path) < (3 if path[0] == "salesforce" else 2):
        raise Mistake(f"`{text}` is everything that is known, not one fact", f"`{text}.company`")
    return path

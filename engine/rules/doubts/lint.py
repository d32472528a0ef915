"""Doubts: what is right in itself and still not what anybody can have meant. All of them are warnings.

What lives here: the order of the looks, and doubts about slots, names and segments that nobody uses. What may not:
errors (build.py), single conditions (lint_segments.py), experiences (lint_experiences.py), visitors (lint_traits.py),
fields of Salesforce (lint_fields.py).

1. Only a ruleset without errors is doubted. Where parts of files could not be read, nothing is called unused, and no
   segments are held against each other.
2. No false alarms: a warning that is wrong once is never read again.
3. What files alone do not tell, the time and what visitors have, comes in as `Circumstances`. Who brings none (the
   service, another revision) hears nothing of it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from engine.problems import Problem
from engine.rules.desk import Desk
from engine.rules.doubts.background import background
from engine.rules.doubts.fields import Fields
from engine.rules.doubts.lint_experiences import between_segments, experiences
from engine.rules.doubts.lint_fields import unknown_fields
from engine.rules.doubts.lint_segments import conditions
from engine.rules.doubts.lint_traits import unseen
from engine.rules.doubts.seen import Seen
from engine.rules.notation import slots
from engine.rules.shape import RuleFile
from engine.words import Ruleset


class Circumstances(Struct, frozen=True):
    """What is known beside the files. `seen` and `fields` are asked only of a ruleset without errors; what they raise
    goes through."""

    now: datetime | None = None
    seen: Callable[[], Seen] | None = None
    fields: Callable[[], Fields] | None = None


NOTHING_KNOWN = Circumstances()


def lint(ruleset: Ruleset, desks: Sequence[Desk], circumstances: Circumstances = NOTHING_KNOWN) -> list[Problem]:
    """Every doubt about a ruleset without errors."""
    found: list[Problem] = []
    known = background(ruleset.traits)
    for desk in desks:
        found += conditions(desk, ruleset, known)
        found += _empty_slots(desk, ruleset)
    found += experiences(desks, ruleset, circumstances.now)
    found += _same_names(desks)
    if all(_is_whole(desk) for desk in desks):
        found += _unused_segments(desks, ruleset)
        found += between_segments(desks, ruleset, known)
        if circumstances.seen is not None:
            found += unseen(desks, ruleset, circumstances.seen())
        if circumstances.fields is not None:
            found += unknown_fields(desks, circumstances.fields())
    return found


def _is_whole(desk: Desk) -> bool:
    """Was everything in the file read? Else a part that was not may be what uses a segment."""
    document = desk.document
    sections = set(document.root.entries) if document.root else set()
    return not desk.known.elsewhere and not document.unread and sections <= set(RuleFile.__struct_fields__)


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

"""An experience as written, made into `words.Experience`.

What lives here: pages, schedule, audiences, variants. What may not: single page changes (changes.py), other blocks
of a file (build.py), what is only doubtful (lint.py).

1. Every part is looked at, whatever is wrong with the others, so that one run tells everything.
2. An audience always has variants: whoever wants a segment measured and not changed gives it `control: 100%`.
"""

from collections.abc import Iterable
from datetime import datetime

from engine import words
from engine.rules import shape
from engine.rules.changes import changes
from engine.rules.desk import Desk
from engine.rules.document import Path
from engine.rules.notation import patterns, scalars


def experience(desk: Desk, key: str, written: shape.Experience) -> words.Experience:
    """The experience; what is wrong with it is on the desk."""
    path: Path = ("experiences", key)
    desk.key(path, lambda text: scalars.key(text, "experience"))
    start, end = _schedule(desk, (*path, "schedule"), written.schedule)
    holdout = desk.read((*path, "holdout"), "share", scalars.share, written.holdout)
    return words.Experience(
        key=key,
        name=written.name,
        pages=_pages(desk, (*path, "pages"), written.pages),
        status=written.status,
        start=start,
        end=end,
        holdout_ppm=holdout or 0,
        split_by=written.split_by,
        exclusion_group=written.exclusion_group,
        priority=written.priority,
        audiences=_audiences(desk, (*path, "audiences"), written.audiences),
        place=desk.document.place(path),
    )


def _pages(desk: Desk, path: Path, written: Iterable[str]) -> tuple[str, ...]:
    for number, page in enumerate(written):
        desk.read((*path, number), "page-pattern", patterns.compile, page)
    return tuple(written)


def _schedule(desk: Desk, path: Path, written: shape.Schedule | None) -> tuple[datetime | None, datetime | None]:
    if written is None:
        return None, None
    start = desk.read((*path, "start"), "timestamp", scalars.timestamp, written.start or "")
    end = desk.read((*path, "end"), "timestamp", scalars.timestamp, written.end or "")
    if start and end and start >= end:
        desk.say(
            (*path, "end"), "schedule", f"the schedule ends at `{written.end}`, not after its start `{written.start}`"
        )
    return start, end


def _audiences(desk: Desk, path: Path, written: list[shape.Audience]) -> tuple[words.Audience, ...]:
    made, first = [], dict[str, int]()
    for number, audience in enumerate(written):
        at = (*path, number)
        desk.refer((*at, "segment"), "segment", audience.segment, desk.known.segments)
        earlier = first.setdefault(audience.segment, number)
        if audience.segment and earlier != number:
            line = desk.document.place((*path, earlier, "segment")).line
            desk.say(
                (*at, "segment"),
                "duplicate-audience",
                f"`{audience.segment}` already has an audience in this experience, at line {line}",
                "the first segment that matches wins, so this audience would never be reached",
            )
        made.append(_audience(desk, at, audience))
    return tuple(made)


def _audience(desk: Desk, path: Path, written: shape.Audience) -> words.Audience:
    control = desk.read((*path, "control"), "share", scalars.share, written.control)
    return words.Audience(
        segment=written.segment,
        control_ppm=control or 0,
        salt=written.salt,
        variants=_variants(desk, (*path, "variants"), written.variants),
        place=desk.document.place(path),
    )


def _variants(desk: Desk, path: Path, written: list[shape.Variant]) -> tuple[words.Variant, ...]:
    if written and not any(variant.weight for variant in written):
        desk.say(
            (*path, 0, "weight"),
            "weights",
            "the weights of these variants sum to 0: nobody could be given one",
            "give at least one variant a weight of 1; `control: 100%` shows no variant to anybody",
        )
    made, first = [], dict[str, int]()
    for number, variant in enumerate(written):
        at = (*path, number, "key")
        desk.read(at, "key", scalars.variant_key, variant.key)
        earlier = first.setdefault(variant.key, number)
        if variant.key and earlier != number:
            line = desk.document.place((*path, earlier, "key")).line
            desk.say(at, "duplicate-variant", f"the variant `{variant.key}` is already there, at line {line}")
        made.append(
            words.Variant(variant.key, variant.weight, changes(desk, (*path, number, "changes"), variant.changes))
        )
    return tuple(made)

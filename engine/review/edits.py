"""What an edit changes, thing by thing and line by line: words for people, values for programs. Pure.

What lives here: the comparison of what two rulesets say. What may not: what that does to visitors (`redraws.py`).

1. A thing (segment, experience, goal, trait, what may be inserted) is added, removed, renamed or changed. A renamed
   one is compared with what it was (`renames.py`).
2. A detail is one line of it, with the text of both sides and where each stands. What has no meaning is no detail:
   the order of conditions, of pages and of keys in a file, and the white space within a condition.
3. Of lists only what went and what came is shown.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from engine.cel.wire import read
from engine.review.renames import Renames, variant_renames
from engine.rules.doubts.celtext import written
from engine.words import (
    Audience,
    Change,
    Condition,
    Experience,
    Goal,
    Place,
    Ruleset,
    Segment,
    Slot,
    Template,
    TraitDeclaration,
    Variant,
)

Kind: TypeAlias = Literal["segment", "experience", "goal", "trait", "insertable"]
Sign: TypeAlias = Literal["added", "removed", "renamed", "changed"]
T = TypeVar("T", Segment, Experience, Goal, TraitDeclaration)

DAY_S: Final = 86_400


class Detail(Struct, frozen=True):
    """One line that changed: None is a side that does not have it."""

    what: str
    old: str | None
    new: str | None
    old_place: Place | None = None
    new_place: Place | None = None


class Edit(Struct, frozen=True):
    """One thing that changed; `old_key` is another than `key` where it was renamed."""

    kind: Kind
    key: str
    sign: Sign
    old_key: str
    old_place: Place | None
    new_place: Place | None
    details: tuple[Detail, ...] = ()


def edits(old: Ruleset, new: Ruleset, called: Renames) -> Iterator[Edit]:
    """Everything that decides and is another now, by kind and key."""
    same: dict[str, str] = {}
    yield from _things("segment", old.segments, new.segments, called.segments, _segment)
    yield from _things(
        "experience", old.experiences, new.experiences, called.experiences, lambda a, b: _experience(a, b, called)
    )
    yield from _things("goal", old.goals, new.goals, called.goals, _goal)
    yield from _things("trait", old.traits, new.traits, same, _trait)
    for path in sorted({*old.insertable} ^ {*new.insertable}):
        yield Edit("insertable", path, "added" if path in new.insertable else "removed", path, None, None)


def _things(
    kind: Kind,
    old: Mapping[str, T],
    new: Mapping[str, T],
    called: Mapping[str, str],
    compare: Callable[[T, T], Iterable[Detail]],
) -> Iterator[Edit]:
    before = {called.get(key, key): thing for key, thing in old.items()}
    for key in sorted(before.keys() | new.keys()):
        was, now = before.get(key), new.get(key)
        old_place, new_place = getattr(was, "place", None), getattr(now, "place", None)
        if was is None or now is None:
            sign: Sign = "added" if was is None else "removed"
            yield Edit(kind, key, sign, key, old_place, new_place, tuple(_alone(was, now)))
            continue
        old_key = was.name if isinstance(was, TraitDeclaration) else was.key
        details = tuple(compare(was, now))
        if old_key != key:
            yield Edit(kind, key, "renamed", old_key, old_place, new_place, details)
        elif details:
            yield Edit(kind, key, "changed", key, old_place, new_place, details)


def _alone(was: object, now: object) -> Iterator[Detail]:
    """What there is to know first of a thing that came or went."""
    match was or now:
        case Segment(when=when, excepts=excepts):
            for what, conditions in (("when", when), ("except", excepts)):
                yield from _conditions(what, conditions, ()) if was else _conditions(what, (), conditions)
        case Experience(status=status, pages=pages, audiences=audiences, place=place):
            of = ", ".join(audience.segment for audience in audiences)
            for what, text in (("status", status), ("pages", ", ".join(pages)), ("audiences", of)):
                yield Detail(what, text, None, place) if was else Detail(what, None, text, None, place)


def _segment(old: Segment, new: Segment) -> Iterator[Detail]:
    yield from _lines((("name", old.name, new.name),), old.place, new.place)
    yield from _conditions("when", old.when, new.when)
    yield from _conditions("except", old.excepts, new.excepts)


def _goal(old: Goal, new: Goal) -> Iterator[Detail]:
    rows = (("event", old.event, new.event), ("window", _span(old.window_s), _span(new.window_s)))
    yield from _lines(rows, old.place, new.place)
    yield from _conditions("where", old.where, new.where)


def _trait(old: TraitDeclaration, new: TraitDeclaration) -> Iterator[Detail]:
    for what in ("type", "default", "fold"):
        before, after = getattr(old, what), getattr(new, what)
        if before != after or type(before) is not type(after):
            yield Detail(what, _json(before), _json(after))


def _conditions(what: str, old: Sequence[Condition], new: Sequence[Condition]) -> Iterator[Detail]:
    """Conditions that went and came, side by side."""
    texts = {condition.text for condition in old} & {condition.text for condition in new}
    before = {_canonical(condition): condition for condition in old if condition.text not in texts}
    after = {_canonical(condition): condition for condition in new if condition.text not in texts}
    went = [condition for text, condition in before.items() if text not in after]
    came = [condition for text, condition in after.items() if text not in before]
    for was, now in zip_longest(went, came):
        yield Detail(
            what,
            " ".join(was.text.split()) if was else None,
            " ".join(now.text.split()) if now else None,
            was.place if was else None,
            now.place if now else None,
        )


def _canonical(condition: Condition) -> str:
    """One text a meaning."""
    return written(read(condition.checked))


def _experience(old: Experience, new: Experience, called: Renames) -> Iterator[Detail]:
    before, after = {*old.pages}, {*new.pages}
    rows = (
        ("name", old.name, new.name),
        ("pages", _joined(sorted(before - after)), _joined(sorted(after - before))),
        ("status", old.status, new.status),
        ("schedule", _schedule(old), _schedule(new)),
        ("holdout", percent(old.holdout_ppm), percent(new.holdout_ppm)),
        ("split_by", old.split_by, new.split_by),
        ("exclusion_group", old.exclusion_group, new.exclusion_group),
        ("priority", str(old.priority), str(new.priority)),
    )
    yield from _lines(rows, old.place, new.place)
    yield from _audiences(old, new, called)


def _audiences(old: Experience, new: Experience, called: Renames) -> Iterator[Detail]:
    before = {called.segment(audience.segment): audience for audience in old.audiences}
    after = {audience.segment: audience for audience in new.audiences}
    orders = [key for key in before if key in after], [key for key in after if key in before]
    rows = (("order of audiences", _joined(orders[0]), _joined(orders[1])),)
    yield from _lines(rows, old.place, new.place)
    for key in [*before, *(key for key in after if key not in before)]:
        was, now = before.get(key), after.get(key)
        if was is not None and now is not None:
            yield from _audience(was, now)
        elif was is not None:
            yield Detail(f"audience `{key}`", _in_short(was), None, was.place, None)
        elif now is not None:
            yield Detail(f"audience `{key}`", None, _in_short(now), None, now.place)


def _audience(old: Audience, new: Audience) -> Iterator[Detail]:
    of = f"of `{new.segment}`"
    rows = [
        (f"segment {of}", old.segment, new.segment),
        (f"control {of}", percent(old.control_ppm), percent(new.control_ppm)),
        (f"salt {of}", old.salt or None, new.salt or None),
    ]
    called = variant_renames(old, new)
    before = {called.get(variant.key, variant.key): variant for variant in old.variants}
    after = {variant.key: variant for variant in new.variants}
    orders = [key for key in before if key in after], [key for key in after if key in before]
    rows.append((f"order of variants {of}", _joined(orders[0]), _joined(orders[1])))
    for key in [*before, *(key for key in after if key not in before)]:
        was, now = before.get(key), after.get(key)
        if was is None or now is None:
            there = was or now
            told = f"weight {there.weight}" if there else None
            rows.append((f"variant `{key}` {of}", told if was else None, told if now else None))
            continue
        rows += _variant(f"of variant `{key}` {of}", was, now)
    yield from _lines(rows, old.place, new.place)


def _variant(of: str, old: Variant, new: Variant) -> list[tuple[str, str | None, str | None]]:
    went = [shown(change) for change in old.changes if change not in new.changes]
    came = [shown(change) for change in new.changes if change not in old.changes]
    if not went and not came and old.changes != new.changes:  # the order counts: a later change sees an earlier one
        went, came = [*map(shown, old.changes)], [*map(shown, new.changes)]
    rows = [(f"key {of}", old.key, new.key), (f"weight {of}", str(old.weight), str(new.weight))]
    changes = [(f"changes {of}", was, now) for was, now in zip_longest(went, came)]
    return [*rows, *changes]


def _lines(rows: Iterable[tuple[str, str | None, str | None]], old: Place, new: Place) -> Iterator[Detail]:
    for what, before, after in rows:
        if before != after:
            yield Detail(what, before, after, old, new)


def _in_short(audience: Audience) -> str:
    variants = ", ".join(variant.key for variant in audience.variants)
    return f"control {percent(audience.control_ppm)}, variants {variants}"


def percent(ppm: int) -> str:
    """A share in parts per million as rule files write it."""
    return f"{ppm / 10_000:.4f}".rstrip("0").rstrip(".") + "%"


def _schedule(experience: Experience) -> str | None:
    if experience.start is None and experience.end is None:
        return None
    start, end = (moment and msgspec.to_builtins(moment) for moment in (experience.start, experience.end))
    return f"{start or '…'} to {end or '…'}"


def _span(seconds: int) -> str:
    return f"{seconds // DAY_S}d" if seconds % DAY_S == 0 else f"{seconds}s"


def _joined(items: Sequence[str]) -> str | None:
    return ", ".join(items) or None


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def shown(change: Change) -> str:
    """A change in one line, near to how it is written; what is not set is left out."""
    given: dict[str, Any] = {}
    for name in change.__struct_fields__:
        value = getattr(change, name)
        if value and name == "insert":
            given["insert"] = f"{value.position} {_template(value.html)}"
        elif value and name == "attributes":
            given[name] = {key: _template(text) for key, text in value.items()}
        elif name in {"text", "html", "redirect"} and value is not None:
            given[name] = _template(value)
        elif value:
            given[name] = value
    return msgspec.json.encode(given).decode()


def _template(template: Template) -> str:
    return "".join(part if isinstance(part, str) else _slot(part) for part in template)


def _slot(slot: Slot) -> str:
    default = "" if slot.default is None else f" | default: '{slot.default}'"
    return f"{{{{ {'.'.join(slot.path)}{default} }}}}"

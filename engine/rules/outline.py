"""What a ruleset amounts to, and in one line what another one changes. Pure; for the log, not for decisions.

1. `live` names the experiences that can answer at all.
2. `difference` reads `+2 experiences: a, b, -1 segment: small-company, ~1 goal: signed-up`. Where something stands in
   its file is no difference.
3. `other_experiences` names those that may answer otherwise, with the others of their exclusion groups; a trait's
   declaration can reach any of them.
4. `roots_read` names the roots whose values cost something to find out (`device`, `geo`) and that the rules may read;
   naming one too many costs time, naming one too few would be wrong.
"""

from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from engine.words import Experience, Ruleset, Slot

COSTLY_ROOTS = ("device", "geo")
_KINDS = {"experience": "experiences", "segment": "segments", "goal": "goals", "trait": "traits"}
# Places in files; and checked conditions, whose text says it all: one text gives other bytes at every reading.
_MEANINGLESS = frozenset({"place", "checked"})
_NAMES = 5  # names of a kind that one line of a log can bear


def live(ruleset: Ruleset) -> frozenset[str]:
    """The keys of live experiences."""
    return frozenset(key for key, experience in ruleset.experiences.items() if experience.status == "live")


def difference(old: Ruleset, new: Ruleset) -> str:
    """What `new` adds, takes away and changes, by kind and key."""
    parts: list[str] = []
    for one, many in _KINDS.items():
        before, after = getattr(old, many), getattr(new, many)
        changed = [key for key in before.keys() & after.keys() if _differ(before[key], after[key])]
        parts += _counted("+", one, many, after.keys() - before.keys())
        parts += _counted("-", one, many, before.keys() - after.keys())
        parts += _counted("~", one, many, changed)
    if old.insertable != new.insertable:
        parts.append("~insertable")
    return ", ".join(parts) or "nothing that decides"


def other_experiences(old: Ruleset, new: Ruleset, turned: AbstractSet[str] = frozenset()) -> tuple[str, ...]:
    """The keys of the experiences, also of those gone, that one of the two may decide otherwise than the other.

    `turned` began or ended meanwhile by their schedule.
    """
    keys = sorted(old.experiences.keys() | new.experiences.keys())
    if _differ(old.traits, new.traits) or old.insertable != new.insertable:
        return tuple(keys)
    segments = {
        key
        for key in old.segments.keys() | new.segments.keys()
        if _differ(old.segments.get(key), new.segments.get(key))
    }
    others = {key for key in keys if _is_other(old.experiences.get(key), new.experiences.get(key), segments)} | turned
    groups = {group for key in others for group in _groups(key, old, new)}
    return tuple(key for key in keys if key in others or not groups.isdisjoint(_groups(key, old, new)))


def _is_other(before: Experience | None, after: Experience | None, segments: set[str]) -> bool:
    if before is None or after is None or _differ(before, after):
        return True
    return any(audience.segment in segments for audience in after.audiences)


def _groups(key: str, *rulesets: Ruleset) -> set[str]:
    """The exclusion groups that the experience is in."""
    found = (ruleset.experiences.get(key) for ruleset in rulesets)
    return {one.exclusion_group for one in found if one is not None and one.exclusion_group is not None}


def roots_read(ruleset: Ruleset) -> frozenset[str]:
    """Which of `COSTLY_ROOTS` a condition or a template may read."""
    checked = [c.checked for s in ruleset.segments.values() for c in (*s.when, *s.excepts)]
    slots = _slot_roots(ruleset)
    return frozenset(
        root for root in COSTLY_ROOTS if root in slots or any(root.encode() in condition for condition in checked)
    )


def _slot_roots(ruleset: Ruleset) -> set[str]:
    variants = [v for e in ruleset.experiences.values() for a in e.audiences for v in a.variants]
    found: set[str] = set()
    for change in (change for variant in variants for change in variant.changes):
        templates = [change.text, change.html, change.redirect, *change.attributes.values()]
        templates.append(change.insert.html if change.insert else None)
        found.update(part.path[0] for template in templates for part in template or () if isinstance(part, Slot))
    return found


def _counted(sign: str, one: str, many: str, keys: Any) -> list[str]:
    names = sorted(keys)
    if not names:
        return []
    shown = ", ".join(names[:_NAMES]) + (", …" if len(names) > _NAMES else "")
    return [f"{sign}{len(names)} {one if len(names) == 1 else many}: {shown}"]


def _differ(one: Any, other: Any) -> bool:
    return bool(one != other) and _meaning(one) != _meaning(other)


def _meaning(item: Any) -> Any:
    """The item as plain values, without what is `_MEANINGLESS`."""
    return _placeless(msgspec.to_builtins(item))


def _placeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _placeless(inner) for key, inner in value.items() if key not in _MEANINGLESS}
    if isinstance(value, list | tuple):
        return [_placeless(inner) for inner in value]
    return value

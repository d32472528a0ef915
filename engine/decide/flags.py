"""An experience as a feature flag: what code is told that switches on it, in OpenFeature's words. Pure.

What lives here: value, variant, reason and metadata of one experience in a decision; which flags a page has. What may
not: deciding, a protocol.

1. The value is text, so that code reads `getStringValue("corporate-website", "control")`: the key of the variant, or
   `control`. Who did not match, and who is held out, gets no value: the default that stands in the code.
2. `SPLIT` says that a draw decided between groups or variants, `TARGETING_MATCH` that the match alone did (no control,
   no holdout, one variant), `DEFAULT` that nothing matched, `DISABLED` that the experience is not live, or outside its
   dates.
3. The metadata is flat, and all that a hook needs to say that the visitor saw it: `experience`, `audienceSegment` and
   `personalized`, the properties of `Mutiny Experience Viewed`, are there together or not at all. `version` is the
   ruleset's; `degraded` is there where it is so.
4. `on_page` names no experience that was never to be seen: no draft, none before its start. Whoever knows its key is
   told of it (`of`).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from engine.decide.pages import PatternIndex, View, deciding_order
from engine.rules.notation import patterns
from engine.rules.notation.scalars import CONTROL
from engine.words import Assignment, Decision, Experience, Ruleset

Reason: TypeAlias = Literal["SPLIT", "TARGETING_MATCH", "DEFAULT", "DISABLED"]

NO_VARIANT: Final = ""  # clients want text


class Flag(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One experience as a flag; without a value the code's own default stands."""

    key: str
    reason: Reason
    variant: str
    value: str | None = None
    metadata: dict[str, str | bool]


class Flags:
    """The experiences of a ruleset as flags; one that two visitors share is made once."""

    __slots__ = ("_paused", "_paused_on", "_ruleset", "_shared")

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._paused = deciding_order(e for e in ruleset.experiences.values() if e.status == "paused")
        self._paused_on = PatternIndex([experience.pages for experience in self._paused])
        self._shared: dict[tuple[str, Reason, str, str | None, bool], Flag] = {}

    def parts(self) -> Iterable[Flag]:
        """What it has made, in parts that are freed quickly."""
        return self._shared.values()

    def of(self, key: str, decision: Decision, now: datetime) -> Flag:
        """This experience, as the decision has it. Raises KeyError for an experience that there is not."""
        return self._flag(self._ruleset.experiences[key], _by_experience(decision), now, decision.degraded)

    def on_page(self, view: View, decision: Decision, now: datetime) -> list[Flag]:
        """Every flag that the page of this view has; of a view without a URL, every flag that any page has."""
        experiences = [*view.match.experiences] if view.match else []
        experiences += self._paused_there(view)
        matched = _by_experience(decision)
        return [self._flag(e, matched, now, decision.degraded) for e in experiences if _begun(e, now)]

    def _paused_there(self, view: View) -> Iterable[Experience]:
        url = patterns.parse_url(view.fields["url"]) if self._paused and "url" in view.fields else None
        return self._paused if url is None else [self._paused[number] for number in self._paused_on.find(url)]

    def _flag(
        self,
        experience: Experience,
        matched: Mapping[str, Assignment],
        now: datetime,
        degraded: bool,  # noqa: FBT001 - one of the facts
    ) -> Flag:
        found = matched.get(experience.key)
        segment, variant = (found.segment, found.variant) if found else ("", None)
        reason = _drawn(experience, segment) if segment else _why_not(experience, now)
        same = (experience.key, reason, segment, variant, degraded)
        known = self._shared.get(same)
        if known is None:
            known = self._shared[same] = self._made(*same)
        return known

    def _made(self, key: str, reason: Reason, segment: str, variant: str | None, degraded: bool) -> Flag:  # noqa: FBT001
        ruleset = self._ruleset
        metadata: dict[str, str | bool] = {"version": ruleset.version}
        if degraded:
            metadata["degraded"] = True
        if not segment:
            return Flag(key=key, reason=reason, variant=NO_VARIANT, metadata=metadata)
        seen: dict[str, str | bool] = {
            "experience": ruleset.experiences[key].name,
            "audienceSegment": ruleset.segments[segment].name,
            "personalized": variant is not None,
        }
        value = CONTROL if variant is None else variant
        return Flag(key=key, reason=reason, variant=value, value=value, metadata={**seen, **metadata})


def _by_experience(decision: Decision) -> dict[str, Assignment]:
    return {assignment.experience: assignment for assignment in decision.assignments}


def _drawn(experience: Experience, segment: str) -> Reason:
    """Why somebody in this segment has what they have."""
    audience = next(one for one in experience.audiences if one.segment == segment)
    variants = sum(variant.weight > 0 for variant in audience.variants)
    drawn = audience.control_ppm > 0 or experience.holdout_ppm > 0 or variants > 1
    return "SPLIT" if drawn else "TARGETING_MATCH"


def _why_not(experience: Experience, now: datetime) -> Reason:
    live = experience.status == "live" and _begun(experience, now) and not _ended(experience, now)
    return "DEFAULT" if live else "DISABLED"


def _begun(experience: Experience, now: datetime) -> bool:
    return experience.start is None or experience.start <= now


def _ended(experience: Experience, now: datetime) -> bool:
    return experience.end is not None and experience.end <= now

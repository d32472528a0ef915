"""Rulesets without rule files: words put together by hand, for the tests of every room that needs one."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from engine.cel.parse import parse
from engine.decide.decider import Decider
from engine.words import (
    Assignment,
    Audience,
    Case,
    Change,
    Condition,
    Decision,
    Expected,
    Experience,
    Given,
    Page,
    Place,
    Profile,
    Ruleset,
    Segment,
    Slot,
    TraitDeclaration,
    Variant,
    Visit,
)

PLACE = Place("rules/made.yaml", 1, 1)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
URL = "https://www.example.com/"


class Maker:
    """Makes words with defaults; a segment's key is also its condition's trait: `big` is `traits.big == true`."""

    now = NOW

    def condition(self, text: str) -> Condition:
        return Condition(text, PLACE, parse(text))

    def segment(self, key: str, *when: str, excepts: Iterable[str] = ()) -> Segment:
        texts = when or (f"traits.{key} == true",)
        conditions = tuple(self.condition(text) for text in texts)
        return Segment(key, f"Name of {key}", conditions, tuple(self.condition(text) for text in excepts), PLACE)

    def variant(self, key: str = "hero", *changes: Change, weight: int = 1) -> Variant:
        return Variant(key, weight, changes or (Change(selector="h1", text=(key,)),))

    def audience(self, segment: str, *variants: Variant, control: int = 0, salt: str = "") -> Audience:
        return Audience(segment, control, salt, variants or (self.variant(),), PLACE)

    def experience(self, key: str, *audiences: Audience | str, **fields: Any) -> Experience:
        made = tuple(self.audience(a) if isinstance(a, str) else a for a in audiences)
        plain: dict[str, Any] = {
            "name": f"Name of {key}",
            "pages": ("/**",),
            "status": "live",
            "start": None,
            "end": None,
            "holdout_ppm": 0,
            "split_by": "visitor",
            "exclusion_group": None,
            "priority": 0,
        }
        return Experience(key=key, audiences=made, place=PLACE, **{**plain, **fields})

    def ruleset(
        self,
        *experiences: Experience,
        segments: Iterable[Segment] = (),
        traits: Iterable[TraitDeclaration] = (),
        cases: Iterable[Case] = (),
    ) -> Ruleset:
        """Segments that the experiences name and nobody gave are made by their key."""
        known = {segment.key: segment for segment in segments}
        for experience in experiences:
            for audience in experience.audiences:
                known.setdefault(audience.segment, self.segment(audience.segment))
        return Ruleset(
            version="0badcafe",
            segments=known,
            experiences={experience.key: experience for experience in experiences},
            goals={},
            traits={declaration.name: declaration for declaration in traits},
            insertable=(),
            cases=tuple(cases),
        )

    def decider(self, *experiences: Experience, **parts: Any) -> Decider:
        return Decider(self.ruleset(*experiences, **parts))

    def case(
        self, expected: Expected, profile: Profile | None = None, now: datetime | None = None, **page: Any
    ) -> Case:
        given = Given(profile or Profile(""), Page(**{"url": URL, **page}), Visit(), now)
        return Case("a case", given, expected, Place("rules/tests.yaml", 7, 5))

    def decide(
        self,
        decider: Decider,
        visitor_id: str = "v1",
        traits: Mapping[str, Any] | None = None,
        url: str = URL,
        now: datetime = NOW,
        **known: Any,
    ) -> Decision:
        return decider.decide(Profile(visitor_id, dict(traits or {}), **known), Page(url), Visit(), now)

    def shown(self, decision: Decision) -> list[tuple[str, str, str | None]]:
        """(experience, segment, variant) of each assignment."""
        return [(a.experience, a.segment, a.variant) for a in decision.assignments]

    def body(self, assignment: Assignment) -> dict[str, Any]:
        entry = msgspec.json.decode(assignment.body)
        assert isinstance(entry, dict)
        return entry

    def slot(self, path: str, spot: Any = "text", default: str | None = None) -> Slot:
        return Slot(tuple(path.split(".")), default, spot)

"""The whole reasoning of one decision: the slow second form of `Decider.decide` (DESIGN section 12, `explain`).

What lives here: the order of the steps, told; which experience came to what, and why. What may not: a second meaning
of conditions (`explain_condition.py` asks the reference implementation), other draws (`explain_split.py`), I/O, a
clock.

1. Every experience gets its reasons, in deciding order: not live, another page, outside its schedule, decided by
   another experience of its exclusion group, or asked: its audiences from the first to the one that matches.
2. Nothing of the generated code is used on the way. So the answer is a second opinion: `agrees` says that
   `Decider.decide` came to the same, and a property test holds that it does.
3. Narrowed to one experience, its audiences are asked even where the decision did not get to them.
4. A page of thousands of segments takes seconds: each part of each condition is planned by itself.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from engine.decide import explain_split
from engine.decide.decider import Decider
from engine.decide.explain_condition import steps
from engine.decide.explain_facts import Facts
from engine.decide.explain_slots import shown
from engine.decide.explain_words import because, blame, sentence
from engine.decide.explanation import Draw, Explanation, Outcome, Reasons, Shown, Step, Tried, Unit, readable, to_json
from engine.decide.pages import deciding_order, matching
from engine.decide.render import personalized
from engine.words import Audience, Experience, Page, Profile, Segment, Visit

__all__ = ["explain", "to_json"]


def explain(
    decider: Decider, profile: Profile, page: Page, visit: Visit, now: datetime, *, experience: str | None = None
) -> Explanation:
    """Why this visitor sees what they see on this page at `now` (UTC-aware); of one experience, if it is named by key.

    Raises `NotAUrl`, and KeyError for an experience that the ruleset does not have.
    """
    if experience is not None:
        _ = decider.ruleset.experiences[experience]
    return _Inquiry(decider, profile, page, visit, now).explanation(experience)


class _Inquiry:
    """One page view, looked into."""

    def __init__(self, decider: Decider, profile: Profile, page: Page, visit: Visit, now: datetime) -> None:
        self._ruleset = decider.ruleset
        self._profile, self._page, self._now = profile, page, now
        roots, unusable = decider.roots(profile, page, visit, now)
        self._facts = Facts(roots, profile.traits, self._ruleset.traits, unusable)
        self._slot_roots = decider.shown(profile, roots)
        self._decision = decider.decide(profile, page, visit, now)
        self._conditions: dict[str, tuple[tuple[Step, ...], tuple[Step, ...]]] = {}

    def explanation(self, only: str | None) -> Explanation:
        """All of it, or of one experience alone."""
        decided: dict[str, str] = {}  # exclusion group to the experience that decided it
        every: list[Reasons] = []
        for experience in deciding_order(self._ruleset.experiences.values()):
            reasons = self._reasons(experience, decided, asked_anyway=experience.key == only)
            every.append(reasons)
            group = experience.exclusion_group
            if group is not None and reasons.outcome in {"personalized", "control", "held-out"}:
                decided[group] = experience.key
        told = [reasons for reasons in every if only in (None, reasons.experience)]
        return Explanation(
            verdict=sentence(self._profile.visitor_id, told, only),
            visitor_id=readable(self._profile.visitor_id),
            url=readable(self._page.url),
            now=self._now,
            ruleset=self._ruleset.version,
            degraded=self._profile.degraded,
            agrees=self._agrees(every),
            unusable=tuple(self._facts.unusable()),
            experiences=tuple(told),
        )

    def _reasons(self, experience: Experience, decided: dict[str, str], *, asked_anyway: bool) -> Reasons:
        fitting = matching(experience, self._page.url)
        by = decided.get(experience.exclusion_group or "")
        obstacle = self._obstacle(experience, fitting) or ("excluded" if by else None)
        tried = tuple(self._tried(experience)) if obstacle is None or asked_anyway else ()
        winner = None if obstacle else _winner(experience, tried)
        unit, draws = self._drawn(experience, winner) if winner else (None, ())
        outcome = obstacle or _outcome(draws)
        return Reasons(
            experience=experience.key,
            name=experience.name,
            place=experience.place,
            outcome=outcome,
            because=because(experience, outcome, tried, draws, by),
            status=experience.status,
            pages=experience.pages,
            fitting=fitting,
            start=experience.start,
            end=experience.end,
            priority=experience.priority,
            exclusion_group=experience.exclusion_group,
            decided_by=by if outcome == "excluded" else None,
            segment=winner.segment if winner else None,
            audiences=tried,
            unit=unit,
            draws=draws,
            shown=self._shown(experience, winner, draws) if winner and outcome == "personalized" else None,
        )

    def _obstacle(self, experience: Experience, fitting: tuple[str, ...]) -> Outcome | None:
        """Why the experience is not even there, if so."""
        if experience.status != "live":
            return "not-live"
        if not fitting:
            return "other-page"
        if experience.start is not None and self._now < experience.start:
            return "not-started"
        if experience.end is not None and self._now >= experience.end:
            return "ended"
        return None

    def _tried(self, experience: Experience) -> Iterator[Tried]:
        """The audiences in order; below the first that matches, none is asked."""
        found = False
        for audience in experience.audiences:
            segment = self._ruleset.segments[audience.segment]
            if found:
                yield Tried(segment.key, segment.name, audience.place, "not-asked", "a segment above it matches")
                continue
            when, excepts = self._asked(segment)
            found = all(step.truth == "true" for step in when) and all(step.truth != "true" for step in excepts)
            words = blame(when, excepts)
            outcome: Literal["matches", "does-not-match"] = "matches" if found else "does-not-match"
            yield Tried(segment.key, segment.name, audience.place, outcome, words, when, excepts)

    def _asked(self, segment: Segment) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The trees of a segment's `when` and `except`; several experiences may ask for it."""
        if segment.key not in self._conditions:
            when = tuple(steps(condition, self._facts) for condition in segment.when)
            excepts = tuple(steps(condition, self._facts) for condition in segment.excepts)
            self._conditions[segment.key] = when, excepts
        return self._conditions[segment.key]

    def _drawn(self, experience: Experience, winner: Audience) -> tuple[Unit, tuple[Draw, ...]]:
        unit = explain_split.unit(experience.split_by, self._profile)
        return unit, tuple(explain_split.draws(experience, winner, unit.id))

    def _shown(self, experience: Experience, winner: Audience, draws: tuple[Draw, ...]) -> Shown:
        """The variant as it goes out; made here, so that it can be compared with what was decided."""
        variant = explain_split.chosen(winner, draws)
        segment = self._ruleset.segments[winner.segment]
        body = personalized(experience.name, segment.name, variant).fill(self._slot_roots)
        return shown(variant, body, self._facts, self._slot_roots)

    def _agrees(self, every: list[Reasons]) -> bool:
        """Did `decide` come to the same winners, groups and variants?"""
        told = [
            (reasons.experience, reasons.segment, reasons.shown.variant if reasons.shown else None)
            for reasons in every
            if reasons.outcome in {"personalized", "control"}
        ]
        return told == [(entry.experience, entry.segment, entry.variant) for entry in self._decision.assignments]


def _winner(experience: Experience, tried: tuple[Tried, ...]) -> Audience | None:
    """The first audience that matches."""
    pairs = zip(experience.audiences, tried, strict=True)
    return next((audience for audience, one in pairs if one.outcome == "matches"), None)


def _outcome(draws: tuple[Draw, ...]) -> Outcome:
    """What the draws of a matched visitor came to; who did not match has none."""
    results = {draw.role: draw.result for draw in draws}
    if not results:
        return "no-match"
    if results.get("holdout") == "held-out":
        return "held-out"
    return "control" if results["split"] == "control" else "personalized"

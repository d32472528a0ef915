"""A decision as a back end reads it. Pure.

1. `Answer` is the whole answer to one page view, `Choice` one experience in it, `Track` the call that counts it.
2. Keys are those of the rule files; the names that analytics sees stand in `track.properties`.
3. Nothing is worked out before somebody asks for it: most callers want one variant and one call.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.decide.wire import to_json
from engine.words import Assignment, Decision


class Track(Struct, frozen=True):
    """The tracking call that says that the visitor saw it: `analytics.track(…, event, properties)`."""

    event: str
    properties: dict[str, Any]


class _Entry(Struct, frozen=True):
    changes: list[dict[str, Any]]
    track: Track


_entry: Final = msgspec.json.Decoder(_Entry).decode


class Choice(Struct, frozen=True):
    """One experience that applies to this visitor on this page, with the group that they drew.

    `experience`, `segment` and `variant` are keys of the rule files; `variant` None is the control group: the page as
    it is, tracked like the other. `body` is the same as JSON, an entry of `POST /v1/decide`.
    """

    experience: str
    segment: str
    variant: str | None
    body: bytes

    def __repr__(self) -> str:
        """Without its JSON, which says the same at length."""
        return f"Choice(experience={self.experience!r}, segment={self.segment!r}, variant={self.variant!r})"

    @property
    def personalized(self) -> bool:
        """Does this visitor see a variant? False: control."""
        return self.variant is not None

    @property
    def track(self) -> Track:
        """What to send once the page is shown, to control as well: `Mutiny Experience Viewed`, with its properties.

        Without it nothing is counted, and `mutiny-edge lift` has nothing to compare.
        """
        return _entry(self.body).track

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The page changes of the rule files, slots filled and escaped; empty for control.

        For back ends that render by the variant's key alone there is no need to look.
        """
        return _entry(self.body).changes


class Answer(Struct, frozen=True):
    """What one visitor sees on one page.

    `decisions` are the experiences that apply, in the order in which they were decided; `ruleset` is the version of the
    rules. `unusable` names declared traits whose value could not be used. `degraded`: profiles could not be read, or
    not in whole, so that page, visit and the traits that came with the question decided.
    """

    visitor_id: str
    ruleset: str
    decisions: tuple[Choice, ...]
    unusable: tuple[str, ...] = ()
    degraded: bool = False

    def experience(self, key: str) -> Choice | None:
        """The experience with this key; None where it does not apply: the page as it is, and nothing is tracked."""
        for choice in self.decisions:
            if choice.experience == key:
                return choice
        return None

    def variant(self, key: str) -> str | None:
        """The key of the variant to show; None for the page as it is (control, no match, no such experience)."""
        choice = self.experience(key)
        return None if choice is None else choice.variant

    def to_json(self) -> bytes:
        """As `POST /v1/decide` answers, for a page that applies the changes itself."""
        entries = tuple(
            Assignment(choice.experience, choice.segment, choice.variant, choice.body) for choice in self.decisions
        )
        return to_json(Decision(self.visitor_id, self.ruleset, entries, self.unusable, self.degraded))


def answer(decision: Decision) -> Answer:
    """The decision in the words of a back end."""
    choices = tuple([Choice(a.experience, a.segment, a.variant, a.body) for a in decision.assignments])
    return Answer(decision.visitor_id, decision.ruleset, choices, decision.unusable, decision.degraded)

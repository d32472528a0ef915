"""One live experience, prepared: its draws, and the entries of its audiences. Pure.

What lives here: all that can be said of an answer before its visitor comes. What may not: matching, profiles, the draw
itself (`split.py`), the bytes of an entry (`render.py`).
"""

from collections.abc import Callable
from typing import NamedTuple

from engine.decide import render, split
from engine.decide.render import Roots
from engine.decide.tally import Tally
from engine.words import Assignment, Audience, Experience, Ruleset


class Draw(NamedTuple):
    """An audience in short: who is drawn below `limit` gets `control`, the others what is `personalized`.

    None in its place where more decides: a holdout, several variants, slots.
    """

    text: bytes  # what is hashed, but for the unit
    limit: int
    control: bytes
    personalized: bytes | None
    place: int  # in the tally: control, and behind it personalized


class Plan:
    """One live experience: its draws, and the entries of its audiences."""

    __slots__ = ("_holdout_ppm", "_key", "audiences", "draws", "split_by")

    def __init__(self, experience: Experience, ruleset: Ruleset, tally: Tally) -> None:
        self._key = experience.key
        self._holdout_ppm = experience.holdout_ppm
        self.split_by = experience.split_by
        self.audiences = tuple(_Prepared(experience, audience, ruleset) for audience in experience.audiences)
        self.draws = tuple(
            audience.draw(tally.place(self._key, audience.segment), held_out=self._holdout_ppm > 0)
            for audience in self.audiences
        )

    def assign(self, index: int, unit: str, shown: Callable[[], Roots]) -> Assignment | None:
        """The entry of a visitor who matched this audience; None for one who is held out.

        `unit` is what is drawn for, `shown` gives what slots see.
        """
        if self._holdout_ppm and split.is_held_out(self._holdout_ppm, self._key, unit):
            return None
        audience = self.audiences[index]
        if split.drawn(audience.split_text + unit.encode()) < audience.control_limit:  # `split.is_control`
            return audience.control
        chosen = 0
        if len(audience.weights) > 1:
            chosen = split.choose(audience.weights, self._key, audience.segment, audience.salt, unit)
        constant = audience.constants[chosen]
        if constant is not None:
            return constant
        entry = audience.entries[chosen].fill(shown())
        return Assignment(self._key, audience.segment, audience.variants[chosen], entry)


class _Prepared:
    """One audience: all that can be said about its visitors before they come."""

    __slots__ = (
        "constants",
        "control",
        "control_limit",
        "entries",
        "salt",
        "segment",
        "split_text",
        "variants",
        "weights",
    )

    def __init__(self, experience: Experience, audience: Audience, ruleset: Ruleset) -> None:
        name, segment = experience.name, ruleset.segments[audience.segment].name
        self.segment = audience.segment
        self.salt = audience.salt
        self.control_limit = split.control_limit(audience.control_ppm)
        # What is hashed, but for the unit.
        self.split_text = split.hashed("split", experience.key, audience.segment, audience.salt, "").encode()
        self.control = Assignment(experience.key, audience.segment, None, render.control(name, segment))
        self.variants = tuple(variant.key for variant in audience.variants)
        self.weights = tuple(variant.weight for variant in audience.variants)
        self.entries = tuple(render.personalized(name, segment, variant) for variant in audience.variants)
        # Assignments of variants without slots: the same for every visitor.
        self.constants = tuple(
            None if entry.constant is None else Assignment(experience.key, audience.segment, variant, entry.constant)
            for variant, entry in zip(self.variants, self.entries, strict=True)
        )

    def draw(self, place: int, *, held_out: bool) -> Draw:
        """In short, counted at this place; `held_out`: is anybody?"""
        only = self.constants[0] if len(self.constants) == 1 and not held_out else None
        personalized = None if only is None else only.body
        return Draw(self.split_text, self.control_limit, self.control.body, personalized, place)

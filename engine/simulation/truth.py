"""What is true of a simulated stream: how many saw what first, and with which probability each of them converts. Pure.

What lives here: counting the probabilities that were used. What may not: drawing anything.

1. Whoever counts conversions in the stream meets chance; here are the rates that chance was given, as means over the
   visitors who were drawn. An interval for the lift ought to cover the lift of these means.
"""

from msgspec import Struct


class Group(Struct):
    """Visitors whose first exposure this was, and the sum of their probabilities to convert."""

    visitors: int = 0
    expected: float = 0.0

    @property
    def rate(self) -> float:
        """The mean probability."""
        return self.expected / self.visitors if self.visitors else 0.0


class Effect(Struct):
    """Both groups of one experience, segment and goal."""

    experience: str
    segment: str
    goal: str
    control: Group
    personalized: Group

    @property
    def lift(self) -> float | None:
        """The true one; None where a group is empty."""
        return (
            self.personalized.rate / self.control.rate - 1 if self.control.rate and self.personalized.visitors else None
        )


class Truth:
    """All effects of a stream."""

    def __init__(self) -> None:
        self._effects: dict[tuple[str, str, str], Effect] = {}

    def add(self, experience: str, segment: str, goal: str, probability: float, *, personalized: bool) -> None:
        """One visitor more, with their probability to reach this goal."""
        key = (experience, segment, goal)
        effect = self._effects.get(key)
        if effect is None:
            effect = self._effects[key] = Effect(experience, segment, goal, Group(), Group())
        group = effect.personalized if personalized else effect.control
        group.visitors += 1
        group.expected += probability

    def effects(self) -> list[Effect]:
        """By experience, segment and goal."""
        return [self._effects[key] for key in sorted(self._effects)]

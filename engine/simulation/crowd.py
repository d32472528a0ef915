"""Who comes: of every audience some, and strangers, each to a page that some experience is for. Pure.

What lives here: kinds of visitors. What may not: one visitor's messages (`visitor`), when they come (`stream`).

1. A kind is a page with facts for which one audience's segment matches there. The decider is asked whether it really
   comes to this audience, for an audience before it or another experience may have a better claim.
2. Of many audiences some are tried: a simulation shows a system at work, it covers no rule file.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from engine.cel.scope import VISIT
from engine.decide.decider import Decider
from engine.rules.notation.example_url import example_url, usual_host
from engine.simulation.chance import Chance
from engine.simulation.facts import view
from engine.simulation.values import Facts, Path, Pool, pool
from engine.simulation.wishes import Wish, drawn, fulfilments
from engine.words import Audience, Experience, Profile

_AUDIENCES: Final = 200
_STRANGERS: Final = 0.15
_NAMES: Final = tuple(f"try-{number}" for number in range(8))  # a holdout may take some of them


class Kind(Struct, frozen=True):
    """Visitors of one page, with these facts."""

    url: str
    facts: dict[Path, Any]


class Crowd:
    """The visitors of some experiences. `missing`: audiences, as (experience, segment), that nobody was found for."""

    def __init__(self, decider: Decider, experiences: Sequence[Experience], now: datetime, chance: Chance) -> None:
        """`now` is about when they come: conditions may ask for it."""
        self.missing: list[tuple[str, str]] = []
        self._decider = decider
        self._now = now
        self._host = usual_host(pattern for one in decider.ruleset.experiences.values() for pattern in one.pages)
        self._pool: Pool = {}
        self._kinds: list[list[Kind]] = []
        audiences = [(one, audience) for one in experiences for audience in one.audiences]
        while len(audiences) > _AUDIENCES:
            audiences.pop(chance.randrange(0, len(audiences)))
        for experience, audience in audiences:
            kinds = self._of(experience, audience, chance)
            if kinds:
                self._kinds.append(kinds)
            else:
                self.missing.append((experience.key, audience.segment))
        self._urls = sorted({url for one in experiences for url in self._pages(one)})

    @property
    def asked(self) -> frozenset[str]:
        """The traits that conditions ask for."""
        return frozenset(path[1] for path in self._pool if path[0] == "traits")

    def drawn(self, chance: Chance) -> Kind | None:
        """Somebody; None where no page of these experiences can be made up."""
        if self._kinds and chance.random() >= _STRANGERS:
            return chance.choice(chance.choice(self._kinds))
        return Kind(chance.choice(self._urls), drawn(self._pool, chance)) if self._urls else None

    def _of(self, experience: Experience, audience: Audience, chance: Chance) -> list[Kind]:
        segment = self._decider.ruleset.segments[audience.segment]
        asked = pool((*segment.when, *segment.excepts), self._decider.ruleset.traits)
        self._pool |= {path: (*self._pool.get(path, ()), *values) for path, values in asked.items()}
        wish = Wish(segment.when, segment.excepts, VISIT)
        kinds: list[Kind] = []
        for url in self._pages(experience)[:2]:
            found = fulfilments(wish, asked, lambda facts, url=url: self._roots(facts, url), chance)  # type: ignore[misc]
            kinds += [Kind(url, facts) for facts in found]
        return [kind for kind in kinds if self._comes_to(experience.key, audience.segment, kind)]

    def _pages(self, experience: Experience) -> list[str]:
        return [url for pattern in experience.pages if (url := example_url(pattern, self._host)) is not None]

    def _roots(self, facts: Facts, url: str) -> Sequence[Any]:
        given = view(facts, url, self._now, Profile(_NAMES[0]))
        return self._decider.roots(given.profile, given.page, given.visit, self._now)[0]

    def _comes_to(self, experience: str, segment: str, kind: Kind) -> bool:
        for name in _NAMES:
            given = view(kind.facts, kind.url, self._now, Profile(name))
            decision = self._decider.decide(given.profile, given.page, given.visit, self._now)
            if any((one.experience, one.segment) == (experience, segment) for one in decision.assignments):
                return True
        return False

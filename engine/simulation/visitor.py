"""One visitor: what they send, what is decided for them, and whether they convert. Pure.

What lives here: a visitor's messages, as Segment's libraries send them. What may not: who they are (`crowd`), the order
among all (`stream`), taking messages in.

1. Some are known from the beginning (`userId`), some become known when they convert, and of most never more is known
   than their device. Exposures come from the browser; conversions of the known partly from a backend, under `userId`
   alone, so that links are needed to bring both together.
2. Some come again, within a time in which every goal's window is still open. What they see then is decided anew.
3. A goal is reached with the chosen rate, by the chosen lift more often for every experience of which they saw the
   personalized version first. It is reached after all first exposures and within the window of each.
4. Some reach a goal before they saw anything, some send events that look like a goal and count for none, and some
   messages arrive twice.
5. With a broken split (`kept`) some exposures of one group are lost, as where a page fails for them.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from engine.decide.decider import Decider
from engine.segment.message import VISITOR_TRAIT
from engine.segment.moments import written
from engine.simulation.chance import Chance, uuid
from engine.simulation.crowd import Kind
from engine.simulation.facts import view
from engine.simulation.goals import Event
from engine.simulation.truth import Truth
from engine.words import Assignment, Given, Profile

WEBSITE: Final = "simulated-website"
BACKEND: Final = "simulated-backend"
KNOWN, ONCE_CONVERTED, BY_BACKEND = 0.35, 0.5, 0.5
COMES_AGAIN, TWICE, TOO_EARLY, ALIKE = 0.3, 0.01, 0.01, 0.05
RATE_MOST: Final = 0.95
_FIRST_NAMES: Final = ("Ada", "Alan", "Barbara", "Edsger", "Grace", "Katherine", "Ken", "Margaret", "Radia", "Tony")
_COMPANIES: Final = ("Northbank", "Clinica", "Shipfast", "Lumen", "Kranwerk", "Papertrail", "Owlworks", "Fjordline")
_BROWSER: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Said(Struct, frozen=True, order=True):
    """A message on its way: when it comes, in milliseconds, from which source, and what it says. `number` tells two
    that come at once apart."""

    received_ms: int
    number: int
    source: str
    body: dict[str, Any]


class World(Struct, frozen=True):
    """What is the same for all visitors. `lift` is a fraction, `again_ms` the time in which somebody comes again;
    `kept`: by experience and segment, which part of control's and of personalized exposures is not lost."""

    decider: Decider
    events: tuple[Event, ...]
    rate: float
    lift: float
    again_ms: int
    asked: frozenset[str]
    kept: dict[tuple[str, str], tuple[float, float]]
    truth: Truth


class _First(Struct, frozen=True):
    at_ms: int
    segment: str
    personalized: bool


class Visitor:
    """Somebody of this kind who comes at this time, as the `number`th of all."""

    def __init__(self, world: World, kind: Kind, number: int, at_ms: int, chance: Chance) -> None:
        self._world = world
        self._kind = kind
        self._at_ms = at_ms
        self._chance = chance
        self._number = number
        self._said: list[Said] = []
        self._anonymous = uuid(chance)
        self._user = f"user-{number:07}" if chance.random() < KNOWN else None
        account = any(path[0] == "account" for path in kind.facts)
        own = {"firstName": chance.choice(_FIRST_NAMES), "company": chance.choice(_COMPANIES)}
        traits = {name: value for name, value in own.items() if name not in world.asked}
        self._profile = Profile(
            f"{number:07}-{uuid(chance)[:13]}",
            traits if kind.facts else {},
            user_id=self._user,
            account_id=f"account-{number:07}" if account else None,
        )

    def messages(self) -> list[Said]:
        """All that they send, in no order."""
        first = self._visits()
        for event in self._world.events:
            self._reach(event, first)
        for one in [said for said in self._said if self._chance.random() < TWICE]:
            self._said.append(msgspec.structs.replace(one, received_ms=one.received_ms + 60_000))
        return self._said

    def _visits(self) -> dict[str, _First]:
        """Every visit; what they saw first of each experience."""
        first: dict[str, _First] = {}
        lost: set[str] = set()
        for visit, at_ms in enumerate(self._times()):
            given = self._view(at_ms, visit)
            self._browser(at_ms, "page", given, properties={"title": given.page.title})
            if not visit:
                self._introduce(given, at_ms)
            for shown in self._decided(given):
                personalized = shown.variant is not None
                if shown.experience not in first and shown.experience not in lost:
                    if self._is_lost(shown):
                        lost.add(shown.experience)
                    else:
                        first[shown.experience] = _First(at_ms, shown.segment, personalized)
                if shown.experience in first:
                    track = _decode(shown.body)["track"]
                    self._browser(at_ms + 900, "track", given, event=track["event"], properties=track["properties"])
        return first

    def _times(self) -> Iterator[int]:
        yield self._at_ms
        at_ms = self._at_ms
        for _ in range(2):
            if self._chance.random() >= COMES_AGAIN:
                return
            at_ms += self._chance.randrange(1, self._world.again_ms // 2)
            yield at_ms

    def _view(self, at_ms: int, visit: int) -> Given:
        # Durations among the facts are counted from the first visit on: that is when they were sent.
        given = view(self._kind.facts, self._kind.url, _moment(self._at_ms), self._profile, visit)
        return msgspec.structs.replace(given, now=_moment(at_ms))

    def _decided(self, given: Given) -> Sequence[Assignment]:
        now = given.now or _EPOCH
        return self._world.decider.decide(given.profile, given.page, given.visit, now).assignments

    def _is_lost(self, shown: Assignment) -> bool:
        control, personalized = self._world.kept.get((shown.experience, shown.segment), (1.0, 1.0))
        return self._chance.random() >= (control if shown.variant is None else personalized)

    def _introduce(self, given: Given, at_ms: int) -> None:
        """What the page says of them, and the client; then they are asked about."""
        profile = given.profile
        self._browser(at_ms + 100, "identify", given, traits={VISITOR_TRAIT: profile.visitor_id})
        if profile.traits or self._user is not None:
            self._browser(at_ms + 200, "identify", given, traits=profile.traits)
        if profile.account_id is not None:
            self._browser(at_ms + 300, "group", given, groupId=profile.account_id, traits=profile.account)

    def _reach(self, event: Event, first: dict[str, _First]) -> None:
        """With their probability, after what they saw; and what lift must not count."""
        chance = self._chance
        if event.others and chance.random() < ALIKE:
            at_ms = self._at_ms + chance.randrange(0, event.window_s * 1000)
            self._track(at_ms, event.name, chance.choice(event.others))
        if not event.properties:
            return
        probability = self._world.rate
        for shown in first.values():
            probability *= 1 + self._world.lift if shown.personalized else 1
        probability = min(probability, RATE_MOST)
        for experience, shown in first.items():
            of_all = self._all(event, probability)
            self._world.truth.add(experience, shown.segment, event.goal, of_all, personalized=shown.personalized)
        if chance.random() < TOO_EARLY:
            early_ms = self._at_ms - chance.randrange(60_000, 3_600_000)
            self._track(early_ms, event.name, chance.choice(event.properties))
        if chance.random() < probability:
            self._convert(event, self._reached_ms(event, [shown.at_ms for shown in first.values()] or [self._at_ms]))

    def _reached_ms(self, event: Event, exposed_ms: Sequence[int]) -> int:
        """After all of these, within the window of each, sooner rather than later."""
        begins_ms, ends_ms = max(exposed_ms) + 1_000, min(exposed_ms) + event.window_s * 1000 - 1_000
        return max(begins_ms, begins_ms + int((ends_ms - begins_ms) * self._chance.random() ** 2))

    def _all(self, event: Event, probability: float) -> float:
        """The probability to reach this goal by its own event, or by one of another goal that counts for it, too."""
        missed = 1.0
        for one in self._world.events:
            if event.goal in one.covers and one.properties:
                missed *= 1 - probability
        return 1 - missed

    def _convert(self, event: Event, at_ms: int) -> None:
        chance = self._chance
        properties = chance.choice(event.properties)
        if self._user is None and chance.random() < ONCE_CONVERTED:
            self._user = f"user-{self._number:07}"
            self._browser(at_ms - 500, "identify", self._view(at_ms, 0), traits={})
        if self._user is not None and chance.random() < BY_BACKEND:
            context = {"library": {"name": "analytics-python", "version": "2.4.0"}}
            self._say(at_ms, BACKEND, "track", {"event": event.name, "properties": properties, "context": context})
        else:
            self._track(at_ms, event.name, properties)

    def _track(self, at_ms: int, event: str, properties: dict[str, Any]) -> None:
        self._browser(at_ms, "track", self._view(at_ms, 0), event=event, properties=properties)

    def _browser(self, at_ms: int, type_: str, given: Given, **said: Any) -> None:
        """As analytics.js sends it."""
        at = urlsplit(given.page.url)
        page = {"url": given.page.url, "path": at.path, "search": at.query, "referrer": given.page.referrer}
        library = {"name": "analytics.js", "version": "npm:next-1.84.0"}
        context = {"page": page, "userAgent": _BROWSER, "library": library}
        self._say(at_ms, WEBSITE, type_, {"anonymousId": self._anonymous, "context": context, **said})

    def _say(self, at_ms: int, source: str, type_: str, said: dict[str, Any]) -> None:
        body = {
            "type": type_,
            "userId": self._user,
            **said,
            "messageId": uuid(self._chance),
            "timestamp": written(at_ms),
            "sentAt": written(at_ms + 20),
        }
        self._said.append(Said(at_ms + 60, self._number * 1_000 + len(self._said), source, body))


def _moment(at_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at_ms)

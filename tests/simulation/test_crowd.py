"""Who comes: of every audience some, and each of them really gets there."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from engine.decide.decider import Decider
from engine.simulation.crowd import Crowd, Kind
from engine.simulation.facts import view
from engine.words import Experience, Profile, Ruleset

Rules = Callable[[str], Ruleset]


def live(decider: Decider) -> list[Experience]:
    """The experiences that somebody sees."""
    return [one for one in decider.ruleset.experiences.values() if one.status == "live"]


def seen(decider: Decider, kind: Kind, now: datetime, name: str) -> set[tuple[str, str]]:
    """What somebody of this kind comes to."""
    given = view(kind.facts, kind.url, now, Profile(name))
    decision = decider.decide(given.profile, given.page, given.visit, now)
    return {(one.experience, one.segment) for one in decision.assignments}


def test_every_audience_of_the_example_is_met(example: Decider, now: datetime) -> None:
    """But for the one that only Salesforce knows; some are strangers whom nothing is shown."""
    chance = random.Random(1)
    crowd = Crowd(example, live(example), now, chance)
    assert crowd.missing == [("homepage-known-company", "open-opportunity")]
    kinds = [crowd.drawn(chance) for _ in range(2_000)]
    met = Counter(name for n, kind in enumerate(kinds) if kind for name in seen(example, kind, now, f"v{n}") or {()})
    wanted = {(one.key, audience.segment) for one in live(example) for audience in one.audiences}
    assert set(met) == wanted - set(crowd.missing) | {()}
    assert min(met.values()) > 30
    assert {"employees", "industry", "is_customer"} <= crowd.asked


def test_one_experience_alone(example: Decider, now: datetime) -> None:
    """Its pages, its audiences."""
    chance = random.Random(1)
    crowd = Crowd(example, [example.ruleset.experiences["pricing-page"]], now, chance)
    kinds = [kind for _ in range(200) if (kind := crowd.drawn(chance))]
    assert {kind.url.partition("?")[0] for kind in kinds} <= {
        "https://www.example.com/pricing", "https://www.example.com/pricing/", "https://www.example.com/pricing/x",
    }  # fmt: skip


def test_many_audiences_are_tried_in_part(rules: Rules, now: datetime) -> None:
    """It takes no longer for a thousand of them than for some hundreds."""
    names = [f"s{n}" for n in range(230)]
    segments = "".join(f"  {name}: {{name: {name}, when: traits.n == {n}}}\n" for n, name in enumerate(names))
    shown = "variants: [{key: v, changes: [{selector: h1, text: x}]}]"
    audiences = "".join(f"      - {{segment: {name}, {shown}}}\n" for name in names)
    text = f"segments:\n{segments}experiences:\n  e:\n    name: E\n    pages: ['/']\n    audiences:\n{audiences}"
    decider = Decider(rules(text))
    chance = random.Random(1)
    crowd = Crowd(decider, live(decider), now, chance)
    met = {name for _ in range(3_000) if (kind := crowd.drawn(chance)) for name in seen(decider, kind, now, "v")}
    assert 190 <= len(met) < 230  # strangers come to some of the others


def test_where_nobody_can_be_made_up(rules: Rules, now: datetime) -> None:
    """Strangers come all the same; to no page, nobody."""
    decider = Decider(
        rules(
            "segments: {s: {name: S, when: salesforce.lead.Score > 1}}\n"
            "experiences: {e: {name: E, pages: ['/'], audiences: [{segment: s, "
            "variants: [{key: v, changes: [{selector: h1, text: x}]}]}]}}\n"
        )
    )
    crowd = Crowd(decider, live(decider), now, random.Random(1))
    assert crowd.missing == [("e", "s")]
    assert crowd.drawn(random.Random(1)) is not None
    assert Crowd(decider, [], now, random.Random(1)).drawn(random.Random(1)) is None

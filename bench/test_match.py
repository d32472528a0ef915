"""Which segments match: the generated page function beside the reference implementation of CEL, on the same rules."""

from collections.abc import Callable
from datetime import datetime
from itertools import cycle
from typing import Any

import pytest

from engine.cel.oracle import prepare
from engine.cel.scope import ROOTS
from engine.compile.pages import page as compile_page
from engine.words import Page, Profile, Ruleset, Visit

SIZES = (20, 100)


def roots_of(profile: Profile, page: Page, visit: Visit, now: datetime) -> tuple[Any, ...]:
    """What conditions see of one view, in the order of generated functions' arguments."""
    fields = {
        "url": page.url,
        "host": "www.example.com",
        "path": "/",
        "query": {"utm_source": "mail"},
        "referrer": page.referrer,
    }
    return profile.traits, profile.account, {}, fields, {"count": visit.count}, visit.device, visit.geo, now


def generated(ruleset: Ruleset) -> Callable[..., list[tuple[int, int]]]:
    """The engine's own way: one function for the page."""
    return compile_page(list(ruleset.experiences.values()), ruleset.segments)


def reference(ruleset: Ruleset) -> Callable[..., list[tuple[int, int]]]:
    """The plain way: ask the reference implementation about each segment, in order."""
    whens = {key: [prepare(when.checked) for when in segment.when] for key, segment in ruleset.segments.items()}
    experiences = list(ruleset.experiences.values())

    def match(*roots: Any) -> list[tuple[int, int]]:
        bindings = dict(zip(ROOTS, roots, strict=True))
        found = []
        for index, experience in enumerate(experiences):
            for place, audience in enumerate(experience.audiences):
                if all(when.truth(bindings) is True for when in whens[audience.segment]):
                    found.append((index, place))
                    break
        return found

    return match


@pytest.mark.parametrize("segments", SIZES)
@pytest.mark.parametrize("way", [generated, reference])
def test_match(benchmark, rules, profiles, page, visit, now, way, segments):
    """Matching one visitor against every segment of the page; both ways give the same answers."""
    benchmark.group = f"match {segments} segments of 4 comparisons"
    ruleset = rules(segments)
    visitors = [roots_of(profile, page, visit, now) for profile in profiles]
    match = way(ruleset)
    other = generated(ruleset)
    assert [match(*roots) for roots in visitors[:100]] == [other(*roots) for roots in visitors[:100]]
    following = cycle(visitors)
    benchmark(lambda: match(*next(following)))

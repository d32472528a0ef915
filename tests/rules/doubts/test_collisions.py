"""Which live experiences would change the same element of the same page."""

from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from engine.rules.doubts.collisions import collisions
from engine.rules.notation import patterns
from engine.rules.notation.patterns import overlap
from engine.words import Audience, Change, Experience, Place, Variant

HERE = Place("a.yaml", 1, 1)


def experience(key: str, *selectors: str, control_ppm: int = 0) -> Experience:
    """A live experience on every page that changes these elements."""
    changes = tuple(Change(selector=selector, text=("x",)) for selector in selectors)
    audience = Audience("s", control_ppm, "", (Variant("v", 1, changes),), HERE)
    return Experience(key, key, ("/**",), "live", None, None, 0, "visitor", None, 0, (audience,), HERE)


def pairs(*experiences: Experience) -> list[tuple[str, str]]:
    """The keys of those that collide."""
    return [(found.earlier.experience.key, found.later.experience.key) for found in collisions(experiences)]


def test_the_same_element() -> None:
    """Experiences collide where a selector is the same, however it is written, and once however often."""
    assert pairs(experience("a", "h1", "#x"), experience("b", "H1 , p", "#x"), experience("c", "h2")) == [("a", "b")]


def test_every_pair() -> None:
    """Of three, all three pairs."""
    assert set(pairs(*(experience(key, "h1") for key in "abc"))) == {("a", "b"), ("a", "c"), ("b", "c")}


@pytest.mark.parametrize(
    ("one", "other", "collide"),
    [
        (["/a"], ["/a"], True),
        (["https://x.y/a", "https://x.y/b"], ["https://x.y/c", "https://x.y/b"], True),
        (["https://x.y/a"], ["https://x.y/b"], False),
        (["https://x.y/a"], ["x.y/*"], True),
        (["/a/**"], ["/b/**"], False),
    ],
)
def test_the_same_page(one: list[str], other: list[str], *, collide: bool) -> None:
    """Plain pages collide where they are equal, open ones where they meet."""
    a = structs.replace(experience("a", "h1"), pages=tuple(one))
    b = structs.replace(experience("b", "h1"), pages=tuple(other))
    assert bool(pairs(a, b)) == bool(pairs(b, a)) == collide


def test_what_keeps_them_apart() -> None:
    """A common exclusion group, schedules that do not meet, a status that is not live, a control share of 100%."""
    a, b = experience("a", "h1"), experience("b", "h1")
    turn = datetime(2026, 1, 1, tzinfo=UTC)
    assert pairs(structs.replace(a, exclusion_group="g"), structs.replace(b, exclusion_group="g")) == []
    assert pairs(structs.replace(a, exclusion_group="g"), structs.replace(b, exclusion_group="h")) == [("a", "b")]
    assert pairs(structs.replace(a, end=turn), structs.replace(b, start=turn)) == []
    assert pairs(structs.replace(a, start=turn), structs.replace(b, end=turn)) == []
    assert pairs(structs.replace(a, start=turn), structs.replace(b, start=turn)) == [("a", "b")]
    assert pairs(structs.replace(a, status="draft"), b) == []
    assert pairs(experience("a", "h1", control_ppm=1_000_000), b) == []


def test_redirects_collide() -> None:
    """Two redirects of one page are a collision, too."""
    away = (Audience("s", 0, "", (Variant("v", 1, (Change(redirect=("/x",)),)),), HERE),)
    assert pairs(
        structs.replace(experience("a"), audiences=away), structs.replace(experience("b"), audiences=away)
    ) == [("a", "b")]


@given(
    st.lists(
        st.lists(
            st.sampled_from(["/a", "/ab", "/a/*", "/a/**", "/**", "/*/b", "x.y/a/b", "*.y/a*", "http://x.y/a"]),
            min_size=1,
            max_size=3,
        ),
        max_size=5,
    )
)
def test_looking_up_candidates_misses_none(pages: list[list[str]]) -> None:
    """The pairs are exactly those of which some pages overlap, however they are looked up."""
    live = [structs.replace(experience(str(number), "h1"), pages=tuple(each)) for number, each in enumerate(pages)]
    expected = {
        (one.key, other.key)
        for one, other in combinations(live, 2)
        if any(overlap(patterns.compile(a), patterns.compile(b)) for a in one.pages for b in other.pages)
    }
    found = pairs(*live)
    assert set(found) == expected
    assert len(found) == len(expected)

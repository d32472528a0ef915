"""Redirects that lead in a circle; and none that a visitor leaves."""

from collections.abc import Callable

import pytest

from engine.rules.doubts.background import background
from engine.rules.doubts.matchers import Matchers
from engine.rules.doubts.redirects import circles
from engine.rules.folder import Loaded

SEGMENTS = """segments:
  all: {name: All, when: true}
  small: {name: Small, when: traits.n < 5}
  large: {name: Large, when: traits.n > 50}
  here: {name: Here, when: traits.n < 5, except: page.path == "/b"}
traits: {n: {type: number}}
insertable: [traits.c]
experiences:
"""


def experience(key: str, pages: str, *audiences: str, more: str = "") -> str:
    """One experience; an audience is `segment redirect`, or a segment alone, which is not sent anywhere."""
    text = f"  {key}:\n    name: {key}\n    pages: {pages}\n{more}    audiences:\n"
    for audience in audiences:
        segment, _, target = audience.partition(" ")
        change = f"{{redirect: '{target}'}}" if target else "{selector: h1, text: Hi}"
        text += f"      - {{segment: {segment}, variants: [{{key: v, changes: [{change}]}}]}}\n"
    return text


@pytest.fixture
def found(loaded: Callable[..., Loaded]) -> Callable[..., list[list[str]]]:
    """The circles of some experiences, as keys and pages."""

    def find(*experiences: str) -> list[list[str]]:
        ruleset = loaded(SEGMENTS + "".join(experiences)).ruleset
        assert ruleset is not None
        of_them = list(ruleset.experiences.values())
        turning = circles(of_them, Matchers(ruleset.segments), background(ruleset.traits))
        return [[*(hop.experience.key for hop in one.hops), *one.pages] for one in turning]

    return find


@pytest.mark.parametrize(
    ("pages", "target", "to"),
    [
        ("[/a, /b]", "/b", "/b"),
        ("[/**]", "/b", "/b"),
        ("[/a]", "?x=1", "/a?x=1"),
        ('["https://a.com/**"]', "https://a.com/b", "https://a.com/b"),
        ('["*.a.com/**"]', "/b", "/b"),
        ('["https://a.com/a", "https://b.com/b"]', "https://b.com/b?utm=1", "https://b.com/b?utm=1"),
        ("[/a]", "/a/?c={{ traits.c | default: x }}".replace("x }", "'x' }"), "/a/"),
        ("[/a, /b/**]", '/b/{{ traits.c | default: "x" }}', "/b/…"),
        ('["/a?x=1"]', '/a?x=1&y={{ traits.c | default: "x" }}', "/a?x=1"),
    ],
)
def test_a_page_of_its_own(found: Callable[..., list[list[str]]], pages: str, target: str, to: str) -> None:
    """Who is sent to a page of the same experience is sent there again."""
    text = experience("e", pages, "small TARGET").replace("'TARGET'", "'" + target.replace("'", "''") + "'")
    assert found(text) == [["e", to]]


@pytest.mark.parametrize(
    "text",
    [
        experience("e", "[/a]", "small /b"),
        experience("e", '["https://a.com/**"]', "small https://b.com/b"),
        experience("e", '["http://a.com/**"]', "small https://a.com/b"),
        experience("e", '["/a?x=1"]', "small /a?x=2"),
        experience("e", "[/a, /b]", "here /b"),
        experience("e", "[/a]", "small /a#top"),
        experience("e", "[/a, /b]", "small /b?utm=1#top"),
        experience("e", "[/a, /b]", 'small /b#{{ traits.c | default: "x" }}'),
        experience("e", "[/a, /b/x]", 'small /b/{{ traits.c | default: "x" }}'),
        experience("e", "[/a, /b/*]", 'small /b/{{ traits.c | default: "x" }}/y'),
        experience("e", '["/a?x=1"]', 'small /a?x={{ traits.c | default: "x" }}'),
        experience("e", "[/**]", "small /b", more="    status: draft\n"),
        experience("e", "[/**]", "small /b").replace("segment: small", "control: 100%, segment: small"),
        experience("e", "[/**]", "small /b").replace("key: v", "key: w, changes: []}, {weight: 0, key: v"),
        experience("e", "[/**]", "all", "small /b"),
    ],
)
def test_no_circle(found: Callable[..., list[list[str]]], text: str) -> None:
    """Other pages, other queries, who lets go of those who arrive, what nobody is shown."""
    assert found(text) == []


def test_a_circle_of_two(found: Callable[..., list[list[str]]]) -> None:
    """It is told once, though it is entered from either."""
    there, back = experience("e", '["https://a.com/a"]', "small /b"), experience("f", "[/b]", "all https://a.com/a")
    assert found(there, back) == [["e", "f", "/b", "https://a.com/a"]]


def test_a_circle_of_three_that_is_entered_from_outside(found: Callable[..., list[list[str]]]) -> None:
    """Who leads into it is no part of it."""
    three = [experience(key, f"[/{key}]", f"small /{to}") for key, to in ("ab", "bc", "ca", "da")]
    ((*keys, _, _, _),) = found(*three)
    assert sorted(keys) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (experience("e", "[/a]", "small /b"), experience("f", "[/b]", "large /a")),
        (experience("e", "[/a]", "small /b"), experience("f", "[/b]", "small", "all /a")),
        (
            experience("e", "[/a]", "small /b", more="    schedule: {end: 2026-01-01T00:00:00Z}\n"),
            experience("f", "[/b]", "small /a", more="    schedule: {start: 2026-01-01T00:00:00Z}\n"),
        ),
        (
            experience("e", "[/a]", "small /b"),
            experience("f", "[/b]", "small /a", more="    exclusion_group: g\n")
            + experience("g", "[/b]", "all", more="    exclusion_group: g\n    priority: 1\n"),
        ),
    ],
)
def test_no_visitor_goes_round(found: Callable[..., list[list[str]]], there: str, back: str) -> None:
    """Segments that exclude each other, audiences above, schedules apart, an experience that decides first."""
    assert found(there, back) == []

"""A segment as claims: DESIGN 3's rule, in both directions."""

import pytest

from engine.cel.parse import parse
from engine.rules.doubts.background import background
from engine.rules.doubts.matchers import Matcher, Matchers, fails, matcher, matches
from engine.rules.doubts.proofs import is_impossible
from engine.words import Condition, Place, Segment

ANYBODY = background({})


def condition(text: str) -> Condition:
    """The text as a condition."""
    return Condition(text, Place("a.yaml", 1, 1), parse(text))


def read(when: list[str], excepts: list[str]) -> Matcher:
    """The segment of these texts."""
    return matcher([condition(text) for text in when], [condition(text) for text in excepts])


@pytest.mark.parametrize(
    ("when", "excepts"), [(["traits.a", "traits.b == 1"], []), (["traits.a"], ["traits.b"]), (["true"], ["traits.a"])]
)
def test_it_cannot_match_and_fail(when: list[str], excepts: list[str]) -> None:
    """Matching and each way of failing exclude each other; each by itself can be."""
    one = read(when, excepts)
    assert not is_impossible(matches(one), ANYBODY)
    for way in fails(one):
        assert is_impossible([*matches(one), *way], ANYBODY)


def test_what_it_asks_for() -> None:
    """Terms without which it never matches, all that it speaks of, the roots that it reads."""
    one = read(["traits.a == 1 && (traits.b || traits.c.d == 1)", "page.path == '/'"], ["account.e"])
    assert one.asked == {"traits.a", "page.path"}
    assert one.terms == {"traits.a", "traits.b", "traits.c", "traits.c.d", "page.path", "account.e"}
    assert one.roots == {"traits", "page", "account"}


def test_each_is_read_once() -> None:
    """The same matcher for the same key."""
    segment = Segment("s", "S", (condition("traits.a"),), (), Place("a.yaml", 1, 1))
    found = Matchers({"s": segment})
    assert found.of("s") is found.of("s")

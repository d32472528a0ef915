"""Which live experiences are drawn anew, and the figures that go with it."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from engine.decide import split
from engine.review.redraws import about, anew, moved_by_weights, redraws
from engine.review.renames import renames

WEIGHTS = st.lists(st.integers(0, 5), min_size=1, max_size=4).filter(any)


@pytest.fixture
def drawn(make):
    """`drawn(old, new)`: (segment, reason, text) of each reason between two rulesets or experiences."""

    def drawn(old, new):
        old, new = (side if hasattr(side, "segments") else make.ruleset(side) for side in (old, new))
        return [(redraw.segment, redraw.reason, redraw.text) for redraw in redraws(old, new, renames(old, new))]

    return drawn


def test_a_lower_control_share(make, drawn):
    """Control 50% -> 40%: exactly 10% of the matched visitors move, all in one direction."""
    old, new = (make.experience("e", make.audience("a", control=ppm)) for ppm in (500_000, 400_000))
    text = "moves 10% of its matched visitors from control to personalized, nobody else"
    assert drawn(old, new) == [("a", "control", f"control 50% -> 40%: {text}")]
    assert "from personalized to control" in drawn(new, old)[0][2]


def test_the_share_is_what_really_moves(make):
    """Of real ids, those who change group are those that the figure announces, and they go one way."""
    ids = [f"v{number}" for number in range(20_000)]
    before, after = ([split.is_control(ppm, "e", "a", "", id_) for id_ in ids] for ppm in (500_000, 400_000))
    moved = [(was, now) for was, now in zip(before, after, strict=True) if was != now]
    assert set(moved) == {(True, False)}
    assert abs(len(moved) / len(ids) - 0.1) < 0.01


@given(WEIGHTS, WEIGHTS)
def test_weights_move_whom_the_formula_moves(old, new):
    """The figure for weights is the share of draws whose variant is another now."""
    grid = range(0, split.DRAWS, split.DRAWS // 4_096)

    def at(weights, draw):
        reached = 0
        for index, weight in enumerate(weights):
            reached += weight
            if reached > draw * sum(weights) // split.DRAWS:
                return index
        raise AssertionError

    naive = sum(at(old, draw) != at(new, draw) for draw in grid) / 4_096
    named = [[(str(index), weight) for index, weight in enumerate(weights)] for weights in (old, new)]
    exact = moved_by_weights(*named)
    assert abs(exact - Fraction(naive)) <= Fraction(len(old) + len(new), 4_096)
    assert moved_by_weights(named[1], named[0]) == exact
    assert moved_by_weights(named[0], [(key, 7 * weight) for key, weight in named[0]]) == 0


def test_a_variant_more(make, drawn):
    """A second variant takes half of the personalized, and nobody of control."""
    hero, bold = make.variant("hero"), make.variant("bold")
    old = make.experience("e", make.audience("a", hero, control=500_000))
    new = make.experience("e", make.audience("a", hero, bold, control=500_000))
    text = "moves 50% of its personalized visitors to another variant, control stays"
    assert drawn(old, new) == [("a", "weights", f"weights hero 1 -> hero 1, bold 1: {text}")]


def test_a_renamed_variant_is_the_same(make, drawn):
    """Another key for the same changes draws nobody anew."""
    hero = make.variant("hero")
    old, new = (make.experience("e", make.audience("a", variant)) for variant in (hero, structs.replace(hero, key="x")))
    assert drawn(old, new) == []


@given(st.integers(0, 1_000_000), st.integers(0, 1_000_000))
def test_two_draws_know_nothing_of_each_other(make, before, after):
    """Drawn anew with one variant: those move who are control once and personalized once."""
    old, new = make.audience("a", control=before), make.audience("a", control=after)
    c, d = Fraction(before, 10**6), Fraction(after, 10**6)
    assert anew(old, new) == c * (1 - d) + (1 - c) * d


def test_what_is_hashed(make, drawn):
    """A changed salt, segment key, experience key or split_by draws everybody anew; the text says so."""
    experience = make.experience("e", make.audience("a", control=500_000))
    salted = make.experience("e", make.audience("a", control=500_000, salt="2"))
    [(segment, reason, text)] = drawn(experience, salted)
    assert (segment, reason) == ("a", "salt")
    assert text == "salt none -> `2`: draws all its matched visitors anew, on average 50% of them see something else"
    [(segment, reason, text)] = drawn(experience, structs.replace(experience, key="f"))
    assert (segment, reason, text) == (None, "key", "key `e` -> `f`: everybody is drawn anew")
    [(_, reason, text)] = drawn(experience, structs.replace(experience, split_by="account"))
    assert (reason, text) == ("split_by", "split_by visitor -> account: everybody whose account is known is drawn anew")
    old = make.ruleset(experience, segments=[make.segment("a", "traits.x")])
    new = make.ruleset(
        make.experience("e", make.audience("b", control=500_000)), segments=[make.segment("b", "traits.x")]
    )
    assert [(segment, reason) for segment, reason, _ in drawn(old, new)] == [("b", "segment key")]


def test_holdout(make, drawn):
    """A changed holdout moves its difference."""
    old, new = (make.experience("e", "a", holdout_ppm=ppm) for ppm in (0, 50_000))
    text = "holdout 0% -> 5%: moves 5% of the matched visitors out of the experience, nobody else"
    assert drawn(old, new) == [(None, "holdout", text)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("ab", "ba", ["`b` is above `a` now: who matches both goes from `a` to `b`"]),
        ("ab", "cab", ["new audience `c` is above `a`, `b`: who matches it too goes to `c`"]),
        ("abc", "bc", ["audience `a` above `b`, `c` is gone: its visitors are drawn there"]),
        ("ab", "ac", ["`c` came and `b` went: who matches both is drawn there"]),
        ("ab", "abc", []),
        ("abc", "ab", []),
        ("ab", "ab", []),
    ],
)
def test_the_order_of_audiences(make, drawn, before, after, expected):
    """What came or went above others moves visitors; below all of them it moves nobody."""
    segments = [make.segment(key) for key in "abc"]
    old, new = (make.ruleset(make.experience("e", *keys), segments=segments) for keys in (before, after))
    assert [text for _, reason, text in drawn(old, new) if reason == "audience order"] == expected
    assert bool(drawn(old, new)) == bool(expected)


def test_the_order_of_experiences(make, drawn):
    """Another first of a group on a common page is told once; where they never meet, nothing is."""
    group = {"exclusion_group": "g"}
    a, b = make.experience("x", "a", **group), make.experience("y", "b", **group)
    elsewhere = structs.replace(b, pages=("/elsewhere",))
    old, new = make.ruleset(a, b), make.ruleset(a, structs.replace(b, priority=1))
    assert drawn(old, new) == [
        (None, "experience order", "`y` is tried before `x` now: who matches both sees `y` alone")
    ]
    a = structs.replace(a, pages=("/here",))
    assert drawn(make.ruleset(a, elsewhere), make.ruleset(a, structs.replace(elsewhere, priority=1))) == []
    [(_, _, text)] = drawn(old, make.ruleset(old.experiences["x"], structs.replace(b, exclusion_group=None)))
    assert text == "`y` and `x` no longer exclude each other: who matches both sees both"


@pytest.mark.parametrize("status", ["draft", "paused"])
def test_only_what_is_live_on_both_sides(make, drawn, status):
    """Whoever starts or stops is not drawn anew."""
    old = make.experience("e", make.audience("a", control=500_000), status=status)
    new = make.experience("e", make.audience("a", control=400_000))
    assert drawn(old, new) == drawn(new, old) == []


@pytest.mark.parametrize(("share", "text"), [(0.5, "50%"), (1 / 3, "33.33%"), (0.00001, "under 0.01%"), (0, "0%")])
def test_shares_as_people_read_them(share, text):
    """Two decimals at most, and never nothing for something."""
    assert about(share) == text

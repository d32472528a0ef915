"""Who sees something else."""

import pytest
from msgspec import structs

from engine.review.difference import difference
from engine.review.moves import EXAMPLES, Example, Moves, pages
from engine.words import Profile

IDS = [f"v{number}" for number in range(200)]


@pytest.fixture
def moves(make):
    """`moves(old, new, *traits)`: 200 visitors with these traits, decided by both."""

    def moves(old, new, *traits):
        compared = Moves(old, new, difference(old, new), make.now)
        for id_ in IDS:
            compared.add(Profile(id_, dict.fromkeys(traits, True)))
        return compared

    return moves


def test_a_share_moves_one_way(make, moves):
    """From 50% to 40% control about a tenth moves, all to personalized, and the examples really do."""
    old, new = (make.ruleset(make.experience("e", make.audience("a", control=ppm))) for ppm in (500_000, 400_000))
    compared = moves(old, new, "a")
    [moved] = compared.result()
    assert (moved.experience, moved.seen, set(moved.ways)) == ("e", 200, {"to personalized"})
    assert 8 <= moved.moved == compared.moved <= 32
    assert len(moved.examples) == EXAMPLES
    for example in moved.examples:
        assert (example.old, example.new) == (("a", None), ("a", "hero"))
        before, after = (
            make.shown(make.decide(make_decider, example.visitor_id, {"a": True}, example.url))
            for make_decider in (make.decider(old.experiences["e"]), make.decider(new.experiences["e"]))
        )
        assert (before, after) == ([("e", "a", None)], [("e", "a", "hero")])


def test_every_way(make, moves):
    """In, out, another segment, another variant: each is called what it is, and counted once a visitor."""
    hero, bold = make.variant("hero"), make.variant("bold")
    segments = [make.segment(key) for key in "ab"]
    both = ("/one", "/two")
    old = make.ruleset(make.experience("e", make.audience("a", hero, bold), pages=both), segments=segments)
    for experience, traits, way in (
        (make.experience("e", "b", "a", pages=both), "ab", "segment"),
        (make.experience("e", "b", pages=both), "a", "out"),
        (make.experience("e", make.audience("a", hero, bold, control=10**6), pages=both), "a", "to control"),
    ):
        [moved] = moves(old, make.ruleset(experience, segments=segments), *traits).result()
        assert moved.ways == {way: 200}
    [moved] = moves(
        old, make.ruleset(make.experience("e", make.audience("a", bold), pages=both), segments=segments), "a"
    ).result()
    assert set(moved.ways) == {"variant"}
    [moved] = moves(make.ruleset(segments=segments), old, "a").result()
    assert moved.ways == {"in": 200}
    assert moved.examples[0] == Example("v0", "https://www.example.com/one", None, moved.examples[0].new)


def test_renamed_is_the_same(make, moves):
    """Renamed experiences, segments and variants are compared with what they were."""
    hero = make.variant("hero")
    old = make.ruleset(make.experience("e", make.audience("a", hero)), segments=[make.segment("a", "traits.a")])
    called = make.audience("b", structs.replace(hero, key="x"))
    new = make.ruleset(make.experience("f", called), segments=[make.segment("b", "traits.a")])
    assert moves(old, new, "a").result() == ()


def test_only_pages_that_an_edit_reaches(make):
    """Experiences that nothing reaches are not tried; a page is tried once."""
    same = make.experience("same", "a", pages=("/same",))
    old = make.ruleset(same, make.experience("e", "a", pages=("https://a.test/x", "/y")))
    new = make.ruleset(same, make.experience("e", "a", pages=("https://a.test/x", "/z"), status="live"))
    assert pages(old, new, difference(old, new)) == ("https://a.test/x", "https://a.test/y", "https://a.test/z")


def test_a_neighbour_is_counted_too(make, moves):
    """Whom an edited experience takes from another one of its group is counted there."""
    first = make.experience("first", "a", exclusion_group="g", priority=1, status="paused")
    second = make.experience("second", "a", exclusion_group="g")
    compared = moves(make.ruleset(first, second), make.ruleset(structs.replace(first, status="live"), second), "a")
    assert [(moved.experience, moved.ways) for moved in compared.result()] == [
        ("first", {"in": 200}),
        ("second", {"out": 200}),
    ]
    assert compared.moved == compared.visitors == 200

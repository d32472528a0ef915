"""Which removed thing is which added one."""

from msgspec import structs

from engine.review.renames import renames, variant_renames
from engine.words import Goal


def test_a_segment_with_the_same_conditions(make):
    """Another key, the same conditions: renamed, also where the name is another too."""
    old = make.ruleset(segments=[make.segment("a", "traits.x == 1"), make.segment("b", "traits.y == 1")])
    new = make.ruleset(segments=[make.segment("c", "traits.x == 1"), make.segment("d", "traits.z == 1")])
    assert renames(old, new).segments == {"a": "c"}


def test_an_experience_with_a_renamed_segment(make):
    """The content is the same if only its key and the keys of its segments are others."""
    old = make.ruleset(make.experience("e", "a", name="E"), segments=[make.segment("a", "traits.x == 1")])
    new = make.ruleset(make.experience("f", "b", name="F"), segments=[make.segment("b", "traits.x == 1")])
    assert renames(old, new).experiences == {"e": "f"}


def test_an_experience_with_the_same_name_and_pages(make):
    """Renamed and edited at once: the name that goes to analytics tells."""
    old = make.ruleset(make.experience("e", "a", name="Same"), make.experience("g", "a", name="Other"))
    new = make.ruleset(make.experience("f", "a", name="Same", holdout_ppm=1), make.experience("g", "a", name="Other"))
    assert renames(old, new).experiences == {"e": "f"}


def test_what_stayed_is_never_renamed(make):
    """A copy beside the original is new; an original without its copy is gone."""
    one, two = make.experience("e", "a", name="Same"), make.experience("f", "a", name="Same")
    assert renames(make.ruleset(one), make.ruleset(one, two)).experiences == {}
    assert renames(make.ruleset(one, two), make.ruleset(one)).experiences == {}


def test_equals_are_paired_once(make):
    """Of several alike each is paired at most once, in the order of keys."""
    old = make.ruleset(*(make.experience(key, "a", name="Same") for key in "ab"))
    new = make.ruleset(*(make.experience(key, "a", name="Same") for key in "xyz"))
    assert renames(old, new).experiences == {"a": "x", "b": "y"}
    assert renames(new, old).experiences == {"x": "a", "y": "b"}


def test_a_goal(make):
    """Event, condition and window make a goal."""
    goal = Goal("g", "Signed Up", (), 60, make.segment("a").place)
    old, new = (structs.replace(make.ruleset(), goals={key: structs.replace(goal, key=key)}) for key in "gh")
    assert renames(old, new).goals == {"g": "h"}


def test_a_variant_with_the_same_changes(make):
    """A variant that shows the same is the same, whatever it is called."""
    hero, bold = make.variant("hero"), make.variant("bold")
    called = structs.replace(hero, key="called")
    assert variant_renames(make.audience("a", hero, bold), make.audience("a", bold, called)) == {"hero": "called"}

"""What a ruleset amounts to, and the one line about what another one changes."""

from msgspec.structs import replace

from engine.rules.outline import difference, live, other_experiences, roots_read
from engine.words import Audience, Change, Condition, Experience, Place, Ruleset, Segment, Slot, Status, Variant

AT = Place("a.yaml", 1, 1)
EMPTY = Ruleset("00000000", {}, {}, {}, {}, (), ())


def experience(key: str, status: Status = "live", change: Change | None = None) -> Experience:
    """An experience with one audience, and one variant where there is a change."""
    variants = (Variant("v", 1, (change,)),) if change else ()
    audience = Audience("s", 0, "", variants, AT)
    return Experience(key, key, ("/",), status, None, None, 0, "visitor", None, 0, (audience,), AT)


def with_experiences(*experiences: Experience) -> Ruleset:
    """A ruleset of nothing else."""
    return replace(EMPTY, experiences={e.key: e for e in experiences})


def with_condition(checked: bytes) -> Ruleset:
    """A ruleset of one segment."""
    return replace(EMPTY, segments={"s": Segment("s", "S", (), (Condition("…", AT, checked),), AT)})


def test_live_are_those_that_can_answer() -> None:
    """Drafts and paused experiences are not."""
    ruleset = with_experiences(experience("a"), experience("b", "draft"), experience("c", "paused"))
    assert live(ruleset) == {"a"}


def test_experiences_that_may_answer_otherwise_are_named() -> None:
    """Those that came, went, are other themselves or have a segment that is; where traits are read in another way, all.
    Where something stands in a file is no difference.
    """
    old = replace(with_experiences(experience("a"), experience("b", "draft")), segments=with_condition(b"1").segments)
    moved = replace(old, segments={"s": replace(old.segments["s"], place=Place("b.yaml", 9, 9))})
    named = replace(old, segments={"s": replace(old.segments["s"], name="T")})
    assert other_experiences(old, moved) == ()
    assert other_experiences(old, named) == ("a", "b")
    assert other_experiences(old, with_experiences(experience("a"), experience("b"))) == ("a", "b")
    assert other_experiences(with_experiences(experience("a")), with_experiences(experience("a", "paused"))) == ("a",)
    assert other_experiences(with_experiences(experience("a")), with_experiences(experience("b"))) == ("a", "b")
    assert other_experiences(old, replace(old, insertable=("traits.plan",))) == ("a", "b")


def test_an_exclusion_group_answers_together() -> None:
    """Where one of it is other, or has begun or ended, each of it may answer otherwise; no group is none."""
    a, b, c, d = (replace(experience(key), exclusion_group=group) for key, group in zip("abcd", "ggh ", strict=True))
    old = with_experiences(a, b, c, replace(d, exclusion_group=None), experience("e"))
    assert other_experiences(old, old, {"b"}) == ("a", "b")
    assert other_experiences(old, old, {"e"}) == ("e",)
    left = replace(old, experiences={**old.experiences, "a": replace(a, exclusion_group="h")})
    assert other_experiences(old, left) == ("a", "b", "c")


def test_a_difference_names_what_came_went_and_changed() -> None:
    """By kind, with the number and the keys."""
    old = with_experiences(experience("a"), experience("b"))
    new = with_experiences(experience("b", "paused"), experience("c"), experience("d"))
    assert difference(old, new) == "+2 experiences: c, d, -1 experience: a, ~1 experience: b"


def test_many_names_are_cut() -> None:
    """A log line names five and counts all."""
    new = with_experiences(*(experience(f"e{number}") for number in range(7)))
    assert difference(EMPTY, new) == "+7 experiences: e0, e1, e2, e3, e4, …"


def test_moving_within_a_file_is_no_difference() -> None:
    """Only what decides counts."""
    moved = replace(experience("a"), place=Place("b.yaml", 9, 9))
    assert difference(with_experiences(experience("a")), with_experiences(moved)) == "nothing that decides"


def test_a_condition_that_is_read_again_is_no_difference() -> None:
    """The reference implementation does not give the same bytes every time it checks one text."""
    assert difference(with_condition(b"1"), with_condition(b"2")) == "nothing that decides"


def test_insertable_is_named() -> None:
    """What a page may show is part of the rules."""
    assert difference(EMPTY, replace(EMPTY, insertable=("traits.a",))) == "~insertable"


def test_roots_are_found_in_conditions_and_templates() -> None:
    """Wherever a rule can read a device or a place."""
    slot = Change(selector="h1", attributes={"title": ("in ", Slot(("geo", "city"), None, "attribute"))})
    assert roots_read(EMPTY) == frozenset()
    assert roots_read(with_condition(b"\x0a\x06device\x12")) == {"device"}
    assert roots_read(with_experiences(experience("a", change=slot))) == {"geo"}

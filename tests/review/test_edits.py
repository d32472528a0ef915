"""What changed, line by line."""

from datetime import UTC, datetime

import pytest
from msgspec import structs

from engine.review.edits import edits, percent, shown
from engine.review.renames import renames
from engine.words import Change, Goal, Insert, Slot, TraitDeclaration


@pytest.fixture
def changed(make):
    """`changed(old, new)`: the lines of the one thing that changed, as (what, old, new)."""

    def changed(old, new):
        [edit] = edits(old, new, renames(old, new))
        return [(detail.what, detail.old, detail.new) for detail in edit.details]

    return changed


def test_conditions_with_both_texts_and_places(make):
    """An edited condition shows both texts and where each stands."""
    old, new = (make.ruleset(segments=[make.segment("s", f"traits.a < {n}", "traits.b")]) for n in (50, 60))
    [edit] = edits(old, new, renames(old, new))
    [detail] = edit.details
    assert (edit.kind, edit.key, edit.sign) == ("segment", "s", "changed")
    assert (detail.what, detail.old, detail.new) == ("when", "traits.a < 50", "traits.a < 60")
    assert detail.old_place == old.segments["s"].when[0].place


def test_what_has_no_meaning_is_no_change(make):
    """White space in a condition, parentheses, and the order of conditions and pages change nothing."""
    old = make.ruleset(
        make.experience("e", "s", pages=("/a", "/b")), segments=[make.segment("s", "traits.a<1", "(traits.b)")]
    )
    new = make.ruleset(
        make.experience("e", "s", pages=("/b", "/a")), segments=[make.segment("s", "traits.b", "traits.a  <  1")]
    )
    assert [*edits(old, new, renames(old, new))] == []


def test_a_condition_that_came(make, changed):
    """More conditions than before: one without an old text."""
    old = make.ruleset(segments=[make.segment("s", "traits.a")])
    new = make.ruleset(segments=[make.segment("s", "traits.a", excepts=["traits.b"])])
    assert changed(old, new) == [("except", None, "traits.b")]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("name", "New", ("name", "Name of e", "New")),
        ("pages", ("/**", "/x"), ("pages", None, "/x")),
        ("status", "paused", ("status", "live", "paused")),
        ("holdout_ppm", 12_500, ("holdout", "0%", "1.25%")),
        ("split_by", "user", ("split_by", "visitor", "user")),
        ("exclusion_group", "g", ("exclusion_group", None, "g")),
        ("priority", 3, ("priority", "0", "3")),
        ("end", datetime(2027, 1, 1, tzinfo=UTC), ("schedule", None, "… to 2027-01-01T00:00:00Z")),
    ],
)
def test_every_field_of_an_experience(make, changed, field, value, expected):
    """Each field has its line."""
    experience = make.experience("e", "a")
    edited = structs.replace(experience, **{field: value})
    assert changed(make.ruleset(experience), make.ruleset(edited)) == [expected]


def test_audiences(make, changed):
    """Added, removed, reordered audiences; share, salt, weights, variants and changes of one that stayed."""
    hero, bold = make.variant("hero"), make.variant("bold")
    old = make.ruleset(make.experience("e", "gone", make.audience("b", hero, bold), "c"))
    edited = make.audience("b", make.variant("hero", Change(selector="h2", remove=True), weight=2), control=5, salt="x")
    new = make.ruleset(make.experience("e", "c", edited, "came"), segments=[make.segment("gone")])
    new = structs.replace(new, segments={**new.segments, **old.segments})
    old = structs.replace(old, segments=new.segments)
    assert changed(old, new) == [
        ("order of audiences", "b, c", "c, b"),
        ("audience `gone`", "control 0%, variants hero", None),
        ("control of `b`", "0%", "0.0005%"),
        ("salt of `b`", None, "x"),
        ("weight of variant `hero` of `b`", "1", "2"),
        ("changes of variant `hero` of `b`", '{"selector":"h1","text":"hero"}', '{"selector":"h2","remove":true}'),
        ("variant `bold` of `b`", "weight 1", None),
        ("audience `came`", None, "control 0%, variants hero"),
    ]


def test_goals_traits_and_what_may_be_inserted(make):
    """The other sections have their lines too."""
    place = make.segment("a").place
    old, new = make.ruleset(), make.ruleset()
    old = structs.replace(
        old,
        goals={"g": Goal("g", "A", (), 86_400, place)},
        traits={"t": TraitDeclaration("t", "number", 1, None)},
        insertable=("traits.a",),
    )
    new = structs.replace(
        new,
        goals={"g": Goal("g", "B", (), 90, place)},
        traits={"t": TraitDeclaration("t", None, True, None)},
        insertable=("traits.b",),
    )
    found = [
        (e.kind, e.key, e.sign, [(d.what, d.old, d.new) for d in e.details]) for e in edits(old, new, renames(old, new))
    ]
    assert found == [
        ("goal", "g", "changed", [("event", "A", "B"), ("window", "1d", "90s")]),
        ("trait", "t", "changed", [("type", '"number"', None), ("default", "1", "true")]),
        ("insertable", "traits.a", "removed", []),
        ("insertable", "traits.b", "added", []),
    ]


@pytest.mark.parametrize(("ppm", "text"), [(0, "0%"), (500_000, "50%"), (1, "0.0001%"), (333_333, "33.3333%")])
def test_shares_as_rule_files_write_them(ppm, text):
    """Percent, without zeros at the end."""
    assert percent(ppm) == text


def test_a_change_in_one_line():
    """Templates are written back as they are in rule files; what is not set is left out."""
    slot = Slot(("traits", "company"), "you", "text")
    change = Change(selector="h1", attributes={"href": ("/", slot)}, insert=Insert("after", ("<p>", slot)))
    assert shown(change) == (
        '{"selector":"h1","attributes":{"href":"/{{ traits.company | default: \'you\' }}"},'
        '"insert":"after <p>{{ traits.company | default: \'you\' }}"}'
    )

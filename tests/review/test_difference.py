"""The whole difference: nothing of the same, and no surprise where nothing is said."""

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.review.difference import difference
from engine.review.moves import Moves
from engine.words import Profile

WORDS = st.sampled_from("abc")
SHARES = st.sampled_from((0, 300_000, 500_000, 1_000_000))
AUDIENCES = st.lists(
    st.tuples(WORDS, SHARES, st.sampled_from(("", "s")), st.lists(st.integers(1, 2), min_size=1, max_size=2)),
    min_size=1,
    max_size=3,
    unique_by=lambda audience: audience[0],
)
EXPERIENCES = st.tuples(
    AUDIENCES,
    st.sampled_from(("live", "live", "paused")),
    st.sampled_from(("visitor", "account")),
    st.sampled_from((0, 100_000)),
    st.sampled_from((None, "g")),
    st.integers(0, 1),
)
RULESETS = st.dictionaries(st.sampled_from("xyz"), EXPERIENCES, min_size=1, max_size=3)
VISITORS = [
    Profile(
        f"v{number}", {key: True for bit, key in enumerate("abc") if number >> bit & 1}, account_id=f"g{number % 9}"
    )
    for number in range(160)
]


def made(make, plan):
    """The ruleset of a plan."""
    experiences = [
        make.experience(
            key,
            *(
                make.audience(
                    segment,
                    *(make.variant(f"v{index}", weight=weight) for index, weight in enumerate(weights)),
                    control=control,
                    salt=salt,
                )
                for segment, control, salt, weights in audiences
            ),
            status=status,
            split_by=split_by,
            holdout_ppm=holdout,
            exclusion_group=group,
            priority=priority,
        )
        for key, (audiences, status, split_by, holdout, group, priority) in plan.items()
    ]
    return make.ruleset(*experiences, segments=[make.segment(key) for key in "abc"])


@given(RULESETS)
def test_a_ruleset_and_itself(make, plan):
    """Of a ruleset and itself there is no edit, no redraw, nothing that is reached."""
    ruleset = made(make, plan)
    found = difference(ruleset, ruleset)
    assert (found.edits, found.redraws, found.reached) == ((), (), frozenset())


@given(RULESETS, RULESETS)
def test_there_and_back(make, one, two):
    """The difference back has the same things, added for removed."""
    old, new = made(make, one), made(make, two)
    there, back = difference(old, new), difference(new, old)
    other = {"added": "removed", "removed": "added", "changed": "changed", "renamed": "renamed"}
    key = lambda edit: (edit.kind, edit.key)  # noqa: E731
    if not any(edit.sign == "renamed" for edit in there.edits):
        assert sorted((*key(edit), other[edit.sign]) for edit in there.edits) == sorted(
            (*key(edit), edit.sign) for edit in back.edits
        )


@settings(max_examples=150)
@given(RULESETS, RULESETS)
def test_nothing_said_nobody_drawn_anew(make, one, two):
    """Where no redraw is named for an experience, whoever sees it before and after sees the same."""
    old, new = made(make, one), made(make, two)
    found = difference(old, new)
    moves = Moves(old, new, found, make.now)
    for visitor in VISITORS:
        moves.add(visitor)
    named = {redraw.experience for redraw in found.redraws}
    for moved in moves.result():
        assert moved.experience in named or set(moved.ways) <= {"in", "out"}


@given(RULESETS, RULESETS)
def test_what_is_not_reached_answers_as_before(make, one, two):
    """An experience moves nobody unless an edit reaches it or one that it shares a page with."""
    old, new = made(make, one), made(make, two)
    found = difference(old, new)
    moves = Moves(old, new, found, make.now)
    for visitor in VISITORS[:40]:
        moves.add(visitor)
    assert found.reached or moves.result() == ()
    assert bool(found.edits) or not found.redraws

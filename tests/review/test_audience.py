"""Counting visitors by segment: the same as asking the reference implementation of each."""

from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cel import oracle
from engine.review.audience import Count
from engine.words import Profile, TraitDeclaration

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TEXTS = (
    "traits.a == 1",
    "traits.a != 1",
    "traits.a > 1 && traits.b == 'x'",
    "traits.a > 1 || traits.b == 'x'",
    "!(traits.b in ['x', 'y'])",
    "has(traits.a)",
    "traits.c",
    "traits.c ? traits.a == 1 : account.a == 1",
    "account.a >= 2 || visit.count > 3",
    "traits.b.startsWith('x')",
    "salesforce.contact.a == 1",
    "geo.country == 'AT' && traits.c",
    "traits.l.exists(e, e == 1)",
    "traits.?a.orValue(1) == 1",
    "size(traits.b) == traits.a",
)
VALUES = st.one_of(
    st.integers(0, 3), st.sampled_from(("x", "xy", "y", "1")), st.booleans(), st.lists(st.integers(0, 2))
)
MAPS = st.dictionaries(st.sampled_from("abcl"), VALUES)
PROFILES = st.builds(Profile, st.just("v"), traits=MAPS, account=MAPS, contact=MAPS)
CONDITIONS = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3)
SEGMENTS = st.lists(st.tuples(CONDITIONS, st.lists(st.sampled_from(TEXTS), max_size=2)), min_size=1, max_size=4)


def answer(segment, profile):
    """True, False or None of a segment, by the reference implementation alone."""
    known = {
        "traits": profile.traits,
        "account": profile.account,
        "salesforce": {"contact": profile.contact} if profile.contact else {},
        "now": NOW,
        **{root: {} for root in ("page", "visit", "device", "geo")},
    }
    when = [oracle.truth(condition.checked, known) for condition in segment.when]
    excepts = [oracle.truth(condition.checked, known) for condition in segment.excepts]
    if False in when or True in excepts:
        return False
    return None if None in when else True


@settings(max_examples=60)
@given(SEGMENTS, st.lists(PROFILES, max_size=8))
def test_counts_are_the_naive_counts(make, segments, profiles):
    """Matched, not, unknown and the overlap are what asking the oracle about every visitor gives."""
    made = [make.segment(f"s{i}", *when, excepts=excepts) for i, (when, excepts) in enumerate(segments)]
    count = Count(make.ruleset(segments=made), NOW)
    for profile in profiles:
        count.add(profile)
    census = count.census()
    answers = {segment.key: [answer(segment, profile) for profile in profiles] for segment in made}
    for tally in census.tallies:
        found = answers[tally.segment]
        assert (tally.matched, tally.unmatched, tally.unknown) == tuple(map(found.count, (True, False, None)))
        assert bool(tally.causes) == bool(tally.unknown)
        assert all(visitors <= tally.unknown for _, visitors in tally.causes)
    for a, b in combinations(answers, 2):
        both = sum(x is y is True for x, y in zip(answers[a], answers[b], strict=True))
        assert census.shared(a, b) == census.shared(b, a) == both
    assert census.visitors == len(profiles)


def test_the_most_frequent_cause_first(make):
    """Causes are ordered by how many visitors they keep from an answer."""
    count = Count(make.ruleset(segments=[make.segment("s", "traits.a == 1 && traits.b == 1")]), NOW)
    for traits in ({"a": 1}, {"a": 1}, {"b": 1}):
        count.add(Profile("v", traits))
    [tally] = count.census().tallies
    assert [(cause.path, cause.why, visitors) for cause, visitors in tally.causes] == [
        ("traits.b", "absent", 2),
        ("traits.a", "absent", 1),
    ]


def test_declared_traits_are_coerced(make):
    """A number that came as text counts as the number; text that is none is unlike."""
    declared = TraitDeclaration("age", "number", None, None)
    count = Count(make.ruleset(segments=[make.segment("s", "traits.age > 3")], traits=[declared]), NOW)
    for age in ("7", "old"):
        count.add(Profile("v", {"age": age}))
    [tally] = count.census().tallies
    assert (tally.matched, tally.unknown) == (1, 1)
    assert [(cause.path, cause.why) for cause, _ in tally.causes] == [("traits.age", "unlike")]


def test_what_only_a_page_view_tells(make):
    """Segments that read the page or the visit say so, in `when` and in `except`."""
    segment = make.segment("s", "visit.count > 3", excepts=["device.type == 'bot'"])
    [tally] = Count(make.ruleset(segments=[segment]), NOW).census().tallies
    assert tally.view_reads == ("device.type", "visit.count")


def test_only_the_segments_that_are_asked_for(make):
    """Some keys, in their order; a key that is none is an error."""
    ruleset = make.ruleset(segments=[make.segment(key) for key in "abc"])
    assert [tally.segment for tally in Count(ruleset, NOW, ["c", "a", "c"]).census().tallies] == ["c", "a"]
    with pytest.raises(KeyError):
        Count(ruleset, NOW, ["d"])

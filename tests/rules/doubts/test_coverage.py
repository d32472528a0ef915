"""Audiences that can never win: whatever is said to be covered is, for every visitor."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cel.oracle import prepare
from engine.cel.parse import parse
from engine.rules.doubts.background import background
from engine.rules.doubts.coverage import Covered, budget, covered, covers
from engine.rules.doubts.matchers import Matcher, matcher
from engine.words import Condition, Place

Written = tuple[list[str], list[str]]
NOWHERE = Place("a.yaml", 1, 1)
ANYBODY = background({})


def read(segment: Written) -> Matcher:
    """The segment, by the texts of its `when` and `except`."""
    when, excepts = (tuple(Condition(text, NOWHERE, parse(text)) for text in texts) for texts in segment)
    return matcher(when, excepts)


def found(*segments: Written) -> list[Covered]:
    """Which audiences of an experience are covered."""
    return list(covered([read(segment) for segment in segments], ANYBODY, budget()))


ATOMS = [
    "traits.a == 1",
    "traits.a != 1",
    "1 < traits.a",
    "traits.a <= 2",
    "traits.a >= 2",
    "traits.a in [1, 2]",
    'traits.a in [1, "x", true]',
    "has(traits.a)",
    '"a" in traits',
    "traits.a",
    "traits.a == true",
    'traits.b == "x"',
    'traits["b"] != "xy"',
    'traits.b.startsWith("x")',
    'traits.b.startsWith("xy")',
    'traits.b < "xy"',
    'traits.b >= "xa"',
    'traits.b.contains("y")',
    "has(traits.b)",
    "traits.b > 1.5",
    "traits.m.k == 1",
    "has(traits.m.k)",
    "has(traits.m)",
    "size(traits.b) > 1",
    "traits.m.exists(k, k == 'k')",
    "traits.a == traits.b",
    'traits.a > timestamp("2026-01-01T00:00:00Z")',
    "true",
    "1 / 0 == 1",
]
atoms = st.sampled_from(ATOMS)


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Conditions over conditions."""
    return st.one_of(
        parts.map(lambda text: f"!({text})"),
        st.tuples(parts, st.sampled_from(["&&", "||"]), parts).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        st.tuples(parts, parts, parts).map(lambda t: f"({t[0]}) ? ({t[1]}) : ({t[2]})"),
    )


conditions = st.recursive(atoms, joined, max_leaves=4)
segments = st.tuples(st.lists(conditions, min_size=1, max_size=2), st.lists(conditions, max_size=1))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Written, Written]:
    """An upper segment and a lower one that asks for some of the same, so that there is something to be found."""
    when, excepts = draw(segments)
    more = draw(st.lists(conditions, max_size=2))
    left_out = draw(st.lists(conditions, max_size=1))
    lower = draw(st.permutations([*when, *more])), [*excepts, *left_out]
    upper = draw(st.one_of(st.just((when, excepts)), st.just((when[:1], excepts)), segments))
    return upper, lower


VALUES: list[Any] = [None, 0, 1, 1.5, 2, 3, float("nan"), True, False, "", "x", "xy", "y", ["k"]]
VALUES.append(datetime(2026, 6, 1, tzinfo=UTC))
MAPS: list[Any] = [None, {}, {"k": 1}, {"k": 2}, 1]


def visitors() -> Iterator[dict[str, Any]]:
    """Visitors with every combination of values, of which each may be unknown."""
    for a, b, m in product(VALUES, VALUES, MAPS):
        traits = {name: value for name, value in (("a", a), ("b", b), ("m", m)) if value is not None}
        yield {"traits": traits}


VISITORS = list(visitors())


def matching(segment: Written) -> list[bool]:
    """Which of all visitors match, says the reference implementation."""
    when, excepts = ([prepare(parse(text)) for text in texts] for texts in segment)
    return [
        all(one.truth(visitor) is True for one in when) and not any(one.truth(visitor) is True for one in excepts)
        for visitor in VISITORS
    ]


@settings(max_examples=60)
@given(pairs())
def test_what_is_covered_is_covered_for_every_visitor(pair: tuple[Written, Written]) -> None:
    """The law: where one is said to cover the other, no visitor matches the lower one and not the upper one."""
    upper, lower = pair
    if covers(read(upper), read(lower), ANYBODY):
        for above, below in zip(matching(upper), matching(lower), strict=True):
            assert above or not below


@given(st.lists(segments, min_size=3, max_size=3))
def test_what_is_covered_together_is_covered_for_every_visitor(three: list[Written]) -> None:
    """The law for several: whoever matches the covered audience matches one of those above it."""
    if any(one.lower == 2 for one in found(*three)):
        first, second, lower = map(matching, three)
        assert not any(below and not a and not b for a, b, below in zip(first, second, lower, strict=True))


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        ((["traits.x < 50"], []), (["traits.x < 20"], [])),
        ((["traits.x < 50"], []), (["traits.x == 20"], [])),
        ((["traits.x <= 50"], []), (["traits.x in [20, 50]"], [])),
        ((["traits.x != 1"], []), (["traits.x == 'a'"], [])),
        ((["traits.x in ['a', 'b']"], []), (["traits.x == 'a' && traits.y"], [])),
        ((["traits.x.startsWith('a')"], []), (["traits.x.startsWith('ab')"], [])),
        ((["has(traits.x)"], []), (["traits.x.matches('a')"], [])),
        ((["has(traits.x)"], []), (["traits.x.y == 1"], [])),
        ((["traits.x == 1 || traits.y == 1"], []), (["traits.x == 1"], [])),
        ((["traits.x == 1 || traits.y == 1"], []), (["traits.x == 1 || traits.y == 1 && traits.z == 1"], [])),
        ((["traits.l.exists(x, x == 1)"], []), (["traits.l.exists(x, x == 1)", "traits.y"], [])),
        ((["true"], []), (["traits.x"], [])),
        ((["traits.x"], ["traits.y"]), (["traits.x"], ["traits.y || traits.z"])),
        ((["traits.x"], ["traits.y == 1"]), (["traits.x", "traits.y == 2"], [])),
        ((["traits.x"], ["!has(traits.y)"]), (["traits.x && traits.y < 3"], [])),
        ((['traits["x"] == 1'], []), (["traits.x == 1"], ["traits.z"])),
    ],
)
def test_what_covers(upper: Written, lower: Written) -> None:
    """What people would see at a glance is found."""
    assert [(one.lower, one.upper) for one in found(upper, lower)] == [(1, 0)]


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        ((["traits.x < 20"], []), (["traits.x < 50"], [])),
        ((["traits.x < 50"], ["traits.y"]), (["traits.x < 20"], [])),
        ((["traits.x < 50"], ["traits.y && traits.z"]), (["traits.x < 20"], ["traits.z && traits.w"])),
        ((["traits.x >= 3"], []), (["!(traits.x < 3)"], [])),
        ((["traits.x != 1"], []), (["!has(traits.x)"], [])),
        ((["traits.x == 1"], []), (["traits.y == 1"], [])),
        ((["traits.x == 9007199254740993"], []), (["traits.x == 9007199254740992"], [])),
        ((["traits.x == 1"], []), (["traits.y == 1 && traits.y == 2"], [])),
    ],
)
def test_what_does_not_cover(upper: Written, lower: Written) -> None:
    """Narrow misses, NaN, the unknown, what `except` lets through, and what never matches anyway."""
    assert found(upper, lower) == []


def test_together() -> None:
    """Two that share out everybody cover whoever is below."""
    three: list[Written] = [
        (["traits.x < 50"], []),
        (["traits.x >= 50"], ["traits.y"]),
        (["traits.x > 10"], ["traits.y"]),
    ]
    assert found(*three) == [Covered(2, None)]
    assert found(three[0], (["traits.x >= 60"], []), three[2]) == []


def test_the_same_twice() -> None:
    """Two that match the same visitors are told as such, however they are written."""
    assert found((["traits.x == 1"], []), (["traits.x in [1]"], [])) == [Covered(1, 0, same=True)]


def test_it_gives_up_in_time() -> None:
    """Beyond the budget nothing is said."""
    segment = read((["traits.x == 1"], []))
    assert list(covered([segment] * 3, ANYBODY, iter(range(1)))) == [Covered(1, 0, same=True)]

"""Law: two sets meet and join as their values do; where that is not exact, the answer is larger, never smaller."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.compile.form import fixed
from engine.compile.ranges import EVERY, NONE
from engine.compile.values import (
    ANY_TEXT,
    EVERYTHING,
    NO_TEXT,
    NOTHING,
    Atom,
    Held,
    Kind,
    Texts,
    Values,
    but,
    join,
    meet,
)

NAMES = st.frozensets(st.sampled_from(["a", "ab", "b", ""]))
ATOMS = [
    Atom(name, fixed("text", text), holds)
    for name in ("starts_with", "contains")
    for text in "ab"
    for holds in (False, True)
]
texts = st.one_of(
    NAMES.map(lambda names: Texts(names, inside=True)),
    st.tuples(NAMES, st.frozensets(st.sampled_from(ATOMS))).map(lambda t: Texts(t[0], inside=False, atoms=t[1])),
)
held = st.none() | st.tuples(NAMES.filter(bool), st.booleans()).map(lambda made: Held(*made))
sets = st.tuples(st.frozensets(st.sampled_from(Kind)), st.sampled_from([NONE, EVERY]), texts, held).map(
    lambda made: Values(*made[:3], held=made[3] if made[0] & {Kind.LIST, Kind.MAP} else None)
)
PROBES = [*Kind, "a", "ab", "b", "", "ba", "c", 1, ["a"], ["a", "b"], ["c"], {"b": 1}]


def lets_through(values: Values, probe: object) -> bool:
    """Is the value in the set?"""
    if isinstance(probe, Kind):
        return probe in values.kinds if probe not in (Kind.LIST, Kind.MAP) else lets_through(values, [])
    if isinstance(probe, str):
        atoms = all(atom.stands(probe) for atom in values.texts.atoms)
        return probe in values.texts.names if values.texts.inside else probe not in values.texts.names and atoms
    if isinstance(probe, list | dict):
        kind = Kind.LIST if isinstance(probe, list) else Kind.MAP
        some = values.held is None or bool(values.held.names & set(probe)) is values.held.some
        return kind in values.kinds and some
    return values.numbers.first


@settings(max_examples=600)
@given(sets, sets, st.sampled_from(PROBES))
def test_meet_and_join(a: Values, b: Values, probe: object) -> None:
    """Every value that both let through is in what they have in common; every value of either is in both together."""
    met, joined = meet(a, b), join(a, b)
    both, either = (f((lets_through(a, probe), lets_through(b, probe))) for f in (all, any))
    assert lets_through(met.values, probe) is both if met.exact else lets_through(met.values, probe) >= both
    assert (
        lets_through(joined.values, probe) is either if joined.exact else lets_through(joined.values, probe) >= either
    )


@pytest.mark.parametrize("probe", PROBES, ids=repr)
@pytest.mark.parametrize(
    "values",
    [
        NOTHING,
        EVERYTHING,
        Values(frozenset({Kind.TRUE})),
        Values(texts=Texts(frozenset({"a"}), inside=True)),
        Values(texts=Texts(frozenset(), inside=False, atoms=frozenset({ATOMS[1]}))),
        Values(frozenset({Kind.LIST, Kind.MAP}), held=Held(frozenset({"a"}), some=True)),
        Values(frozenset({Kind.MAP})),
    ],
)
def test_all_others(values: Values, probe: object) -> None:
    """What a test does not let through is what its contrary does."""
    assert lets_through(but(values), probe) is not lets_through(values, probe)
    assert but(but(values)) == values


def test_what_is_empty() -> None:
    """A set without values is known as such, whatever containers it would have asked."""
    assert not NOTHING.holds_any
    assert not Values(held=Held(frozenset("a"), some=True)).holds_any
    assert Values(texts=ANY_TEXT).holds_any
    assert NOTHING.texts == NO_TEXT

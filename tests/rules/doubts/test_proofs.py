"""Proofs: what is called impossible is, for every visitor; and it is given up in time."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cel.oracle import prepare
from engine.cel.parse import parse
from engine.cel.wire import read
from engine.rules.doubts.background import background
from engine.rules.doubts.matchers import constant
from engine.rules.doubts.proofs import Claim, is_impossible
from engine.rules.doubts.statements import statement

ANYBODY = background({})


def claim(text: str, *, truth: bool = True, holds: bool = True) -> Claim:
    """That the text is true; or false; or anything else than that."""
    checked = parse(text)
    return Claim(statement(read(checked), constant(checked)), truth, holds)


ATOMS = st.sampled_from(
    [
        "traits.a == 1",
        "traits.a != 1",
        "traits.a < 2",
        "traits.a",
        "has(traits.a)",
        "traits.b == 1",
        "traits.b.k",
        "true",
        "has(traits.b.k)",
        "size(traits.b) == 1",
        "1 / 0 == 1",
        "traits.a == traits.b",
    ]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda parts: st.one_of(
        parts.map(lambda text: f"!({text})"),
        st.tuples(parts, st.sampled_from(["||", "&&"]), parts).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        st.tuples(parts, parts, parts).map(lambda t: f"({t[0]}) ? ({t[1]}) : ({t[2]})"),
    ),
    max_leaves=4,
)
CLAIMS = st.tuples(CONDITIONS, st.booleans(), st.booleans())
VALUES: list[Any] = [None, 0, 1, 2.5, float("nan"), True, False, "x", {}, {"k": True}, {"k": 1}, [1]]


@given(st.lists(CLAIMS, min_size=1, max_size=3))
def test_what_is_impossible_is_so_for_every_visitor(claims: list[tuple[str, bool, bool]]) -> None:
    """The law: no visitor fulfils claims that are called impossible together."""
    if not is_impossible([claim(text, truth=truth, holds=holds) for text, truth, holds in claims], ANYBODY):
        return
    asked = [(prepare(parse(text)), truth, holds) for text, truth, holds in claims]
    for a, b in product(VALUES, VALUES):
        visitor = {"traits": {name: value for name, value in (("a", a), ("b", b)) if value is not None}}
        assert not all((one.truth(visitor) is truth) == holds for one, truth, holds in asked)


@pytest.mark.parametrize("text", ["traits.a == 1", "traits.a || traits.b", "traits.a ? traits.b : traits.c"])
def test_of_four_claims_those_that_contradict_each_other(text: str) -> None:
    """True and false, true and not true, false and not false; and nothing else."""
    four = [(True, True), (False, True), (True, False), (False, False)]
    impossible = [
        (one, other)
        for one, other in product(four, four)
        if is_impossible([claim(text, truth=t, holds=h) for t, h in (one, other)], ANYBODY)
    ]
    pairs = [((True, True), (False, True)), ((True, True), (True, False)), ((False, True), (False, False))]
    assert sorted(impossible) == sorted([*pairs, *((b, a) for a, b in pairs)])


def test_one_of_several() -> None:
    """Of each choice one alternative has to be true as well."""
    either = [[claim("traits.a == 1")], [claim("traits.a == 2")]]
    assert is_impossible([claim("traits.a == 3")], ANYBODY, one_of=[either])
    assert not is_impossible([claim("traits.a == 2")], ANYBODY, one_of=[either])
    assert is_impossible([claim("traits.a == 2")], ANYBODY, one_of=[either, [[claim("traits.a == 1")]]])


def test_what_is_there() -> None:
    """A term that has a value is not missing."""
    assert is_impossible([claim("has(traits.a)", truth=False)], ANYBODY, there=["traits.a"])


def test_a_long_search_is_given_up() -> None:
    """What is impossible only in the last of many branches is proved while there are few, and else passed over."""

    def is_proved(choices: int) -> bool:
        free = [f"(traits.x{n} == 1 || traits.y{n} == 1)" for n in range(choices)]
        claims = [claim(" && ".join(["(traits.z == 1 || traits.w == 1)", *free]))]
        return is_impossible([*claims, claim("traits.z == 2"), claim("traits.w == 2")], ANYBODY)

    assert is_proved(3)
    assert not is_proved(60)

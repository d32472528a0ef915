"""Formulas combine as logic has it, and equal ones are one."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compile import form
from engine.compile.form import ALWAYS, NEVER, Element, Formula, Loop, Member, Root, both, contrary, either, fixed

TRAITS = Root("traits", "map")
ATOMS = [form.Test("is_true", (Member(TRAITS, key),)) for key in "abc"]

formulas = st.recursive(
    st.sampled_from([*ATOMS, ALWAYS, NEVER]),
    lambda inner: st.builds(both, inner, inner) | st.builds(either, inner, inner) | st.builds(contrary, inner),
    max_leaves=8,
)


def holds(formula: Formula, world: dict[Formula, bool]) -> bool:
    """The formula's answer where the tests have these."""
    match formula:
        case form.All(parts):
            return all(holds(part, world) for part in parts)
        case form.Any(parts):
            return any(holds(part, world) for part in parts)
        case form.Test():
            return world[formula] if formula in world else not world[contrary(formula)]
    raise AssertionError(formula)


WORLDS = [dict(zip(ATOMS, answers, strict=True)) for answers in product([True, False], repeat=3)]


@given(a=formulas, b=formulas)
def test_combinations_mean_what_they_say(a: Formula, b: Formula) -> None:
    """`both`, `either` and `contrary` in every world."""
    for world in WORLDS:
        assert holds(both(a, b), world) is (holds(a, world) and holds(b, world))
        assert holds(either(a, b), world) is (holds(a, world) or holds(b, world))
        assert holds(contrary(a), world) is not holds(a, world)
    assert contrary(contrary(a)) == a


@pytest.mark.parametrize("value", [1, 1.0, True, 0.0, -0.0, False])
def test_constants_of_one_value_are_not_one_constant(value: Any) -> None:
    """1, 1.0 and True are three constants, and so are 0.0 and -0.0."""
    others = [other for other in (1, 1.0, True, 0.0, -0.0, False) if repr(other) != repr(value)]
    assert all(fixed("any", other) != fixed("any", value) for other in others)


def test_flat_and_once() -> None:
    """Parts of parts are parts, each once; one part stands alone."""
    a, b, c = ATOMS
    assert both(a, both(b, c), a) == form.All((a, b, c))
    assert both(a, a) == a
    assert both() == ALWAYS
    assert either(a, NEVER) == a
    assert (form.depth(both(a, b)), form.extent(both(a, either(b, c)))) == (2, 5)
    assert form.asked_of(both(a, b)) == set()


def test_loops_need_what_their_bodies_need() -> None:
    """Terms that do not hang on the element are read outside, whole."""
    element, outside = Element(0), Member(TRAITS, "b")
    body = both(form.Test("same", (Member(element, "k"), outside)), form.Test("is_true", (element,)))
    loop = Loop(Member(TRAITS, "l"), element, body)
    assert list(form.free_terms(loop)) == [outside]
    assert list(form.terms_of(loop)) == [Member(TRAITS, "l"), outside]

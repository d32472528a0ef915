"""The two formulas of a condition: the connectives, and where the reference implementation is asked."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest

from engine.cel.oracle import truth
from engine.cel.parse import parse
from engine.compile.conditions import Verdict
from engine.compile.form import ALWAYS, NEVER, Asked, Truth, asked_of, both, contrary, either, extent
from engine.compile.normal import MOST_TESTS


def test_connectives(normal: Callable[[str], Truth]) -> None:
    """T and F follow from T and F of the parts."""
    a, b, c = (normal(f"traits.{key} == 1") for key in "abc")
    assert normal("traits.a == 1 && traits.b == 1") == Truth(both(a.true, b.true), either(a.false, b.false))
    assert normal("traits.a == 1 || traits.b == 1") == Truth(either(a.true, b.true), both(a.false, b.false))
    assert normal("!(traits.a == 1)") == Truth(a.false, a.true)
    assert normal("traits.a == 1 ? traits.b == 1 : traits.c == 1") == Truth(
        either(both(a.true, b.true), both(a.false, c.true)), either(both(a.true, b.false), both(a.false, c.false))
    )


def test_not_less_is_not_greater_or_equal(normal: Callable[[str], Truth], compiled: Any, visitor: Any) -> None:
    """NaN is neither less nor not less, so an operator is never turned round."""
    assert normal("!(traits.a < 3)") != normal("traits.a >= 3")
    nan = visitor(a=float("nan"))
    assert compiled("!(traits.a < 3)").true(*nan)
    assert not compiled("traits.a >= 3").true(*nan)


def test_constants_are_known(normal: Callable[[str], Truth]) -> None:
    """What needs no visitor is worked out once."""
    assert normal("true || traits.a") == Truth(ALWAYS, NEVER)
    assert normal('"a" in ["b"]') == Truth(NEVER, ALWAYS)
    assert normal("1 < 2 && 2.0 >= 1.0 && !(1 == 2)") == Truth(ALWAYS, NEVER)


def test_smallest_part_is_asked(normal: Callable[[str], Truth]) -> None:
    """What is not known is asked; what stands beside it is not."""
    form = normal("traits.a == 1 && traits.b.map(x, x) == [1]")
    assert len(asked_of(form.true)) == 1
    assert not isinstance(form.true, Asked)


@pytest.mark.parametrize("predicate", ["math.abs(x) > 2", "x == null", "x + 1 == 3", "x.exists_one(y, y == 1)"])
def test_loops_are_asked_whole(normal: Callable[[str], Truth], predicate: str) -> None:
    """Nobody can be asked about an element alone."""
    form = normal(f"traits.l.exists(x, {predicate})")
    assert isinstance(form.true, Asked)
    assert isinstance(form.false, Asked)


def test_loops_over_constants_are_unrolled(normal: Callable[[str], Truth]) -> None:
    """A loop over constants is its body for each."""
    a, b = normal("traits.t.contains('a')"), normal("traits.t.contains('b')")
    looped = normal("['a', 'b'].all(x, traits.t.contains(x))")
    assert looped == Truth(both(a.true, b.true), either(a.false, b.false))


def test_names_of_loops_hide_roots(compiled: Callable[[str], Verdict], visitor: Any) -> None:
    """A loop's variable is the element, even when it is called like a root."""
    verdict = compiled("traits.l.exists(account, account == 2)")
    assert verdict.fallbacks == 0
    assert verdict.true(*visitor(l=[1, 2]))


@pytest.mark.parametrize(
    "text",
    [
        reduce(lambda inner, key: f"(({inner}) == (traits.{key} == 1))", "abcdefghijklmnop", "traits.z"),
        reduce(lambda inner, key: f"(({inner}) ? traits.{key} : traits.z)", "abcdefghijklmnop", "traits.z"),
        reduce(lambda inner, key: f"({inner} && traits.{key} || traits.z)", "ab" * 5, "traits.z"),
        " && ".join(f"traits.k{i} == {i}" for i in range(200)),
        " || ".join(f"traits.k{i} == {i}" for i in range(200)),
    ],
)
def test_large_conditions(compiled: Callable[[str], Verdict], grammar: Any, visitor: Any, text: str) -> None:
    """What would double at every level is asked instead; whatever happens, the answer is right."""
    verdict = compiled(text)
    for traits in ({}, {"z": True, **dict.fromkeys("abcdefghijklmnop", 1)}, {f"k{i}": i for i in range(200)}):
        roots = visitor(**traits)
        expected = truth(parse(text), dict(zip((*grammar.ROOTS, "now"), roots, strict=True)))
        assert (verdict.true(*roots), verdict.false(*roots)) == (expected is True, expected is False)
        assert max(map(extent, verdict.truth)) <= MOST_TESTS


def test_contrary_is_no_false(normal: Callable[[str], Truth]) -> None:
    """Not known to be true is more than false."""
    form = normal("traits.a")
    assert contrary(form.true) != form.false

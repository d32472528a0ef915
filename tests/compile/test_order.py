"""Cheap and selective tests come first, and order changes no answer."""

from collections.abc import Callable
from typing import Any

from engine.compile.form import All, Asked, Formula, Member, Truth, contrary, parts_of
from engine.compile.order import cost, in_order, likelihood, needed, reading_cost


def keys(formula: Formula) -> list[str]:
    """The traits in the order in which they are asked about."""
    found = []
    for part in in_order(formula):
        found += [term.key for term in needed(part) if isinstance(term, Member)] or ["?"]
    return found


def test_cheap_before_dear(normal: Callable[[str], Truth]) -> None:
    """Equality before a pattern before a question to the reference implementation."""
    form = normal('traits.q.map(x, x) == [1] && traits.m.matches("x") && traits.e == "x"')
    assert keys(form.true) == ["e", "m", "?"]
    assert isinstance(in_order(form.true)[-1], Asked)


def test_selective_before_likely(normal: Callable[[str], Truth]) -> None:
    """In an all-of what fails more often goes first, in an any-of what holds more often."""
    assert keys(normal('has(traits.h) && traits.e == "x"').true) == ["e", "h"]
    assert keys(normal('traits.e == "x" || has(traits.h)').true) == ["h", "e"]


def test_read_terms_are_cheaper(normal: Callable[[str], Truth]) -> None:
    """A test over what is read already goes first."""
    form = normal('traits.a == "x" && traits.b == "x"').true
    assert isinstance(form, All)
    first, second = in_order(form)
    assert in_order(form, needed(second)) == [second, first]


def test_every_part_stays(normal: Callable[[str], Truth]) -> None:
    """Ordering loses and doubles nothing, few parts or many."""
    for count in (3, 100):
        form = normal(" && ".join(f"traits.k{i} == {i}" for i in range(count))).true
        assert isinstance(form, All)
        assert set(in_order(form)) == set(form.parts)
        assert len(in_order(form)) == count


def test_parts_before_wholes(normal: Callable[[str], Truth]) -> None:
    """A term is read after those it is made of, and only if it is not read yet."""
    form = normal("now - timestamp(traits.a.b) < duration('1h')").true
    terms = needed(form)
    assert all(terms.index(part) < terms.index(term) for term in terms for part in parts_of(term))
    assert sum(reading_cost(term) > 0 for term in terms) == 4
    assert needed(form, terms) == []


def test_figures_are_sane(normal: Callable[[str], Truth], grammar: Any) -> None:
    """Costs are positive, likelihoods are shares, and a contrary is as likely as the rest."""
    for text in ("traits.a", "traits.l.all(x, x < 3)", "int(traits.a) in [1, 2] || traits.b.map(x, x) == []"):
        form = normal(text).true
        assert cost(form) > 0
        assert 0 < likelihood(form) < 1
        assert abs(likelihood(form) + likelihood(contrary(form)) - 1) < 1e-9

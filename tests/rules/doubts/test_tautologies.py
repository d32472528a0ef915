"""Conditions that are always true; and none of those that somebody does not fulfil."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cel.oracle import prepare
from engine.cel.parse import parse
from engine.cel.wire import read
from engine.rules.doubts.background import background
from engine.rules.doubts.celtext import written
from engine.rules.doubts.matchers import constant, formula
from engine.rules.doubts.tautologies import Always, always, leaves_out_all
from engine.words import Condition, Place, TraitDeclaration

KNOWN = background({"n": TraitDeclaration("n", "number", None, None), "d": TraitDeclaration("d", None, "free", None)})


def found(text: str, *, everybody: bool = True) -> list[Always]:
    """What is always true in the condition."""
    checked = parse(text)
    return list(always(read(checked), constant(checked), KNOWN, everybody=everybody))


@pytest.mark.parametrize(
    ("text", "under"),
    [
        ("1 < 2", "1 < 2"),
        ("traits.a == 1 && 1 < 2", "1 < 2"),
        ("true || traits.a", "true"),
        ("has(traits.a) || !has(traits.a)", "has(traits.a) || !has(traits.a)"),
        ("!has(traits.a) || traits.a == 1 || traits.a != 1", "!has(traits.a) || traits.a == 1 || traits.a != 1"),
        ('"a" in traits || !has(traits.a)', '"a" in traits || !has(traits.a)'),
        ("has(page.path)", "has(page.path)"),
        ("has(traits.d)", "has(traits.d)"),
        ('traits.d != "a" || traits.d != "b"', 'traits.d != "a" || traits.d != "b"'),
        ('page.path != "/a" || page.path != "/b"', 'page.path != "/a" || page.path != "/b"'),
        ('page.path < "/m" || page.path >= "/m"', 'page.path < "/m" || page.path >= "/m"'),
        ("!(traits.a && false)", "!(traits.a && false)"),
        ("page.path != 3", "page.path != 3"),
    ],
)
def test_what_is_always_true(text: str, under: str) -> None:
    """Said once, under the part that makes it so."""
    (one,) = found(text)
    start = text.index(under)
    assert (one.offset, one.offset + one.width, one.everybody) == (start, start + len(under), True)


@pytest.mark.parametrize(
    "text",
    [
        'traits.a != "x" || traits.a != "y"',
        '!(traits.a == "x" && traits.a == "y")',
        "traits.a in [1, 2] || traits.a != 1",
        "traits.n > 5 || traits.n <= 5",
        'traits.a != 1 || account.b != "x" || traits.a != 2 && account.b == "x"',
    ],
)
def test_what_everybody_is_of_whom_it_is_known(text: str) -> None:
    """The classic: `!=` joined by `||`. A visitor without the trait does not match, all others do."""
    (one,) = found(text)
    assert not one.everybody
    assert "known" in one.message


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "true && traits.a == 1",
        "traits.a || !traits.a",
        "traits.a == 1 || traits.a == 2",
        "traits.a > 5 || traits.a <= 5",
        "traits.a != 1",
        'traits.a != ""',
        "has(traits.a)",
        "has(traits.a) || traits.a == 1",
        "has(traits.a.b) || !has(traits.a.b)",
        "visit.count >= 0",
        'geo.country != "DE" || has(geo.city)',
        "!has(traits.a) || traits.a != 1",
        'traits.a.matches("x") || !traits.a.matches("x")',
        "traits.a ? true : true",
        "traits.?a == optional.none() || has(traits.?a.b)",
    ],
)
def test_no_false_alarms(text: str) -> None:
    """`true` is meant, and what somebody does not fulfil, known or unknown, is never called always true."""
    assert found(text) == []


def test_true_is_no_exception() -> None:
    """`except: true` leaves out everybody, which nobody writes a segment for."""
    assert [one.width for one in found("true", everybody=False)] == [4]


def test_a_constant_part_is_told_with_what_would_be_right() -> None:
    """The hint says how one writes what may have been meant."""
    assert found("1 < 2")[0].hint == "`true` where everybody is meant"
    assert found("has(traits.d)")[0].hint == "leave it out: `traits.d` is always there, by its default"
    assert "has(traits.a)" in found("traits.a != 1 || traits.a != 2")[0].hint


def test_an_except_that_leaves_out_everybody() -> None:
    """It does where whoever fulfils `when` fulfils it; not where `when` lets in nobody anyway."""
    when, wider, narrower, never = (
        formula(Condition(text, Place("a.yaml", 1, 1), parse(text)))
        for text in ("traits.a < 5", "traits.a < 9", "traits.a < 3", "traits.a > 7")
    )
    assert leaves_out_all([when], wider, KNOWN)
    assert not leaves_out_all([when], narrower, KNOWN)
    assert not leaves_out_all([when, never], wider, KNOWN)


ATOMS = st.sampled_from(
    [
        "traits.a == 1",
        "traits.a != 2",
        "traits.a < 2",
        "traits.a",
        "has(traits.a)",
        "traits.m.k != 1",
        "has(traits.m.k)",
        "has(traits.m)",
        'traits.d == "free"',
        "has(traits.d)",
        "traits.n > 1",
        "traits.n in [0, 1]",
        "1 < 2",
        "1 / 0 > 0",
        'traits.a.startsWith("x")',
        "size(traits.a) > 1",
    ]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda parts: st.one_of(
        parts.map(lambda text: f"!({text})"),
        st.tuples(parts, st.sampled_from(["||", "||", "&&"]), parts).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        st.tuples(parts, parts, parts).map(lambda t: f"({t[0]}) ? ({t[1]}) : ({t[2]})"),
    ),
    max_leaves=5,
)
VALUES: list[Any] = [None, 1, 2, 1.5, float("nan"), True, False, "x", "xy", []]
MAPS: list[Any] = [None, {}, {"k": 1}, {"k": 2}, 7]


@given(CONDITIONS)
def test_what_is_always_true_is_true_of_everybody(text: str) -> None:
    """The law: of every visitor, or of every one who has all that is asked for."""
    text = written(read(parse(text)))  # where parentheses stand, so that a part can be cut out of the text
    for one in found(text):
        part = prepare(parse(text[one.offset : one.offset + one.width]))
        for a, m, n, d in product(VALUES, MAPS, [None, 0, 1, 7.5], ["free", 3, True]):
            traits = {name: value for name, value in (("a", a), ("m", m), ("n", n), ("d", d)) if value is not None}
            if one.everybody or (a is not None and n is not None and isinstance(m, dict) and "k" in m):
                assert part.truth({"traits": traits}) is True

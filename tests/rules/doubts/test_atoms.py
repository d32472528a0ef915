"""Atoms: what a test asks, and the values that tests can tell apart, exactly as the reference implementation does."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cel.oracle import prepare
from engine.cel.parse import parse
from engine.cel.wire import read
from engine.rules.doubts.atoms import Atom, Known, Space, atom

MOMENT = 'timestamp("2026-01-01T00:00:00Z")'
CONSTANTS = [
    '"a"',
    '"ab"',
    '"b"',
    '"\\U0010ffff"',
    '"\\ud7ff"',
    '""',
    "1",
    "2",
    "-1",
    "1.5",
    "2u",
    "true",
    "false",
    MOMENT,
]
TESTS = st.one_of(
    st.tuples(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.sampled_from(CONSTANTS)).map(
        lambda t: f"traits.x {t[0]} {t[1]}"
    ),
    st.tuples(st.sampled_from(CONSTANTS), st.sampled_from(["<", ">="])).map(lambda t: f"{t[0]} {t[1]} traits.x"),
    st.lists(st.sampled_from(CONSTANTS), max_size=3).map(lambda t: f"traits.x in [{', '.join(t)}]"),
    st.sampled_from(CONSTANTS[:6]).map(lambda t: f"traits.x.startsWith({t})"),
    st.sampled_from(["has(traits.x)", "traits.x", '"x" in traits', 'traits["x"] == 2']),
)
TEXTS = ["", "a", "aa", "ab", "abc", "ac", "b", "\ud7ff".encode("utf-16", "surrogatepass").decode("utf-16"), "\ue000"]
VALUES: list[Any] = [*TEXTS, "\U0010ffff", "\U0010ffffx", -2, -1, 0, 1, 1.5, 1.7, 2, 2.0, 3, 2**62, float("nan")]
VALUES += [float("inf"), True, False, [], {}, datetime(2026, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC), None]


def truth(text: str, value: Any) -> bool | None:
    """What the reference implementation says of a visitor with this trait, `None` without it."""
    return prepare(parse(text)).truth({"traits": {} if value is None else {"x": value}})


@given(TESTS, TESTS)
def test_atoms_say_what_the_reference_implementation_says(one: str, other: str) -> None:
    """The law: some point of the space answers both tests as each value does: true, false, or neither."""
    try:
        atoms = [atom(read(parse(text))) for text in (one, other)]
    except ValueError:
        return  # not every constant goes with every operator
    if atoms[0].term != atoms[1].term:
        return  # what cannot be read stands for itself
    space = Space(atoms)
    points = space.all(Known(breakable=False))
    for value in VALUES:
        left = points
        for text, asked in zip((one, other), atoms, strict=True):
            said = truth(text, value)
            true, false = space.true(asked), space.false(asked)
            left &= true if said is True else false if said is False else ~(true | false)
        assert left, (one, other, value)


@given(TESTS)
def test_nothing_is_true_and_false(text: str) -> None:
    """The two sets never meet, and neither holds where there is an error."""
    try:
        asked = atom(read(parse(text)))
    except ValueError:
        return
    space = Space([asked])
    assert not space.true(asked) & space.false(asked)
    broken = space.all(Known()) & ~space.all(Known(breakable=False))
    assert not broken & (space.true(asked) | space.false(asked))


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("traits.x == 1", Atom("traits.x", ("traits", "x"), "same", (("number", 1),))),
        ('traits["x"] != 1', Atom("traits.x", ("traits", "x"), "same", (("number", 1),), inverse=True)),
        ("3 <= traits.x", Atom("traits.x", ("traits", "x"), "above", (("number", 3),), met=True)),
        ("size(traits.x) < 3", Atom("size(traits.x)", None, "below", (("number", 3),))),
        ("has(traits.x.y)", Atom("traits.x.y", ("traits", "x", "y"), "there")),
        ("traits.x == traits.y", Atom("traits.x == traits.y", None, "holds")),
        ("traits.x == null", Atom("traits.x == null", None, "holds")),
        ("traits.x == 9007199254740993", Atom("traits.x == 9007199254740993", None, "holds")),
        ('"a" in traits.x', Atom('"a" in traits.x', None, "holds")),
        ('traits.x.endsWith("a")', Atom('traits.x.endsWith("a")', None, "holds")),
    ],
)
def test_what_a_test_asks(text: str, asked: Atom) -> None:
    """Comparisons with constants are read; what cannot be read exactly stands for itself."""
    assert atom(read(parse(text))) == asked


def test_what_is_known_leaves_fewer_points() -> None:
    """A declared number is no text, and with a default it is always there."""
    asked = atom(read(parse('traits.x == "a"')))
    space = Space([asked])
    assert space.true(asked) & space.all(Known())
    assert not space.true(asked) & space.all(Known(frozenset({"number"})))
    assert space.all(Known(always=True)) == space.present

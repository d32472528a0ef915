"""Conditions that can never be true; and none of those that can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cel.oracle import truth
from engine.cel.parse import parse
from engine.cel.tree import Node
from engine.cel.wire import cut, read
from engine.rules.doubts.contradictions import Never, Term, contradictions

TERMS = {
    "page.path": Term("string", "`page.path` is text"),
    "traits.n": Term("number", "`traits.n` is declared as a number"),
    "traits.f": Term("", "`traits.f` is declared to be in small letters", lower=True),
}


def found(*texts: str) -> list[Never]:
    """What can never be true in a conjunction of conditions."""
    checked = [parse(text) for text in texts]

    def is_true(number: int, part: Node) -> bool:
        return truth(cut(checked[number], part), {}) is True

    return contradictions([read(one) for one in checked], TERMS.get, is_true)


@pytest.mark.parametrize(
    ("text", "under"),
    [
        ('traits.a == "x" && traits.a == "y"', 'traits.a == "y"'),
        ("traits.a > 5 && traits.b && traits.a < 3", "traits.a < 3"),
        ('traits.a in ["x","y"] && traits.a != "x" && traits.a != "y"', 'traits.a != "y"'),
        ("false", "false"),
        ("1 > 2", "1 > 2"),
        ("1/0 == 1", "1/0 == 1  "[:8]),
        ("traits.a && !traits.a", "traits.a"),
        ("has(traits.a) && !has(traits.a)", "has(traits.a)"),
        ("!has(traits.a) && traits.a == 1", "traits.a == 1"),
        ("traits.a == null", "traits.a == null"),
        ("page.path == 5", "page.path == 5"),
        ('traits.n == "45"', 'traits.n == "45"'),
        ('traits.f == "Free"', 'traits.f == "Free"'),
        ('traits.f.startsWith("Fr")', 'traits.f.startsWith("Fr")'),
        ('traits.a == "x" || traits.b == 1 && traits.b == 2', "traits.b == 2"),
        ('traits.a == "x" && (traits.b || traits.a == "y")', 'traits.a == "y"'),
        ("!(traits.a || traits.b) && traits.b", "traits.b"),
        ("traits.a in []", "traits.a in []"),
        ("!(traits.a == 1) && !(traits.a != 1)", "traits.a != 1"),
    ],
)
def test_what_can_never_be_true(text: str, under: str) -> None:
    """One contradiction is said once, under the part that makes it one."""
    (never,) = found(text)
    start = text.rindex(under)
    assert (never.offset, text[never.offset : never.offset + len(under)]) == (start, under)


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "1 < 2",
        'traits.a == "x" || traits.a == "y"',
        "traits.a != 1 && traits.a != 2",
        "traits.a > 1 && traits.a < 2",
        "traits.a == 1 && traits.a == 1.0",
        'traits.a in [null, "x"]',
        "traits.a != null",
        "!(traits.a < 3) && !(traits.a >= 3)",
        "traits.n > 3 && traits.n == 45",
        'traits.f == "free" || traits.f in ["Free", "free"]',
        "traits.f == 5",
        'traits.f in [5, "Free"]',
        "!(traits.a == 1 && traits.a == 2)",
        "traits.a[0] == 1 && traits.a[1] == 2",
        'traits.t.exists(x, x == "a") && traits.t.exists(x, x == "b")',
        'now > timestamp("2026-01-01T00:00:00Z") && now < timestamp("2026-02-01T00:00:00Z")',
        "!has(traits.a) || traits.a == 1",
    ],
)
def test_no_false_alarms(text: str) -> None:
    """What can be true is never called impossible."""
    assert found(text) == []


def test_over_several_conditions() -> None:
    """All of `when` counts together; the later condition is the one that is named."""
    (never,) = found("traits.a == 1", "traits.b", "traits.a == 2")
    assert (never.condition, never.offset) == (2, 0)


def test_hints() -> None:
    """Where it is plain what was meant, it is shown."""
    assert found('traits.a == "x" && traits.a == "y"')[0].hint == 'one or the other: `traits.a in ["x", "y"]`'
    assert found('traits.n == "45"')[0].hint == "`traits.n == 45`"
    assert found('traits.f == "Free"')[0].hint == 'write `"free"`'
    assert "!has(traits.a)" in found("traits.a == null")[0].hint


ATOMS = st.sampled_from(
    [
        "traits.a == 1",
        "traits.a != 1",
        "traits.a > 1",
        "traits.a < 1",
        "traits.a in [1, 2]",
        "has(traits.a)",
        "traits.b",
        'traits.b == "x"',
        "traits.a == traits.b",
        "true",
    ]
)
VALUES = st.sampled_from([0, 1, 2, 1.5, float("nan"), "x", True, False])


@given(
    st.lists(ATOMS | ATOMS.map(lambda text: f"!({text})"), min_size=2, max_size=4),
    st.dictionaries(st.sampled_from(["a", "b"]), VALUES),
)
def test_a_list_that_is_impossible_is_true_of_nobody(texts: list[str], traits: dict[str, object]) -> None:
    """The law: of conditions that are called impossible together, nobody ever fulfils all."""
    if found(*texts):
        assert not all(truth(parse(text), {"traits": traits}) is True for text in texts)

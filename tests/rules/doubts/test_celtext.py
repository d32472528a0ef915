"""Trees written as CEL again, and what is asked of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cel.parse import parse
from engine.cel.tree import Node
from engine.cel.wire import read
from engine.rules.doubts.celtext import MACRO, conjuncts, disjuncts, facts, path, quoted, start, written


def tree(text: str) -> Node:
    """The tree of a condition."""
    return read(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        'traits.a != "x" && !(traits.b in [1, 2.5, 3u]) || has(traits.c)',
        'traits["job title"] - (1 - 2) == 3 ? true : false',
        "(traits.a == 1) == true",
        "(traits.a || traits.b) && !traits.c",
        '-traits.x < 2 && traits.x.startsWith("a\\n\\"")',
        'traits.?plan.orValue("free") != "x"',
        'timestamp("2026-01-01T00:00:00Z") < now',
        'traits.a == {"b": [null, b"c"]}',
        "traits.a[?0].hasValue()",
    ],
)
def test_written_as_it_was(text: str) -> None:
    """Text without macros is written back as it was."""
    assert written(tree(text)) == text


ATOMS = st.sampled_from(["traits.a", "traits.b", "1", '"x"', "true"])
TEXTS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||", "==", "!=", "<", "+", "-", "*", "in"]), inner).map(
            lambda t: f"({t[0]}) {t[1]} ({t[2]})"
        ),
        inner.map(lambda text: f"!({text})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]}) ? ({t[1]}) : ({t[2]})"),
    ),
    max_leaves=6,
)


@given(TEXTS)
def test_what_is_written_reads_as_the_same(text: str) -> None:
    """The text of a tree has that tree again: parentheses are left out only where they change nothing."""
    try:
        first = tree(text)
    except ValueError:
        return  # not every text of this form is well-typed
    assert written(tree(written(first))) == written(first)


@given(st.text(st.characters(codec="utf-8"), max_size=10))
def test_quoted_texts(text: str) -> None:
    """A text as a literal is that text, whatever is in it."""
    if "\0" not in text:
        (constant,) = (part for part in [read(parse(f"traits.a == {quoted(text)}"))])
        assert written(constant) == f"traits.a == {quoted(text)}"


def test_macros_have_no_text() -> None:
    """A macro's text is for comparing only, and says so."""
    assert MACRO in written(tree("traits.a.exists(x, x > 1)"))
    assert written(tree("traits.a.exists(x, x > 1)")) != written(tree("traits.a.exists(x, x > 2)"))


def test_parts() -> None:
    """Conjunctions and disjunctions fall apart from left to right, however the parser balanced them."""
    assert [
        written(part) for part in conjuncts(tree("traits.a && traits.b && (traits.c || traits.d) && traits.e"))
    ] == ["traits.a", "traits.b", "traits.c || traits.d", "traits.e"]
    assert [written(part) for part in disjuncts(tree("traits.a || traits.b && traits.c"))] == [
        "traits.a",
        "traits.b && traits.c",
    ]


def test_paths_and_facts() -> None:
    """Both spellings of a path are one; facts are what may be unknown of a visitor and is needed."""
    assert path(tree('traits["job title"].x')) == ("traits", "job title", "x")
    assert path(tree("traits.a == 1")) is None
    text = "traits.a == account.b && has(traits.c) && salesforce.lead.D == page.path && visit.new"
    text += " && traits.e.exists(x, x == traits.f)"
    assert {fact for fact, _ in facts(tree(text))} == {
        ("traits", "a"),
        ("account", "b"),
        ("salesforce", "lead", "D"),
        ("traits", "e"),
        ("traits", "f"),
    }


@pytest.mark.parametrize(
    ("text", "at"), [("traits.a == 1", 0), ("  !traits.a", 2), ("size(traits.a) > 1", 0), ("(traits.a) == 1", 1)]
)
def test_where_an_expression_starts(text: str, at: int) -> None:
    """The first character that is not a parenthesis."""
    assert start(tree(text)) == at


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dyn([?traits.?a]) == dyn([1])", "dyn([traits.?a]) == dyn([1])"),
        ('{?"k": traits.?a} == {}', '{"k": traits.?a} == {}'),
        ("traits.l.exists(x, x == 1)", "traits.l.exists(x, x == 2)"),
        ("traits.a == 1", "traits.a == 1.0"),
    ],
)
def test_equal_texts_mean_the_same(one: str, other: str) -> None:
    """What is not the same has another text, also where only an `?` tells them apart."""
    assert written(read(parse(one))) != written(read(parse(other)))

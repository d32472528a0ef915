"""Law: every step of a tree is an expression of its own that means what the step says, at the place it says."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.cel.oracle import truth
from engine.cel.parse import CelErrors, parse
from engine.cel.scope import ROOTS
from engine.decide.explain_condition import steps
from engine.decide.explain_facts import Facts
from engine.decide.explanation import Step
from engine.words import Condition, Place

WORDS = {True: "true", False: "false", None: "unknown"}


def tree(text: str, traits: dict[str, Any] | None = None, line: int = 7, column: int = 11) -> Step:
    """The tree of a condition for a visitor with these traits."""
    roots = (traits or {}, *({} for _ in ROOTS[1:-1]), None)
    return steps(Condition(text, Place("rules/s.yaml", line, column), parse(text)), Facts(roots, {}, {}, ()))


def every(step: Step) -> list[Step]:
    """The step and all below it."""
    return [step, *(below for part in step.parts for below in every(part))]


def outline(step: Step) -> Any:
    """Kinds and texts alone."""
    return step.text if step.kind == "test" else (step.kind, *map(outline, step.parts))


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_every_step_means_its_text(data: st.DataObject, grammar: Any) -> None:
    """The text of each step, parsed by itself, has the truth that the step has; the root has the condition's own."""
    text, roots = data.draw(grammar.conditions), data.draw(grammar.visitors())
    checked = parse(text)
    root = steps(Condition(text, Place("rules/s.yaml", 1, 1), checked), Facts(roots, {}, {}, ()))
    bindings = dict(zip(ROOTS, roots, strict=True))
    assert root.truth == WORDS[truth(checked, bindings)]
    for step in every(root):
        assert text[step.place.column - 1 :].startswith(step.text) or "\n" in text
        try:
            alone = parse(step.text)
        except CelErrors:  # a part of `?:` that is no condition by itself
            continue
        assert step.truth == WORDS[truth(alone, bindings)], step.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("traits.a", "traits.a"),
        ("(traits.a)", "traits.a"),
        ("traits.a && traits.b && (traits.c && traits.d)", ("all", "traits.a", "traits.b", "traits.c", "traits.d")),
        (
            "traits.a || traits.b && traits.c || !traits.d",
            ("any", "traits.a", ("all", "traits.b", "traits.c"), ("not", "traits.d")),
        ),
        ("!(traits.a || traits.b)", ("not", ("any", "traits.a", "traits.b"))),
        ("!(!(traits.a))", ("not", ("not", "traits.a"))),
        (
            "traits.a ? traits.b : traits.c ? traits.d : traits.e",
            ("choice", "traits.a", "traits.b", ("choice", "traits.c", "traits.d", "traits.e")),
        ),
        (
            "traits.a ? (traits.b ? traits.c : traits.d) : traits.?e.orValue(true)",
            ("choice", "traits.a", ("choice", "traits.b", "traits.c", "traits.d"), "traits.?e.orValue(true)"),
        ),
        (
            'traits.l.exists(x, x == "a" || x == "b") && traits.c == "&& ("',
            ("all", 'traits.l.exists(x, x == "a" || x == "b")', 'traits.c == "&& ("'),
        ),
        ("(traits.a) == (traits.b || traits.c)", "(traits.a) == (traits.b || traits.c)"),
        ("has(traits.a) && traits[\"b\"] in [1, 2]", ("all", "has(traits.a)", 'traits["b"] in [1, 2]')),
    ],
)  # fmt: skip
def test_a_tree_is_cut_at_its_connectives(text: str, expected: Any) -> None:
    """Chains are one step, parentheses go, what stands in texts, macros and comparisons is not cut."""
    assert outline(tree(text)) == expected


def test_absorption_is_told_apart() -> None:
    """`false && unknown` is false and `true || unknown` is true, and the unknown part still says that it is."""
    both = tree("traits.a && traits.b", {"a": False})
    assert (both.truth, [part.truth for part in both.parts]) == ("false", ["false", "unknown"])
    either = tree("traits.a || traits.b", {"b": True})
    assert (either.truth, [part.truth for part in either.parts]) == ("true", ["unknown", "true"])


def test_places_count_from_the_condition() -> None:
    """Line and column of each part, also where the condition has several lines."""
    line = tree("traits.a && (traits.b)", line=3, column=11)
    assert [(part.place.line, part.place.column) for part in line.parts] == [(3, 11), (3, 24)]
    block = tree("traits.a &&\ntraits.b || // why\n  traits.c\n", line=3, column=7)
    assert [(p.place.line, p.place.column) for p in every(block)] == [(3, 7), (3, 7), (3, 7), (4, 7), (5, 9)]


def test_long_chains_are_one_step() -> None:
    """A chain of hundreds has its parts in order."""
    chain = tree(" && ".join(f"traits.t{n}" for n in range(150)))
    assert [part.text for part in chain.parts] == [f"traits.t{n}" for n in range(150)]

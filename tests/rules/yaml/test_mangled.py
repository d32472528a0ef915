"""Corrected lines are read by YAML as they were meant."""

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.rules.yaml import mangled
from engine.rules.yaml.source import Source


@given(st.text("ab!\"'[]{}(),:#?&|\\ ", min_size=1, max_size=20).map(str.strip), st.booleans())
def test_the_corrected_line_says_what_was_meant(value: str, flow: bool) -> None:
    """Whatever the value holds, YAML reads the corrected line as exactly that value."""
    assume(value and value[0] not in "\"'")
    line = mangled.corrected("when:", value, condition=True, flow=flow)
    text = f"{{{line}}}" if flow else line
    assert yaml.safe_load(text)["when"].rstrip("\n") == value


@pytest.mark.parametrize(
    ("value", "condition", "right"),
    [
        ('"a" in traits.x', True, "when: '\"a\" in traits.x'"),
        ('"traits.plan.matches("free")"', True, "when: 'traits.plan.matches(\"free\")'"),
        ('"a" == "b"', True, 'when: \'"a" == "b"\''),
        ("'don't'", False, 'when: "don\'t"'),
        ("a == 'x' || b == \"y\"", True, "when: |\n  a == 'x' || b == \"y\""),
    ],
)
def test_quotes_around_and_quotes_within(value: str, condition: bool, right: str) -> None:
    """Quotes that were meant for YAML go, those that are CEL's stay."""
    assert mangled.corrected("when:", value, condition=condition) == right


@pytest.mark.parametrize(
    ("text", "is_open", "closes"),
    [
        ('a == "b"', False, False), ('a == "b', True, False), ("f(a", True, False), ("b)", False, True),
        ("'a\\'b'", False, False), ("a # b", False, False), ('"a # b"', False, False), ("[a, {b}]", False, False),
    ],
)  # fmt: skip
def test_reach(text: str, is_open: bool, closes: bool) -> None:
    """Strings and brackets that go on, or come from before, are seen."""
    found = mangled.reach(text)
    assert (found.is_open, found.closes) == (is_open, closes)
    assert mangled.is_cut(text) == is_open


def test_the_whole_value_is_found() -> None:
    """In a block up to the line's end and over the lines that go on with it; in [ ] and { } up to the item's end."""
    source = Source("a", 'when: !a &&\n    b # c\nexcept: d\nx: {when: f(a, b), c: d}\nname: A: "#1" # e')
    assert mangled.whole(source, 6, condition=True, flow=False) == "!a && b"
    start = source.text.index("f(a")
    assert mangled.whole(source, start, condition=True, flow=True) == "f(a, b)"
    start = source.text.index("A:")
    assert mangled.whole(source, start, condition=False, flow=False) == 'A: "#1"'


def test_a_condition_has_no_braces() -> None:
    """The braces of a slot are left out of the condition that is shown, not of other values."""
    assert mangled.hint("when:", "{{ traits.a }} == 1", condition=True).endswith("when: 'traits.a == 1'")
    assert mangled.hint("text:", "{{ traits.a }}", condition=False).endswith("text: '{{ traits.a }}'")

"""Words in places where CEL wants none."""

import pytest

from engine.cel.phrases import path_before, phrases
from engine.cel.tokens import tokens


def told(text: str) -> list[tuple[str, str]]:
    """What is underlined, and what would be right (or, without a hint, what is said)."""
    return [
        (text[error.offset : error.offset + error.width], error.hint or error.message)
        for error in phrases(tokens(text))
    ]


@pytest.mark.parametrize(
    ("text", "wrong", "hint"),
    [
        ("traits.a and traits.b", "and", "write `&&`"),
        ("traits.a OR traits.b", "OR", "write `||`"),
        ("not traits.a", "not", 'write `!`, with parentheses around what it is for: `!(traits.plan == "free")`'),
        ("traits.a not in [1]", "not in", 'write `!(traits.plan in ["free", "pro"])`'),
        ("traits.a is null", "is", "whether a trait is known at all says `has(traits.a)`"),
        ("traits.a is 1", "is", "write `==`"),
        ('traits.a contains "x"', "contains", 'write `traits.a.contains("x")`'),
        ('traits.a like "%x"', "like", 'write `traits.a.endsWith("x")`'),
        ("traits.a LIKE 'x%'", "LIKE", "write `traits.a.startsWith('x')`"),
        ('traits.a like "%x%"', "like", 'write `traits.a.contains("x")`'),
        ('traits.a like "x"', "like", 'write `traits.a == "x"`'),
        ('traits.a ilike "%X%"', "ilike", 'write `traits.a.lowerAscii().contains("x")`'),
        (
            'traits.a like "a%b"',
            "like",
            'write `traits.a.matches("pattern")`: `.*` is any text, `.` any character',
        ),
        ('traits.a like "%"', "like", 'write `traits.a.matches("pattern")`: `.*` is any text, `.` any character'),
        ("traits.a like traits.b", "like", 'write `traits.a.contains("part")`'),
        ('traits.a.b startswith "x"', "startswith", 'write `traits.a.b.startsWith("x")`'),
        ("traits.a IN [1]", "IN", "write `in`, in small letters"),
        ("if traits.a then true", "if", "a condition needs no `if`; for a choice write `condition ? this : that`"),
        ("if (traits.a)", "if", "a condition needs no `if`; for a choice write `condition ? this : that`"),
        ("has traits.a", "has", "write `has(…)`"),
        ("now - 30d < now", "30d", 'write `duration("720h")`'),
        ("now - 90min < now", "90min", 'write `duration("90m")`'),
        ("traits.a > 10k", "10k", "`10k` is no number"),
        (
            "traits.first name == 1",
            "first name",
            'write `traits["first name"]` if that is the name; otherwise an operator is missing',
        ),
        ('traits."first name"', '"first name"', 'write `traits["first name"]`'),
        ("traits.2nd == 1", ".2nd", 'write `traits["2nd"]`'),
        ("traits.in == 1", "in", 'write `traits["in"]`'),
        ("traits. == 1", ".", "a name is missing after `.`"),
        ("traits.a == ", "==", "something is missing after `==`"),
        ("&& traits.a", "&&", "something is missing before `&&`"),
        ("traits.a == 5%", "%", "a share is written as a fraction: `0.05`"),
        ("traits.a ? 1", "?", "write `condition ? this : that`"),
        ("a ? b ? 1 : 2 : 3", "?", "write `a ? (b ? c : d) : e`"),
        ("traits?.a == 1", "?.", "write `.?`, and `.orValue(…)` at the end"),
        ("1 2", "2", "write `&&`, `||`, `==` or another operator between them"),
    ],
)
def test_one_phrase(text: str, wrong: str, hint: str) -> None:
    """The first wrong place is told, with what would be right."""
    assert told(text) == [(wrong, hint)]


@pytest.mark.parametrize(
    "text", ["a in [1]", "a.b(1).c == -1", "a ? b : c ? d : e", "a ? .b : c", "x[?0]", "[?a.?b]", "{}"]
)
def test_right_phrases(text: str) -> None:
    """What is right is left alone."""
    assert told(text) == []


def test_path_before() -> None:
    """The path that ends before a word is found, and nothing else is taken for one."""
    assert path_before(tokens("1 in traits.a.b contains"), 7) == "traits.a.b"
    assert path_before(tokens("(a) contains"), 3) == ""

"""Mistakes that the tokens of a condition show: wrong characters, strings, brackets, commas."""

import pytest

from engine.cel.mistakes import mistakes
from engine.cel.tokens import tokens


def told(text: str) -> list[tuple[str, str, str]]:
    """What is underlined, what is said, and what would be right."""
    return [
        (text[error.offset : error.offset + error.width], error.message, error.hint) for error in mistakes(tokens(text))
    ]


@pytest.mark.parametrize(
    ("text", "wrong", "hint"),
    [
        ("{{ traits.a }} == 1", "{{ traits.a }}", "write `traits.a == 1`"),
        (
            '{{traits.a | default: "x"}} == "y" && 1 < 2',
            '{{traits.a | default: "x"}}',
            'write `traits.a == "y" && 1 < 2`',
        ),
        ("traits.a = 1", "=", "write `==`"),
        ("traits.a === 1", "===", "write `==`"),
        ("traits.a !== 1", "!==", "write `!=`"),
        ("traits.a <> 1", "<>", "write `!=`"),
        ("traits.a => 1", "=>", "write `>=`"),
        ("traits.a ≤ 1", "≤", "write `<=`"),
        ("traits.a & traits.b", "&", "write `&&`"),
        ("traits.a | traits.b", "|", "write `||`"),
        ("1 – 1 == 0", "–", "write `-`"),
        ('traits.a =~ "x"', "=~", 'write `traits.name.matches("pattern")`'),
        ('traits.a ?? "x"', "??", 'write `traits.?name.orValue("else")`'),
        ("traits.a == “SaaS”", "“SaaS”", 'write `"SaaS"`'),
        ("traits.a == ‘SaaS’", "‘SaaS’", 'write `"SaaS"`'),
        ("traits.a == “SaaS", "“SaaS", 'write `"SaaS"`'),
        ('traits.a == “say "x"”', '“say "x"”', "write `'say \"x\"'`"),
        ('traits.a == "SaaS', '"SaaS', 'close it with "'),
        ("traits.a == 'it's'", "'it's", 'write it between double quotation marks: `"it\'s"`'),
        ('traits.a.matches("\\d+")', "\\d", 'write `r"\\d+"`: in a raw text a backslash is a backslash'),
        ("traits.größe == 1", "größe", 'write `traits["größe"]`'),
        ("traits.a == größe", "größe", 'if `größe` is a text, write `"größe"`'),
        ("traits.a\u00a0== 1", "\u00a0", "delete it and type a space"),
        ("# hm", "#", "a comment begins with `//`"),
        ("(traits.a", "(", "close it with `)`"),
        ("traits.a == 1)", ")", "leave it out, or open it before"),
        ("traits.a in [1, 2)", ")", "write `]`"),
        ('traits.a in ("a", "b")', '("a", "b")', 'write `["a", "b"]`'),
        ('traits.a in "a", "b"', '"a",', 'write `["a", "b"]`'),
        ("traits.a < 1,000", "1,000", "write `1000`"),
        ("traits.a, traits.b", ",", "write `&&` if both have to be true, `||` if one is enough"),
    ],
)
def test_one_mistake(text: str, wrong: str, hint: str) -> None:
    """One mistake makes one error, under exactly what is wrong, with what would be right."""
    assert [(underlined, instead) for underlined, _, instead in told(text)] == [(wrong, hint)]


def test_several_mistakes() -> None:
    """Independent mistakes are told together, in order."""
    assert [underlined for underlined, _, _ in told("(traits.a = “x” and traits.b = 1")] == [
        "(",
        "=",
        "“x”",
        "and",
        "=",
    ]


def test_nothing_is_told_after_an_unclosed_text() -> None:
    """What a text without its end has swallowed makes no further errors."""
    assert [underlined for underlined, _, _ in told('(traits.a = 1 && traits.b == "x)')] == ["=", '"x)']


def test_a_right_text_shows_nothing() -> None:
    """A condition that is right has none of these mistakes."""
    assert told('f(1, 2) in [1, {"a": (2)}] ? !a.b[0] : -1 < 2u') == []

"""A condition's text cut into words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cel.parse import CelErrors, expression
from engine.cel.tokens import begins_value, ends_value, tokens

RIGHT = {"name", "number", "string", "symbol"}
NAMES = ["traits", ".a", "`b-c`", "true", "null", " in ", "size", ".?a"]
VALUES = ["1", "1.5", ".5", "0x1F", "2u", "1e3", '"x"', "'é'", 'r"\\d"', "b'\\x00'", '"""a"b"""', "'''\n'''"]
SIGNS = ["==", "!=", "<", ">=", "&&", "||", "!", "-", "+", "*", "%", "?", ":", "(", ")", "[", "]", "{", "}", ",", "[?"]
PIECES = [*NAMES, *VALUES, *SIGNS, " ", "\n", "// x\n"]


def kinds(text: str) -> list[tuple[str, str]]:
    """The tokens without their places."""
    return [(token.kind, token.text) for token in tokens(text)]


def test_right_words() -> None:
    """Names, numbers, strings and symbols; space and comments are left out."""
    assert kinds("traits.a >= 1.5e3 // x\n&& r'\\' in b\"x\"") == [
        ("name", "traits"),
        ("symbol", "."),
        ("name", "a"),
        ("symbol", ">="),
        ("number", "1.5e3"),
        ("symbol", "&&"),
        ("string", "r'\\'"),
        ("name", "in"),
        ("string", 'b"x"'),
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("=", "operator"),
        ("===", "operator"),
        ("<>", "operator"),
        ("≥", "operator"),
        ("“SaaS”", "quoted"),
        ("‘x’", "quoted"),
        ('"abc', "unclosed"),
        ("“abc", "unclosed"),
        ("@", "bad"),
        ("é", "bad"),
    ],
)
def test_wrong_words(text: str, kind: str) -> None:
    """Wrong words are named by what was meant."""
    assert kinds(text) == [(kind, text)]


@given(st.text(max_size=50))
def test_nothing_is_lost(text: str) -> None:
    """Every token stands where it says, in order, and between tokens there is only space and comment."""
    at = 0
    for token in tokens(text):
        assert text[token.offset : token.end] == token.text
        between = text[at : token.offset]
        assert not between.strip() or "//" in between
        at = token.end
    assert not text[at:].strip() or "//" in text[at:]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_what_parses_has_only_right_words(text: str) -> None:
    """No text that the reference implementation parses has a wrong word in it."""
    try:
        expression(text, check=False)
    except CelErrors:
        return
    assert {token.kind for token in tokens(text)} <= RIGHT


def test_where_values_begin_and_end() -> None:
    """An operator is wanted after a value, a value after an operator."""
    name, plus, opened, closed = tokens("a + ( )")
    assert [ends_value(token) for token in (name, plus, opened, closed)] == [True, False, False, True]
    assert [begins_value(token) for token in (name, plus, opened, closed)] == [True, False, True, False]

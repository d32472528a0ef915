"""What libyaml gives up on has a name, a place and a remedy."""

import pytest

from engine.problems import Problem
from engine.rules.yaml.compose import compose
from engine.rules.yaml.source import Source


def _problems(text: str) -> list[Problem]:
    return compose(Source("a.yaml", text)).problems


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("\ta: b", "tab", 1, 1),
        ("a:\n  b: c\n\td: e", "tab", 3, 1),
        ("a:\n  \t- b", "tab", 2, 3),
        ("a:\u00a0b\nc: d", "odd-blank", 1, 3),
        ('a: "b\nc: d', "open-quote", 1, 4),
        ('a: "b\nc: "d"\ne: f', "open-quote", 1, 4),
        ("a: 'b", "open-quote", 1, 4),
        (r'a: "x\d"', "bad-escape", 1, 6),
        (r'a: "\xzz"', "bad-escape", 1, 5),
        (r'a: "S\ud800"', "bad-escape", 1, 6),
        (r'a: "\U00110000"', "bad-escape", 1, 5),
        ("a:b\nc: d", "missing-blank", 1, 1),
        ("x:\n  a:b\n  c: d", "missing-blank", 2, 3),
        ("a: b: c", "needs-quotes", 1, 4),
        ("a: @b", "needs-quotes", 1, 4),
        ("a: [x, **/b]", "needs-quotes", 1, 8),
        ('a: "b" c', "needs-quotes", 1, 4),
        ("a: {{ b }} c", "needs-quotes", 1, 4),
        ('when: "a" in b', "mangled-condition", 1, 7),
        ("when: [1].exists(x, x)", "mangled-condition", 1, 7),
        ("when: a ? b : c", "mangled-condition", 1, 7),
        ("when: !a && b", "mangled-condition", 1, 7),
        ("when:\n  - x\n  - 'a' in b", "mangled-condition", 3, 5),
        ('x: {when: a in ["b"]}', "mangled-condition", 1, 11),
        ("a: | b", "block-text", 1, 4),
        ("a: b\nc\nd: e", "no-key", 2, 1),
        ("a:\n  c\n    d: e", "no-key", 2, 3),
        ("a: [b, c", "open-bracket", 1, 4),
        ("a: {b: c\nd: e", "open-bracket", 1, 4),
        ("a: [b] c", "yaml-syntax", 1, 8),
        ("a: - b", "list-place", 1, 4),
        ("a: b\n...\nc: d", "several-documents", 3, 1),
        ("a:\n  b: c\n d: e", "indentation", 3, 2),
        ("a: b\n  c: d", "indentation", 2, 3),
        ("a: b\n- c", "indentation", 2, 1),
        ("a:\n- b\nc: d\n- e", "indentation", 4, 1),
    ],
)
def test_typical_mistakes(text: str, code: str, line: int, column: int) -> None:
    """Each typical mistake is one problem with its own code, at the place of the mistake rather than of its echo."""
    assert [(p.code, p.place.line, p.place.column) for p in _problems(text)] == [(code, line, column)]


def test_hints_show_the_right_line() -> None:
    """Where the right line is known, it is shown."""
    assert "a: b" in _problems("a:b\nc: d")[0].hint
    assert "when: '!a && b'" in _problems("when: !a && b")[0].hint
    assert "`b:` begins in column 3" in _problems("a:\n  b: c\n d: e")[0].hint


def test_the_tabs_of_a_file_are_one_problem() -> None:
    """A file indented with tabs throughout is told so once, with the number of lines."""
    (problem,) = _problems("a:\n\tb: c\n\td: e\n\tf: g")
    assert "2 more" in problem.hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (r'a: "\ud800"', "half a character", "write the whole character as it is"),
        (r'a: "\ud83d\ude00"', "half a character", r"`\U0001F600`"),
        (r'a: "\ud83d\u0041"', "half a character", "write the whole character as it is"),
        (r'a: "\U00110000"', "beyond U+10FFFF", "write it as it is"),
        (r'a: "\u12"', "four hexadecimal digits", "backslash twice"),
        (r'a: "\d"', "means nothing", "backslash twice"),
    ],
)
def test_what_is_said_of_an_escape(text: str, message: str, hint: str) -> None:
    """What is wrong with it, and how the character is written."""
    (problem,) = compose(Source("a.yaml", text)).problems
    assert message in problem.message
    assert hint in problem.hint

"""Bytes into text with places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import limits
from engine.problems import Problem
from engine.rules.yaml.source import Source, decode


def _only(data: bytes) -> Problem:
    (problem,) = decode("a.yaml", data)[1]
    return problem


@given(st.text("aé𝒳\n", max_size=30), st.integers(0, 30))
def test_position_counts_lines_and_characters(text: str, index: int) -> None:
    """A position is what counting by hand gives, astral characters being one."""
    index = min(index, len(text))
    before = text[:index]
    assert Source("a", text).position(index) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


def test_line_ends_and_byte_order_mark_do_not_count() -> None:
    """Windows line ends, old Macintosh ones and a byte order mark leave lines and columns as editors show them."""
    source, problems = decode("a.yaml", b"\xef\xbb\xbfa: 1\r\nb: 2\rc: 3")
    assert source is not None
    assert not problems
    assert source.lines == ["a: 1", "b: 2", "c: 3"]


def test_a_byte_of_another_encoding_is_placed_and_guessed() -> None:
    """A Latin-1 letter is reported at its own column, with what it probably is."""
    problem = _only(b"ok: \xc3\xa9\r\nname: caf\xe9s\n")
    assert (problem.code, problem.place.line, problem.place.column) == ("not-utf-8", 2, 10)
    assert "`é`" in problem.hint


@pytest.mark.parametrize("data", ["segments:".encode("utf-16"), "segments:".encode("utf-16-le"), b"\0\0\0"])
def test_utf_16_is_named(data: bytes) -> None:
    """UTF-16 and binary files are told apart from a stray byte, and not read on."""
    source, (problem,) = decode("a.yaml", data)
    assert source is None
    assert "UTF-16" in problem.message


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff"])
def test_invisible_characters_are_reported_and_become_spaces(character: str) -> None:
    """A character that nobody sees is named with its code, at its place; the text goes on with a space."""
    data = f"name: x\nnext: a{character}b{character}".encode()
    source, (problem,) = decode("a.yaml", data)
    assert source is not None
    assert source.lines[1] == "next: a b "
    assert (problem.place.line, problem.place.column) == (2, 8)
    assert f"U+{ord(character):04X}" in problem.message
    assert "2 times" in problem.message
    assert problem.source.isprintable()


def test_a_file_over_the_limit_is_refused() -> None:
    """The largest file passes, one byte more does not."""
    largest = b"#" * limits.RULE_FILE_BYTES
    assert decode("a.yaml", largest)[1] == []
    assert _only(largest + b"#").code == "file-too-large"


def test_a_problem_shows_its_line_and_stays_on_it() -> None:
    """The caret never runs over the end of its line, and a line of a megabyte is not shown whole."""
    source = Source("a.yaml", "one: two\nthree\n" + "x" * 10_000)
    assert source.problem(5, 14, "c", "m").width == 3
    assert source.problem(15, 10_000, "c", "m").source == "x" * 240
    assert source.problem(9_000, 9_001, "c", "m").source == ""

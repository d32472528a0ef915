"""Law: a sentence names the part that spoils it, false before unknown, and never more than a line."""

from typing import Any

import pytest

from engine.cel.parse import parse
from engine.cel.scope import ROOTS
from engine.decide.explain_condition import steps
from engine.decide.explain_facts import Facts
from engine.decide.explain_words import blame, short
from engine.words import Condition, Place


def trees(*texts: str, **traits: Any) -> list[Any]:
    """The trees of conditions for a visitor with these traits."""
    facts = Facts((traits, *({} for _ in ROOTS[1:])), traits, {}, ())
    return [steps(Condition(text, Place("rules/s.yaml", 1, 1), parse(text)), facts) for text in texts]


@pytest.mark.parametrize(
    ("when", "excepts", "words"),
    [
        (["traits.yes"], [], "`when` is true"),
        (["traits.yes"], ["traits.no", "traits.gone"], "`when` is true, and no `except` is"),
        (["traits.yes && traits.no"], [], "`traits.no` is false"),
        (["traits.gone", "traits.no"], [], "`traits.no` is false"),
        (
            ["traits.yes && (traits.yes && traits.gone)"],
            [],
            "`traits.gone` is unknown: no trait `gone`: never sent at all",
        ),
        (["traits.no || traits.no"], [], "`traits.no || traits.no` is false"),
        (
            ["!(traits.no || traits.gone)"],
            [],
            "`!(traits.no || traits.gone)` is unknown: no trait `gone`: never sent at all",
        ),
        (["traits.yes"], ["traits.no", "traits.yes"], "left out by `except`: `traits.yes` is true"),
    ],
)
def test_the_culprit_is_named(when: list[str], excepts: list[str], words: str) -> None:
    """Of `&&` the part that spoils it, of anything else the whole; of an unknown why."""
    known = {"yes": True, "no": False}
    assert blame(trees(*when, **known), trees(*excepts, **known)) == words


def test_long_texts_are_cut() -> None:
    """One line, however a condition is written."""
    assert short("a  &&\n  b") == "a && b"
    assert short("x" * 500) == "x" * 79 + "…"

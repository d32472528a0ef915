"""Doubts about conditions that are right."""

import pytest

from engine.cel.doubts import doubts
from engine.cel.parse import parse


def told(text: str) -> list[tuple[str, str]]:
    """What is underlined, and what is said."""
    return [(text[doubt.offset : doubt.offset + doubt.width], doubt.message) for doubt in doubts(parse(text))]


@pytest.mark.parametrize(
    ("text", "wrong", "message"),
    [
        ("traits.a == null", "==", "null is absent here, so this is never true"),
        ("null != traits.a", "!=", "null is absent here, so this is true of every known value"),
        ('visit.count == "3"', "==", "`==` of a whole number and a text is never true"),
        ('visit.count != "3"', "!=", "`!=` of a whole number and a text is true wherever it is known"),
        ("page.url > 3", ">", "`>` of a text and a whole number is always an error"),
        ('visit.new == "yes"', "==", "`==` of true or false and a text is never true"),
        ('now - duration("30d") > traits.x', '"30d"', "`30d` is no duration, so this is an error for everybody"),
        (
            'now > timestamp("2026-01-31")',
            '"2026-01-31"',
            "`2026-01-31` is no moment, so this is an error for everybody",
        ),
        ('traits.a.matches("(")', '"("', "`(` is no pattern, so this is an error for everybody"),
        ('matches(traits.a, "(?=x)")', '"(?=x)"', "`(?=x)` is no pattern, so this is an error for everybody"),
    ],
)
def test_one_doubt(text: str, wrong: str, message: str) -> None:
    """What comes to the same for every visitor is told, at its place."""
    assert told(text) == [(wrong, message)]


def test_all_of_them_in_order() -> None:
    """All doubts of a condition are told, from left to right."""
    assert [wrong for wrong, _ in told('visit.count == "3" || traits.a == null && page.url < 1')] == ["==", "==", "<"]


@pytest.mark.parametrize(
    "text",
    [
        "type(traits.a) == string",
        "string != type(traits.a)",
        "optional.of(1) == optional.of(traits.a)",
        "traits.?a == optional.of('x')",
        "[1] == [traits.a] || {'k': 1} == {'k': traits.a}",
        "visit.count > 3.5 && visit.count in [1, 2]",
        "visit.first_seen > now - duration('720h')",
        "traits.a == 'x' && traits.b == 3 && page.query.utm == 3",
        "has(page.url) == true",
        "traits.l.exists(visit, visit.count == '3')",
        "traits.a.matches(traits.b) && traits.c.matches('^a.*$')",
        "timestamp('2026-01-31T00:00:00+02:00') < now",
    ],
)
def test_no_doubt(text: str) -> None:
    """What can be true of one visitor and false of another is left alone."""
    assert told(text) == []

# ruff: noqa: E501 - a table reads better in rows
"""The reference implementation's complaints in plain words."""

import pytest

from engine.cel.hints import Complaint, complaints
from engine.cel.parse import CelErrors, parse


def told(text: str) -> list[tuple[str, str, str]]:
    """What is underlined, what is said, and what would be right."""
    with pytest.raises(CelErrors) as raised:
        parse(text)
    return [(text[e.offset : e.offset + e.width], e.message, e.hint) for e in raised.value.errors]


@pytest.mark.parametrize(
    ("text", "wrong", "message", "hint"),
    [
        ("trait.a == 1", "trait", "unknown name `trait`", "did you mean `traits`?"),
        ("vist.count > 1", "vist", "unknown name `vist`", "did you mean `visit`?"),
        ("traits.a == 1 && employees > 3", "employees", "unknown name `employees`", "a trait is `traits.employees`, a text is `\"employees\"`"),
        ("traits.a == True", "True", "unknown name `True`", "write `true`, in small letters"),
        ("traits.a == None", "None", "unknown name `None`", "what is not known is absent: write `!has(traits.name)`"),
        ("country == 'US'", "country", "unknown name `country`", "write `geo.country`, or `traits.country`"),
        ("traits.first-name == 'x'", "name", "unknown name `name`", "a `-` is a minus; if the name is `first-name`, write `traits[\"first-name\"]`"),
        ('traits.a.startswith("x")', "startswith", "unknown function `startswith`", 'write `traits.a.startsWith("part")`'),
        ("traits.a.toLowerCase() == 'x'", "toLowerCase", "unknown function `toLowerCase`", "write `traits.a.lowerAscii()`"),
        ("len(traits.a) > 3", "len", "unknown function `len`", "write `size(traits.a)`"),
        ("traits.a.lenght() > 3", "lenght", "unknown function `lenght`", "write `size(traits.a)`"),
        ("traits.a == no", "no", "unknown name `no`", 'write `false`, or `"no"` for the text'),
        ("traits.a == Yes", "Yes", "unknown name `Yes`", 'write `true`, or `"Yes"` for the text'),
        ("foo(traits.a)", "foo", "unknown function `foo`", ""),
        ("traits.a.foo()", "foo", "unknown function `foo`", ""),
        ('starts(traits.a, "x")', "starts", "unknown function `starts`", "did you mean `startsWith`?"),
        ("flor(1.5) == 1.0", "flor", "unknown function `flor`", "write `math.floor(…)`"),
        ("traits.a.reverze() == 'x'", "reverze", "unknown function `reverze`", "did you mean `reverse`?"),
        ('contains(traits.a, "x")', "contains", "`contains` is written after its value", "write `traits.a.contains(…)`"),
        ("traits.a.int() == 1", "int", "`int` is written before its value", "write `int(traits.a)`"),
        ("traits.tags.any(x, x == 1)", "any", "unknown function `any`", 'write `traits.tags.exists(t, t == "a")`'),
        ("math.max(1, 2) == 2", "max", "unknown function `max`", "write `math.greatest(a, b)`"),
        ("size(traits.a, 1) == 1", "size", "`size` does not take that many values", ""),
        ('1 < "a"', "<", "`<` cannot compare a whole number with a text", "a number stands without quotation marks, a text within them"),
        ('now > "2026-01-01"', ">", "`>` cannot compare a moment with a text", 'write `timestamp("2026-01-31T00:00:00Z")`, with time and zone'),
        ('!traits.a == "x"', "==", "`==` cannot compare true or false with a text", "`!` binds more tightly than `==`: write `!(…)` around the comparison"),
        ("1 < traits.a < 3", "<", "`<` cannot compare true or false with a whole number", "comparisons make no chain: write `1 < traits.x && traits.x < 9`"),
        ('traits.a in "x"', "in", "`in` wants a list or a map on its right, not a text", 'a list is `["a", "b"]`; a part of a text is `traits.name.contains("part")`'),
        ("page.url && 1", "&&", "`&&` is for conditions, not for a whole number", ""),
        ("1 + 1.0 == 2.0", "+", "`+` does not go with a whole number and a number with a fraction", "numbers of one kind go together: write `1.0` beside a fraction, or `double(…)` around the other"),
        ("has(traits)", "has", "`has` wants a field", 'write `has(traits.name)`; for a key that is no name `"first name" in traits`'),
        ("99999999999999999999 == 1", "99999999999999999999", "`99999999999999999999` is too large for a number", ""),
        ("now.x == 1", ".", "a moment has no fields", "only maps have: `traits.company.name`"),
        ("traits.a ? 1 : 'x'", "?", "`?` wants a condition before it, and two values of one type around `:`", ""),
    ],
)  # fmt: skip
def test_one_complaint(text: str, wrong: str, message: str, hint: str) -> None:
    """One mistake makes one error, under what is wrong, with what would be right."""
    assert told(text) == [(wrong, message, hint)]


def test_every_mistake_of_a_text_that_parses() -> None:
    """What does not check is told all at once, over several lines, each at its own place."""
    text = 'foo == "é😀" &&\n  bar.x == 2 &&\n  1 < "a"'
    assert [wrong for wrong, _, _ in told(text)] == ["foo", "bar", "<"]


def test_the_parsers_own_words_are_the_last_resort() -> None:
    """Where the tokens say nothing, the parser's complaint comes without its names of tokens."""
    assert told("traits.a == {1") == [("{", "this `{` is never closed", "close it with `}`")]
    assert told("{1}") == [("}", "mismatched input '}'", "")]


def test_complaints_are_read() -> None:
    """Line and column become an offset in code points; what names no place has none."""
    said = "INVALID_ARGUMENT: ERROR: <input>:2:3: one\n | x\n | ^\nERROR: <input>:-1:-1: two [INVALID_ARGUMENT]"
    assert complaints("é😀\nabcd", said) == [Complaint(offset=5, message="one"), Complaint(offset=None, message="two")]

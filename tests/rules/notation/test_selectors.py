"""Selectors: what browsers take is taken, what they refuse is refused where it goes wrong."""

from contextlib import suppress

import cssselect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.notation.mistake import Mistake
from engine.rules.notation.selectors import read

TAKEN = [
    *[
        "h1",
        "*",
        "#cta",
        ".a.b",
        "a b > c + d ~ e",
        "a,b , c",
        "/* c */ a",
        "a/**/b",
        " h1 ",
        "*|a",
        "--x",
        ".-a",
        ".ünï",
        ".💡",
    ],
    *[r".md\:flex", r".w-\[10px\]", r".w-1\/2", r".\31 23", r"#\31", r".a\.b", r".\!mt-0"],
    *[
        "[href]",
        '[href^="/x"]',
        "[a='\"']",
        "[a=b i]",
        '[a="b" S]',
        "[ a ~= b ]",
        "[a|=b]",
        "[*|a=b]",
        "[data-x='\\'']",
    ],
    *[
        ":root",
        "a:hover",
        ":not(.a, b > c)",
        ":is(h1,h2) a",
        ":where(.a)",
        ":has(> img, + b)",
        "li:nth-child(2 of .x, .y)",
    ],
    *[
        "tr:nth-child(-n + 3 of :is(a,b))",
        ":nth-last-of-type(odd)",
        ":nth-child(+5)",
        ":nth-child(n)",
        ":lang(en)",
        ":dir(rtl)",
    ],
    *[
        ":state(x)",
        ":host",
        ":host(.x)",
        "a:-moz-focusring",
        ":some-new-thing",
        ":future-thing(1 (2) 3)",
        "a:popover-open",
    ],
]


@pytest.mark.parametrize("text", TAKEN)
def test_what_browsers_take(text: str) -> None:
    """No false alarm."""
    assert read(text)


@pytest.mark.parametrize(
    ("text", "under", "part"),
    [
        ("h1..big", ".", "the name of a class"),
        ("#", "", "the name of an id"),
        ("#1a", "#1a", r"`#\31 a`"),
        (".2xl", ".2xl", r"`.\32 xl`"),
        ("> a", ">", "a selector"),
        ("a >> b", ">", "a selector"),
        ("a || b", "|", "a selector"),
        ("a,", "", "the end"),
        ("", "", "the end"),
        ("a$b", "$", "a combinator"),
        ("h1 {", "{", "before `{`"),
        ("svg|a", "svg|", "no namespace"),
        ("a[href", "[href", "never closed"),
        ("[data-x=1]", "1", '`"1"`'),
        ('[a="b]', '"b]', "quote is never closed"),
        ("[a b]", "b", "`=` or `]`"),
        ("a:not(b", "(b", "never closed"),
        ("a:not", ":not", "parentheses"),
        ("a:hover(b)", ":hover", "no parentheses"),
        (":not()", ")", "a selector"),
        ("a:hovr", ":hovr", "`:hover`"),
        ("a:nht-child(2)", ":nht-child", "`:nth-child`"),
        ("a:contains('x')", ":contains", "jQuery"),
        ("a:first", ":first", "jQuery"),
        ("a:nth-child(foo)", "f", "formula"),
        ("a:nth-child(2of .x)", "2of ", "a space"),
        ("p::before", "::before", "no element"),
        ("p:after", ":after", "no element"),
        ("a : hover", " ", "pseudo-class"),
    ],
)
def test_what_is_refused(text: str, under: str, part: str) -> None:
    """Each mistake with its words, under its characters."""
    with pytest.raises(Mistake) as found:
        read(text)
    mistake = found.value
    assert part in f"{mistake.message} | {mistake.hint}"
    assert text[mistake.offset : mistake.offset + mistake.width] == under


def test_normal_form() -> None:
    """Spellings of one selector are one; a list is its selectors."""
    assert read("H1.b.a ,  #x>Y") == read("h1.a.b,#x > y") == ("h1.a.b", "#x>y")
    assert read('[a="b"]') == read("[ A = b ]")
    assert read(".A") != read(".a")


def test_deep_nesting_is_refused() -> None:
    """A selector by a program cannot exhaust the stack."""
    with pytest.raises(Mistake, match="fewer parentheses"):
        read(":not(" * 100)
    with pytest.raises(Mistake, match="3000 characters"):
        read("a" * 3_000)


PIECES = st.sampled_from(
    [
        " a",
        ".b",
        "#c",
        "[d]",
        "[e='f']",
        ":hover",
        ":not(",
        ":is(",
        ")",
        ",",
        " > ",
        " ",
        "*",
        "+",
        "~",
        "::x",
        ":nth-child(2)",
    ]
)


@given(st.lists(PIECES, max_size=7).map("".join))
def test_what_the_library_takes(text: str) -> None:
    """Nothing that `cssselect` takes is refused, but for what cannot be meant."""
    try:
        cssselect.parse(text)
    except cssselect.SelectorError:
        return
    if "::" not in text:
        assert read(text)


@given(st.text("a.#[]()='\":,> \\n-*|{1é", max_size=20))
def test_any_text(text: str) -> None:
    """Nothing but a `Mistake` within the text is ever raised."""
    with suppress(Mistake):
        read(text)
        return
    with pytest.raises(Mistake) as found:
        read(text)
    assert 0 <= found.value.offset <= len(text)

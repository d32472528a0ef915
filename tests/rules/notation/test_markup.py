"""The walk through HTML: where a character stands, compared with a real HTML parser where that can be."""

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules.notation.markup import Walk


def place(html: str) -> str:
    """Where the next character would stand."""
    walk = Walk()
    walk.take(html, 0)
    return walk.place


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("", "text"),
        ("a < b", "text"),
        ("<3", "text"),
        ("<b>x", "text"),
        ("<b", "tag"),
        ("<b ", "tag"),
        ("<b x", "attribute-name"),
        ("<b x=", "unquoted"),
        ("<b x=y", "unquoted"),
        ("<b x = '", "quoted"),
        ('<b x="y>', "quoted"),
        ("<b x='y'", "tag"),
        ("<b x='y'>", "text"),
        ("<b/x=y>", "text"),
        ("</", "tag"),
        ("</b ", "tag"),
        ("</>", "text"),
        ("</3", "comment"),
        ("<?x", "comment"),
        ("<!doctype", "comment"),
        ("<!-- >", "comment"),
        ("<!-- -->", "text"),
        ("<!-->", "text"),
        ("<!--->", "text"),
        ("<!---->", "text"),
        ("<!-- --!>", "text"),
        ("<!-- -- >", "comment"),
        ("<script>", "raw"),
        ("<SCRIPT src=x>a</b>", "raw"),
        ("<script></scripts>", "raw"),
        ("<script></script >", "text"),
        ("<style><b></STYLE>", "text"),
        ("<textarea><b x='", "raw"),
        ("</script>", "text"),
        ("<br/>", "text"),
    ],
)
def test_where_a_character_stands(html: str, expected: str) -> None:
    """The states of WHATWG HTML 13.2.5, as far as slots need them."""
    assert place(html) == expected


def test_attributes_are_collected() -> None:
    """Every attribute with its tag, value and the offset of its value."""
    walk = Walk()
    walk.take("<A HREF='/x' b c=1><i d>", 10)
    assert [(one.tag, one.name, one.value) for one in walk.done] == [
        ("a", "href", "/x"),
        ("a", "b", ""),
        ("a", "c", "1"),
        ("i", "d", ""),
    ]
    assert walk.done[0].offset == 19


MARK = "qqq"
# `#` becomes a number, since a parser drops an attribute whose name stands twice.
PIECES = [
    "<b>",
    "</b>",
    "<p t#='",
    "'",
    '"',
    ">",
    "<",
    "x#",
    " ",
    "=",
    "<!--",
    "-->",
    "-",
    "!",
    "/",
    "<i x#=",
    '<u y#="',
    "?",
]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_the_walk_agrees_with_a_browser(pieces: list[str]) -> None:
    """Where the walk says text, a real parser finds the mark in a text; where quoted, in an attribute's value."""
    start = "".join(piece.replace("#", str(number)) for number, piece in enumerate(pieces))
    where = place(start)
    tree = html5lib.parseFragment(f"{start}{MARK}'\">", namespaceHTMLElements=False)
    elements = [node for node in tree.iter() if isinstance(node.tag, str)]  # a comment's tag is a function
    texts = [node.text for node in elements] + [node.tail for node in tree.iter()]
    assert any(MARK in (text or "") for text in texts) == (where == "text")
    if where == "quoted" and "</" not in start:  # attributes of end tags are dropped
        values = [value for node in elements for value in node.attrib.values()]
        assert any(MARK in value for value in values)

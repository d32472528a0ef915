"""Elements and the little Markdown: nothing gets out of its place."""

import pytest

from engine.web.docs.html import Html, code, element, inline, join, markdown, text


def test_text_is_text() -> None:
    """Tags in it are not tags; quotes in an attribute do not end it."""
    assert text("<b>&'\"") == "&lt;b&gt;&amp;'\""
    assert element("a", text("<"), href="\"'<>", aria_label="x") == (
        '<a href="&quot;&#x27;&lt;&gt;" aria-label="x">&lt;</a>'
    )


def test_elements() -> None:
    """Python's words, elements without an end, and several in a row."""
    assert element("p", code("x"), class_="a b") == '<p class="a b"><code>x</code></p>'
    assert element("meta", name="n", content="c") == '<meta name="n" content="c">'
    assert join(Html("a"), Html("b"), between=", ") == "a, b"


@pytest.mark.parametrize(
    ("words", "made"),
    [
        ("", ""),
        ("one\ntwo", "<p>one two</p>"),
        ("a `b<c` d\n\ne", "<p>a <code>b&lt;c</code> d</p><p>e</p>"),
        ("A:\n\n- `x`: y\n- z", "<p>A:</p><ul><li><code>x</code>: y</li><li>z</li></ul>"),
    ],
)
def test_markdown(words: str, made: str) -> None:
    """Paragraphs, lists and code."""
    assert markdown(words) == made


def test_one_line() -> None:
    """Without a paragraph around it."""
    assert inline("a `b`") == "a <code>b</code>"

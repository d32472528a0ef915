"""URLs with holes: where a slot may stand, and which schemes may."""

import pytest

from engine.rules.notation import links
from engine.rules.notation.markup import HOLE


def url(text: str) -> str:
    """`*` is a hole."""
    return text.replace("*", HOLE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/x",
        "#top",
        "https://a.b/x",
        "mailto:a@b.c",
        "data:image/png;base64,xx",
        "*",
        "*/x",
        "*?a=*",
        "/x/*",
        "mailto:*",
        "tel:*",
        "https://*.example.com/",
        "**",
        "./a*",
        "javascript",
    ],
)
def test_what_an_attribute_may_hold(text: str) -> None:
    """Static URLs that run nothing, and slots that begin it or stand behind its scheme."""
    assert links.in_attribute(url(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "javascript:x",
        " JavaScript:x",
        "java\tscript:x",
        "java\nscript:*",
        "\x01javascript:x",
        "vbscript:x",
        "*javascript:x",
        "java*script:x",
    ],
)
def test_no_code_in_an_attribute(text: str) -> None:
    """No way to hide a `javascript:`: white space, control characters, capitals, slots that may be empty."""
    assert [fault.message for fault in links.in_attribute(url(text))] == [
        f"a `{'vb' if 'vb' in text else 'java'}script:` URL would run code"
    ]


@pytest.mark.parametrize(("text", "hole"), [("*script:x", 0), ("jav*", 0), ("*x", 0), ("x*y*", 0), ("**:x", 0)])
def test_no_slot_becomes_a_scheme(text: str, hole: int) -> None:
    """A slot's value and the text around it cannot become a scheme together."""
    assert links.in_attribute(url(text))[0].hole == hole


@pytest.mark.parametrize(
    "text",
    [
        "/",
        "/x",
        "?a=b",
        "https://a.b",
        "HTTP://a.b/x",
        "//a.b/",
        "/x/*",
        "/*",
        "/x?a=*&b=*",
        "https://a.b/*/*",
        "https://a.b?x=*",
        "/x/*/*",
    ],
)
def test_what_a_redirect_may_be(text: str) -> None:
    """http, https or from the root on; slots behind the host."""
    assert links.in_redirect(url(text)) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("*", "no slot may choose"),
        ("*/x", "no slot may choose"),
        ("https://*/", "no slot may choose"),
        ("https://*.example.com/", "no slot may choose"),
        ("https://example.com*", "no slot may choose"),
        ("https:*", "no slot may choose"),
        ("//*", "no slot may choose"),
        ("/\\*", "no slot may choose"),
        ("/*/*", "another host"),
        ("/*/x", "another host"),
        ("/*\\x", "another host"),
        ("javascript:x", "not `javascript:`"),
        ("mailto:a@b.c", "not `mailto:`"),
        ("www.example.com/x", "begins with"),
        ("a.b:80/x", "begins with"),
        ("x", "begins with"),
        ("/a b", "white space"),
        ("/a\nb", "white space"),
    ],
)
def test_what_a_redirect_may_not_be(text: str, part: str) -> None:
    """No open redirect, no other scheme, no URL that the browser would look for under the page."""
    assert part in " ".join(fault.message for fault in links.in_redirect(url(text)))


def test_frames_are_like_redirects() -> None:
    """A slot chooses no page of another site for a frame."""
    assert links.in_frame(url("https://a.b/*")) == []
    assert [fault.hole for fault in links.in_frame(url("https://*/x/*"))] == [0]


@pytest.mark.parametrize("text", ["data:text/html,x", " DATA:text/html,x", "java\tscript:x"])
def test_no_code_in_a_frame(text: str) -> None:
    """A `data:` URL is a picture elsewhere, in a frame a page with scripts."""
    assert "would run code" in links.in_frame(text)[0].message


@pytest.mark.parametrize(
    ("text", "holes"),
    [("", []), ("https://a.b/*", []), ("/x?y=*", []), ("*", [0]), ("https://*/", [0]), ("*.b/*", [0])],
)
def test_forms_are_like_redirects(text: str, holes: list[int]) -> None:
    """A slot chooses no host to which a form is sent."""
    assert [fault.hole for fault in links.in_form(url(text))] == holes

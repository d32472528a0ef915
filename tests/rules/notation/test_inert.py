"""What a rule file sets on a page runs no code."""

import html5lib
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.rules.notation import links, templates
from engine.rules.notation.inert import code, elements, hidden, refused_attribute, refused_element, rule
from engine.rules.notation.markup import Walk


def walked(html: str) -> tuple[Walk, Walk]:
    """Both looks at the HTML."""
    walk, deep = Walk(), Walk(raw=())
    walk.take(html, 0)
    deep.take(html, 0)
    return walk, deep


@pytest.mark.parametrize(
    ("html", "at"),
    [
        ("<b>x</b><script>f()</script>", "<script"),
        ("<SCRIPT src=/x.js></SCRIPT>", "<SCRIPT"),
        ("<svg><script/></svg>", "<script"),
        ("<base href='https://a.b/'>", "<base"),
        ("<img src=x onerror=f()>", "onerror"),
        ("<b OnClick='f()'>", "OnClick"),
        ("<details ontoggle open>", "ontoggle"),
        ("<iframe srcdoc='<b>'></iframe>", "srcdoc"),
        ("<a href='javascript:f()'>", "javascript"),
        ("<form action=javascript:f()>", "javascript"),
        ("<button formaction='java&#10;script:f()'>", "java"),
        ("<iframe src='javascript:f()'></iframe>", "javascript"),
        ("<iframe src='data:text/html,x'></iframe>", "data"),
        ("<object data='data:text/html,x'></object>", "data"),
        ("<embed src='javascript:f()'>", "javascript"),
        ("<svg><a xlink:href='javascript:f()'/></svg>", "javascript"),
        ("<svg><animate attributeName=href values='/x;javascript:f()'/></svg>", "/x"),
        ("<svg><set attributeName=href to='javascript:f()'/></svg>", "javascript"),
        ("<svg><style><img src=x onerror=f()></style></svg>", "onerror"),
        ("<noscript><script>f()</script></noscript>", "<script"),
        ("<title><a href=javascript:f()></title>", "javascript"),
    ],
)
def test_code_in_html_is_refused_where_it_stands(html: str, at: str) -> None:
    """With no slot at all: one mistake, at the element, the attribute's name or the URL."""
    made, (mistake, *more) = templates.html(html, set())
    assert made == ()
    assert more == []
    assert html[mistake.offset :].startswith(at)
    assert mistake.hint


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<a href='/x' class=on data-on=x title='onclick=f()'>on</a>",
        "<!-- <script>f()</script> -->",
        "<style>a > b { color: red }</style>",
        "<img src='data:image/png;base64,xx' alt='<script>'>",
        "<iframe src='https://a.b/x'></iframe>",
        "<form action='https://a.b/x'><button formaction=/y></form>",
        "&lt;script&gt;",
        "</script>",
        "<noscript><img src=/x.png></noscript>",
        "<svg><animate attributeName=x values='1;2'/></svg>",
    ],
)
def test_what_runs_nothing_is_taken(html: str) -> None:
    """Markup, styles, frames and forms without code."""
    assert templates.html(html, set()) == ((html,) if html else (), [])


def test_the_second_look_only_adds() -> None:
    """What both looks see is told once."""
    walk, deep = walked("<b onclick=x><script></script><style><b onclick=y></style>")
    assert [mistake.offset for mistake in elements(walk)] == [13]
    assert [mistake.offset for mistake in hidden(walk, deep)] == [40]
    assert [bool(code(found)) for found in walk.done] == [True]


PIECES = [
    "<script>", "</script>", "<svg>", "</svg>", "<math>", "<style>", "</style>", "<title>", "</title>",
    "<textarea>", "</textarea>", "<noscript>", "<iframe>", "<desc>", "<mtext>", "<p>", "</p>", "<table>",
    "<select>", "<template>", "<!--", "-->", "<![CDATA[", "]]>", "<b ", "<a href=", "<iframe srcdoc=",
    "onclick=x", "javascript:x", "'", '"', " ", ">", "/", "=", "<", "&colon;", "java", "script:x",
    "<form action=", "<?", "<!",
]  # fmt: skip


def _runs(html: str) -> bool:
    """Whether a real parser finds code."""
    for node in html5lib.parseFragment(html, namespaceHTMLElements=False).iter():
        if not isinstance(node.tag, str):
            continue  # a comment
        if node.tag.rpartition("}")[2] == "script" or any(name.startswith("on") for name in node.attrib):
            return True
        if "srcdoc" in node.attrib or any(value.startswith("javascript:") for value in node.attrib.values()):
            return True
    return False


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
@example("<svg><style><b onclick=x></style></svg>")
@example("<svg><title><script></script></title></svg>")
@example("<svg><![CDATA[<!-- ]]><script></script> -->")
@example("<p title='--><!--'><script></script>")
def test_no_code_that_a_browser_would_find(html: str) -> None:
    """In whatever a real parser finds code, a mistake is found, too."""
    assert templates.html(html, set())[1] or not _runs(html)


def test_names() -> None:
    """Elements and attributes by their names."""
    assert refused_element("b") is None
    assert refused_attribute("href") is None
    assert "script" in str(refused_element("script"))
    assert "onload" in str(refused_attribute("onload"))


@pytest.mark.parametrize(
    ("name", "tag", "expected"),
    [
        ("href", "a", links.in_attribute),
        ("src", "", links.in_attribute),
        ("src", "iframe", links.in_frame),
        ("data", "object", links.in_frame),
        ("action", "", links.in_form),
        ("formaction", "button", links.in_form),
    ],
)
def test_the_rule_of_a_url(name: str, tag: str, expected: links.Rule) -> None:
    """Frames and forms are stricter than links."""
    assert rule(name, tag) is expected

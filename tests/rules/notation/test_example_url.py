"""A page for every pattern."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.notation import patterns
from engine.rules.notation.example_url import example_url, usual_host
from engine.rules.notation.mistake import Mistake


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://www.example.com/", "https://www.example.com/"),
        ("/pricing", "https://shop.test/pricing"),
        ("/blog/**", "https://shop.test/blog"),
        ("/lp/*", "https://shop.test/lp/x"),
        ("/**", "https://shop.test/"),
        ("http://*.example.com/a", "http://x.example.com/a"),
        ("localhost:*/a", "https://localhost/a"),
        ("https://a.test:8443/", "https://a.test:8443/"),
        ("/a?plan=pro&utm=*&x", "https://shop.test/a?plan=pro&utm=x&x=x"),
    ],
)
def test_the_shortest_page(text, url):
    """What a person would try: nothing more than the pattern needs."""
    assert example_url(text, "shop.test") == url


PIECES = st.lists(st.sampled_from(["*", "**", "a", "/", "b.html", "-", "é"]), max_size=6).map("".join)
HOSTS = st.sampled_from(
    ["", "example.com", "*.example.com", "**.example.com", "*", "a-*.b.test", "localhost:*", "x.y:81"]
)
QUERIES = st.sampled_from(["", "?a=b", "?a=*", "?a", "?a=b*c&d=*"])


@given(st.sampled_from(["", "https://", "http://", "*://"]), HOSTS, PIECES, QUERIES)
def test_every_pattern_has_its_page(scheme, host, path, query):
    """Whatever pattern rules may hold, a page is found, and the pattern matches it."""
    text = f"{scheme}{host}/{path}{query}"
    try:
        pattern = patterns.compile(text)
    except Mistake:
        return
    page = example_url(text, "www.example.com")
    assert page is not None
    assert pattern.matches(patterns.parse_url(page))


def test_the_host_that_rules_name():
    """The most frequent spelt-out host; without any, an example."""
    assert usual_host(["/a", "b.test/", "a.test/", "b.test/x", "*.c.test/"]) == "b.test"
    assert usual_host(["/a"]) == "www.example.com"

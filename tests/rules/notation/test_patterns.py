"""Page patterns: which pages they match, which they share, and what is said of what is none."""

# ruff: noqa: E501  (a table reads better as one)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.notation import patterns
from engine.rules.notation.mistake import Mistake
from engine.rules.notation.patterns import parse_url


def matches(pattern: str, url: str) -> bool:
    """Is the URL one of the pattern's pages?"""
    page = parse_url(url)
    assert page is not None
    return patterns.compile(pattern).matches(page)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("/", ["https://a.b", "http://c.d:8080/?x"], ["https://a.b/x"]),
        ("https://www.example.com", ["https://www.example.com/"], ["http://www.example.com/", "https://example.com/"]),
        ("https://www.example.com/pricing/*", ["https://www.example.com/pricing/teams/"], ["https://www.example.com/pricing/", "https://www.example.com/pricing/a/b"]),
        ("/pricing/**", ["http://a.b/pricing", "http://a.b/pricing/a/b"], ["http://a.b/pricings"]),
        ("/**", ["http://a.b", "http://a.b/x/y"], []),
        ("**", ["http://a.b", "https://c/x/y"], []),
        ("www.example.com/x", ["http://www.example.com/x", "https://WWW.example.com:443/x/"], ["http://www.example.com:81/x", "http://example.com/x"]),
        ("//a.b/x", ["http://a.b/x", "https://a.b/x"], ["ftp.a.b/x"][:0]),
        ("*://a.b/x", ["http://a.b/x", "https://a.b/x"], ["https://c.d/x"]),
        ("*.example.com/**", ["https://shop.example.com/x"], ["https://example.com/x", "https://a.b.example.com/"]),
        ("**.example.com/", ["https://a.b.example.com/"], ["https://example.com/"]),
        ("https://*/x", ["https://a.b/x", "https://a.b:444/x"], ["http://a.b/x"]),
        ("localhost:*/x", ["http://localhost:3000/x", "https://localhost/x"], ["http://local/x"]),
        ("http://a.b:8080/", ["http://a.b:8080"], ["http://a.b"]),
        ("a.b:443/", ["https://a.b/", "http://a.b:443/"], ["http://a.b/"]),
        ("/ü/*", ["http://a.b/%C3%BC/x"], ["http://a.b/u/x"]),
        ("bücher.de/", ["https://xn--bcher-kva.de"], []),
        ("/blog-*", ["http://a.b/blog-1", "http://a.b/blog-"], ["http://a.b/blog-1/x"]),
        ("/a%2Ab", ["http://a.b/a*b"], ["http://a.b/axb"]),
        ("/Case", ["http://a.b/Case"], ["http://a.b/case"]),
        ("/x?plan=pro&ref", ["http://a.b/x?ref=&utm=1&plan=pro", "http://a.b/x/?plan=a&plan=pro&ref=9#f"], ["http://a.b/x", "http://a.b/x?plan=pro", "http://a.b/x?plan=pros&ref"]),
        ("/x?q=a*b*c", ["http://a.b/x?q=abc", "http://a.b/x?q=a1b2bc"], ["http://a.b/x?q=acb", "http://a.b/x?q=ab"]),
        ("/x?q=a+b", ["http://a.b/x?q=a%20b"], ["http://a.b/x?q=a%2Bb"]),
        ("/x?e=", ["http://a.b/x?e", "http://a.b/x?e="], ["http://a.b/x?e=1"]),
    ],
)  # fmt: skip
def test_which_pages_a_pattern_has(pattern: str, yes: list[str], no: list[str]) -> None:
    """Every rule of the notation, by pages that are in and pages that are out."""
    assert [url for url in yes if not matches(pattern, url)] == []
    assert [url for url in no if matches(pattern, url)] == []


@pytest.mark.parametrize(
    ("text", "at", "part"),
    [
        ("", 0, "empty"),
        ("/a b", 2, "%20"),
        ("^/a$", 0, "`/a`"),
        ("/pricing/.*", 0, "`/pricing/**`"),
        ("/a{b}", 2, "`{`"),
        ("/a#top", 2, "`/a`"),
        ("/a/***", 3, "no meaning"),
        ("htps://a.b/", 0, "`https://a.b/`"),
        ("https:/a.b", 0, "`https://a.b`"),
        ("https:///x", 0, "host is missing"),
        ("pricing/*", 0, "`/pricing/*`"),
        ("https://me@a.b/", 8, "user name"),
        ("https://a.b:99999/", 12, "no port"),
        ("https://a..b/", 8, "no host"),
        ("bü*.de/", 0, "no host"),
        ("*", 0, "`/**`"),
        ("?x=1", 0, "`/**?x=1`"),
        ("/a?", 0, "`?plan=pro`"),
        ("/a?x=1&&y", 0, "no pair"),
        ("/a/../b", 0, "from the root on"),
        ("/" + "a" * 2_000, 0, "at most"),
    ],
)
def test_what_is_no_pattern(text: str, at: int, part: str) -> None:
    """What is no pattern is told so, where it goes wrong, with what was probably meant."""
    with pytest.raises(Mistake) as found:
        patterns.compile(text)
    assert found.value.offset == at
    assert part in f"{found.value.message} | {found.value.hint}"


SEGMENTS = st.lists(st.text("abü%7-", min_size=1, max_size=4), max_size=4)
HOSTS = st.lists(st.text("abc1", min_size=1, max_size=3), min_size=2, max_size=3).map(".".join)
URLS = st.builds(
    lambda scheme, host, path: f"{scheme}://{host}/{'/'.join(path)}",
    st.sampled_from(["http", "https"]),
    HOSTS,
    SEGMENTS,
)


@given(URLS, st.data())
def test_a_pattern_made_of_a_page_has_that_page(url: str, data: st.DataObject) -> None:
    """Whatever segments of a URL are replaced by `*`, and whatever tail by `**`, the URL still matches."""
    start, _, path = url.rpartition("://")[2].partition("/")
    segments = [data.draw(st.sampled_from([segment, "*"])) for segment in path.split("/") if segment]
    if data.draw(st.booleans()):
        segments = [*segments[: data.draw(st.integers(0, len(segments)))], "**"]
    host = data.draw(st.sampled_from([start, "*." + start.partition(".")[2], "*", ""]))
    assert matches(f"{host}/{'/'.join(segments)}", url)


PATTERNS = st.builds(
    lambda scheme, host, path: f"{scheme}{host}/{path}",
    st.sampled_from(["", "http://", "https://", "*://"]),
    st.sampled_from(["a.b", "*.b", "**.b", "a.b:80", "a.b:*", "*", "x.a.b"]),
    st.sampled_from(["", "*", "**", "x", "x/*", "*/y", "**/y", "x*", "x?q=1", "x/**"]),
)
PAGES = st.builds(
    lambda scheme, host, path: f"{scheme}://{host}/{path}",
    st.sampled_from(["http", "https"]),
    st.sampled_from(["a.b", "c.b", "x.a.b", "a.b:80", "a.b:443", "a.b:8080"]),
    st.sampled_from(["", "x", "x/", "x/y", "xy", "x/z/y", "x?q=1"]),
)


@given(PATTERNS, PATTERNS, PAGES)
def test_patterns_that_share_a_page_overlap(one: str, other: str, page: str) -> None:
    """Overlap is symmetric, and true of any two patterns that match one page."""
    a, b = patterns.compile(one), patterns.compile(other)
    assert patterns.overlap(a, b) == patterns.overlap(b, a)
    assert patterns.overlap(a, b) or not (matches(one, page) and matches(other, page))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/a", "/b"),
        ("/a/*", "/a"),
        ("http://a.b/", "https://a.b/"),
        ("a.b/", "c.b/"),
        ("a.b/", "a.b:8080/"),
        ("*.b.c/", "b.c/"),
        ("http://a.b:443/", "https://a.b/"),
        ("/a/*/c", "/a/**/d"),
    ],
)
def test_patterns_that_share_no_page(one: str, other: str) -> None:
    """Overlap is exact: what cannot meet does not."""
    assert not patterns.overlap(patterns.compile(one), patterns.compile(other))

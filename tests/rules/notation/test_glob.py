"""Globs: what they match, and when two can match one text."""

import re2
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.notation import glob

PATHS = st.lists(st.text("ab*/", max_size=6), max_size=4).map(lambda parts: "/" + "/".join(parts))
TEXTS = st.text("ab/", max_size=8).map(lambda text: "/" + text)


def matches(chain: glob.Glob, text: str) -> bool:
    """Does the glob match the whole text?"""
    return re2.fullmatch(chain.regex, text) is not None


def test_stars_in_paths() -> None:
    """`*` stays within a segment, `**` does not, and `/**` may be nothing."""
    assert matches(glob.path("/a/*"), "/a/b")
    assert not matches(glob.path("/a/*"), "/a/b/c")
    assert not matches(glob.path("/a/*"), "/a/")
    assert matches(glob.path("/a*"), "/a")
    assert matches(glob.path("/a/**"), "/a")
    assert matches(glob.path("/a/**"), "/a/b/c")
    assert not matches(glob.path("/a/**"), "/ab")
    assert matches(glob.path("/**/c"), "/c")
    assert matches(glob.path("/a**c"), "/ab/c")


def test_stars_in_hosts() -> None:
    """`*` stays within a label, `**` does not."""
    assert matches(glob.host("*.example.com"), "www.example.com")
    assert not matches(glob.host("*.example.com"), "a.b.example.com")
    assert matches(glob.host("**.example.com"), "a.b.example.com")
    assert not matches(glob.host("*.example.com"), "example.com")


def test_characters_of_regular_expressions_mean_themselves() -> None:
    """A dot is a dot."""
    assert not matches(glob.path("/a.b+"), "/axbb")
    assert matches(glob.path("/a.b+"), "/a.b+")


@given(PATHS, PATHS)
def test_overlap_is_symmetric(one: str, other: str) -> None:
    """If a meets b, b meets a; and everything meets itself."""
    a, b = glob.path(one), glob.path(other)
    assert glob.overlap(a, b) == glob.overlap(b, a)
    assert glob.overlap(a, a)


@given(PATHS, PATHS, TEXTS)
def test_what_both_match_is_overlap(one: str, other: str, text: str) -> None:
    """Two globs that match one text overlap: no false negatives."""
    a, b = glob.path(one), glob.path(other)
    assert glob.overlap(a, b) or not (matches(a, text) and matches(b, text))


@given(PATHS, st.text("ab/", max_size=6).map(lambda text: "/" + text))
def test_a_plain_path_overlaps_what_matches_it(one: str, text: str) -> None:
    """With a glob that has no star, overlap is the same as matching: no false positives."""
    assert glob.overlap(glob.path(one), glob.path(text)) == matches(glob.path(one), text)


def test_many_stars_are_cheap() -> None:
    """Two globs of a thousand stars are compared in steps that their lengths multiply to, not in exponentially many."""
    long = glob.path("/" + "*a" * 300)
    assert not glob.overlap(long, glob.path("/" + "*a" * 300 + "b"))


@given(PATHS, TEXTS)
def test_every_match_begins_with_the_prefix(one: str, text: str) -> None:
    """What is spelt out before the first star stands in front of whatever matches."""
    chain = glob.path(one)
    assert text.startswith(chain.prefix) or not matches(chain, text)
    assert glob.path("/a/b*").prefix == "/a/b"
    assert glob.path("/a/**").prefix == "/a"

"""Law: a URL has exactly the live experiences whose patterns match it, in deciding order, however it is looked up."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import limits
from engine.compile.segments import formula
from engine.decide.coerce import Coercions
from engine.decide.pages import NotAUrl, Pages, PatternIndex, deciding_order, matching
from engine.rules.notation import patterns

UNDECLARED = Coercions(())
PATTERNS = [
    *(
        "/",
        "/**",
        "/pricing",
        "/pricing/",
        "/pricing/*",
        "/pricing/**",
        "/pri*",
        "/*",
        "/*/a",
        "/**/a",
        "/a/**/b",
        "/a**",
    ),
    *(
        "www.example.com/",
        "www.example.com/**",
        "*.example.com/pricing",
        "https://www.example.com/pricing",
        "//x.test/**",
    ),
    *("https://www.example.com:8443/**", "localhost:*/a", "/pricing?plan=pro", "/%7Ea", "/caf%C3%A9/*", "**"),
]
URLS = [
    *(
        "https://www.example.com",
        "https://www.example.com/",
        "http://www.example.com/pricing",
        "https://example.com/pricing",
    ),
    *("https://www.example.com/pricing/", "https://www.example.com/pricing/a", "https://www.example.com/pricing/a/b"),
    *("https://www.example.com:8443/a", "http://localhost:3000/a", "https://x.test/a/b", "https://x.test/a/c/d/b"),
    *(
        "https://x.test/~a",
        "https://x.test/café/b",
        "https://x.test/pricing?plan=pro&x",
        "https://x.test//a",
        "https://x.test/a/",
    ),
    *("https://x.test/a/b/c/d/e/f/g/h", "https://x.test/privacy", "https://WWW.EXAMPLE.COM/pricing#x"),
]
parts = st.lists(st.sampled_from(["a", "b", "*", "**", "a*", "*b", "pricing"]), max_size=4)
made_patterns = st.tuples(st.sampled_from(["", "x.test", "*.test", "https://x.test"]), parts).map(
    lambda made: f"{made[0]}/{'/'.join(made[1])}"
)
made_urls = st.tuples(
    st.sampled_from(["https://x.test", "http://y.test", "https://a.x.test"]),
    st.lists(st.sampled_from(["a", "b", "ab", "pricing", ""]), max_size=5),
).map(lambda made: f"{made[0]}/{'/'.join(made[1])}")


def found(lists: list[list[str]], text: str) -> tuple[int, ...]:
    """What the index finds."""
    url = patterns.parse_url(text)
    assert url is not None
    return PatternIndex(lists).find(url)


def tried(lists: list[list[str]], text: str) -> tuple[int, ...]:
    """What trying every pattern finds."""
    url = patterns.parse_url(text)
    assert url is not None
    return tuple(n for n, texts in enumerate(lists) if any(patterns.compile(p).matches(url) for p in texts))


@pytest.mark.parametrize("url", URLS)
def test_the_index_finds_what_trying_all_finds(url: str) -> None:
    """For every kind of pattern and URL, the index finds the lists that trying all patterns finds."""
    assert found([[pattern] for pattern in PATTERNS], url) == tried([[pattern] for pattern in PATTERNS], url)


@given(
    st.lists(st.lists(made_patterns | st.sampled_from(PATTERNS), max_size=3), max_size=6),
    made_urls | st.sampled_from(URLS),
)
def test_the_index_is_only_an_index(lists: list[list[str]], url: str) -> None:
    """The same holds for any lists of patterns."""
    assert found(lists, url) == tried(lists, url)


def test_only_live_experiences_are_found_in_deciding_order(make: Any) -> None:
    """Draft and paused experiences have no pages; the others stand by priority, higher first, then by key."""
    experiences = [
        make.experience("b", "s"),
        make.experience("a", "s"),
        make.experience("low", "s", priority=-1),
        make.experience("high", "s", priority=9),
        make.experience("draft", "s", priority=10, status="draft"),
        make.experience("paused", "s", priority=10, status="paused"),
        make.experience("elsewhere", "s", pages=("/elsewhere",)),
    ]
    match = Pages(experiences, {"s": make.segment("s")}, UNDECLARED).view("https://x.test/").match
    assert match is not None
    assert [experience.key for experience in match.experiences] == ["high", "a", "b", "low"]


def test_a_page_without_experiences_has_no_match(make: Any) -> None:
    """Where nothing applies there is nothing to match, and still the page is taken apart."""
    view = Pages([make.experience("a", "s", pages=("/a",))], {"s": make.segment("s")}, UNDECLARED).view(
        "https://X.test/b?c=d&c=e#f"
    )
    assert view.match is None
    assert view.fields == {"url": "https://X.test/b?c=d&c=e#f", "host": "x.test", "path": "/b", "query": {"c": "d"}}


def test_pages_with_the_same_experiences_share_one_match(make: Any) -> None:
    """A page function belongs to a set of experiences: URLs with the same set share it, and a URL is looked up once."""
    segments = {"s": make.segment("s")}
    pages = Pages(
        [make.experience("a", "s", pages=("/a/**",)), make.experience("b", "s", pages=("/a/b",))], segments, UNDECLARED
    )
    assert pages.view("https://x.test/a/1").match is pages.view("https://y.test/a/2?c").match
    assert pages.view("https://x.test/a/b").match is not pages.view("https://x.test/a/1").match
    assert pages.view("https://x.test/a/1") is pages.view("https://x.test/a/1")


def test_without_a_page_an_experience_competes_within_its_group(make: Any) -> None:
    """With the live ones of it, in deciding order, wherever their pages are; all together, where nobody is named."""
    experiences = [
        make.experience("a", "s", pages=("/a",), exclusion_group="g"),
        make.experience("b", "s", pages=("/b",), exclusion_group="g", priority=1),
        make.experience("alone", "s", pages=("/a",)),
        make.experience("paused", "s", exclusion_group="g", status="paused"),
    ]
    pages = Pages(experiences, {"s": make.segment("s")}, UNDECLARED)
    asked = {key: pages.anywhere(key) for key in ("a", "b", "alone", "paused", None)}
    found = {key: [e.key for e in view.match.experiences] if view.match else [] for key, view in asked.items()}
    assert found == {"a": ["b", "a"], "b": ["b", "a"], "alone": ["alone"], "paused": [], None: ["b", "a", "alone"]}
    assert all(view.fields == {} for view in asked.values())
    assert pages.known_anywhere("a") is pages.anywhere("a")
    after = Pages(experiences[1:], {"s": make.segment("s")}, UNDECLARED)
    after.warm((), pages)
    assert [after.known_anywhere(key) is not None for key in ("a", "b", None)] == [False, True, True]


@pytest.mark.parametrize(
    "url", ["", "x", "/a", "ftp://x.test/", "https://", "javascript:x", "https://x.test/" + "a" * limits.URL_CHARS]
)
def test_what_is_no_url_is_said(make: Any, url: str) -> None:
    """A text that is no absolute http(s) URL is an error that names the place, not a page without experiences."""
    with pytest.raises(NotAUrl, match=r"expected an absolute http\(s\) URL, got .* - at page.url"):
        Pages([], {}, UNDECLARED).view(url)


def test_the_memo_is_bounded(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full memo is dropped whole; answers stay the same."""
    monkeypatch.setattr("engine.decide.pages.PAGE_MEMO", 10)
    pages = Pages([make.experience("a", "s")], {"s": make.segment("s")}, UNDECLARED)
    first = pages.view("https://x.test/0")
    for number in range(1, 10):
        pages.view(f"https://x.test/{number}")
    assert pages.view("https://x.test/0") is first
    pages.view("https://x.test/10")
    again = pages.view("https://x.test/0")
    assert again is not first
    assert (again.fields, again.match) == (first.fields, first.match)


def test_the_deciding_order_is_priority_then_key(make: Any) -> None:
    """Higher priority first, then by key, whatever order they came in."""
    experiences = [make.experience("b"), make.experience("c", priority=1), make.experience("a")]
    assert [experience.key for experience in deciding_order(experiences)] == ["c", "a", "b"]


def test_the_patterns_that_fit_are_named(make: Any) -> None:
    """Those of an experience's pages that the URL fits, as written and in their order; none for what is no URL."""
    experience = make.experience("e", pages=("/x", "www.example.com/", "/**"))
    assert matching(experience, "https://www.example.com/") == ("www.example.com/", "/**")
    assert matching(experience, "nonsense") == ()


def pages(make: Any, when: str = "traits.s", **fields: Any) -> Pages:
    """One experience on `/`, one on `/pricing`, of one segment each."""
    segments = {key: make.segment(key, when if key == "s" else "traits.t") for key in ("s", "t")}
    home = make.experience("home", "s", pages=("https://a.test/",), **fields)
    return Pages([home, make.experience("pricing", "t", pages=("https://a.test/pricing",))], segments, UNDECLARED)


def functions(found: Pages) -> list[Any]:
    """The functions of both pages."""
    matches = [found.view(f"https://a.test/{path}").match for path in ("", "pricing")]
    return [match.function for match in matches if match is not None]


def test_what_did_not_change_is_taken_over(make: Any) -> None:
    """A successor compiles only the pages that mean something else; wherever their rules stand in the files now."""
    before = pages(make)
    home, pricing = functions(before)
    for changed in (pages(make, "traits.s == 1"), pages(make, start=make.now), pages(make, exclusion_group="g")):
        changed.warm((), before)
        assert functions(changed)[0] is not home
        assert functions(changed)[1] is pricing
    same = pages(make, priority=7, name="Another")
    same.warm((), before)
    assert functions(same) == [home, pricing]


def test_being_warm_is_knowing_the_urls(make: Any) -> None:
    """Those that were given, and those that the one before was asked for; what is no URL is passed over."""
    before, after = pages(make), pages(make)
    before.view("https://a.test/elsewhere")
    after.warm(["https://a.test/", "no url"], before)
    assert set(after.urls()) == {"https://a.test/", "https://a.test/elsewhere"}
    assert set(after.patterns()) == {"https://a.test/", "https://a.test/pricing"}


def test_what_is_made_of_a_segment_outlives_several_reloads(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of many segments that was taken over as it is, and changes later: only what changed is made anew."""
    texts = {f"s{n}": f'traits.s == "{n}"' for n in range(60)}

    def reloaded(before: Pages | None = None) -> Pages:
        segments = {key: make.segment(key, text) for key, text in texts.items()}
        pages = Pages([make.experience(key, key, pages=("/",)) for key in texts], segments, UNDECLARED)
        pages.warm(["https://a.test/"], before)
        return pages

    pages = reloaded(reloaded())
    made: list[str] = []
    monkeypatch.setattr("engine.compile.pages.MOST_STRAIGHT", 0)
    monkeypatch.setattr("engine.compile.pieces.formula", lambda segment: made.append(segment.key) or formula(segment))
    texts["s7"] += " && traits.t"
    reloaded(pages)
    assert made == ["s7"]

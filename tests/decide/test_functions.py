"""Law: whichever function a page has, its answers are the same; what functions hold is bounded, whatever is asked."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.compile.index import Index
from engine.decide import functions, pages
from engine.decide.coerce import Coercions
from engine.decide.functions import Functions
from engine.decide.pages import Pages
from engine.decide.wire import to_json
from engine.profiles.nothing import NothingStored

KEYS = "abcd"
PATHS = ("", "x", "y", "x/y")
MADE = st.tuples(
    st.lists(st.sampled_from(KEYS), min_size=1, max_size=3),
    st.lists(st.sampled_from(["/**", "/x/**", "/y", "/x/y", "/"]), min_size=1, max_size=2),
    st.sampled_from([None, "g"]),
    st.integers(0, 1),
    st.sampled_from(["visitor", "visitor", "visitor", "user"]),
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(made=st.lists(MADE, max_size=5), matching=st.sets(st.sampled_from(KEYS)))
def test_a_shared_function_says_what_an_own_one_says(make: Any, made: Any, matching: set[str]) -> None:
    """Of every page, and in the short way too, byte by byte."""
    experiences = [
        make.experience(f"e{n}", *keys, pages=tuple(on), exclusion_group=group, priority=priority, split_by=split_by)
        for n, (keys, on, group, priority, split_by) in enumerate(made)
    ]
    segments = [make.segment(key, f"traits.{key} || page.path == '/{key}'") for key in KEYS]
    with pytest.MonkeyPatch.context() as patch:
        own = make.decider(*experiences, segments=segments)
        for path in PATHS:
            own.view(f"https://a.test/{path}")
        patch.setattr(functions, "PAGE_ROWS", 0)
        shared = make.decider(*experiences, segments=segments)
        for path in PATHS:
            url = f"https://a.test/{path}"
            first, second = (
                make.decide(decider, traits=dict.fromkeys(matching, True), url=url) for decider in (own, shared)
            )
            assert to_json(first) == to_json(second)
            views = [decider.view(url) for decider in (own, shared)]
            shorts = [v.usual and v.usual(NothingStored(""), "v", v.fields, lambda: make.now) for v in views]
            assert shorts[0] == shorts[1]
            applying, as_well = (view.match.experiences if view.match else () for view in views)
            assert applying == as_well


def found(made: Functions, *places: int) -> Any:
    """The function of a page."""
    return made.of(places, lambda: None).function


@pytest.fixture
def many(make: Any) -> tuple[list[Any], dict[str, Any]]:
    """Twenty experiences of twenty segments each."""
    segments = {f"s{n}": make.segment(f"s{n}", f"traits.n == {n}") for n in range(20)}
    return [make.experience(f"e{n:02}", *segments) for n in range(20)], segments


def test_beyond_their_weight_pages_share(many: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first pages have functions of their own, all others one code; each set is found again as it was."""
    monkeypatch.setattr(functions, "PAGE_ROWS", 2 * (20 + functions.PAGE_ROWS_LEAST))
    made = Functions(*many)
    codes = [id(found(made, place).__code__) for place in range(20)]
    assert len(set(codes)) == 3
    assert len(set(codes[2:])) == 1
    assert id(found(made, 0).__code__) == codes[0]
    assert found(made, 7)({"n": 3}, *({} for _ in range(6)), None) == [(7, 3)]


def test_nobody_waits_for_a_page_that_nobody_foresaw(many: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ahead each page has its own; later nothing is compiled but what is tiny."""
    made = Functions(*many)
    made.begin(None, lambda: None)
    own = found(made, 3)
    made.end()
    monkeypatch.setattr(functions, "compile_page", lambda *_: pytest.fail("it is compiled"))
    assert found(made, 3) is own
    assert found(made, 4).__code__ is found(made, 5, 6).__code__


def test_a_page_of_most_shares_as_well(many: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ahead too: an index of its own would be no quicker."""
    monkeypatch.setattr(functions, "compile_page", lambda *_: pytest.fail("it is compiled"))
    made = Functions(*many)
    made.begin(None, lambda: None)
    assert found(made, *range(12)).__code__ is found(made, *range(20)).__code__


def test_what_all_share_is_taken_over(make: Any, many: Any) -> None:
    """Where nothing has changed; with one segment that has, it is made anew."""
    experiences, segments = many
    first, same, other = (
        Functions(*many),
        Functions(*many),
        Functions(experiences, {**segments, "s3": make.segment("x")}),
    )
    first.begin(None, lambda: None)
    first.end()
    for after in (same, other):
        after.begin(first, lambda: None)
    assert found(same, *range(12)).__code__ is found(first, *range(12)).__code__
    assert found(other, *range(12)).__code__ is not found(first, *range(12)).__code__
    assert sum(isinstance(part, list) for part in same.parts()) == sum(isinstance(part, list) for part in first.parts())
    assert isinstance(same._common, Index)


def test_what_is_remembered_of_pages_is_bounded_by_their_size(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few the URLs: what they have in all counts."""
    monkeypatch.setattr(pages, "MEMO_EXPERIENCES", 30)
    experiences = [make.experience(f"e{n}", "s", pages=(f"/{n}/**", "/all/**")) for n in range(10)]
    made = Pages(experiences, {"s": make.segment("s")}, Coercions(()))
    first = made.view("https://a.test/all/1")
    for n in range(10):
        made.view(f"https://a.test/{n}/")
    assert made.known("https://a.test/all/1") is first
    for n in range(11):
        made.view(f"https://a.test/{n}/")
    assert len(made.urls()) > 10
    monkeypatch.setattr(pages, "MEMO_EXPERIENCES", 15)
    fresh = Pages(experiences, {"s": make.segment("s")}, Coercions(()))
    fresh.view("https://a.test/all/1")
    for n in range(6):
        fresh.view(f"https://a.test/{n}/")
    assert fresh.known("https://a.test/all/1") is None

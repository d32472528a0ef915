"""Law: a context says page, visit and device under the names in the README; everything else is a trait."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.web.ask import Asked
from engine.web.ofrep import context
from engine.web.refusal import Refused
from engine.words import Page

URL = "https://www.example.com/pricing"


def read(said: Any) -> Asked:
    """The question of a context."""
    return context.read(json.dumps({"context": said}).encode())


def refused(body: bytes) -> Refused:
    """Why this body is none."""
    with pytest.raises(Refused) as caught:
        context.read(body)
    return caught.value


@pytest.mark.parametrize("said", [{"visit.count": 4.0}, {"visit": {"count": 4.0}}])
def test_a_whole_number_may_be_written_with_a_point(said: dict[str, Any]) -> None:
    """As SDKs do that hold every number as a double."""
    asked = read({"targetingKey": "v", **said})
    assert (asked.count, type(asked.count)) == (4, int)


def test_objects_and_members_say_the_same() -> None:
    """Contexts of some SDKs hold no objects."""
    flat = {
        "page.url": URL,
        "page.referrer": "https://search.test/",
        "page.title": "Pricing",
        "visit.count": 3,
        "visit.first_seen": "2026-11-01T09:00:00+01:00",
        "visit.new": False,
        "device.type": "mobile",
        "device.language": "de",
    }
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        of, _, member = name.partition(".")
        nested.setdefault(of, {})[member] = value
    asked = read({"targetingKey": "v", **flat})
    assert asked == read({"targetingKey": "v", **nested})
    assert asked == Asked(
        visitor_id="v",
        page=Page(URL, "https://search.test/", "Pricing"),
        traits={},
        count=3,
        first_seen=datetime(2026, 11, 1, 8, tzinfo=UTC),
        new=False,
        device={"type": "mobile", "language": "de"},
    )


def test_url_and_referrer_need_no_page() -> None:
    """What most contexts bring; a member counts before the object, in whatever order they stand."""
    assert read({"targetingKey": "v", "url": URL, "referrer": "https://a.test/"}).page == Page(URL, "https://a.test/")
    for said in ({"url": URL, "page": {"url": "https://b.test/", "title": "T"}}, {"page": {"title": "T"}, "url": URL}):
        assert read({"targetingKey": "v", **said}).page == Page(URL, "", "T")


@pytest.mark.parametrize("backwards", [False, True])
def test_the_fullest_name_counts(backwards: bool) -> None:
    """`page.url` before `url` before the page's own, in whatever order they stand; null is absent."""
    said = {"page": {"url": "https://b.test/"}, "url": "https://a.test/", "page.url": URL, "page.referrer": None}
    order = sorted({**said, "referrer": "r"}.items(), reverse=backwards)
    assert read({"targetingKey": "v", **dict(order)}).page == Page(URL, "r")
    assert read({"targetingKey": "v", **dict(order), "page.url": None}).page == Page("https://a.test/", "r")


def test_everything_else_is_a_trait() -> None:
    """Also what stands under a name of ours and is no object; `traits` holds what would collide."""
    said = {"title": "CTO", "device": "ios", "page": 7, "visit": None, "plan": "pro", "address": {"city": "Berlin"}}
    more = {"url": "https://their.test/", "plan": "free", "gone": None}
    asked = read({"targetingKey": "v", **said, "traits": more})
    assert asked.page == Page("")
    assert asked.traits == {
        "title": "CTO",
        "device": "ios",
        "page": 7,
        "plan": "free",
        "address": {"city": "Berlin"},
        "url": "https://their.test/",
    }
    assert read({"targetingKey": "v", "traits": "all"}).traits == {"traits": "all"}


def test_what_hooks_send_under_is_no_trait() -> None:
    """Unless it is said among the traits."""
    assert read({"targetingKey": "v", "anonymousId": "a"}) == read({"targetingKey": "v"})
    assert read({"targetingKey": "v", "traits": {"anonymousId": "a"}}).traits == {"anonymousId": "a"}


def test_null_is_absent() -> None:
    """SDKs send what they do not know as null."""
    said = {"url": None, "page": {"url": None}, "visit": {"count": None}, "device.type": None, "plan": None}
    assert read({"targetingKey": "v", **said}) == read({"targetingKey": "v"})


@pytest.mark.parametrize(
    "body", [b"{}", b'{"context": {}}', b'{"context": null}', b'{"context": {"targetingKey": ""}}']
)
def test_without_a_visitor_there_is_no_answer(body: bytes) -> None:
    """A provider whose code gave no context sends none."""
    assert refused(body).code == "missing-visitor-id"


@pytest.mark.parametrize("visitor", ["jane@example.com", "a b", "ä", "x" * 129, 7, ["a"], True])
def test_a_visitor_id_is_not_made_of_something_else(visitor: Any) -> None:
    """The text says which characters an id has, and shows none of what was sent."""
    error = refused(json.dumps({"context": {"targetingKey": visitor}}).encode())
    assert error.code == "bad-visitor-id"
    assert "A-Z a-z 0-9 . _ : -" in error.detail
    assert "jane" not in error.detail


@pytest.mark.parametrize(
    ("said", "code", "detail"),
    [
        ({"url": 7}, "wrong-type", "Expected text, got a number - at page.url."),
        ({"url": ""}, "bad-url", "Expected a `url` of 1 to 8192 characters, got 0."),
        ({"url": "https://a.test/" + "x" * 9_000}, "bad-url", "Expected a `url` of 1 to 8192 characters, got 9015."),
        ({"visit": {"count": -1}}, "wrong-type", "Expected a whole number of at least 0 - at visit.count."),
        (
            {"visit.first_seen": "2026-11-01"},
            "wrong-type",
            "Expected a time with its zone, such as 2026-11-23T12:00:00Z - at visit.first_seen.",
        ),
        ({"device.type": ["mobile"]}, "wrong-type", "Expected text, got a list - at device.type."),
        ({"a": [[[[1] * 400] * 3]]}, "bad-traits", "traits.a[0][0][2]: more than 1000 members in all."),
    ],
)
def test_what_is_wrong_is_said(said: dict[str, Any], code: str, detail: str) -> None:
    """Where, what, and what would be right."""
    error = refused(json.dumps({"context": {"targetingKey": "v", **said}}).encode())
    assert (error.code, error.detail) == (code, detail)


def test_a_number_that_is_too_large_is_named() -> None:
    """The member of the context that holds it."""
    body = b'{"context": {"targetingKey": "v", "plan": {"seats": [1, 1e999]}}}'
    assert refused(body).detail == "Expected a number that 64 bits can hold - at context.plan.seats[1]."


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b'{"context": []}', b'{"context": 7}', b"\xff", b"[" * 5_000]
)
def test_what_is_no_context_is_refused(body: bytes) -> None:
    """Also what no decoder takes."""
    assert refused(body).code in {"not-json", "wrong-type"}


@given(
    st.dictionaries(
        st.sampled_from(["targetingKey", "url", "referrer", "page", "visit", "device", "traits", "visit.count", "a"]),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["url", "count", "type", "a"]), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    )
)
def test_any_context_is_read_or_refused(said: dict[str, Any]) -> None:
    """Nothing else comes of it."""
    with suppress(Refused):
        read(said)

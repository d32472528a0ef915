"""Who a browser says that it is."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.embedded.visitor import Visitor, visitor
from engine.profiles.ids import is_visitor_id

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FIRST = NOW - timedelta(days=3)


def cookie(last: datetime, visits: int = 4) -> str:
    """As client.js writes it."""
    return f"ada~{FIRST.timestamp() * 1_000:.0f}~{visits}~{last.timestamp() * 1_000:.0f}~in"


def test_the_cookie_of_the_client_says_all_of_it() -> None:
    """A page view half an hour after the last one begins another visit."""
    of = lambda last: visitor({"mutiny_edge": cookie(last)}, None, NOW)  # noqa: E731
    assert of(NOW - timedelta(minutes=5)) == Visitor("ada", "ada", visit_count=4, first_seen=FIRST)
    assert of(NOW - timedelta(minutes=31)).visit_count == 5


def test_a_servers_cookie_is_an_id_alone() -> None:
    """How many visits there were is not known then."""
    assert visitor({"mutiny_edge": "ada"}, None, NOW) == Visitor("ada", "ada")


@pytest.mark.parametrize("written", ["", "a b", "x" * 129, "<script>", "~", "ä~1~1~1"])
def test_whoever_has_no_id_gets_one(written: str) -> None:
    """And is on their first visit."""
    made = visitor({"mutiny_edge": written} if written else {}, None, NOW)
    assert made.id is not None
    assert is_visitor_id(made.id)
    assert made == Visitor(made.id, made.id, is_new=True, visit_count=1, first_seen=NOW)


def test_whoever_opted_out_is_nobody() -> None:
    """By the client's cookie, also where it once had an id, or by the browser's header."""
    for cookies, gpc in (({"mutiny_edge": "~out"}, None), ({"mutiny_edge": "ada~out"}, "0"), ({}, "1")):
        assert visitor(cookies, gpc, NOW) == Visitor(None)


def test_segments_cookie_is_what_is_sent_under(  # analytics.js writes it with quotes, some versions percent-encoded
) -> None:
    """So that the browser's conversions belong to the same person."""
    for written in ("a-1", '"a-1"', "%22a-1%22"):
        made = visitor({"mutiny_edge": "ada", "ajs_anonymous_id": written}, None, NOW)
        assert (made.id, made.anonymous_id) == ("ada", "a-1")


@pytest.mark.parametrize(
    "state", ["x~y~z", "1~1", "9" * 30 + "~1~1", "999999999999999~1~1", "-1~1~1", "١~1~1", "1~0~1"]
)
def test_what_is_no_number_is_unknown(state: str) -> None:
    """The id counts all the same."""
    assert visitor({"mutiny_edge": f"ada~{state}"}, None, NOW) == Visitor("ada", "ada")


def test_nobody_was_first_seen_in_the_future() -> None:
    """A browser whose clock is wrong."""
    future = (NOW + timedelta(days=400)).timestamp() * 1_000
    assert visitor({"mutiny_edge": f"ada~{future:.0f}~1~{future:.0f}"}, None, NOW).first_seen == NOW

"""What segment-analytics-python (2.3, 2.4) and @segment/analytics-node send is kept, once, and ends in the profile."""

from collections import Counter
from typing import Any

import pytest

GZIP = {"python-2.3": {"gzip": True}, "python-2.4": {"gzip": True}, "node": {}}  # node's library has no such option


@pytest.fixture(scope="module", params=GZIP)
def library(request: pytest.FixtureRequest) -> str:
    """The library that speaks."""
    return request.param


@pytest.fixture(scope="module")
def told(library: str, edge: Any, stage: Any) -> Any:
    """What the library took and gave up, after every call of it was made."""
    return stage.speaker(library, "calls", edge, **GZIP[library]).told()


@pytest.fixture(scope="module")
def stored(library: str, edge: Any, told: Any) -> list[dict[str, Any]]:
    """What the log holds of it."""
    return edge.stored(library)


def of(stored: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The messages of one type."""
    return [message for message in stored if message["type"] == kind]


def test_the_library_is_the_one_that_is_meant(library: str, told: Any) -> None:
    """The version that speaks is the one that the test is named after."""
    assert told.version.startswith({"python-2.3": "2.3.", "python-2.4": "2.4.", "node": "3."}[library])


def test_everything_is_kept_once(told: Any, stored: list[dict[str, Any]]) -> None:
    """200 was taken for success: nothing was given up, nothing came twice, nothing is missing."""
    assert told.errors == []
    assert Counter(message["messageId"] for message in stored) == Counter(told.sent.keys())
    assert {message["messageId"]: message["type"] for message in stored} == told.sent
    assert len(stored) > 45


def test_ids_and_traits_are_those_that_were_said(library: str, stored: list[dict[str, Any]]) -> None:
    """Each call says of whom it speaks, in the log as in the program."""
    user, anonymous, group = f"user-{library}", f"anonymous-{library}", f"group-{library}"
    identifies, [grouped], [aliased], [page] = (of(stored, kind) for kind in ("identify", "group", "alias", "page"))
    assert {message["userId"] for message in [*identifies, grouped, aliased, page]} == {user}
    assert [message["traits"].get("plan") for message in identifies] == ["trial", "pro"]
    assert (grouped["groupId"], grouped["traits"]) == (group, {"industry": "SaaS"})
    assert aliased["previousId"] == anonymous
    assert (page["name"], page["category"]) == ("Pricing", "Docs")
    [signed_up] = [message for message in of(stored, "track") if message["event"] == "Signed Up"]
    assert (signed_up["userId"], signed_up["properties"]) == (user, {"plan": "pro"})
    [seen] = [message for message in of(stored, "track") if message["event"] == "Seen"]
    assert (seen["anonymousId"], seen.get("userId")) == (anonymous, None)


def test_the_next_decision_has_the_newest_traits(library: str, edge: Any, told: Any) -> None:
    """Of the person the newest plan, of their company the industry."""
    assert edge.shown(f"visitor-{library}") == "pro/Ada/SaaS"

"""What may be said of a page view, and how one is told what may not."""

from datetime import datetime
from typing import Any

import pytest

from engine.embedded.question import QuestionError, question
from engine.words import Page, Visit

URL = "https://www.example.com/"


def test_what_is_not_said_is_unknown() -> None:
    """Not empty, and not none."""
    assert question("ada", url=URL) == ("ada", Page(URL), Visit(), {})
    assert question("ada", url=URL, device_type="", city=None) == ("ada", Page(URL), Visit(), {})


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"visitor_id": ""}, "1 to 128 characters"),
        ({"visitor_id": "a b"}, "1 to 128 characters"),
        ({"visitor_id": None}, "1 to 128 characters"),
        ({"visitor_id": b"ada"}, "1 to 128 characters"),
        ({"url": None}, "Expected url as browsers show it"),
        ({"url": "https://" + "x" * 9_000}, "Expected url as browsers show it"),
        ({"referrer": None}, "Expected referrer and title as text"),
        ({"title": 7}, "Expected referrer and title as text"),
        ({"visit_count": -1}, "Expected visit_count as a whole number from 0"),
        ({"visit_count": 2**63}, "Expected visit_count as a whole number from 0"),
        ({"visit_count": True}, "Expected visit_count as a whole number from 0"),
        ({"visit_count": "3"}, "Expected visit_count as a whole number from 0"),
        ({"first_seen": datetime(2026, 1, 1)}, "with a time zone"),  # noqa: DTZ001 - that is what is wrong with it
        ({"first_seen": "2026-01-01"}, "with a time zone"),
        ({"first_seen": datetime.fromisoformat("0001-01-01T00:00:00+14:00")}, "with a time zone"),
        ({"device_type": 7}, "Expected device_type as text"),
        ({"language": ["de"]}, "Expected language as text"),
        ({"country": 43}, "Expected country as text"),
        ({"traits": {"plan": {1, 2}}}, "traits.plan: expected a JSON value, got set"),
        ({"traits": {7: "x"}}, "expected text as the name of a member"),
        ({"traits": {"n": float("nan")}}, "traits.n: expected a number, got NaN or infinity"),
    ],
)
def test_what_cannot_be_decided_names_the_argument(said: dict[str, Any], told: str) -> None:
    """And says what would be right."""
    with pytest.raises(QuestionError, match=told):
        question(**{"visitor_id": "ada", "url": URL, **said})


def test_a_message_never_holds_a_trait() -> None:
    """It may end in a log."""
    with pytest.raises(QuestionError) as told:
        question("ada", url=URL, traits={"email": {"ada@northbank.example"}})
    assert "northbank" not in str(told.value)

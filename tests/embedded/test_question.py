"""What may be said of a page view, and how one is told what may not."""

from datetime import datetime
from typing import Any

import pytest

from engine.embedded.question import QuestionError, question
from engine.words import Page, Visit

URL = "https://www.example.com/"


class Text(str):
    """As Django has it."""

    __slots__ = ()


def test_what_is_not_said_is_unknown() -> None:
    """Not empty, and not none."""
    assert question("ada", url=URL) == ("ada", Page(URL), Visit(), {})
    assert question("ada", url=URL, device_type="", city=None) == ("ada", Page(URL), Visit(), {})
    nothing = dict.fromkeys(("referrer", "title", "visit_count", "first_seen", "new", "device_type", "traits"))
    assert question("ada", url=URL, **nothing) == ("ada", Page(URL), Visit(), {})  # type: ignore[arg-type]


def test_a_url_without_end_is_cut() -> None:
    """Its page is the same."""
    assert question("ada", url=f"{URL}?a=1&b={'x' * 9_000}")[1] == Page(f"{URL}?a=1")


def test_what_programs_have_for_text_and_lists_is_taken() -> None:
    """A class of text of its own, such as Django's `SafeString`, and a tuple."""
    said = question("ada", url=Text(URL), title=Text("Home"), traits={"plan": Text("pro"), "seen": (1, 2)})
    assert said == ("ada", Page(URL, "", "Home"), Visit(), {"plan": "pro", "seen": [1, 2]})
    assert {type(text) for text in (said[1].url, said[1].title, said[3]["plan"])} == {str}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"visitor_id": ""}, "1 to 128 characters"),
        ({"visitor_id": "a b"}, "1 to 128 characters"),
        ({"visitor_id": None}, "1 to 128 characters"),
        ({"visitor_id": b"ada"}, "1 to 128 characters"),
        ({"url": None}, "Expected url as browsers show it"),
        ({"referrer": b"https://search.example/"}, "Expected referrer as text"),
        ({"title": 7}, "Expected title as text"),
        ({"new": "yes"}, "Expected new as True or False"),
        ({"new": 1}, "Expected new as True or False"),
        ({"traits": [1]}, "Expected traits as a mapping"),
        ({"traits": 5}, "Expected traits as a mapping"),
        ({"traits": "ab"}, "Expected traits as a mapping"),
        ({"traits": []}, "Expected traits as a mapping"),
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

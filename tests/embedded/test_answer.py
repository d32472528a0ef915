"""A decision as a back end reads it."""

from typing import Any

import msgspec
import pytest

from engine.embedded.answer import Answer, Track, answer
from engine.words import Change


@pytest.fixture
def answers(make: Any) -> dict[str, Answer]:
    """Those of a visitor who is personalized, of one in control, and of one who matches nothing."""
    shown = make.variant("hero", Change(selector="h1", text=("For ", make.slot("traits.company"))))
    site = make.experience("site", make.audience("big", shown))
    other = make.experience("other", make.audience("big", control=1_000_000))
    decider = make.decider(site, other)
    return {
        "big": answer(make.decide(decider, "v1", {"big": True, "company": "Northbank"})),
        "nobody": answer(make.decide(decider, "v2", {})),
    }


def test_a_variant_is_named_by_its_key(answers: dict[str, Answer]) -> None:
    """None where the page stays as it is: in control, without a match, and of what there is not."""
    big = answers["big"]
    assert {key: big.variant(key) for key in ("site", "other", "no such")} == {
        "site": "hero",
        "other": None,
        "no such": None,
    }
    assert answers["nobody"].variant("site") is None


def test_control_is_tracked_and_no_match_is_not(answers: dict[str, Answer]) -> None:
    """The call is ready to send, with the names that analytics knows."""
    seen = {"experience": "Name of site", "audienceSegment": "Name of big", "personalized": True}
    site, control = answers["big"].experience("site"), answers["big"].experience("other")
    assert site is not None
    assert control is not None
    assert site.track == Track("Mutiny Experience Viewed", seen)
    assert control.track.properties == {**seen, "experience": "Name of other", "personalized": False}
    assert (site.personalized, control.personalized) == (True, False)
    assert (site.segment, control.changes) == ("big", [])
    assert answers["nobody"].experience("site") is None


def test_changes_are_those_of_the_wire(answers: dict[str, Answer]) -> None:
    """With their slots filled."""
    site = answers["big"].experience("site")
    assert site is not None
    assert site.changes == [{"selector": "h1", "text": "For Northbank"}]
    wire = msgspec.json.decode(answers["big"].to_json())
    assert [entry["changes"] for entry in wire["decisions"] if entry["personalized"]] == [site.changes]
    assert (wire["visitorId"], wire["ruleset"]) == ("v1", "0badcafe")

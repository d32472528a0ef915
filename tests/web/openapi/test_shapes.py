"""What is joined by hand is like the structs that say so: whatever can be in it is described, and no more."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.decide.render import control, personalized
from engine.words import Change, Insert, Variant

OTHER_CHANGES = (
    Change("#a", text=("t",), attributes={"href": ("/",)}, classes_add=("x",), style={"color": "red"}),
    Change("#b", html=("<b>h</b>",), classes_remove=("y",), insert=Insert("after", ("<i>i</i>",))),
    Change("#c", remove=True),
    Change(redirect=("https://www.example.com/b",)),
)


@pytest.fixture
def decide(described: Any) -> Any:
    """`decide(entry)`: is a decision with this entry as it is described?"""
    schema = described.document["components"]["schemas"]["Assignment"]
    return lambda entry: _check(described, schema, entry)


def _check(described: Any, schema: Any, value: Any) -> None:
    class Answer:
        status_code, headers, text = 200, {"content-type": "application/json"}, ""

        @staticmethod
        def json() -> Any:
            return value

    described.check(Answer, {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}})


def test_every_change_is_described(decide: Any) -> None:
    """All that a variant can do, and a control visitor's entry."""
    decide(json.loads(personalized("E", "S", Variant("v", 1, OTHER_CHANGES)).fill(())))
    decide(json.loads(control("E", "S")))


def test_a_change_has_no_other_members(described: Any) -> None:
    """What is described of changes is what rule files can say of them, and nothing that is long gone."""
    entry = json.loads(personalized("E", "S", Variant("v", 1, OTHER_CHANGES)).fill(()))
    seen = {name for change in entry["changes"] for name in change}
    assert seen == described.document["components"]["schemas"]["Change"]["properties"].keys()


def test_a_preview_is_a_decision(described: Any, tokens: Iterator[str]) -> None:
    """With the end of its link, and without anything to track."""
    operation = described.document["paths"]["/v1/decide"]["get"]
    for token in tokens:
        query = {"visitorId": "ada", "url": "https://www.example.com/", "preview": token}
        response = described.ask("GET", "/v1/decide", params=query)
        assert response.json()["preview"] is True
        described.check(response, operation)


@pytest.fixture
def tokens(described: Any) -> list[str]:
    """Of a link for every variant of the home page."""
    from engine.web.preview import Ticket, key_made, signed, variants

    data: Path = described.node.settings.data
    key = key_made(data)
    experiences = described.node.held.decider.ruleset.experiences.values()
    return [
        signed(Ticket(experience.key, segment, variant.key, 2**33), key)
        for experience in experiences
        for segment, variant in variants(experience)
    ]


def test_readiness_with_broken_rules_is_described(described: Any) -> None:
    """It says what is wrong, and where."""
    from engine.problems import Problem
    from engine.words import Place

    rules = described.node.rules
    before, rules.problems = rules.problems, (Problem(Place("a.yaml", 1, 2), "unknown-key", "what", "hint"),)
    try:
        response = described.ask("GET", "/readyz")
    finally:
        rules.problems = before
    assert response.json()["last_error"]["code"] == "unknown-key"
    described.check(response, described.document["paths"]["/readyz"]["get"])


def test_a_refusal_is_described_in_every_form(described: Any) -> None:
    """Each as its clients read it."""
    schemas = described.document["components"]["schemas"]
    assert schemas["Problem"]["properties"].keys() == {"type", "title", "status", "detail", "code"}
    assert schemas["SegmentRefusal"]["properties"].keys() == {"success", "code", "message", "error"}
    assert schemas["FlagRefusal"]["required"] == ["errorCode", "errorDetails"]
    assert msgspec.json.encode(schemas["Problem"]["properties"]["code"]["enum"])

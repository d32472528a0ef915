"""The schema of an evaluation context is what OFREP's addresses take."""

import json
from typing import Any

import jsonschema
import pytest

URL = "https://www.example.com/"
TAKEN: list[Any] = [
    {"targetingKey": "v"},
    {"targetingKey": "v", "anonymousId": "a"},
    {"targetingKey": "v", "url": URL, "plan": "pro", "device": "ios", "visit": 5, "page": None},
    {"targetingKey": "v", "page": {"url": None}, "visit": {"count": 1}, "device": {"type": "bot"}},
    {"targetingKey": "v", "page.url": URL, "visit.count": None, "visit.first_seen": "2026-11-25T00:00:00Z"},
]
REFUSED: list[Any] = [
    {},
    {"targetingKey": ""},
    {"targetingKey": 5},
    {"targetingKey": "v v"},
    {"targetingKey": "v", "url": "nonsense"},
    {"targetingKey": "v", "page": {"url": 5}},
    {"targetingKey": "v", "url": URL, "page.url": "AAA"},
    {"targetingKey": "v", "page.url": "AAA", "url": URL},
    {"targetingKey": "v", "visit": {"count": "1"}},
    {"targetingKey": "v", "visit.count": -1},
    {"targetingKey": "v", "device.type": 5},
]


def takes(described: Any, context: Any) -> bool:
    """Does the schema?"""
    schema = {"$ref": "#/components/schemas/Evaluation", "components": described.document["components"]}
    checker = jsonschema.FormatChecker()
    return jsonschema.Draft202012Validator(schema, format_checker=checker).is_valid({"context": context})


@pytest.mark.parametrize("context", TAKEN)
def test_what_the_schema_takes_is_answered(described: Any, context: Any) -> None:
    """By both questions, as they are described."""
    assert takes(described, context)
    for path, key in (("/ofrep/v1/evaluate/flags", ""), ("/ofrep/v1/evaluate/flags/{key}", "homepage-industry")):
        said = described.ask("POST", path.replace("{key}", key), content=json.dumps({"context": context}).encode())
        assert said.status_code == 200
        described.check(said, described.document["paths"][path]["post"])


def test_which_of_two_names_counts_is_said(described: Any) -> None:
    """What does not count is not looked at; the schema is for what is meant."""
    context = {"targetingKey": "v", "page.url": URL, "url": "AAA", "page": {"url": 5}}
    said = described.ask("POST", "/ofrep/v1/evaluate/flags", json={"context": context})
    assert (takes(described, context), said.status_code) == (False, 200)
    description = described.document["components"]["schemas"]["EvaluationContext"]["description"]
    assert "`page.url`, else `url`, else `page`" in description


@pytest.mark.parametrize("context", REFUSED)
def test_what_the_schema_refuses_is_refused(described: Any, context: Any) -> None:
    """In OFREP's form."""
    assert not takes(described, context)
    path = "/ofrep/v1/evaluate/flags"
    said = described.ask("POST", path, content=json.dumps({"context": context}).encode())
    assert said.status_code == 400
    described.check(said, described.document["paths"][path]["post"])


def test_a_flag_that_there_is_not(described: Any) -> None:
    """404, with its key."""
    path = "/ofrep/v1/evaluate/flags/{key}"
    said = described.ask("POST", path.replace("{key}", "nothing"), json={"context": {"targetingKey": "v"}})
    assert (said.status_code, said.json()["key"]) == (404, "nothing")
    described.check(said, described.document["paths"][path]["post"])

"""The schema of a question is what `/v1/decide` takes: by a body, by a query, and for admins who ask why."""

import json
from typing import Any

import jsonschema
import pytest

URL = "https://www.example.com/"
PAGE = {"url": URL}
TAKEN: list[Any] = [
    {"visitorId": "v", "page": PAGE},
    {"visitorId": "a:B.c_d-9" * 14, "page": {"url": URL, "referrer": None, "title": ""}, "unknown": 1},
    {"visitorId": "v", "page": PAGE, "visit": None, "device": None, "traits": None, "preview": None},
    {"visitorId": "v", "page": PAGE, "visit": {"count": 0, "first_seen": "2026-11-25T00:00:00+01:00", "new": True}},
    {"visitorId": "v", "page": PAGE, "device": {"type": "tablet", "language": None}, "traits": {"a": {"b": [None]}}},
]
REFUSED: list[Any] = [
    [],
    {},
    {"page": PAGE},
    {"visitorId": None, "page": PAGE},
    {"visitorId": "", "page": PAGE},
    {"visitorId": "v" * 129, "page": PAGE},
    {"visitorId": "v v", "page": PAGE},
    {"visitorId": "v", "page": None},
    {"visitorId": "v", "page": {}},
    {"visitorId": "v", "page": {"url": ""}},
    {"visitorId": "v", "page": {"url": "ftp://example.com/"}},
    {"visitorId": "v", "page": {"url": URL + "x" * 8_192}},
    {"visitorId": "v", "page": {**PAGE, "title": 5}},
    {"visitorId": "v", "page": PAGE, "visit": {"count": -1}},
    {"visitorId": "v", "page": PAGE, "visit": {"count": 1.5}},
    {"visitorId": "v", "page": PAGE, "visit": {"first_seen": "yesterday"}},
    {"visitorId": "v", "page": PAGE, "device": []},
    {"visitorId": "v", "page": PAGE, "traits": ["a"]},
]


def takes(described: Any, body: Any) -> bool:
    """Does the schema?"""
    schema = {"$ref": "#/components/schemas/DecisionRequest", "components": described.document["components"]}
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).is_valid(body)


@pytest.mark.parametrize("body", TAKEN)
def test_what_the_schema_takes_is_answered(described: Any, body: Any) -> None:
    """As JSON, and as the text that browsers send."""
    assert takes(described, body)
    for kind in ("application/json", "text/plain"):
        said = described.ask("POST", "/v1/decide", content=json.dumps(body).encode(), headers={"content-type": kind})
        assert said.status_code == 200


@pytest.mark.parametrize("body", REFUSED)
def test_what_the_schema_refuses_is_refused(described: Any, body: Any) -> None:
    """With a code that is described."""
    assert not takes(described, body)
    said = described.ask("POST", "/v1/decide", content=json.dumps(body).encode())
    assert said.status_code == 400
    described.check(said, described.document["paths"]["/v1/decide"]["post"])


def test_scripts_are_described(described: Any) -> None:
    """With their tag, and 304 for who has it."""
    operation = described.document["paths"]["/client.js"]["get"]
    first = described.ask("GET", "/client.js")
    described.check(first, operation)
    again = described.ask("GET", "/client.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert operation["responses"]["304"]["description"]

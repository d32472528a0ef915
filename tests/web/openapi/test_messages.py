"""The schemas of Segment's messages: what they take is taken, and what they refuse is refused."""

import json
from typing import Any

import httpx
import jsonschema
import pytest

from engine import limits
from engine.segment.fields import PLACEHOLDERS
from engine.segment.message import TYPES
from engine.web.openapi.messages import MESSAGES, components

PERSON = {"userId": "u1"}
TAKEN: list[tuple[str, Any]] = [
    ("identify", PERSON),
    ("identify", {"userId": None, "anonymousId": "a1", "traits": {"plan": None}}),
    ("identify", {"userId": 4711, "traits": []}),
    ("identify", {"userId": "", "anonymousId": 0.5}),
    ("identify", {"userId": "null", "anonymousId": "a1"}),
    ("identify", {**PERSON, "timestamp": "nonsense", "sentAt": {}, "unknown": [1]}),
    ("identify", {**PERSON, "context": {"traits": {"a": 1}, "groupId": 7}, "integrations": {"Mutiny": False}}),
    ("track", {**PERSON, "event": "E", "properties": None}),
    ("page", {**PERSON, "properties": {"url": "x"}}),
    ("screen", {"anonymousId": "a", "messageId": 5}),
    ("group", {"groupId": "g1"}),
    ("group", {"groupId": "g1", "userId": None, "anonymousId": ""}),
    ("group", {"groupId": 1.5, "userId": "null"}),
    ("alias", {"previousId": "a", "userId": "u"}),
]
REFUSED: list[tuple[str, Any]] = [
    ("identify", {}),
    ("identify", [PERSON]),
    ("identify", {"userId": None}),
    ("identify", {"userId": True}),
    ("identify", {"userId": "0-0"}),
    ("identify", {"userId": -1}),
    *(("identify", {"userId": word.upper()}) for word in sorted(PLACEHOLDERS)),
    ("identify", {"userId": "u" * 481}),
    ("identify", {**PERSON, "traits": 5}),
    ("identify", {**PERSON, "traits": [1]}),
    ("identify", {**PERSON, "context": "x"}),
    ("identify", {**PERSON, "messageId": []}),
    ("identify", {**PERSON, "writeKey": 5}),
    ("track", PERSON),
    ("track", {**PERSON, "event": " "}),
    ("track", {**PERSON, "event": "E", "properties": "x"}),
    ("group", PERSON),
    ("alias", {"userId": "u"}),
    ("alias", {"previousId": "0", "userId": "u"}),
]


def takes(described: Any, name: str, body: Any) -> bool:
    """Does the schema?"""
    schema = {"$ref": f"#/components/schemas/{name}", "components": described.document["components"]}
    return jsonschema.Draft202012Validator(schema).is_valid(body)


def answered(described: Any, path: str, body: Any) -> int:
    """Does the service?"""
    auth = httpx.BasicAuth(described.write_key, "")
    status: int = described.ask("POST", path, content=json.dumps(body).encode(), auth=auth).status_code
    return status


@pytest.mark.parametrize(("call", "body"), TAKEN)
def test_what_the_schema_takes_is_taken(described: Any, call: str, body: Any) -> None:
    """With everything that real libraries leave out, or send as null."""
    assert takes(described, f"{call.capitalize()}Message", body)
    assert answered(described, f"/v1/{call}", body) == 200


@pytest.mark.parametrize(("call", "body"), REFUSED)
def test_what_the_schema_refuses_is_refused(described: Any, call: str, body: Any) -> None:
    """Ids that stand for nobody in any spelling, names that are missing, members of another kind."""
    assert not takes(described, f"{call.capitalize()}Message", body)
    assert answered(described, f"/v1/{call}", body) in {400, 401}


def test_bytes_are_said_where_a_schema_counts_characters() -> None:
    """Of every id, wherever it stands."""
    members = [member for schema in MESSAGES.values() for member in schema["properties"].values()]
    ids = [one for one in [*members, *components().values()] if one.get("maxLength") == limits.ID_BYTES]
    assert len(ids) > 10
    assert all(f"at most {limits.ID_BYTES} bytes" in one["description"] for one in ids)


def test_traits_that_do_not_count_are_not_looked_at(described: Any) -> None:
    """The schema is for what is meant; that the service is not so strict here stands in its words."""
    body = {**PERSON, "traits": {"a": 1}, "context": {"traits": [None]}}
    assert not takes(described, "IdentifyMessage", body)
    assert answered(described, "/v1/identify", body) == 200
    assert answered(described, "/v1/identify", {**body, "traits": {}}) == 400
    assert "not looked at" in components()["SegmentContext"]["description"]


def test_a_batch_says_what_each_message_is(described: Any) -> None:
    """By its type; one message that is none does not spoil it for the service, which a schema cannot say."""
    good = [{"type": call, **body} for call, body in TAKEN]
    assert takes(described, "SegmentBatch", {"batch": good})
    assert answered(described, "/v1/batch", {"batch": good}) == 200
    assert not takes(described, "SegmentBatch", {"batch": [PERSON]})
    assert not takes(described, "SegmentBatch", {"messages": good})


def test_every_type_is_described() -> None:
    """And a deletion for webhooks alone."""
    assert MESSAGES.keys() | {"delete"} == TYPES
    assert "SegmentDeletion" in str(components()["SegmentDelivery"])
    assert "SegmentDeletion" not in str(components()["SegmentBatch"])

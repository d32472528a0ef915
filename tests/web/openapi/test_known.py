"""What admins are told of people and traits is as the structs say: all that Segment can have sent."""

import json
from typing import Any

import httpx
import pytest

ADMIN = {"authorization": "Bearer an-admin-key-for-tests"}
BATCH = [
    {"type": "identify", "userId": "k1", "anonymousId": "ka", "traits": {"mutinyVisitorId": "kv", "plan": "pro"}},
    {"type": "identify", "userId": "k1", "traits": {"plan": None, "tags": ["a"], "address": {"city": "Ulm"}}},
    {"type": "identify", "userId": "k2", "anonymousId": "ka", "traits": {"plan": "team"}},
    {"type": "group", "userId": "k1", "groupId": "kg", "traits": {"seats": 5}},
    {"type": "track", "userId": "k1", "event": "Signed Up"},
]


@pytest.fixture(scope="module")
def known(described: Any) -> Any:
    """The same service, once Segment told it of a shared device, an account and a removed trait."""
    said = described.ask(
        "POST",
        "/v1/batch",
        content=json.dumps({"batch": BATCH}).encode(),
        auth=httpx.BasicAuth(described.write_key, ""),
    )
    assert said.status_code == 200
    return described


@pytest.mark.parametrize("identity", ["visitor/kv", "anonymous/ka", "user/k1", "user/k2", "group/kg"])
def test_a_profile_is_described(known: Any, identity: str) -> None:
    """Whatever leads there."""
    response = known.ask("GET", f"/v1/profiles/{identity}", headers=ADMIN)
    assert response.status_code == 200
    known.check(response, known.document["paths"]["/v1/profiles/{kind}/{id}"]["get"])


def test_the_catalogue_is_described(known: Any) -> None:
    """Traits, account traits and events."""
    response = known.ask("GET", "/v1/traits", headers=ADMIN)
    assert {event["name"] for event in response.json()["events"]} >= {"Signed Up"}
    known.check(response, known.document["paths"]["/v1/traits"]["get"])

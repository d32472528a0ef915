"""The addresses of Segment's libraries, as they are described."""

from typing import Any

from engine.web.ingest import INGEST
from engine.web.openapi.segment import OPERATIONS


def test_every_call_is_described_at_both_addresses() -> None:
    """Under a name for each, and the same body."""
    for path, call in INGEST.items():
        operation = OPERATIONS["POST", path]
        assert operation.id.startswith(call), path
        assert operation.body == ("SegmentBatch" if call in {"batch", "import"} else f"{call.capitalize()}Message")
        assert ("short" in operation.summary) == (path.removeprefix("/v1/") != call)


def test_the_key_may_stand_in_the_body(described: Any) -> None:
    """So it need not be shown in a header, as the description says."""
    operation = described.document["paths"]["/v1/track"]["post"]
    assert operation["security"] == [{"writeKey": []}, {}]
    body = {"userId": "u", "event": "E", "writeKey": described.write_key}
    assert described.ask("POST", "/v1/track", json=body).status_code == 200
    assert described.ask("POST", "/v1/track", json={**body, "writeKey": "another"}).status_code == 401


def test_settings_are_described(described: Any) -> None:
    """What analytics.js is told, and that somebody without a key is told nothing."""
    path = "/v1/projects/{key}/settings"
    operation = described.document["paths"][path]["get"]
    described.check(described.example("get", path, operation), operation)
    nobody = described.ask("GET", "/v1/projects/nobody/settings")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "not-found")
    described.check(nobody, operation)

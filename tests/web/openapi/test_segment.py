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


def test_lines_to_copy_hold_no_fixed_time() -> None:
    """Nor a fixed id: of two values of one time the larger counts, so who edits one and sends it again sees no change.
    One example has both, of the past, where they are needed.
    """
    fixed = [
        (operation.id, example.name)
        for operation in OPERATIONS.values()
        for example in operation.examples
        if any(word in str(example.body) for word in ("messageId", "timestamp", "sentAt"))
    ]
    assert fixed == [("importMessages", "timed")]


def test_what_is_no_key_is_refused_in_segments_form(described: Any) -> None:
    """Even a slash, behind which an address might go on."""
    for method, path in (("GET", "/v1/projects/%2F/settings"), ("POST", "/v1/webhook/%2F")):
        refused = described.ask(method, path, **({"json": {}} if method == "POST" else {}))
        assert (refused.status_code // 100, refused.headers["content-type"]) == (4, "application/json")
        assert refused.json()["success"] is False


def test_settings_are_described(described: Any) -> None:
    """What analytics.js is told, and that somebody without a key is told nothing."""
    path = "/v1/projects/{key}/settings"
    operation = described.document["paths"][path]["get"]
    described.check(described.example("get", path, operation), operation)
    nobody = described.ask("GET", "/v1/projects/nobody/settings")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "not-found")
    described.check(nobody, operation)

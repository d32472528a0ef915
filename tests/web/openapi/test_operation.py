"""Operations are answered as they say: every example is sent, and every answer compared with its example and schema."""

from typing import Any

from engine.web.openapi.operation import Answer, Example, Operation, Parameter, answer_json, body_json, parameter_json

STREAMS = {"flagChanges"}  # an answer without an end: tests/web/ofrep/test_changes.py


def test_every_example_is_really_answered(described: Any, shape_of: Any) -> None:
    """With 200, in the shape of the example's own answer, member by member, and as its schema says."""
    sent = 0
    for method, path, operation in described.operations():
        for name, example in _bodies(operation).items():
            response = described.example(method, path, operation, example["value"])
            assert response.status_code == 200, (operation["operationId"], response.text)
            described.check(response, operation)
            assert shape_of(response.json()) == shape_of(_answers(operation)[name]["value"]), operation["operationId"]
            sent += 1
    assert sent > 20


def test_what_needs_no_body_is_answered_as_described(described: Any, shape_of: Any) -> None:
    """Whatever can be asked by the examples of its parameters alone; deletions come last."""
    asked = [row for row in described.operations() if row[0] != "post" and row[2]["operationId"] not in STREAMS]
    for method, path, operation in sorted(asked, key=lambda row: row[0] == "delete"):
        response = described.example(method, path, operation)
        assert response.status_code == 200, (operation["operationId"], response.text)
        described.check(response, operation)
        for example in _answers(operation).values():
            assert shape_of(response.json()) == shape_of(example["value"]), operation["operationId"]


def test_whatever_is_asked_wrongly_is_refused_as_described(described: Any) -> None:
    """Without a body, a key, a parameter: a status that is described, one of its codes, in its form."""
    for method, path, operation in described.operations():
        if operation["operationId"] in STREAMS:
            continue
        response = described.ask(method.upper(), path, content=b"[" if method == "post" else b"")
        if response.status_code >= 400:
            described.check(response, operation)
            said = response.json()
            codes = operation["responses"][str(response.status_code)]["x-codes"]
            assert (said.get("code") or said["errorCode"]) in codes, operation["operationId"]


def test_how_it_is_written() -> None:
    """A parameter, a body and an answer as OpenAPI has them."""
    parameter = Parameter("id", "path", {"type": "string"}, "Who.", is_required=True, example="ada")
    example = Example("one", "Somebody", {"ok": True}, {"a": 1})
    operation = Operation(
        "x", "page", "T", "S", "D", {200: Answer("Good.", "Alive")}, body="Given", media_types=("a/b", "c/d")
    )
    assert parameter_json(parameter) == {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "Who.",
        "schema": {"type": "string"},
        "example": "ada",
    }
    schema = {"schema": {"$ref": "#/components/schemas/Given"}}
    assert body_json(operation) == {"required": True, "content": {"a/b": schema, "c/d": schema}}
    assert answer_json(operation.answers[200], [example]) == {
        "description": "Good.",
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Alive"},
                "examples": {"one": {"summary": "Somebody", "value": {"ok": True}}},
            }
        },
    }


def _bodies(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    found: dict[str, Any] = next(iter(content.values()), {}).get("examples", {})
    return found


def _answers(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation["responses"]["200"]["content"]
    found: dict[str, Any] = next(iter(content.values())).get("examples", {})
    return found

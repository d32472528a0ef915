"""The description of every address that a service has: one OpenAPI document, made of the table of addresses.

What lives here: putting together what the other files say. What may not: a word about any one address.

1. Every row of the table is described, method by method; a row that nobody describes is `Undescribed`.
2. Of the components only those are in the document that something in it refers to.
3. HEAD comes with every GET, and OPTIONS with every address (`engine.web.door`); that is said once, in words.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any, Final, TypeAlias, cast

from engine.web.ask import Said
from engine.web.door import Address
from engine.web.openapi import admin, decisions, messages, openfeature, refusals, segment, service
from engine.web.openapi.operation import (
    SCHEMAS,
    Answer,
    Json,
    Method,
    Operation,
    answer_json,
    body_json,
    parameter_json,
)
from engine.web.openapi.schemas import of_answers, of_requests

Row: TypeAlias = tuple[Method, str, Operation]

OPERATIONS: Final[Mapping[tuple[Method, str], Operation]] = {
    **decisions.OPERATIONS,
    **openfeature.OPERATIONS,
    **segment.OPERATIONS,
    **admin.OPERATIONS,
    **service.OPERATIONS,
}
_TAGS: Final[Mapping[str, str]] = {
    decisions.TAG: "What a visitor sees on a page. For anybody; pages of the websites in `--origins` may ask.",
    openfeature.TAG: "An experience is a flag, by OFREP: any OpenFeature SDK can ask.",
    segment.TAG: "Segment's HTTP Tracking API: any of its libraries can be pointed here. Refusals have Segment's form.",
    admin.TAG: "Why, what and who. With an admin key, and never from another website's page.",
    service.TAG: "For load balancers and for who reads this.",
}
_BY_HAND: Final[Mapping[str, Json]] = {
    **decisions.COMPONENTS,
    **openfeature.COMPONENTS,
    **segment.COMPONENTS,
    **service.COMPONENTS,
}
_SECURITY: Final[Mapping[str, Json]] = {**segment.SECURITY, **admin.SECURITY}
_LICENSE: Final = {"name": "All rights reserved", "identifier": "LicenseRef-All-Rights-Reserved"}
_ABOUT: Final = """\
Decides, on every page view, which personalized variant a visitor sees.

A refusal is `application/problem+json` (RFC 9457) with a `code` that never changes; at Segment's addresses it has the
form that Segment's libraries read, with the same codes. Nothing that a client sends is answered with a 5xx: 500 is a
fault of ours, 503 trouble that passes, 429 too much at once; they say when to come again (`Retry-After`).

HEAD goes wherever GET does. OPTIONS says what an address allows (CORS preflights too); any other method is 405
(`method-not-allowed`). Members that nobody knows are passed over, and new ones may appear in answers.
"""


class Undescribed(LookupError):  # noqa: N818 - the name says what is wrong
    """An address that nobody describes."""


def document(table: Iterable[Address]) -> Json:
    """The description of these addresses. Raises `Undescribed`."""
    return _document(row for address in table for row in _rows(address))


def everything() -> Json:
    """The description of a service that has every address."""
    return _document((method, path, operation) for (method, path), operation in OPERATIONS.items())


def _rows(address: Address) -> Iterator[Row]:
    path = address.path.replace(":path}", "}")
    for method in sorted(cast("Sequence[Method]", address.methods), reverse=True):  # POST before GET
        operation = OPERATIONS.get((method, path))
        if operation is None or operation.who != address.who:
            raise Undescribed(f"{method} {path} for {address.who}: no file in engine/web/openapi describes it")
        yield method, path, operation


def _document(rows: Iterable[Row]) -> Json:
    paths: dict[str, Json] = {}
    tags: set[str] = set()
    schemes: set[str] = set()
    for method, path, operation in rows:
        paths.setdefault(path, {})[method.lower()] = _operation(operation, method)
        tags.add(operation.tag)
        schemes.update(_schemes(operation))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mutiny-edge",
            "version": version("mutiny-edge"),
            "description": _ABOUT,
            "license": _LICENSE,
        },
        "tags": [{"name": name, "description": says} for name, says in _TAGS.items() if name in tags],
        "paths": paths,
        "components": _components(paths, schemes),
    }


def _operation(operation: Operation, method: Method) -> Json:
    """One operation as OpenAPI writes it."""
    who = operation.who
    shared = refusals.shared_codes(who, method, has_body=operation.body is not None)
    good = {str(status): _answer(answer, operation) for status, answer in operation.answers.items()}
    said: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.says,
    }
    if operation.parameters:
        said["parameters"] = [parameter_json(parameter) for parameter in operation.parameters]
    body = body_json(operation)
    if body is not None:
        said["requestBody"] = body
    said["responses"] = {**good, **refusals.responses((*operation.refuses, *shared), who)}
    said["security"] = [{scheme: []} if scheme else {} for scheme in _schemes(operation)]  # none: for anybody
    return said


def _schemes(operation: Operation) -> Sequence[str]:
    """How one shows who one is."""
    return (admin.KEY,) if operation.who == "admin" else operation.security


def _answer(answer: Answer, operation: Operation) -> Json:
    is_first = answer is next(iter(operation.answers.values()))
    return answer_json(answer, operation.examples if is_first else ())


@cache
def _schemas() -> dict[str, Json]:
    """Every schema that there is."""
    requests = of_requests([Said], decisions.OVER)
    for name, says in decisions.SAID.items():
        requests[name]["description"] = says
    encoded = [answer.shape for operation in OPERATIONS.values() for answer in operation.answers.values()]
    structs = {shape for shape in encoded if isinstance(shape, type)} | set(refusals.SHAPES.values())
    over = {**admin.OVER, **openfeature.OVER, **refusals.over()}
    answers = of_answers(sorted(structs, key=lambda struct: struct.__name__), over)
    return {**requests, **answers, **_BY_HAND, **messages.components()}


def _components(paths: Mapping[str, Json], schemes: Iterable[str]) -> Json:
    """The components that are referred to."""
    responses = {
        name: response for name, response in refusals.components().items() if _refers(paths, refusals.RESPONSES + name)
    }
    found: dict[str, Json] = {}
    waiting = sorted(_names({"paths": paths, "responses": responses}))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = _schemas()[name]
            waiting += sorted(_names(found[name]))
    said: Json = {"schemas": dict(sorted(found.items())), "responses": responses}
    used = {name: scheme for name, scheme in _SECURITY.items() if name in set(schemes)}
    return {**said, "securitySchemes": used} if used else said


def _references(part: Any) -> Iterable[str]:
    """Everything that this refers to."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _names(part: Any) -> set[str]:
    """The schemas that this refers to."""
    return {name.removeprefix(SCHEMAS) for name in _references(part) if name.startswith(SCHEMAS)}


def _refers(part: Any, name: str) -> bool:
    return name in _references(part)

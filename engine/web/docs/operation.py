"""One operation as a piece of the page: what it is for, what to send, what comes back, and a line to try it with.

What lives here: parameters, body, examples and responses as HTML. What may not: schemas in words (`schema.py`).

1. Responses that any request can meet are said once, at the end of the page, and only linked to here.
2. An example shows the line that asks, and under it what is answered.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from engine.web.docs.curl import curl
from engine.web.docs.html import Html, code, element, inline, join, markdown, text
from engine.web.docs.schema import bounds, members, type_of
from engine.web.openapi.operation import SCHEMAS, Json

ANSWER: Final = "answer-"
_WHO: Final = {
    "adminKey": "Needs an admin key, as `Authorization: Bearer KEY`.",
    "writeKey": "Needs a source's write key: as the user of `Authorization: Basic`, or as `writeKey` in the body.",
    "signature": "Needs `X-Signature`: the body, signed with the secret that the source shares with Segment.",
}

_WITHOUT_BODY: Final[Json] = {"": {}}


def operation_html(method: str, path: str, operation: Json, schemas: Json) -> Html:
    """All about one method at one address."""
    id_ = operation["operationId"]
    head = element(
        "h3",
        element("span", text(method.upper()), class_=f"method {method}"),
        element("code", *_with_breaks(path)),
        element("a", text("#"), href=f"#{id_}", class_="anchor", aria_label=f"Link to {operation['summary']}"),
    )
    parts = [
        head,
        element("p", inline(operation["summary"]), class_="summary"),
        markdown(operation["description"]),
        *(element("p", inline(_WHO[scheme]), class_="who") for one in operation.get("security", ()) for scheme in one),
        *_parameters(operation),
        *_body(operation, schemas),
        *_examples(method, path, operation),
        *_responses(operation),
    ]
    return element("article", *parts, id=id_)


def _with_breaks(path: str) -> Iterator[Html]:
    """The path, which may be broken behind each slash."""
    for part in path.split("/")[1:]:
        yield join(text("/"), Html("<wbr>"), text(part))


def _parameters(operation: Json) -> Iterator[Html]:
    parameters = operation.get("parameters", ())
    if not parameters:
        return
    head = element("tr", *(element("th", text(word), scope="col") for word in ("Name", "In", "Type", "Meaning")))
    rows = []
    for parameter in parameters:
        mark = element("span", text("required"), class_="must") if parameter["required"] else Html("")
        cells = (
            text(parameter["in"]),
            type_of(parameter["schema"]),
            join(inline(parameter["description"]), bounds(parameter["schema"]), between=" "),
        )
        name = element("th", join(code(parameter["name"]), mark, between=" "), scope="row")
        rows.append(element("tr", name, *(element("td", cell) for cell in cells)))
    yield element("h4", text("Parameters"))
    table = element("table", element("thead", head), element("tbody", *rows))
    yield element("div", table, class_="wide", tabindex="0", role="region", aria_label="Parameters")


def _body(operation: Json, schemas: Json) -> Iterator[Html]:
    if "requestBody" not in operation:
        return
    content = operation["requestBody"]["content"]
    schema = next(iter(content.values()))["schema"]
    kinds = join(*map(code, content), between=" or ")
    yield element("h4", text("Body"))
    yield element("p", type_of(schema), text(", as "), kinds)
    yield members(schemas[schema["$ref"].removeprefix(SCHEMAS)], schemas)


def _examples(method: str, path: str, operation: Json) -> Iterator[Html]:
    asked = _named(operation.get("requestBody", {}))
    answered = _named(next(iter(operation["responses"].values())))
    if not asked and not _can_be_asked(method, operation):
        return
    yield element("h4", text("Try it"))
    for name, example in (asked or _WITHOUT_BODY).items():
        if "summary" in example:
            yield element("p", inline(f"{example['summary']}:"))
        yield element("pre", code(curl(method, path, operation, example.get("value"))), class_="curl")
        shown = answered.get(name) or next(iter(answered.values()), None)
        if shown is not None:
            yield element("pre", code(_pretty(shown["value"])), class_="answer", tabindex="0")


def _can_be_asked(method: str, operation: Json) -> bool:
    """Is there an example of everything that one must say?"""
    needed = [parameter for parameter in operation.get("parameters", ()) if parameter["required"]]
    return method != "post" and all("example" in parameter for parameter in needed)


def _named(said: Json) -> Json:
    """The examples of the first media type."""
    first: Json = next(iter(said.get("content", {}).values()), {})
    examples: Json = first.get("examples", {})
    return examples


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _responses(operation: Json) -> Iterator[Html]:
    yield element("h4", text("Answers"))
    rows, shared = [], []
    for status, response in operation["responses"].items():
        if "$ref" in response:
            shared.append(element("a", text(status), href=f"#{ANSWER}{response['$ref'].rpartition('/')[2]}"))
            continue
        rows.append(answer_row(status, response))
    yield element("dl", *rows, class_="answers")
    if shared:
        yield element("p", text("As any address: "), join(*shared, between=", "), class_="shared")


def answer_row(status: str, response: Json) -> Html:
    """A status, what it means, and what is in the answer."""
    kinds = [join(type_of(one["schema"]), text(", "), code(kind)) for kind, one in response.get("content", {}).items()]
    inside = element("p", *kinds, class_="kind") if kinds else Html("")
    return join(
        element("dt", element("span", text(status), class_=f"status s{status[0]}")),
        element("dd", markdown(response["description"]), inside),
    )

"""The whole page, made of the OpenAPI document.

What lives here: its order, the list of all operations, the schemas at its end. What may not: answering.

1. It is made in one go and holds all it needs: style, script, icon.
2. The list of operations stands beside on wide screens, and on top of the page on narrow ones.
"""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from engine.web.docs.html import Html, code, element, join, markdown, text
from engine.web.docs.operation import ANSWER, answer_row, operation_html
from engine.web.docs.schema import ANCHOR, bounds, members, type_of
from engine.web.openapi.operation import Json

_HERE: Final = Path(__file__).parent
_STYLE: Final = _HERE.joinpath("page.css").read_text(encoding="utf-8")
_SCRIPT: Final = _HERE.joinpath("page.js").read_text(encoding="utf-8")
_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='4' fill='%230b6e4f'/%3E%3Cpath d='M4 11V5l4 4 4-4v6' fill='none' "
    "stroke='white' stroke-width='2'/%3E%3C/svg%3E"
)


def _hash(content: str) -> str:
    """As a Content-Security-Policy names what may stand inside a page."""
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


# Nothing is loaded, nothing else runs, and no other page may put this one in a frame.
POLICY: Final = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(said: Json) -> str:
    """The page. The origin in it is `curl.ORIGIN`, to be replaced by that of who asks."""
    title = said["info"]["title"]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", text(f"{title}: HTTP reference")),
        element("link", rel="icon", href=_ICON),
        element("style", Html(_STYLE)),
    )
    body = element(
        "body",
        element("a", text("Skip to the reference"), href="#reference", class_="skip"),
        _header(said),
        element("div", _contents(said), element("main", *_sections(said), id="reference"), class_="columns"),
        element("script", Html(_SCRIPT)),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _header(said: Json) -> Html:
    info = said["info"]
    raw = element("a", text("openapi.json"), href="/openapi.json")
    return element(
        "header",
        element("h1", text(info["title"]), element("span", text(info["version"]), class_="version")),
        element("p", text("HTTP reference, for programs: "), raw, class_="raw"),
        markdown(info["description"]),
    )


def _operations(said: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    for path, methods in said["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield method, path, operation


def _contents(said: Json) -> Html:
    parts: list[Html] = []
    for tag in said["tags"]:
        links = [
            element(
                "li",
                element(
                    "a",
                    element("span", text(method.upper()), class_=f"method {method}"),
                    text(path),
                    href=f"#{operation['operationId']}",
                    title=operation["summary"],
                ),
            )
            for method, path, operation in _operations(said, tag["name"])
        ]
        parts += [element("h2", element("a", text(tag["name"]), href=f"#tag-{tag['name']}")), element("ul", *links)]
    parts.append(element("h2", element("a", text("Schemas"), href="#schemas")))
    inner = element("details", element("summary", text("Contents")), *parts, open="")
    return element("nav", inner, aria_label="Contents")


def _sections(said: Json) -> Iterator[Html]:
    schemas = said["components"]["schemas"]
    for tag in said["tags"]:
        name = tag["name"]
        operations = (operation_html(*found, schemas) for found in _operations(said, name))
        head = element("h2", text(name)), markdown(tag["description"])
        yield element("section", *head, *operations, id=f"tag-{name}")
    yield element("section", element("h2", text("Answers of any address")), *_shared(said), id="answers")
    yield element("section", element("h2", text("Schemas")), *_schemas(schemas), id="schemas")


def _shared(said: Json) -> Iterator[Html]:
    yield element("p", text("Any request can meet these, in the form that clients of its address read."))
    statuses = {
        response["$ref"].rpartition("/")[2]: status
        for methods in said["paths"].values()
        for operation in methods.values()
        for status, response in operation["responses"].items()
        if "$ref" in response
    }
    for name, response in said["components"]["responses"].items():
        row = answer_row(statuses[name], response)
        yield element("div", element("dl", row, class_="answers"), id=f"{ANSWER}{name}")


def _schemas(schemas: Json) -> Iterator[Html]:
    for name, schema in schemas.items():
        yield element(
            "article",
            element("h3", code(name)),
            markdown(schema.get("description", "")),
            element("p", join(type_of(schema), bounds(schema), between=" "), class_="kind"),
            members(schema, schemas),
            id=f"{ANCHOR}{name}",
        )

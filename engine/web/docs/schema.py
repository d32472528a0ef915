"""A JSON Schema in words: what a value may be, and the members of an object.

What lives here: types, bounds and members as HTML. What may not: which schemas there are.

1. A reference is a link to the schema's own place on the page.
2. Bounds are said behind the type, in small letters; a pattern is shown as it is.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from engine.web.docs.html import Html, code, element, inline, join, text
from engine.web.openapi.operation import SCHEMAS, Json

ANCHOR: Final = "schema-"
_BOUNDS: Final[Mapping[str, str]] = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minItems": "at least {} elements",
    "maxItems": "at most {} elements",
}


def link(name: str) -> Html:
    """A link to a schema."""
    return element("a", text(name), href=f"#{ANCHOR}{name}")


def type_of(schema: Json) -> Html:
    """What a value may be, in one line."""
    if "$ref" in schema:
        return link(schema["$ref"].removeprefix(SCHEMAS))
    for word, between in (("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")):
        parts = [part for part in schema.get(word, ()) if part.keys() & {"type", "$ref", "enum", "const", "allOf"}]
        if parts and ("type" not in schema or schema["type"] != "object"):
            return join(*map(type_of, parts), between=between)
    if "const" in schema:
        return _constant(schema["const"])
    if "enum" in schema:
        return join(*map(_constant, schema["enum"]), between=" or ")
    return _simple(schema)


def _simple(schema: Json) -> Html:
    types = schema.get("type")
    if types is None:
        return text("anything")
    if isinstance(types, list):
        return text(" or ".join(types))
    if types == "array" and schema.get("maxItems") == 0:
        return text("empty list")
    if types == "array":
        return join(text("list of "), type_of(schema["items"]))
    more = schema.get("additionalProperties")
    if types == "object" and isinstance(more, dict):
        return join(text("object of "), type_of(more))
    return text(schema["format"] if schema.get("format") in {"date-time", "uri"} else types)


def _constant(value: Any) -> Html:
    return code("null" if value is None else f'"{value}"' if isinstance(value, str) else str(value).lower())


def bounds(schema: Json) -> Html:
    """How long, how large and of which letters; nothing where it is all the same."""
    said = [text(words.format(f"{schema[key]:,}")) for key, words in _BOUNDS.items() if schema.get(key)]
    if schema.get("minLength") == 1:
        said[0] = text("not empty")
    if "pattern" in schema:
        said.append(join(text("like "), code(schema["pattern"])))
    return element("small", join(*said, between=", ")) if said else Html("")


def members(schema: Json, schemas: Json) -> Html:
    """The members of an object as a table; nothing where it names none."""
    rows = list(_rows(schema, schemas))
    if not rows:
        return Html("")
    head = element("tr", *(element("th", text(word), scope="col") for word in ("Member", "Type", "Meaning")))
    table = element("table", element("thead", head), element("tbody", *rows))
    return element("div", table, class_="wide", tabindex="0", role="region", aria_label="Members")


def _rows(schema: Json, schemas: Json) -> Iterator[Html]:
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        referred = schemas.get(member.get("$ref", "").removeprefix(SCHEMAS), {})
        mark = element("span", text("required"), class_="must") if name in required else Html("")
        says = member.get("description") or referred.get("description", "")
        meaning = join(inline(says.partition("\n")[0]), bounds(member), between=" ")
        yield element(
            "tr",
            element("th", join(code(name), mark, between=" "), scope="row"),
            element("td", type_of(member)),
            element("td", meaning),
        )

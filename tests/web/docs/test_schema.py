"""Schemas in words."""

from typing import Any

import pytest

from engine.web.docs.schema import bounds, link, members, type_of

REF = {"$ref": "#/components/schemas/Page"}
PAGE = '<a href="#schema-Page">Page</a>'


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({}, "anything"),
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "date-time"}, "date-time"),
        ({"type": ["string", "null"]}, "string or null"),
        (REF, PAGE),
        ({"anyOf": [REF, {"type": "null"}]}, f"{PAGE} or null"),
        ({"allOf": [REF, {"required": ["type"], "type": "object"}]}, f"{PAGE} and object"),
        ({"type": "array", "items": REF}, f"list of {PAGE}"),
        ({"type": "array", "items": {}, "maxItems": 0}, "empty list"),
        ({"type": "array", "items": {}}, "list of anything"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "object of string"),
        ({"type": "object", "anyOf": [{"required": ["a"]}]}, "object"),
        ({"type": "string", "enum": ["a", "<"]}, '<code>"a"</code> or <code>"&lt;"</code>'),
        ({"enum": [None, True]}, "<code>null</code> or <code>true</code>"),
        ({"const": "track"}, '<code>"track"</code>'),
    ],
)
def test_types(schema: dict[str, Any], said: str) -> None:
    """What a value may be, in one line."""
    assert type_of(schema) == said


def test_bounds() -> None:
    """In small letters; nothing where there are none."""
    schema = {"minLength": 1, "maxLength": 8192, "pattern": "^[a<]$"}
    assert bounds(schema) == ("<small>not empty, at most 8,192 characters, like <code>^[a&lt;]$</code></small>")
    assert bounds({"type": "string"}) == ""


def test_members() -> None:
    """A row each; what stands in a schema of its own is told where it is used."""
    schema = {"properties": {"page": REF, "n": {"type": "integer", "description": "How `many`."}}, "required": ["n"]}
    table = members(schema, {"Page": {"description": "The page.\nMore."}})
    assert f'<th scope="row"><code>page</code> </th><td>{PAGE}</td><td>The page. </td>' in table
    assert '<code>n</code> <span class="must">required</span>' in table
    assert "How <code>many</code>." in table
    assert members({"type": "string"}, {}) == ""
    assert link("Page") == PAGE

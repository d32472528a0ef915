"""The JSON Schema of rule files, made from `shape`: editors complete, explain and check with it.

Nothing is described here that `shape` could say; four things it cannot: a condition may be written `true`, keys
that hold nothing yet (`segments:` above comments) are no mistake, a change is a redirect alone or has a selector and
an action, and no variant is called `control`.
"""

from typing import Any

import msgspec

from engine.rules.notation import scalars
from engine.rules.shape import RuleFile

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ACTIONS = {
    "if": {"required": ["redirect"]},
    "then": {"maxProperties": 1},
    "else": {"required": ["selector"], "minProperties": 2},
}


def json_schema() -> dict[str, Any]:
    """The schema, draft 2020-12."""
    (root,), definitions = msgspec.json.schema_components([RuleFile], ref_template="#/$defs/{name}")
    definitions = {name: _as_written(definition) for name, definition in sorted(definitions.items())}
    definitions["Change"] |= _ACTIONS
    definitions["Variant"]["properties"]["key"]["not"] = {"const": scalars.CONTROL}
    top = definitions.pop(root["$ref"].rsplit("/", 1)[1])
    for section in top["properties"].values():
        section["type"] = [section["type"], "null"]
    top["title"] = "mutiny-edge rule file"
    return {"$schema": _DIALECT, **top, "$defs": definitions}


def _as_written(schema: Any) -> Any:
    """Conditions may be `true`; what may be left out may not be null; docstrings on one line."""
    if isinstance(schema, list):
        return [_as_written(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _as_written(value) for key, value in schema.items()}
    if made.get("type") == "string" and str(made.get("description", "")).startswith("A CEL condition"):
        made["type"] = ["string", "boolean"]
    options = made.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        options = [option for option in options if option != {"type": "null"}]
        made.pop("anyOf")
        made = {**made, **options[0]} if len(options) == 1 else {**made, "anyOf": options}
        if made.get("default", 0) is None:
            made.pop("default")
    if isinstance(made.get("description"), str):
        made["description"] = " ".join(made["description"].split())
    return made

"""JSON Schema of structs, as generators of clients and people read it best.

What lives here: the way from structs to components, and what is put over it. What may not: any struct by name.

1. msgspec makes the schemas (`schema_components`); here they get names, docstrings lose their indentation, `x or null`
   becomes a list of types, a list of anything says so (some generators leave out what uses one that does not), and a
   default of null goes: null is absent.
2. What is encoded always holds every member, also those with a default; so in an answer they are required, but for
   members that are left out where there is nothing to say (`UNSET`).
3. What a struct cannot say, because it is looked at afterwards (which member must be there, of which alphabet), is an
   `Over`: it is put over the schema of that name.
"""

from collections.abc import Iterable, Mapping
from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import Struct

from engine.web.openapi.operation import SCHEMAS, Json, name_of


class Over(Struct, frozen=True):
    """What is put over a struct's schema: what must be there, and more about its members."""

    required: tuple[str, ...] = ()
    properties: Mapping[str, Json] = {}


def of_requests(types: Iterable[type[Struct]], over: Mapping[str, Over]) -> dict[str, Json]:
    """The components of what is sent to us."""
    return _components(types, over, is_encoded=False)


def of_answers(types: Iterable[type[Struct]], over: Mapping[str, Over]) -> dict[str, Json]:
    """The components of what we send."""
    return _components(types, over, is_encoded=True)


def _components(types: Iterable[type[Struct]], over: Mapping[str, Over], *, is_encoded: bool) -> dict[str, Json]:
    wanted = list(types)
    _, found = msgspec.json.schema_components(wanted, ref_template=SCHEMAS + "{name}")
    names = {SCHEMAS + name: SCHEMAS + _public(name) for name in found}
    made: dict[str, Json] = {}
    for name, schema in found.items():
        public = _public(name)
        made[public] = _covered(_readable(schema, names, is_encoded=is_encoded), over.get(public, Over()))
        made[public].pop("title", None)
    return made


def _public(name: str) -> str:
    """The name under which a struct of this name is a component."""
    return name_of(type(name, (Struct,), {}))


def _readable(schema: Any, names: Mapping[str, str], *, is_encoded: bool) -> Any:
    """The schema in the form that this room likes."""
    if isinstance(schema, list):
        return [_readable(part, names, is_encoded=is_encoded) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {**schema, "$ref": names[schema["$ref"]]}
    members = schema.get("properties", {})  # by names of their own: `properties` is one of them
    said = {key: _readable(part, names, is_encoded=is_encoded) for key, part in schema.items() if part is not members}
    if isinstance(said.get("description"), str):
        said["description"] = cleandoc(said["description"])
    if said.get("type") == "object" and not members and "additionalProperties" not in said:
        said["additionalProperties"] = True
    if said.get("type") == "array":
        said.setdefault("items", {})
    if "enum" in said and all(isinstance(word, str) for word in said["enum"]):
        said = {"type": "string", **said}
    if members:
        said["properties"] = {name: _readable(part, names, is_encoded=is_encoded) for name, part in members.items()}
        _settle_members(said, is_encoded=is_encoded)
    return _with_null(said) if "anyOf" in said else said


def _settle_members(said: Json, *, is_encoded: bool) -> None:
    """Say which members are always there; a default says that of what is encoded, and nothing else."""
    members, required = said["properties"], said.pop("required", [])
    if is_encoded:
        required = [name for name in members if name in required or "default" in members[name]]
    for member in members.values():
        member.pop("default", None)
    if required:
        said["required"] = required


def _with_null(said: Json) -> Json:
    """One simple type or null: `{"type": ["string", "null"]}`, and an enumeration that holds null as well.

    Text of a format stays apart, for null is of none.
    """
    others = [part for part in said["anyOf"] if part != {"type": "null"}]
    if len(others) != 1 or len(said["anyOf"]) == 1 or not isinstance(others[0].get("type"), str):
        return said
    if "format" in others[0]:
        return said
    [only] = others
    rest = {key: part for key, part in said.items() if key != "anyOf"}
    enum = {"enum": [*only["enum"], None]} if "enum" in only else {}
    return {**only, "type": [only["type"], "null"], **enum, **rest}


def _covered(schema: Json, over: Over) -> Json:
    """The schema with more said of it."""
    members = dict(schema.get("properties", {}))
    for name, more in over.properties.items():
        members[name] = more if "$ref" in more else {**members[name], **more}
    required = {"required": list(over.required)} if over.required else {}
    return {**schema, **({"properties": members} if members else {}), **required}

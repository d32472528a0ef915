"""The JSON Schema for editors agrees with what is read."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from engine.rules.read import read
from engine.rules.schema import json_schema
from engine.rules.yaml.compose import compose
from engine.rules.yaml.nodes import Listing, Mapping, Node, Scalar
from engine.rules.yaml.source import Source

EXAMPLE = (Path(__file__).parent / "cases" / "example" / "rules" / "all.yaml").read_text("utf-8")
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def _plain(node: Node | None) -> Any:
    if isinstance(node, Mapping):
        return {key: _plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Listing):
        return [_plain(item) for item in node.items]
    return node.value if isinstance(node, Scalar) else {}


def _both(text: str) -> tuple[bool, bool]:
    """Whether the schema and reading accept the text."""
    source = Source("a.yaml", text)
    composed = compose(source)
    return VALIDATOR.is_valid(_plain(composed.root)), not read(source, composed)[1]


def test_it_is_a_schema() -> None:
    """It is valid itself, of the draft that it names."""
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    "text", [EXAMPLE, "", "segments:\ntests:\n", "segments: {a: {name: A, when: true, except: [x, true]}}"]
)
def test_good_files_are_good_to_both(text: str) -> None:
    """What is read is valid."""
    assert _both(text) == (True, True)


@pytest.mark.parametrize(
    "text",
    [
        "segmets: {}",
        "segments: []",
        "segments: {a: {when: x}}",
        "segments: {a: {name: A, when: []}}",
        "segments: {a: {name: A, when: 5}}",
        "segments: {a: {name: A, when: x, except: null}}",
        "segments: {a: {name: '', when: x}}",
        "traits: {a: {type: int}}",
        "conversions: {a: {event: E, window: 7}}",
        "insertable: x",
        "tests: [{name: n, given: {page: {url: u}}, expect: none}]",
        "tests: [{name: n, given: {page: {url: u}, visit: {count: -1}}, expect: nothing}]",
        EXAMPLE.replace("holdout: 0%", "holdout: 0"),
        EXAMPLE.replace("weight: 1 ", "weight: -1 "),
        EXAMPLE.replace("live ", "on "),
    ],
)
def test_bad_files_are_bad_to_both(text: str) -> None:
    """What reading refuses, an editor underlines."""
    assert _both(text) == (False, False)


def test_no_variant_is_called_control() -> None:
    """An editor says so at once; `check` says why."""
    variant = json_schema()["$defs"]["Variant"]
    keys = {
        key: jsonschema.Draft202012Validator(variant).is_valid({"key": key, "changes": []}) for key in ("control", "v")
    }
    assert keys == {"control": False, "v": True}


@pytest.mark.parametrize(
    ("share", "valid"),
    [
        ("50%", True),
        ("0.0001%", True),
        ("100%", True),
        ("100.1%", False),
        ("0.00001%", False),
        ("50", False),
        ("-1%", False),
    ],
)
def test_shares(share: str, valid: bool) -> None:
    """An editor sees shares that are out of range or too fine."""
    experience = {
        "name": "X",
        "pages": ["/"],
        "holdout": share,
        "audiences": [{"segment": "s", "variants": [{"key": "k", "changes": []}]}],
    }
    assert VALIDATOR.is_valid({"experiences": {"x": experience}}) == valid


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({"redirect": "/x"}, True),
        ({"selector": "h1", "text": "x"}, True),
        ({"selector": "h1", "text": "x", "style": {"color": "red"}}, True),
        ({"redirect": "/x", "selector": "h1"}, False),
        ({"redirect": "/x", "text": "x"}, False),
        ({"selector": "h1"}, False),
        ({"text": "x"}, False),
        ({}, False),
    ],
)
def test_changes(change: dict[str, Any], valid: bool) -> None:
    """An editor sees a redirect that is not alone, and a change of nothing or of nobody knows what."""
    variants = [{"key": "k", "changes": [change]}]
    experience = {"name": "X", "pages": ["/"], "audiences": [{"segment": "s", "variants": variants}]}
    assert VALIDATOR.is_valid({"experiences": {"x": experience}}) == valid


def _objects(schema: Any) -> list[dict[str, Any]]:
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    found = [one for part in inner for one in _objects(part)]
    return [schema, *found] if isinstance(schema, dict) and "properties" in schema else found


def test_it_teaches() -> None:
    """Every block is closed and described, and no docstring's line breaks are left in it."""
    for block in _objects(json_schema()):
        assert block["additionalProperties"] is False
        assert block["description"]
        assert "\n" not in block["description"]

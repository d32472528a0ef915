"""`mutiny-edge schema`: what editors read."""

import json
import os

import jsonschema


def test_it_is_a_json_schema(run):
    """The output is a valid JSON Schema that knows segments and experiences."""
    schema = json.loads(run("schema").stdout)
    jsonschema.validators.validator_for(schema).check_schema(schema)
    assert {"segments", "experiences", "traits", "conversions", "insertable", "tests"} <= set(schema["properties"])


def test_the_example_rules_carry_it(run, house):
    """`rules/schema.json` is what the command prints; `UPDATE=1` makes it so."""
    path, printed = house / "rules/schema.json", run("schema").stdout
    if os.environ.get("UPDATE"):
        path.write_text(printed, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == printed

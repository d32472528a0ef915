"""`mutiny-edge schema`: the JSON Schema of rule files, from which editors complete and explain."""

import json

import click

from engine.rules.schema import json_schema

EPILOG = """\b
Example: let an editor know the schema by the first line of a rule file.
  mutiny-edge schema > rules/schema.json
  # yaml-language-server: $schema=./schema.json
"""


@click.command(epilog=EPILOG)
def command() -> None:
    """Print the JSON Schema of rule files, for editors."""
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))

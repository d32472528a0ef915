"""`mutiny-edge openapi`: the description of every address, from which clients are generated; no service need run.

A service describes itself at `/openapi.json`: the same, but only what it has (without admin keys, nothing for admins).
"""

import json

import click

from engine.web.openapi.document import everything

EPILOG = """\b
Example: a client for TypeScript.
  mutiny-edge openapi > openapi.json
  npx openapi-typescript openapi.json -o mutiny-edge.d.ts
"""


@click.command(epilog=EPILOG)
def command() -> None:
    """Print the OpenAPI description of every address, for clients."""
    click.echo(json.dumps(everything(), indent=2, ensure_ascii=False))

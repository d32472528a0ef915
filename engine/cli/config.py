"""`mutiny-edge config`: every setting as it is in force here, and where its value comes from.

1. It takes the options of `serve` and reads them as `serve` does, so a value that has no sense is refused. It opens
   nothing: whether a folder is there, what a file holds and whether a store answers is not asked.
2. A value comes from an option, a variable or the default. It is printed as its user would write it.
3. Nothing secret is printed: of a secret that it is set, of a URL all but who may log in (`masked`).
4. A variable that begins like ours and is none of ours is most likely mistyped, and nothing would ever say so: it is
   named, with the nearest that there is; then the exit code is 1.
"""

import os
from collections.abc import Mapping
from typing import Any, Final

import click
import msgspec
from click.core import ParameterSource
from msgspec import Struct

from engine.cli import options
from engine.cli.explain_text import safe
from engine.cli.screen import say
from engine.cli.serve_options import SERVED, meant, service
from engine.settings import HIDDEN, SETTINGS, Setting, masked, strangers, written

EPILOG = """\b
Examples:
  mutiny-edge config
  MUTINY_EDGE_WORKERS=4 mutiny-edge config --port 9000
  mutiny-edge config --format json | jq '.settings[] | select(.origin != "default")'
"""
_ORIGINS: Final = {ParameterSource.COMMANDLINE: "flag", ParameterSource.ENVIRONMENT: "environment"}


class Effective(Struct, frozen=True):
    """One setting in force. `value` is None where nothing is set; `origin` is flag, environment or default."""

    name: str
    value: str | None
    origin: str
    option: str | None
    variable: str
    unit: str
    verbs: str


@click.command(epilog=EPILOG)
@service(there=False)
@options.form("text", "json")
@click.pass_context
def command(ctx: click.Context, /, form: str, **given: Any) -> None:
    """Print the settings in force, and where each comes from.

    An option counts before its variable, a variable before the default. Passwords in URLs are not shown. A variable
    MUTINY_EDGE_… that no setting has is named; then the exit code is 1.
    """
    values = meant(given)
    settings = [_served(ctx, line, values[line.field]) for line in SERVED]
    settings += [_elsewhere(line, os.environ) for line in SETTINGS if line.of]
    unknown = strangers(os.environ)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode({"settings": settings, "unknown": unknown})).decode())
    else:
        _print(settings)
        for one in unknown:
            say(safe(str(one)))
    ctx.exit(1 if unknown else 0)


def _served(ctx: click.Context, line: Setting, value: Any) -> Effective:
    source = ctx.get_parameter_source(line.field)
    if value is None or source is None:
        return _effective(line, None, "default")
    return _effective(line, written(line, value), _ORIGINS.get(source, "default"))


def _elsewhere(line: Setting, environment: Mapping[str, str]) -> Effective:
    """A setting of other verbs: from the environment, for their options are not ours."""
    text = environment.get(line.variable)
    return _effective(line, text or line.default, "environment" if text else "default")


def _effective(line: Setting, text: str | None, origin: str) -> Effective:
    shown = text and (HIDDEN if line.secret else masked(text) if line.kind == "url" else text)
    return Effective(
        line.key, shown, origin, None if line.secret else line.option, line.variable, line.unit, line.verbs
    )


def _print(settings: list[Effective]) -> None:
    shown = [(one, f"{one.value} {one.unit}".rstrip() if one.value else "-") for one in settings]
    name_width = max(len(one.name) for one in settings)
    value_width = min(48, max(len(safe(value)) for _, value in shown))
    for one, value in shown:
        origin = {"flag": one.option, "environment": one.variable}.get(one.origin, "default")
        line = f"{one.name:<{name_width}}  {safe(value):<{value_width}}  {origin}"
        click.echo(click.style(line, dim=one.origin == "default"))

"""The options that several verbs share, each made of its line in the table of settings.

1. A setting's name, variable, default and help stand in `engine.settings`; the type that click needs is made here.
2. `settings` is what a verb's node or store is opened with: what the verb was given, and of the rest what the variables
   say. A `--store` other than the variable's is meant for reading and writing, whatever the variables name for the one
   or the other.
3. A setting that takes several values stands on a line once, with commas: who gives it twice means both, and would get
   the second. Of any other the last one counts, as everywhere, so that a script's line can be added to.
4. An option that is given with nothing (`--host=`) is refused, for what it would be taken for is nowhere written: not
   the default, as with an empty variable. A list and a text may be empty.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from msgspec import structs

from engine.cli.screen import fail
from engine.settings import NAMED, Setting, SettingError, Settings

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

RULES = click.Path(exists=True, file_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)

_SEVERAL = {"LIST", "URLS"}
_NEVER_EMPTY = {"folder", "file", "host", "url", "whole", "time", "memory"}


class Known(click.Option):
    """A setting as an option; what is wrong is told of the option where it is typed, else of its variable."""

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """What the user wrote."""
        of_variable = ctx is not None and ctx.get_parameter_source(self.name or "") is ParameterSource.ENVIRONMENT
        return str(self.envvar) if of_variable else click.Parameter.get_error_hint(self, ctx)


class Filled(Known):
    """One that cannot be nothing."""

    def handle_parse_result(self, ctx: click.Context, opts: Any, args: list[str]) -> tuple[Any, list[str]]:
        """The value, or a usage error."""
        if opts.get(self.name) == "":
            said = f"Expected {self.metavar}, got nothing: give one, or leave the option out."
            raise click.BadParameter(said, ctx, self)
        return super().handle_parse_result(ctx, opts, args)


class Once(Known):
    """An option of several values, which is refused the second time."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """All that is given, so that it can be counted."""
        del ctx
        parser.add_option(obj=self, opts=self.opts, dest=self.name, action="append", nargs=self.nargs)

    def handle_parse_result(self, ctx: click.Context, opts: Any, args: list[str]) -> tuple[Any, list[str]]:
        """The one value, or a usage error."""
        given = opts.get(self.name)
        if isinstance(given, list):
            if len(given) > 1:
                said = f"Expected {self.opts[0]} once (several values by commas), got it {len(given)} times."
                raise click.UsageError(said, ctx)
            opts = {**opts, self.name: given[0]}
        return super().handle_parse_result(ctx, opts, args)


def setting(line: Setting, kind: Any = None, **how: Any) -> Callable[[Decorated], Decorated]:
    """A line of the table as an option: `--port` is also `MUTINY_EDGE_PORT`; `how` is for click."""
    flag = line.kind == "flag"
    usual = {
        "cls": Once if line.shows in _SEVERAL else Filled if line.kind in _NEVER_EMPTY else Known,
        "type": kind,
        "metavar": None if flag or line.choices else line.shows,
        "is_flag": flag,
        "default": False if flag else line.default,
        "envvar": line.variable,
        "show_envvar": True,
        "show_default": bool(line.default),
        "help": line.help,
    }
    return click.option(line.option, **usual | how)


# The folder of rule files, and the same for a verb that may be given another folder in its place.
rules = setting(NAMED["rules"], RULES)
rules_unchecked = setting(NAMED["rules"], FOLDER)

# Where the engine keeps what it knows; made where it does not exist.
data = setting(NAMED["data"], FOLDER)

# Where profiles are kept.
store = setting(NAMED["store"])
SETTLED = "\0"  # `--store` without a URL: where profiles are kept anyway


def settings(*, rules: Path | None = None, data: Path | None = None, store: str | None = None) -> Settings:
    """What the verb was given; what it was not given is what the variables say. Wrong ones end the command."""
    rest = variables()
    if store != rest.store:
        rest = structs.replace(rest, read_store=None, write_store=None)
    return structs.replace(rest, rules=rules or rest.rules, data=data or rest.data, store=store)


def variables() -> Settings:
    """What the variables say. Wrong ones end the command."""
    try:
        return Settings.from_environment(os.environ)
    except SettingError as error:
        fail(str(error))


def typed(parameter: str) -> bool:
    """Does the parameter stand on the command line of the running verb?"""
    return click.get_current_context().get_parameter_source(parameter) == ParameterSource.COMMANDLINE


def stored(purpose: str) -> Callable[[Decorated], Decorated]:
    """`--store [URL]` of a verb that asks the stored visitors only if it is told to; the argument is `stored`."""
    where = (
        "Without a URL: LMDB under --data, or what MUTINY_EDGE_STORE says; put it last or in front of another option."
    )
    return click.option(
        "--store", "stored", metavar="[URL]", is_flag=False, flag_value=SETTLED, help=f"{purpose} {where}"
    )


def form(*forms: str) -> Callable[[Decorated], Decorated]:
    """`--format`: the first form is the default."""
    choice = click.Choice(forms)
    return click.option("--format", "form", type=choice, default=forms[0], show_default=True, help="How to print.")

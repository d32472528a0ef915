"""The options that several verbs share, each defined once: name, environment variable, default, help."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def setting(name: str, **how: Any) -> Callable[[Decorated], Decorated]:
    """An option that is a setting of the engine: `--port` is also `MUTINY_EDGE_PORT`."""
    variable = "MUTINY_EDGE_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, envvar=variable, show_envvar=True, show_default=bool(how.get("default")), **how)


def _rules(*, exists: bool) -> Callable[[Decorated], Decorated]:
    kind = click.Path(exists=exists, file_okay=False, path_type=Path)
    return setting("--rules", metavar="DIR", type=kind, default=Path("rules"), help="Folder of rule files.")


# The folder of rule files, and the same for a verb that may be given another folder in its place.
rules = _rules(exists=True)
rules_unchecked = _rules(exists=False)

# Where the engine keeps what it knows; made where it does not exist.
data = setting(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    help="Folder for what the engine keeps.",
)

# Where profiles are kept.
store = setting("--store", metavar="URL", help="Where profiles are kept; without it, LMDB under --data.")
SETTLED = "\0"  # `--store` without a URL: where profiles are kept anyway


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

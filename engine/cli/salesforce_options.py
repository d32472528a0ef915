"""What the verbs of `mutiny-edge salesforce` share: who we are for Salesforce, a pause, trouble in words.

1. Settings are options and environment variables as everywhere, but for the secret: a command line is seen by
   everybody on the machine, so it is taken from the environment or a file alone.
2. `--object` may be given several times; without it, both.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import click
import re2
from click.core import ParameterSource

from engine.cli.options import READABLE, setting
from engine.cli.screen import fail
from engine.cli.trouble import told
from engine.salesforce.fields import OBJECTS
from engine.salesforce.trouble import SalesforceTrouble
from engine.settings import SETTINGS

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_PAUSE: Final = re2.compile(r"([1-9][0-9]{0,5})(s|m|h)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


class Pause(click.ParamType[float]):
    """A length of time: a whole number and its unit."""

    name = "pause"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, or a usage error."""
        found = _PAUSE.fullmatch(str(value))
        if found is None:
            self.fail(f"Expected a whole number and a unit (s, m, h) such as 5m, got {value!r}.", param, ctx)
        return float(int(found[1]) * _SECONDS[found[2]])


def objects(decorated: Decorated) -> Decorated:
    """`--object`, as often as there are objects."""
    return click.option(
        "--object", "objects", type=click.Choice(OBJECTS), multiple=True, help="Only this one; without it, both."
    )(decorated)


def access(decorated: Decorated) -> Decorated:
    """Everything that Salesforce knows us by."""
    for line in reversed([line for line in SETTINGS if line.of == "salesforce"]):
        how: dict[str, Any] = {"callback": _not_typed, "hidden": True} if line.secret else {}
        decorated = setting(line, READABLE if line.kind == "file" else None, **how)(decorated)
    return decorated


@contextmanager
def in_words() -> Iterator[None]:
    """What goes wrong with Salesforce, the mirror or the store ends the command with one line."""
    try:
        with told():
            yield
    except SalesforceTrouble as trouble:
        fail(str(trouble))


def _not_typed(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if param.name and ctx.get_parameter_source(param.name) == ParameterSource.COMMANDLINE:
        why = "on a command line everybody on this machine can read it"
        raise click.UsageError(f"{why}: set MUTINY_EDGE_SALESFORCE_CLIENT_SECRET, or give --client-secret-file.", ctx)
    return value

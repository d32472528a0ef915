"""The options of the service, made of the table of settings: `serve` takes them, and `config` shows what they come to.

What lives here: the types that click needs, and how the service's `Options` are made of what was given. What may not:
a default or a help text (`engine.settings` has them), serving.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from engine.cli import options
from engine.cli.kinds import Flag, Origins, Place, ProxyList, Whole, Written
from engine.settings import FIELDS, NAMED, SETTINGS, Setting, Settings
from engine.web.serve import Options

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

SERVED: Final = tuple(line for line in SETTINGS if not line.of)
_KINDS: Final[Mapping[str, Callable[[Setting], Any]]] = {
    "folder": lambda _: options.FOLDER,
    "file": lambda _: options.READABLE,
    "url": lambda _: Place(),
    "whole": lambda line: Whole(line.least, line.most),
    "host": Written,
    "flag": Flag,
    "time": Written,
    "memory": Written,
    "origins": lambda _: Origins(),
    "proxies": lambda _: ProxyList(),
    "choice": lambda line: click.Choice(line.choices, case_sensitive=False),
}


def service(*, there: bool) -> Callable[[Decorated], Decorated]:
    """Every option of the service. `there`: must the folder of rules exist?"""
    checked = {"rules": options.RULES} if there else {}

    def with_options(decorated: Decorated) -> Decorated:
        for line in reversed(SERVED):
            make = _KINDS.get(line.kind)
            kind = checked.get(line.name) or (make(line) if make else None)
            decorated = options.setting(line, kind)(decorated)
        return decorated

    return with_options


def meant(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given; a `--store` that was typed is for reading and writing, whatever the variables name for either."""
    either = () if not options.typed("store") else ("read_store", "write_store")
    return {**given, **{field: None for field in either if not options.typed(field)}}


def options_of(given: Mapping[str, Any]) -> Options:
    """How to serve, of what was meant."""
    of_node = {field: given[NAMED[name].field] for name, field in FIELDS.items()}
    return Options(
        settings=Settings(**of_node),
        host=given["host"],
        port=given["port"],
        workers=given["workers"],
        origins=given["origins"],
        drain_s=given["drain"],
        trusted_proxies=given["trusted_proxies"],
        admin_key_file=given["admin_key_file"],
        log_format=given["log_format"],
        log_level=given["log_level"],
    )

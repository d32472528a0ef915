"""What an option may hold: the types of options, each with a message that says what would be right.

1. A whole number within bounds, a list of origins, a list of proxies, the address of a store, and what is read as the
   table of settings says (`Written`); what is wrong with one is told before anything begins. What is wrong with an
   address is told without showing it, for a password may be in it.
2. An origin is written as browsers send it: scheme, host, and the port if it is not the scheme's own. A wrong one would
   quietly match no page for ever.
"""

from typing import Any, Final

import click
import re2

from engine.profiles.valkey.address import BadAddress, address, addresses
from engine.settings import Setting, SettingError, read
from engine.web.surroundings import Proxies

_ORIGIN: Final = re2.compile(r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?")
_OWN_PORTS: Final = {"http": "80", "https": "443"}


class Whole(click.IntRange):
    """A whole number within bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or a usage error with the bounds."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"Expected a whole number{bounds(self)}, got {value!r}.", param, ctx)


def bounds(kind: click.IntRange) -> str:
    """` from 0 to 65535`."""
    least = "" if kind.min is None else f" from {kind.min:g}" if kind.max is not None else f" of at least {kind.min:g}"
    return least if kind.max is None else f"{least} to {kind.max:.0f}"


class Written(click.ParamType[Any]):
    """What has its own notation in the table of settings: a length of time, an amount of memory, a host."""

    def __init__(self, line: Setting) -> None:
        self.name = line.kind
        self._line = line

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What it means, or a usage error."""
        try:
            return read(self._line, str(value))
        except SettingError as error:
            self.fail(str(error), param, ctx)


class Flag(click.types.BoolParamType):
    """Given or not; a variable says it in one of the words of the table."""

    def __init__(self, line: Setting) -> None:
        self._written = Written(line)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        """What it means, or a usage error."""
        return bool(self._written.convert(value, param, ctx))


class Place(click.ParamType[str]):
    """The address of a shared store; where it is read, several by commas."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address as it was written, or a usage error."""
        text = str(value)
        several = param is not None and param.name == "read_store"
        try:
            addresses(text) if several else address(text)
        except BadAddress as bad:
            self.fail(str(bad), param, ctx)
        return text


class Origins(click.ParamType[tuple[str, ...]]):
    """Websites by commas, as browsers name them; `*` for any."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The origins, or a usage error that names the one that is none."""
        return tuple(self._origin(item, param, ctx) for item in listed(value))

    def _origin(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if text == "*":
            return text
        found = _ORIGIN.fullmatch(text.lower())
        if found is None:
            expected = "origins such as https://www.example.com (scheme, host, port if any; no path), or * for any"
            self.fail(f"Expected {expected}, got {text!r}.", param, ctx)
        scheme, host, port = found.groups()
        return f"{scheme}://{host}" + (f":{port}" if port and port != _OWN_PORTS.get(scheme) else "")


class ProxyList(click.ParamType[tuple[str, ...]]):
    """Addresses and networks by commas; `*` for any peer."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The proxies, or a usage error that names the one that is none."""
        proxies = listed(value)
        for proxy in proxies:
            try:
                Proxies((proxy,))
            except ValueError:
                expected = "addresses or networks such as 10.0.0.0/8, or * for any"
                self.fail(f"Expected {expected}, got {proxy!r}.", param, ctx)
        return proxies


def listed(value: Any) -> tuple[str, ...]:
    """`a, b` as two; a tuple is one already."""
    items = value.split(",") if isinstance(value, str) else value
    return tuple(item for part in items if (item := part.strip()))

"""One page view, given on the command line: the options, and the request that a page would send for them.

What lives here: what `decide` and `explain` ask alike. What may not: answering.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from engine.cli import completion
from engine.cli.kinds import Whole
from engine.profiles.values import BadValue, normalise_traits
from engine.web.ask import Names

NAMES: Final = Names("--visitor", "--url")
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Traits(click.ParamType[dict[str, Any]]):
    """A JSON object whose values traits can have."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """The object, or a usage error that says what is wrong with the text."""
        try:
            traits = json.loads(value)
        except (ValueError, RecursionError) as error:
            self.fail(f"Expected a JSON object, got {value!r}: {error}", param, ctx)
        if not isinstance(traits, dict):
            self.fail(f"Expected a JSON object, got {value!r}", param, ctx)
        try:
            return normalise_traits(traits)
        except BadValue as bad:
            self.fail(f"{bad}.", param, ctx)


def of(*, required: bool) -> Callable[[Decorated], Decorated]:
    """The options of a page view; `--visitor` and `--url` may be left out where there is another way to give one."""
    made = (
        click.option("--visitor", metavar="ID", required=required, help="The visitor's id."),
        click.option("--url", metavar="URL", required=required, help="The page that is viewed, with https://."),
        click.option("--referrer", metavar="URL", default="", help="Where the visitor came from."),
        click.option("--title", metavar="TEXT", default="", help="The page's title."),
        click.option(
            "--traits", metavar="JSON", type=Traits(), help="What the page knows of its visitor; stored traits win."
        ),
        click.option("--count", metavar="N", type=Whole(0), help="The how many-th visit this is."),
        click.option(
            "--device",
            metavar="TYPE",
            shell_complete=completion.words("desktop", "mobile", "tablet", "bot"),
            help="desktop, mobile, tablet or bot.",
        ),
        click.option("--language", metavar="TAG", help="The browser's language, such as de-AT."),
        click.option("--country", metavar="CODE", help="Where the visitor is, such as AT."),
    )

    def decorate(command: Decorated) -> Decorated:
        for option in reversed(made):
            command = option(command)
        return command

    return decorate


def body(asked: Mapping[str, Any]) -> bytes:
    """The JSON body that a page would send; null is absent."""
    question = {
        "visitorId": asked["visitor"],
        "page": {"url": asked["url"], "referrer": asked["referrer"], "title": asked["title"]},
        "visit": {"count": asked["count"]},
        "device": {"type": asked["device"], "language": asked["language"]},
        "traits": asked["traits"],
    }
    return json.dumps(question).encode()


def headers(country: str | None) -> dict[bytes, bytes]:
    """The headers that a CDN would send; the only way in which a request tells where it comes from."""
    return {b"x-geo-country": country.encode()} if country else {}

"""`mutiny-edge sources`: who may send, and with which key.

1. A key is shown once, alone on stdout, so that a script can take it; what else there is to say goes to stderr.
2. A running service knows of every change at once.
3. `list` says when each source last sent something, as the store has it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from engine.cli import completion, options
from engine.cli.checkup_chain import heard
from engine.cli.kept_keys import writing_keys
from engine.cli.screen import fail, say
from engine.cli.table import print_table
from engine.cli.traits import day
from engine.cli.trouble import told
from engine.node import open_store, utc_now
from engine.profiles.catalogue import moment
from engine.segment.sources import KINDS, Source, SourceKind, Sources, SourcesError

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

HEAD = ("source", "kind", "keys", "webhook", "last event")

EPILOG = """\b
Examples:
  KEY=$(mutiny-edge sources add www --kind website)
  mutiny-edge sources list
  mutiny-edge sources rotate www
"""


@click.group(epilog=EPILOG)
def command() -> None:
    """Say who may send events here, and make keys for them."""


def named(decorated: Decorated) -> Decorated:
    """The argument NAME and the option `--data`."""
    return click.argument("name", metavar="NAME", shell_complete=completion.sources)(options.data(decorated))


@command.command()
@named
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What sends: it shows in origins and in doctor.")
def add(name: str, data: Path, kind: SourceKind) -> None:
    """Make a source; its write key is printed, this once.

    Give the key to a Segment library, and this service's address as its host.
    Example: KEY=$(mutiny-edge sources add www --kind website)
    """
    with _doing(data) as sources:
        key = sources.add(name, kind)
    _show(key, f"the write key of {name}: only its hash is kept, so it cannot be shown again")


@command.command()
@named
@click.option("--webhook", is_flag=True, help="The secret that Segment's webhook signs with, not the write key.")
def rotate(name: str, data: Path, webhook: bool) -> None:
    """Make a new key for a source; it is printed, this once. The one before it stays valid until the next rotation.

    With --webhook: make the secret of its webhook, `https://…/v1/webhook/NAME`, for a Segment that stays the hub.
    Example: mutiny-edge sources rotate www
    """
    with _doing(data) as sources:
        made = sources.rotate_webhook(name) if webhook else sources.rotate(name)
    what = "the secret of its webhook" if webhook else "the new write key"
    _show(made, f"{what}; the one before it is valid until you rotate again")


@command.command()
@named
def remove(name: str, data: Path) -> None:
    """End a source: nothing that its keys bring is taken any more. What it sent stays.

    Example: mutiny-edge sources remove www
    """
    with _doing(data) as sources:
        sources.remove(name)
    say(f"{name}: its keys open nothing any more")


@command.command(name="list")
@options.data
@options.store
@options.form("text", "json")
def list_(data: Path, store: str | None, form: str) -> None:
    """Say which sources there are, and when each last sent something.

    Example: mutiny-edge sources list --format json
    """
    with _doing(data, makes=False) as sources:
        found = sources.all()
        webhooks = sources.with_webhooks()
    with told(), closing(open_store(options.settings(data=data, store=store), read_only=True)) as opened:
        last = heard(opened)
    if form == "json":
        rows = [_as_json(source, source.name in webhooks, last.get(source.name)) for source in found]
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
    elif found:
        print_table(
            [HEAD, *(_row(source, source.name in webhooks, last.get(source.name)) for source in found)], (0, 1, 4)
        )
    else:
        say("no source yet; `mutiny-edge sources add www --kind website` makes one")


def _row(source: Source, webhook: bool, last_ms: int | None) -> tuple[str, ...]:
    when = "never" if last_ms is None else f"{day(last_ms, utc_now())} {moment(last_ms):%H:%M} UTC"
    return source.name, source.kind, str(len(source.keys)), "yes" if webhook else "", when


def _as_json(source: Source, webhook: bool, last_ms: int | None) -> dict[str, object]:
    when = None if last_ms is None else moment(last_ms)
    shown = {"name": source.name, "kind": source.kind, "keys": source.fingerprints()}
    return {**shown, "webhook": webhook, "lastEvent": when}


@contextmanager
def _doing(data: Path, *, makes: bool = True) -> Iterator[Sources]:
    """The sources of this data folder, which is made; what cannot be done ends the command."""
    if makes:
        data.mkdir(parents=True, exist_ok=True)
    try:
        with writing_keys("a file of keys"):
            yield Sources(data)
    except SourcesError as error:
        fail(str(error))


def _show(key: str, what: str) -> None:
    """The key alone on stdout; to who sits at a terminal, what it is."""
    click.echo(key)
    if sys.stdout.isatty():
        say(what)

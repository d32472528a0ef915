"""`mutiny-edge store`: what is stored, and whether it is whole.

1. A question makes no store: where nothing is stored, that is told.
2. Every record is read, with a bar on a terminal. No trait and no id is printed: of damaged records kind and hash.
3. `rebuild --from-log` is `replay` under the name by which whoever has a damaged store looks for it; `copy` is in
   `store_copy`.
4. `verify` lets a process of its own read everything first (`profiles.canary`), for a damaged file can end whoever
   reads it; only then it looks at each record itself.
"""

from contextlib import closing
from pathlib import Path
from typing import Final

import click
import msgspec

from engine import limits
from engine.cli import options, store_copy
from engine.cli.replay import carried_out
from engine.cli.screen import counted, fail, say
from engine.cli.store_nodes import applied, print_nodes
from engine.cli.stored import bar, named
from engine.cli.table import print_table
from engine.cli.trouble import told
from engine.node import STORE_FOLDER, open_store
from engine.profiles import identity
from engine.profiles.store import Store, StoreDamaged, StoreStats
from engine.profiles.survey import Survey, survey
from engine.settings import Settings
from engine.shared import is_shared

WAY_OUT: Final = (
    "A damaged record reads as absent. `mutiny-edge store rebuild --from-log` heals what Segment's messages said,\n"
    "of a shared store on each of its nodes; import again what was imported."
)

EPILOG = """\b
Examples:
  mutiny-edge store stats
  mutiny-edge store verify
  mutiny-edge store copy data redis://valkey:6379
  mutiny-edge store rebuild --from-log
"""


@click.group(epilog=EPILOG)
def command() -> None:
    """Say what is stored and whether it is whole, and move it."""


command.add_command(store_copy.copy)


@command.command()
@options.data
@options.store
@options.form("text", "json")
def stats(data: Path, store: str | None, form: str) -> None:
    """Count the records of each kind, and say how large the store is.

    Of a shared store also which nodes write to it, and how much of each one's event log is in it.
    Example: mutiny-edge store stats --format json
    """
    settings = _settings(data, store)
    with told(), closing(open_store(settings, read_only=True)) as opened:
        seen = _survey(opened)
        says = opened.stats()
        nodes = applied(settings) if is_shared(settings) else None
    if form == "json":
        counted = {"kinds": seen.kinds, "records": seen.records, "damaged": len(seen.damaged)}
        sizes = {"store": says.kind, "used_bytes": says.used_bytes, "map_bytes": says.map_bytes}
        shared = {} if nodes is None else {"server": named(settings), "nodes": nodes}
        _print_json(counted | sizes | {"readers": says.readers, "readers_most": says.readers_most} | shared)
    else:
        _show(seen, says, named(settings) if nodes is not None else "")
        print_nodes(nodes or [])


def _show(seen: Survey, says: StoreStats, server: str) -> None:
    kinds = [(kind, f"{held.records:,}", f"{held.bytes:,}") for kind, held in sorted(seen.kinds.items())]
    print_table([("kind", "records", "bytes"), *kinds], left=(0,))
    full = f", {says.used_bytes / says.map_bytes:.1%} of its map, which grows by itself" if says.map_bytes else ""
    where = f" at {server}: {says.used_bytes:,} bytes of its memory" if server else f": {says.used_bytes:,} bytes{full}"
    click.echo(f"\n{says.kind}{where}")
    if says.readers_most:
        click.echo(f"readers: {says.readers:,} of {says.readers_most:,}")
    click.echo(f"damaged: {len(seen.damaged):,}")


@command.command()
@options.data
@options.store
@options.form("text", "json")
@click.pass_context
def verify(ctx: click.Context, data: Path, store: str | None, form: str) -> None:
    """Read every record, and say which are damaged; then the exit code is 1.

    A damaged record is told by its kind and the first digits of its id's SHA-256: printf %s ID | sha256sum.
    Example: mutiny-edge store verify --format json
    """
    refused: str | None = None
    seen = Survey({}, [])
    with told():
        try:
            with closing(open_store(_settings(data, store), canary_s=limits.VERIFY_S, read_only=True)) as opened:
                seen = _survey(opened)
        except StoreDamaged as damaged:
            refused = str(damaged)
    if form == "json":
        _print_json({"records": seen.records, "damaged": seen.damaged, "refused": refused})
    else:
        _tell(seen, refused)
    if seen.damaged or refused:
        ctx.exit(1)


@command.command()
@click.option("--from-log", is_flag=True, required=True, help="From the event log, the only source there is.")
@options.data
@options.store
@options.form("text", "json")
@click.pass_context
def rebuild(ctx: click.Context, from_log: bool, data: Path, store: str | None, form: str) -> None:  # noqa: ARG001 - it is there to be said
    """Make the store what the event log says; it heals damaged records, and fills a store that was lost.

    The same as `mutiny-edge replay`. A store that is refused as damaged has to be moved away first, with the service
    stopped. Example: mutiny-edge store rebuild --from-log
    """
    if carried_out(options.settings(data=data, store=store), form):
        ctx.exit(1)


def _tell(seen: Survey, refused: str | None) -> None:
    if refused is not None:
        say(f"{click.style('refused:', fg='red', bold=True)} {refused}")
        return
    for bad in seen.damaged:
        click.echo(f"{bad.kind} {bad.id_hash}: {bad.why}")
    count = click.style(f"{len(seen.damaged):,} damaged", fg="red" if seen.damaged else None)
    say(f"{counted(seen.records, 'record')} read, {count}")
    if seen.damaged:
        say(WAY_OUT)


def _settings(data: Path, store: str | None) -> Settings:
    """The settings, if anything is stored there."""
    settings = options.settings(data=data, store=store)
    if not is_shared(settings) and not identity.has_store(data / STORE_FOLDER):
        fail(f"{data}: nothing is stored there; `mutiny-edge import` stores visitors")
    return settings


def _survey(store: Store) -> Survey:
    return survey(bar(store.scan(), store.stats().records, "records"))


def _print_json(value: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())

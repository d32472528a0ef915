"""`mutiny-edge import`: visitors and their traits into the store, from newline-delimited JSON.

1. Lines that are not acceptable are left out and told by number; the others go in.
2. A progress bar shows on a terminal, for a file whose size is known; nothing moves in a pipe.
3. Running it again changes nothing: newest wins, and the same is the same. So who ends it with Ctrl-C is told how many
   lines are stored, and that it may be run again.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from engine.cli import options
from engine.cli.screen import counted, say
from engine.cli.stored import bytes_bar
from engine.cli.trouble import told
from engine.node import open_store, utc_now
from engine.profiles.importing import Imported, import_lines
from engine.profiles.store import Store

EPILOG = """\b
A line is {"visitorId": "ada", "traits": {…}, "account": {…}, "timestamp": "2026-11-23T12:00:00Z"}; all but the
visitorId may be left out. Examples:
  mutiny-edge import visitors.ndjson
  zcat visitors.ndjson.gz | mutiny-edge import -
"""


@click.command(epilog=EPILOG)
@click.argument("file", metavar="FILE", type=click.File("rb"))
@options.data
@options.store
@options.form("text", "json")
@click.pass_context
def command(ctx: click.Context, file: BinaryIO, data: Path, store: str | None, form: str) -> None:
    """Read visitors and their traits into the store.

    FILE holds one JSON object a line; `-` reads from stdin. Lines that are not acceptable are left out and told by
    number; then the exit code is 1. A server that runs on the same data sees the visitors at once.
    """
    with told(), closing(open_store(options.settings(data=data, store=store))) as opened:
        imported = stored(file, opened)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(imported)).decode())
    else:
        tell(file.name, imported)
    if imported.rejected:
        ctx.exit(1)


def stored(file: BinaryIO, store: Store) -> Imported:
    """The import itself, with its bar; who interrupts it is told what is stored."""
    kept = 0

    def seen(read: int, lines: int) -> None:
        nonlocal kept
        kept = lines
        show(read)

    try:
        with progress(file) as show:
            return import_lines(file, store, utc_now(), seen)
    except KeyboardInterrupt:
        say(f"\n{file.name}: interrupted, {kept:,} lines are stored; to go on, run it again: that is harmless")
        raise


@contextmanager
def progress(file: BinaryIO) -> Iterator[Callable[[int], None]]:
    """To be told how many bytes are read; shown if there is a terminal to show it on and an end to expect."""
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode):
        yield lambda _: None
        return
    with bytes_bar(str(file.name), found.st_size) as more:
        before = 0

        def show(read: int) -> None:
            nonlocal before
            more(read - before)
            before = read

        yield show


def tell(name: str, imported: Imported) -> None:
    """The lines that were left out, and how many went in."""
    for rejected in imported.reasons:
        say(f"{click.style(f'{name}:{rejected.line}', bold=True)}: {rejected.reason}")
    untold = imported.rejected - len(imported.reasons)
    if untold:
        say(f"and {untold:,} more")
    left_out = click.style(f"{imported.rejected:,} left out", fg="red" if imported.rejected else None)
    say(f"{name}: {counted(imported.total, 'line')}, {imported.imported:,} imported, {left_out}")

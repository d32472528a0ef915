"""`mutiny-edge events`: what the event log holds, and what is Parquet of it.

1. `compact` first brings into the store what a process that died left in the log alone, and then makes Parquet of all
   finished files. A service does it by itself, day by day; it is free of harm beside one.
2. `stats` counts. Nothing is changed, and what is written meanwhile may be counted or not. A file that cannot be
   understood is named, and costs only itself.
3. A bar shows on a terminal, by bytes of the log.
"""

import shlex
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from engine.cli import options
from engine.cli.screen import counted, fail, say
from engine.cli.stored import bytes_bar
from engine.cli.table import print_table
from engine.cli.trouble import told
from engine.events import archive, parquet
from engine.events.disk import LogDamaged
from engine.events.line import Entry
from engine.events.reading import Damaged, entries, files, finished
from engine.events.recovery import torn
from engine.node import open_store
from engine.segment.compacting import Compacted, applied, compact, unapplied
from engine.segment.erasure import Erasures
from engine.segment.restoring import catch_up
from engine.segment.standing import archived
from engine.settings import Settings

EPILOG = """\b
Examples:
  mutiny-edge events stats
  mutiny-edge events compact
"""


class Held(Struct):
    """What some files hold, and when the first and the last of their events came."""

    files: int = 0
    events: int = 0
    bytes: int = 0
    damaged: int = 0
    unreadable: list[str] = []
    first_ms: int | None = None
    last_ms: int | None = None

    def saw(self, events: int, first_ms: int, last_ms: int) -> None:
        """So many more, which came between these times."""
        if not events:
            return
        self.events += events
        self.first_ms = first_ms if self.first_ms is None else min(self.first_ms, first_ms)
        self.last_ms = last_ms if self.last_ms is None else max(self.last_ms, last_ms)


@click.group(epilog=EPILOG)
def command() -> None:
    """Say what the event log holds, and make Parquet of it."""


@command.command(name="compact")
@options.data
@options.store
@options.form("text", "json")
@click.pass_context
def compact_(ctx: click.Context, data: Path, store: str | None, form: str) -> None:
    """Make Parquet of what is finished: smaller, and quicker to ask. Nothing is lost or there twice, whatever happens.

    `serve` does it by itself once a day is over. Files that a process still writes are left for the next time. Damaged
    lines are kept in DATA/events/damaged, and told; then the exit code is 1.
    Example: mutiny-edge events compact --data /var/lib/mutiny-edge
    """
    settings = options.settings(data=data, store=store)
    folder = settings.logs.events
    if not folder.is_dir():
        fail(f"{folder}: there is no event log; Segment's messages make one")
    with told(), closing(open_store(settings)) as opened:
        size = sum(path.stat().st_size for path in finished(folder))
        catch_up(folder, opened)
        with bytes_bar("event log", size) as read:
            taken = partial(archived, opened)
            done = compact(folder, applied(folder, opened), Erasures(settings.logs.erasures), read, taken)
        left, unknown = len(files(folder)), len(unapplied(folder, opened))
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(done)).decode())
    else:
        _tell(done, folder)
        _tell_left(left - unknown, unknown, folder)
    if done.damaged:
        ctx.exit(1)


def _tell(done: Compacted, folder: Path) -> None:
    if not done.files:
        say("nothing to compact: no file of lines is finished, and wholly in the store")
    else:
        times = done.files_bytes / done.parquet_bytes if done.parquet_bytes else 0
        smaller = f", {times:.0f} times smaller" if times >= 2 else ""  # a few events take more
        say(
            f"{counted(done.events, 'event')} of {counted(done.files, 'file')} of lines ({done.files_bytes:,} bytes) "
            f"are {counted(done.parquet, 'Parquet file')} now ({done.parquet_bytes:,} bytes{smaller})"
        )
    if done.damaged:
        lines = click.style(counted(done.damaged, "damaged line"), fg="red")
        say(f"{lines}: kept as they are in {folder / archive.DAMAGED_FOLDER}")


def _tell_left(written: int, unknown: int, folder: Path) -> None:
    """What stays as lines, and why."""
    if written:
        say(f"{counted(written, 'file')} of lines left, which a process is writing")
    if unknown:
        say(
            f"{counted(unknown, 'file')} of lines left, of which the store does not hold all: "
            f"`mutiny-edge replay --data {shlex.quote(str(folder.parent))}` brings it there, then compact again"
        )


@command.command()
@options.data
@options.form("text", "json")
@click.pass_context
def stats(ctx: click.Context, data: Path, form: str) -> None:
    """Count what is in the log, as lines and as Parquet, and say from when it is.

    Parquet files that cannot be read are named; then the exit code is 1.
    Example: mutiny-edge events stats --format json
    """
    folder = Settings(data=data).logs.events
    if not folder.is_dir():
        fail(f"{folder}: there is no event log; Segment's messages make one")
    with told():
        found = _held(folder)
    ends = len(torn(folder))
    unreadable = [trouble for held in found.values() for trouble in held.unreadable]
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode({**found, "torn": ends})).decode())
    else:
        _show(found, ends)
        for trouble in unreadable:
            say(trouble)
    if unreadable:
        ctx.exit(1)


def _show(found: dict[str, Held], ends: int) -> None:
    rows = [("kept as", "files", "events", "bytes", "first came", "last came"), *map(_row, found, found.values())]
    print_table(rows, left=(0,))
    click.echo(f"\ndamaged lines: {sum(held.damaged for held in found.values()):,}")
    click.echo(f"torn ends: {ends:,}, which were never acknowledged")


def _held(folder: Path) -> dict[str, Held]:
    """Lines, Parquet, and lines that could not be compacted."""
    parts = archive.parts(folder)
    kept = {"lines": parts.lines, "parquet": parts.parquet, "damaged": tuple(archive.damaged(folder))}
    size = sum(path.stat().st_size for paths in kept.values() for path in paths)
    with bytes_bar("event log", size) as read:
        return {name: _held_by(paths, read) for name, paths in kept.items()}


def _held_by(paths: Iterable[Path], read: Callable[[int], None]) -> Held:
    held = Held()
    for path in paths:
        with suppress(FileNotFoundError):  # it is compacted by now, and was counted or will be the next time
            size = path.stat().st_size
            try:
                if path.suffix == archive.PARQUET_SUFFIX:
                    held.saw(*parquet.counted(path))
                else:
                    _count_lines(path, held)
            except LogDamaged as error:
                held.unreadable.append(str(error))
            held.files += 1
            held.bytes += size
            read(size)
    return held


def _count_lines(path: Path, held: Held) -> None:
    for found in entries(path):
        if isinstance(found, Entry) and found.message is not None:
            held.saw(1, found.received_ms, found.received_ms)
        elif isinstance(found, Damaged):
            held.damaged += 1


def _row(name: str, held: Held) -> tuple[str, ...]:
    return name, f"{held.files:,}", f"{held.events:,}", f"{held.bytes:,}", _when(held.first_ms), _when(held.last_ms)


def _when(moment_ms: int | None) -> str:
    return "" if moment_ms is None else f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%d %H:%M}"

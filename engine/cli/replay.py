"""`mutiny-edge replay`: what the event log says, into the store.

1. The log is the truth, the store what it says now: replaying is always free of harm, also beside a running service.
2. What was compacted (`events compact`) is read as well as lines are.
3. A bar shows on a terminal, by bytes of the log.
4. Damaged lines are counted and left out, damaged files are named; then the exit code is 1.
"""

from contextlib import closing
from pathlib import Path

import click
import msgspec

from engine.cli import options
from engine.cli.screen import counted, fail, say
from engine.cli.stored import bytes_bar
from engine.cli.trouble import told
from engine.node import open_store
from engine.segment.applying import Applied
from engine.segment.restoring import all_files, replay
from engine.settings import Settings

EPILOG = """\b
Examples:
  mutiny-edge replay
  mutiny-edge replay --data /var/lib/mutiny-edge --format json
"""


@click.command(epilog=EPILOG)
@options.data
@options.store
@options.form("text", "json")
@click.pass_context
def command(ctx: click.Context, data: Path, store: str | None, form: str) -> None:
    """Apply the event log to the store.

    Whatever was ever acknowledged is in it afterwards. For a store that was lost, damaged and moved away, or put back
    from an older backup; stop a service before you move its store away. What did not come from Segment
    (imported visitors, Salesforce) is not in the log: import it again.

    A shared store gets from it what came to this node; the other nodes have logs of their own.
    """
    if carried_out(options.settings(data=data, store=store), form):
        ctx.exit(1)


def carried_out(settings: Settings, form: str) -> bool:
    """The whole log into the store, and told; whether any of it is damaged."""
    files = all_files(settings.logs.events)
    if not files:
        fail(f"{settings.logs.events}: there is no event log; Segment's messages make one")
    size = sum(path.stat().st_size for path in files)
    with told(), closing(open_store(settings)) as opened, bytes_bar("event log", size) as read:
        applied = replay(settings.logs.events, opened, read)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(applied)).decode())
    else:
        tell(len(files), applied)
    return bool(applied.damaged or applied.unreadable)


def tell(files_read: int, applied: Applied) -> None:
    """What came of it."""
    damaged = click.style(f"{counted(applied.damaged, 'damaged line')} left out", fg="red" if applied.damaged else None)
    for trouble in applied.unreadable:
        say(trouble)
    files_read -= len(applied.unreadable)
    say(f"{counted(applied.events, 'event')} of {counted(files_read, 'file')} applied, {damaged}")
    if applied.torn:
        ends = "1 file ends" if applied.torn == 1 else f"{applied.torn:,} files end"
        say(f"{ends} in the middle of a line, which was never acknowledged")

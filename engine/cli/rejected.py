"""`mutiny-edge rejected`: messages that were not acceptable, and trying them again.

1. `list` shows when, from which source and why; the messages themselves, which hold personal data, only with `--raw`.
2. `replay` judges each again as if it came now, with the times it had. What is acceptable goes into the event log and
   the store, and leaves the rejected log; the rest stays where it is.
3. Both can be run beside a service.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final

import click
import msgspec

from engine import limits
from engine.cli import options
from engine.cli.explain_text import safe
from engine.cli.kinds import Whole
from engine.cli.screen import fail, say
from engine.cli.stored import bar
from engine.cli.table import print_table
from engine.cli.trouble import told
from engine.events.rejected import Rejected, counts, listing, mark, rejections
from engine.intake import Intake
from engine.node import open_store, utc_now
from engine.profiles.catalogue import moment
from engine.segment.accept import Delivery, accept, again
from engine.settings import Settings

HEAD: Final = ("received", "source", "code", "reason")
REASON_CHARS: Final = 100
BATCH: Final = 500  # messages that share one fsync

EPILOG = """\b
Examples:
  mutiny-edge rejected list --most 20
  mutiny-edge rejected replay
"""


@click.group(epilog=EPILOG)
def command() -> None:
    """Look at messages that were not acceptable, and try them again."""


@command.command(name="list")
@options.data
@click.option(
    "--most", type=Whole(1), default=limits.REJECTED_SHOWN, show_default=True, help="Show so many, the newest."
)
@click.option("--raw", is_flag=True, help="Show what was sent, too. It may hold personal data.")
@options.form("text", "json")
def list_(data: Path, most: int, form: str, *, raw: bool) -> None:
    """Say what was rejected, when, from which source and why; the newest last.

    Example: mutiny-edge rejected list --format json --raw
    """
    found = listing(Settings(data=data).logs.rejected, most)
    if form == "json":
        rows = [_as_json(rejected, raw=raw) for rejected in found]
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
    elif not found:
        say("nothing is in the rejected log")
    else:
        _show(found, raw=raw)


@command.command()
@options.data
@options.store
@options.form("text", "json")
def replay(data: Path, store: str | None, form: str) -> None:
    """Judge every rejected message again, and take what is acceptable by now.

    For after a fix, of what sends or of a newer version here. Each message keeps its time, so nothing newer is undone.
    Example: mutiny-edge rejected replay
    """
    settings = options.settings(data=data, store=store)
    if not settings.logs.rejected.exists():
        fail(f"{settings.logs.rejected}: there is no rejected log")
    taken = 0
    why: Counter[str] = Counter()
    with told(), closing(open_store(settings)) as opened:
        intake = Intake(settings.logs, opened, utc_now)
        for batch in _batches(settings.logs.rejected):
            taken += _try_again(intake, settings.logs.rejected, batch, why)
        intake.stop()
    if form == "json":
        click.echo(msgspec.json.encode({"taken": taken, "rejected": why}).decode())
        return
    say(f"{taken:,} taken, {why.total():,} still not acceptable")
    for code, count in why.most_common():
        say(f"  {code}: {count:,}")


def _batches(folder: Path) -> Iterator[list[Rejected]]:
    """All that is rejected, with a bar."""
    found = bar(rejections(folder), counts(folder).total(), "messages")
    while batch := list(islice(found, BATCH)):
        yield batch


def _try_again(intake: Intake, folder: Path, batch: list[Rejected], why: Counter[str]) -> int:
    """How many of these are acceptable now; they are kept, and marked. Raises LogError, StoreError."""
    taken: list[Rejected] = []
    deliveries: list[Delivery] = []
    for rejected in batch:
        if not rejected.whole:
            why[rejected.code] += 1
            continue
        delivery = accept(again(rejected.message), rejected.source, moment(rejected.received_ms))
        if delivery.rejected:
            why[delivery.rejected[0].code] += 1
        else:
            taken.append(rejected)
            deliveries.append(Delivery(delivery.messages, [], delivery.not_for_us))
    intake.write(deliveries)
    mark(folder, taken)
    return len(taken)


def _show(found: list[Rejected], *, raw: bool) -> None:
    rows = [
        (f"{moment(one.received_ms):%Y-%m-%d %H:%M:%S}", one.source, one.code, safe(one.reason, REASON_CHARS))
        for one in found
    ]
    if not raw:
        print_table([HEAD, *rows], (0, 1, 2, 3))
        return
    for row, one in zip(rows, found, strict=True):
        click.echo("  ".join(row))
        click.echo(f"  {safe(one.message.decode(errors='replace'), limits.EVENT_BYTES)}")


def _as_json(rejected: Rejected, *, raw: bool) -> dict[str, object]:
    told_ = {"received": moment(rejected.received_ms), "source": rejected.source, "code": rejected.code}
    sent = {"raw": rejected.message.decode(errors="replace"), "whole": rejected.whole} if raw else {}
    return {**told_, "reason": rejected.reason, **sent}

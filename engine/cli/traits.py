"""`mutiny-edge traits`: every trait, account trait and event that was ever sent, counted.

1. Counting is `profiles.catalogue`; here the store's rows go in and tables come out.
2. Of a large store a sample of records is looked into, always the same one (`--all` looks into every one); names,
   sources and times that Segment's messages had are known of all of them.
3. A day is told as people say it; JSON has the exact times.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click
import msgspec

from engine.cli import options
from engine.cli.explain_text import safe, value
from engine.cli.screen import fail, say
from engine.cli.stored import bar, left_out, sampled
from engine.cli.table import print_table
from engine.cli.trouble import told
from engine.node import open_store, utc_now
from engine.profiles.catalogue import Catalogue, Entry, Looked, Readable, catalogue, moment, to_json
from engine.review.sampling import margin
from engine.settings import Settings
from engine.shared import is_shared

NAME_CHARS: Final = 40
EXAMPLES_CHARS: Final = 60
SOURCES: Final = 3  # of one name, on a screen; JSON has them all

HEAD: Final[tuple[str, ...]] = ("trait", "share", "types", "first seen", "last seen", "sources", "examples")
EVENTS_HEAD: Final[tuple[str, ...]] = ("event", "first seen", "last seen", "sources")

EPILOG = """\b
Examples:
  mutiny-edge traits
  mutiny-edge traits --all --format json
"""


@click.command(epilog=EPILOG)
@options.data
@options.store
@sampled
@options.form("text", "json")
def command(*, data: Path, store: str | None, size: int, everyone: bool, form: str) -> None:
    """Say which traits, account traits and events were sent.

    Of each its types, which share of the records has it, since when and until when it was seen, from which sources,
    and, where there are few different values, which. Nothing has to be declared for a trait to be here, or in rules.
    """
    found = look(options.settings(data=data, store=store), None if everyone else size)
    FORMS[form](found)
    if form != "json" and not (found.traits or found.account or found.events):
        say("no trait and no event yet; `mutiny-edge doctor` says what is missing")


def look(settings: Settings, size: int | None, readable: Readable = lambda _: ()) -> Catalogue:
    """The catalogue of the store that the settings name, with a bar; no store is made for the question."""
    if not is_shared(settings) and not settings.data.exists():
        fail(f"{settings.data}: no such folder, so nothing is stored; point a Segment source here, or import visitors")
    with told(), closing(open_store(settings, read_only=True)) as store:
        return catalogue(bar(store.scan(), store.stats().records, "records"), size, readable)


def print_text(found: Catalogue) -> None:
    """A table for each kind of name of which there are any."""
    now = utc_now()
    if found.damaged:
        click.echo(left_out(found.damaged))
    tables = [
        (title, f" ({of_whom(looked)})", HEAD, [trait_row(entry, looked, now) for entry in entries])
        for title, entries, looked in (
            ("Traits", found.traits, found.people),
            ("Account traits", found.account, found.groups),
        )
    ]
    tables.append(("Events", "", EVENTS_HEAD, [(named(entry), *seen(entry, now)) for entry in found.events]))
    shown = [table for table in tables if table[-1]]
    for number, (title, whom, head, rows) in enumerate(shown):
        click.echo(("\n" if number else "") + click.style(title, bold=True) + whom)
        print_table([head, *rows], left=(0, *range(2, len(head))) if head is HEAD else range(len(head)))
    if not found.complete:
        click.echo("\nThere are more names than are counted here: ids seem to be used as names.")


def of_whom(looked: Looked) -> str:
    """`of 2,742 records that hold any`, or of how many of a sample."""
    whole = f"of {looked.holding:,} record{'s' * (looked.holding != 1)} that hold{'s' * (looked.holding == 1)} any"
    return whole if looked.is_all else f"{whole}, in a sample of {looked.looked:,} of {looked.records:,}; shares ± 95%"


def trait_row(entry: Entry, looked: Looked, now: datetime) -> tuple[str, ...]:
    """A trait's line of the table."""
    examples = safe(", ".join(map(value, msgspec.to_builtins(entry.examples))), EXAMPLES_CHARS)
    return named(entry), share_text(entry, looked), types_text(entry), *seen(entry, now), examples


def share_text(entry: Entry, looked: Looked) -> str:
    """`69.4%`, of a sample `69.4% ± 0.6%`; what somebody has is not 0."""
    share = "<0.1%" if 0 < entry.share < 0.0005 else f"{entry.share:.1%}"
    return share if looked.is_all else f"{share} ± {margin_of(entry, looked):.1%}"


def margin_of(entry: Entry, looked: Looked) -> float:
    """How far the share may be from that of all records."""
    return margin(entry.held, looked.holding, round(looked.holding * looked.records / looked.looked))


def types_text(entry: Entry) -> str:
    """`string`, or `number 61%, string 39%`."""
    ranked = sorted(entry.types.items(), key=lambda item: (-item[1], item[0]))
    return ranked[0][0] if len(ranked) == 1 else ", ".join(f"{kind} {part(n / entry.held)}" for kind, n in ranked)


def part(share: float) -> str:
    """`61%`; what is not all and not nothing does not read so."""
    return "<1%" if share < 0.005 else ">99%" if 0.995 < share < 1 else f"{share:.0%}"


def named(entry: Entry) -> str:
    """The name, as a terminal can show it."""
    return safe(entry.name, NAME_CHARS)


def seen(entry: Entry, now: datetime) -> Sequence[str]:
    """First and last day, and the sources."""
    days = [day(time, now) if time is not None else "" for time in (entry.first_ms, entry.last_ms)]
    more = len(entry.sources) - SOURCES
    return *days, ", ".join(map(safe, entry.sources[:SOURCES])) + (f" and {more} more" if more > 0 else "")


def day(time_ms: int, now: datetime) -> str:
    """`today`, `yesterday`, or the date."""
    at = moment(time_ms).date()
    names = {now.date(): "today", now.date() - timedelta(days=1): "yesterday"}
    return names.get(at, at.isoformat())


def print_json(found: Catalogue) -> None:
    """One object, as `GET /v1/traits` answers it."""
    click.echo(json.dumps(to_json(found), indent=2, ensure_ascii=False))


FORMS: dict[str, Callable[[Catalogue], None]] = {"text": print_text, "json": print_json}

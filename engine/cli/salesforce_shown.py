"""`mutiny-edge salesforce status`, `fields` and `replay`: what is known here of Salesforce, without asking it.

1. All of it is read from the mirror under the data folder, also while a sync is at work.
2. `fields` is the catalogue of what rules may ask for, beside `mutiny-edge traits`.
3. `replay` brings all of the mirror into the store, as `mutiny-edge replay` does with the event log.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

import click
import msgspec

from engine.cli import options
from engine.cli.explain_text import safe
from engine.cli.salesforce_options import in_words, objects
from engine.cli.salesforce_text import Bars, listed, usage
from engine.cli.screen import counted, fail, say
from engine.cli.table import print_table
from engine.node import open_store, utc_now
from engine.profiles.record import time_ms
from engine.salesforce.fields import OBJECTS, Field, Object
from engine.salesforce.lock import alone
from engine.salesforce.mirror import Mirror, path_of
from engine.salesforce.projection import bring, waiting
from engine.salesforce.report import Report, Told, catalogue, report

HEAD: Final = ("in rules", "type", "label", "values")
LABEL_CHARS: Final = 30
VALUES_CHARS: Final = 60
_NOTHING: Final = "nothing was read from Salesforce yet; `mutiny-edge salesforce sync` reads it"


@click.command(short_help="Say how far it is.", epilog="Example: mutiny-edge salesforce status --format json")
@options.data
@options.store
@options.form("text", "json")
def status(*, data: Path, store: str | None, form: str) -> None:
    """Say what is here of Salesforce, how old it is, and how the last sync went."""
    with in_words(), closing(open_store(options.settings(data=data, store=store), read_only=True)) as opened:
        found = report(data, opened)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    elif found is None:
        say(_NOTHING)
    else:
        for line in lines(found):
            click.echo(line)


def lines(found: Report) -> Iterator[str]:
    """The report, line by line."""
    for told in found.objects:
        counts = f"{counted(told.records, 'record')}, {counted(told.fields, 'field')}"
        yield f"{told.object:<8} {counts}, {_since(told)}"
        yield f"{'':<8} {', '.join(_notes(told))}"
        if told.unusable:
            yield f"{'':<8} some values are none of their field's type, and absent: {listed(told.unusable)}"
        if told.imported is False:
            yield f"{'':<8} the last file was not read to its end: run `mutiny-edge salesforce import` again"
    if found.waiting:
        wait = "waits" if found.waiting == 1 else "wait"
        yield f"{'store':<8} {counted(found.waiting, 'address', 'addresses')} {wait} to be brought there"
    if found.outcome is not None:
        how = "went well" if found.outcome.trouble is None else found.outcome.trouble
        yield f"{'last':<8} {moment(found.outcome.ended)}: {how}"
        yield f"{'API':<8} {usage(found.outcome)}"


def _notes(told: Told) -> Iterator[str]:
    yield f"{told.without_email:,} without an email"
    yield f"{counted(told.shared, 'address', 'addresses')} with several"
    if told.object == "Lead":
        yield f"{told.converted:,} converted"
    if told.at_work is not None:
        yield f"a job is at work, {told.at_work:,} of its records are kept"


def _since(told: Told) -> str:
    if told.synced is None:
        return "never synced" if told.imported is None else "from a file"
    return f"synced {moment(told.synced)}"


def moment(time: datetime | None) -> str:
    """`2026-11-25 16:00 UTC`."""
    return "never" if time is None else f"{time:%Y-%m-%d %H:%M} UTC"


@click.command(short_help="Say what rules may ask for.", epilog="Example: mutiny-edge salesforce fields --object Lead")
@objects
@options.data
@options.form("text", "json")
def fields(*, objects: tuple[Object, ...], data: Path, form: str) -> None:
    """Say which fields rules may ask for, of which type, and the values of picklists.

    As the org described them at the last sync, or as they were found in an export. Nothing has to be mapped.
    """
    with in_words():
        found = {object_: of for object_, of in catalogue(data).items() if object_ in (objects or OBJECTS)}
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(_plain(found))).decode())
    elif not found:
        say(_NOTHING)
    for number, (object_, of) in enumerate(found.items() if form == "text" else ()):
        click.echo(("\n" if number else "") + click.style(object_, bold=True))
        print_table([HEAD, *(_row(object_, field) for field in of)], left=range(len(HEAD)))


def _plain(found: Mapping[Object, tuple[Field, ...]]) -> list[dict[str, object]]:
    return [
        {
            "name": in_rules(object_, field),
            "type": field.kind,
            "salesforceType": field.type,
            "label": field.label,
            "formula": field.calculated,
            "values": field.values,
        }
        for object_, of in found.items()
        for field in of
    ]


def _row(object_: Object, field: Field) -> tuple[str, ...]:
    type_ = field.kind if field.kind == field.type else f"{field.kind} ({field.type}{', formula' * field.calculated})"
    values = safe(", ".join(field.values), VALUES_CHARS)
    return safe(in_rules(object_, field)), type_, safe(field.label, LABEL_CHARS), values


def in_rules(object_: Object, field: Field) -> str:
    """`salesforce.lead.NumberOfEmployees`."""
    return f"salesforce.{object_.lower()}.{field.name}"


@click.command(short_help="Bring what was read into a new store.", epilog="Example: mutiny-edge salesforce replay")
@options.data
@options.store
def replay(*, data: Path, store: str | None) -> None:
    """Bring all that was read into the store, without asking Salesforce.

    For a store that was lost, or put back from an older backup. A sync does the same where it is needed.
    """
    if not path_of(data).exists():
        fail(_NOTHING)
    with (
        in_words(),
        alone(data),
        closing(open_store(options.settings(data=data, store=store))) as opened,
        closing(Mirror(data)) as mirror,
        Bars() as bars,
    ):
        mirror.soil(())
        total, done = waiting(mirror), 0

        def progress(more: int) -> None:
            nonlocal done
            done += more
            bars.more("store", more, total)

        written = bring(mirror, opened, time_ms(utc_now()), progress)
    looked = counted(done, "address", "addresses")
    say(f"{looked} looked at, {counted(written, 'record')} changed in the store")

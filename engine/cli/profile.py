"""`mutiny-edge profile`: all that is known of one visitor, person or account, and where each value comes from.

1. The way through the records and what counts of them is `profiles.origins`'s; here it is asked for and laid out.
2. An id alone may be anybody's: it is tried as a visitor's first, then as anonymous, user and group id.
3. What it prints is personal data, as nothing else that people are shown is; it is read from the store alone.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import click
import msgspec

from engine.cli import options
from engine.cli.explain_text import safe, value
from engine.cli.screen import fail, say
from engine.cli.table import print_table
from engine.cli.trouble import told
from engine.node import open_store
from engine.profiles.catalogue import moment
from engine.profiles.ids import BadId, Kind, key
from engine.profiles.origins import Held, Origins, Step, origins, to_json
from engine.profiles.store import Store
from engine.shared import is_shared

KINDS: Final[tuple[Kind, ...]] = ("visitor", "anonymous", "user", "group")
ID_CHARS: Final = 48
HEAD: Final = ("trait", "value", "set at", "by", "in", "")

EPILOG = """\b
Examples:
  mutiny-edge profile b5c9e1f2-0000-4000-8000-1234567890ab
  mutiny-edge profile u-4711 --kind user --format json
"""


@click.command(epilog=EPILOG)
@click.argument("id_", metavar="ID")
@click.option("--kind", type=click.Choice(KINDS), help="Whose id it is; without it, the first of these that is known.")
@options.data
@options.store
@options.form("text", "json")
@click.pass_context
def command(ctx: click.Context, *, id_: str, kind: Kind | None, data: Path, store: str | None, form: str) -> None:
    """Show one profile, and where every value in it comes from.

    The records that a decision reads, each with the link that leads to it; of every trait its value, when it was set,
    by which source and event, and in which record it stands. Values that a later record covers, and traits that were
    removed, are shown as such. Exit code 1 if nothing is known of the ID.
    """
    settings = options.settings(data=data, store=store)
    if not is_shared(settings) and not data.exists():
        fail(f"{data}: no such folder, so nothing is stored")
    with told(), closing(open_store(settings, read_only=True)) as opened:
        found = look(opened, id_, KINDS if kind is None else (kind,))
    if found is None:
        say(f"nothing is known of {safe(id_, ID_CHARS)}, {in_words(KINDS if kind is None else (kind,))}")
        ctx.exit(1)
    FORMS[form](found)


def look(store: Store, id_: str, kinds: Sequence[Kind]) -> Origins | None:
    """What is known of this id, as one of the first of these kinds that there is a record of."""
    for kind in kinds:
        try:
            found = origins(store, key(kind, id_))
        except BadId as bad:
            fail(f"this can be no id: {bad}")
        if found.known:
            return found
    return None


def in_words(kinds: Sequence[Kind]) -> str:
    """`as an id of a visitor, anonymous, user or group`."""
    return f"as the id of a {' or '.join(', '.join(kinds).rsplit(', ', 1))}"


def print_text(found: Origins) -> None:
    """The way through the records, then what stands in them."""
    first = found.steps[0]
    click.echo(click.style(record(first), bold=True) + of_deletion(first))
    width = max((len(record(step)) for step in found.steps[1:]), default=0)
    for step in found.steps[1:]:
        for line in way(step, width):
            click.echo(line)
    for title, held in (
        ("Traits", found.traits),
        ("Account traits", found.account),
        ("Salesforce lead", found.lead),
        ("Salesforce contact", found.contact),
    ):
        if held:
            click.echo("\n" + click.style(title, bold=True))
            print_table([HEAD, *map(row, held)], left=range(len(HEAD)))
    if not (found.traits or found.account or found.lead or found.contact):
        click.echo("\nno trait is known")


def way(step: Step, width: int) -> Iterator[str]:
    """One record, and the link that leads to it."""
    known = "" if step.found else "  nothing else is known of it"
    by = "" if step.linked_ms is None else f"  since {time(step.linked_ms)}{said_by(step.origin)}"
    yield f"  {record(step):<{width}}{by}{known}{of_deletion(step)}"
    if step.other_ms is not None and step.kind == "user":
        yield f"    another user had this device until {time(step.other_ms)}: of its own traits none counts"
    elif step.other_ms is not None:
        yield f"    another one was linked until {time(step.other_ms)}"


def of_deletion(step: Step) -> str:
    """What was deleted, and what cannot be read."""
    damaged = click.style("  damaged, reads as absent: mutiny-edge store verify", fg="red") if step.damaged else ""
    return damaged if step.deleted_ms is None else f"{damaged}  all up to {time(step.deleted_ms)} was deleted"


def row(held: Held) -> tuple[str, ...]:
    """A value's line of the table."""
    shown = "" if held.state == "removed" else value(msgspec.to_builtins(held.value))
    note = "" if held.state == "counts" else held.state
    where = f"{held.kind} {safe(held.id, ID_CHARS)}"
    return safe(held.name, ID_CHARS), shown, time(held.time_ms), safe(held.origin), where, note


def record(step: Step) -> str:
    """`anonymous 7f3c…`."""
    return f"{step.kind} {safe(step.id, ID_CHARS)}"


def said_by(origin: str) -> str:
    """` by website identify`; nothing where it was not kept."""
    return f" by {safe(origin)}" if origin else ""


def time(time_ms: int) -> str:
    """`2026-06-01 12:00:00.123Z`."""
    return moment(time_ms).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")


def print_json(found: Origins) -> None:
    """One object, as `GET /v1/profiles/{kind}/{id}` answers it."""
    click.echo(json.dumps(to_json(found), indent=2, ensure_ascii=False))


FORMS: dict[str, Callable[[Origins], None]] = {"text": print_text, "json": print_json}

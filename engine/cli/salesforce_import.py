"""`mutiny-edge salesforce import`: a Data Loader export, for people without API access.

1. Reading is `engine.salesforce.exports`; here the file is opened, and what came of it is told.
2. Running it again changes nothing. Lines that are left out make the exit code 1.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from engine.cli import options
from engine.cli.salesforce_options import in_words
from engine.cli.salesforce_text import Bars, listed, unusable
from engine.cli.screen import counted, fail, say
from engine.node import open_store, utc_now
from engine.problems import did_you_mean
from engine.profiles.record import time_ms
from engine.salesforce.exports import TYPES, Imported, import_csv
from engine.salesforce.fields import OBJECTS, Object
from engine.salesforce.lock import alone
from engine.salesforce.mirror import Mirror
from engine.salesforce.projection import IMPORTED, bring, waiting
from engine.salesforce.trouble import Refused

EPILOG = """\b
In Data Loader choose Export, all fields, and switch on "Write all CSVs with UTF-8 encoding". Examples:
  mutiny-edge salesforce import leads.csv --object Lead
  mutiny-edge salesforce import contacts.csv --object Contact --full
  mutiny-edge salesforce import leads.csv --object Lead --type Region_Code__c=text
"""


class FieldType(click.ParamType[tuple[str, str]]):
    """`FIELD=TYPE`."""

    name = "type"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Field and type, or a usage error."""
        field, _, type_ = str(value).partition("=")
        if not field or type_ not in TYPES:
            near = did_you_mean(type_, TYPES) or f"types are {', '.join(TYPES)}"
            self.fail(f"Expected FIELD=TYPE such as Zip__c=text, got {value!r}; {near}", param, ctx)
        return field, type_


@click.command(name="import", epilog=EPILOG)
@click.argument("file", metavar="FILE.csv", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--object", "object_", type=click.Choice(OBJECTS), required=True, help="What its lines are.")
@click.option("--full", is_flag=True, help="It holds all of them: those that are not in it are gone.")
@click.option(
    "--type", "types", metavar="FIELD=TYPE", type=FieldType(), multiple=True, help=f"One of {', '.join(TYPES)}."
)
@click.option("--encoding", default="utf-8-sig", show_default=True, help="How its characters are written.")
@options.data
@options.store
@options.form("text", "json")
@click.pass_context
def import_(
    ctx: click.Context,
    *,
    file: Path,
    object_: Object,
    full: bool,
    types: tuple[tuple[str, str], ...],
    encoding: str,
    data: Path,
    store: str | None,
    form: str,
) -> None:
    """Read a Data Loader export.

    The first line of FILE.csv names the fields, as the API does; Id and Email have to be among them. Types of custom
    fields are found out from all their values, unless --type says them. Lines that are no records are left out and told
    by number; then the exit code is 1.
    """
    with (
        in_words(),
        alone(data),
        closing(open_store(options.settings(data=data, store=store))) as opened,
        closing(Mirror(data)) as mirror,
        Bars() as bars,
        _read(file, encoding) as lines,
    ):
        size = file.stat().st_size
        imported = import_csv(
            lines, object_, mirror, dict(types), whole=full,
            progress=lambda _: bars.tell(object_, lines.buffer.tell(), size),
        )  # fmt: skip
        total = waiting(mirror)
        written = bring(
            mirror, opened, time_ms(utc_now()), lambda more: bars.more("store", more, total), origin=IMPORTED
        )
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode({"imported": imported, "written": written})).decode())
    else:
        _tell(file, imported, written, full=full)
    if imported.rejected:
        ctx.exit(1)


@contextmanager
def _read(file: Path, encoding: str) -> Iterator[TextIO]:
    """The file; what is wrong with it and its characters ends the command."""
    try:
        with file.open(encoding=encoding, newline="") as lines:
            yield lines
    except UnicodeError:
        do = 'switch on "Write all CSVs with UTF-8 encoding" in Data Loader, or give --encoding cp1252'
        with file.open("rb") as raw:
            begin = raw.read(2)
        if begin in {b"\xff\xfe", b"\xfe\xff"}:
            do = "it begins as UTF-16 does: give --encoding utf-16"
        elif encoding.lower().startswith("utf-16"):
            do = "UTF-16 without its mark needs --encoding utf-16-le or utf-16-be; most files are utf-8"
        fail(f"{file}: this is not {encoding}; {do}")
    except Refused as refused:
        fail(f"{file}: {refused}")
    except LookupError:
        fail(f"--encoding {encoding}: no such encoding; utf-8 or cp1252 are usual ones")


def _tell(file: Path, imported: Imported, written: int, *, full: bool) -> None:
    for rejected in imported.reasons:
        say(f"{click.style(f'{file}:{rejected.line}', bold=True)}: {rejected.reason}")
    if imported.unusable:
        say(click.style(unusable(imported.unusable), fg="yellow"))
    if imported.left_out:
        say(f"columns left out that are no fields of the object: {listed(imported.left_out)}")
    if full and imported.rejected:
        say("no record was taken away, for lines were left out that may hold it: mend them and run it again")
    kept = imported.kept
    left_out = click.style(f"{imported.rejected:,} left out", fg="red" if imported.rejected else None)
    counts = f"{kept.new:,} new, {kept.changed:,} changed, {kept.gone:,} gone, {left_out}"
    say(f"{file}: {counted(imported.total, 'record')}, {counts}; {written:,} changed in the store")

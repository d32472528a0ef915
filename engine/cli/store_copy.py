"""`mutiny-edge store copy`: all records of one store into another, proved, and without harm to either.

1. A place is a data folder, which holds an LMDB store, or the address of a shared store.
2. What is merged, compared and carried along is `profiles.copying`'s; here places are opened, and it is told.
3. Between a data folder and a shared store the marks go along: the folder's log was applied to its store so far, and
   now it is to the other one. They are that folder's own, so between two folders, or two servers, there are none: the
   nodes of a server apply their logs there by themselves.
4. Whoever ends it, with Ctrl-C, by a full disk or a server that went away, is told how to go on: the same once more.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
import msgspec
from msgspec import Struct, structs

from engine.cli import completion, options
from engine.cli.screen import fail, say
from engine.cli.stored import bar
from engine.cli.trouble import told
from engine.node import STORE_FOLDER, open_store
from engine.profiles import identity
from engine.profiles.copying import Copied, carry_marks, compare, fill
from engine.profiles.store import Store, StoreError
from engine.profiles.survey import Bad
from engine.profiles.valkey.address import BadAddress, address
from engine.profiles.valkey.running import is_same
from engine.settings import Settings, masked

LMDB: Final = "lmdb:"
SHOWN: Final = 20  # damaged records, of each kind of trouble

EPILOG: Final = """\b
Examples:
  mutiny-edge store copy data redis://valkey:6379          from one machine to many
  mutiny-edge store copy redis://valkey:6379 backup        and back, or as a backup
  mutiny-edge store copy redis://old redis+cluster://new-1,new-2
"""


class Place(Struct, frozen=True):
    """Where a store is; either a folder or an address."""

    folder: Path | None = None
    url: str | None = None

    def __str__(self) -> str:
        """Without a password."""
        return str(self.folder) if self.url is None else str(address(self.url))

    def settings(self, node: Path) -> Settings:
        """How it is opened, by the node whose data folder this is."""
        data = self.folder or node
        return structs.replace(options.variables(), data=data, store=self.url, read_store=None, write_store=None)


@click.command(epilog=EPILOG)
@click.argument("source", metavar="FROM", shell_complete=completion.folders)
@click.argument("target", metavar="TO", shell_complete=completion.folders)
@options.form("text", "json")
@click.pass_context
def copy(ctx: click.Context, source: str, target: str, form: str) -> None:
    """Copy all records of one store into another, and compare.

    FROM and TO are data folders (`data`, or `lmdb:data`) or addresses of shared stores: redis://, rediss://, unix://,
    redis+cluster://, redis+sentinel://. MUTINY_EDGE_STORE_PREFIX and _TTL hold for both.

    Records are merged, so both stores may be in use meanwhile, nothing that TO knows is lost, and copying again is
    harmless: what is there already is read and not written. So whoever was interrupted begins again. At the end all of
    FROM is read once more and compared. Damaged records are left out and told by kind and hash, as by `store verify`;
    then the exit code is 1.
    """
    places = place(source, "FROM"), place(target, "TO")
    with told():
        refuse(*places)
    begun, done = time.monotonic(), Copied()
    with ExitStack() as held:
        held.enter_context(told())
        node = places[0].folder or places[1].folder or Path(held.enter_context(TemporaryDirectory()))
        here = held.enter_context(closing(open_store(places[0].settings(node), read_only=True)))
        there = held.enter_context(closing(open_store(places[1].settings(node))))
        held.enter_context(interrupted(places[1], done))
        carry(here, there, done, marks=(places[0].url is None) != (places[1].url is None))
    took = time.monotonic() - begun
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(msgspec.to_builtins(done) | {"seconds": took})).decode())
    else:
        tell(done, places[1], took)
    if done.damaged or done.lost:
        ctx.exit(1)


def place(text: str, name: str) -> Place:
    """What is meant by an argument."""
    if "://" in text:
        try:
            address(text)
        except BadAddress as bad:
            fail(f"{name}: {bad}")
        return Place(url=text)
    folder = Path(text.removeprefix(LMDB))
    before = text.partition("/")[0]
    mistyped = ":" in before or ("@" in text and not folder.is_dir())  # an address, and a password may be in it
    if not text.removeprefix(LMDB) or (mistyped and not text.startswith(LMDB)):
        fail(f"{name} {masked(text)!r}: expected a data folder, or an address such as redis://HOST:6379")
    if folder.is_file():
        fail(f"{name} {text}: that is a file; expected a data folder")
    if identity.has_store(folder):
        fail(f"{name} {text}: that is the store itself; expected the data folder that it is in: {folder.parent}")
    return Place(folder=folder)


def refuse(source: Place, target: Place) -> None:
    """Nothing to copy, or to itself. Raises StoreError."""
    if source.folder is not None and not identity.has_store(source.folder / STORE_FOLDER):
        fail(f"FROM {source.folder}: nothing is stored there; expected a data folder with {STORE_FOLDER}/ in it")
    if source.folder and target.folder and source.folder.resolve() == target.folder.resolve():
        fail(f"FROM and TO are both {source}: expected two stores")
    if source.url and target.url:
        here, there = address(source.url), address(target.url)
        if here == there:
            fail(f"FROM and TO are both {source}: expected two stores")
        if is_same(here, there):
            fail(f"FROM {source} and TO {target} are the same store, by two names: expected two stores")


def carry(source: Store, target: Store, done: Copied, *, marks: bool) -> None:
    """All of it, the marks, and the comparison. Raises StoreError."""
    applied = source.marks() if marks else {}
    expected = source.stats().records
    fill(bar(source.scan(), expected, "copying"), target, done)
    carry_marks(applied, target, done)
    compare(bar(source.scan(), max(expected, done.records), "comparing"), target, done)


@contextmanager
def interrupted(target: Place, done: Copied) -> Iterator[None]:
    """Whoever ends it before its end is told what is there, and how to go on."""
    try:
        yield
    except (KeyboardInterrupt, StoreError) as error:
        how = "interrupted" if isinstance(error, KeyboardInterrupt) else "it ended early"
        say(f"\n{target}: {how}, {done.records:,} records are there; to go on, run it again: that is harmless")
        raise


def tell(done: Copied, target: Place, took: float) -> None:
    """What was done; what is wrong goes to stdout, a record a line."""
    for wrong in (done.damaged, done.lost):
        for one in wrong[:SHOWN]:
            click.echo(record(one))
        if len(wrong) > SHOWN:
            click.echo(f"and {len(wrong) - SHOWN:,} more")
    say(
        f"{target}: {done.records:,} records ({done.bytes:,} bytes) in {took:.1f} s, {done.written:,} of them new there"
    )
    if done.late:
        say(f"{done.late:,} changed meanwhile, and were copied once more")
    if done.marks:
        say("what was applied of the folder's event log counts as applied there: that is not done anew")
    bad = len(done.damaged) + len(done.lost)
    say(click.style(f"compared: {bad:,} left out or lost", fg="red") if bad else "compared: all of it is there")
    if done.damaged:
        say("What is damaged, `mutiny-edge store rebuild --from-log` heals; so the log is applied from its beginning.")


def record(bad: Bad) -> str:
    """Without its id."""
    return f"{bad.kind} {bad.id_hash}: {bad.why}"

"""`mutiny-edge salesforce`: leads and contacts, read from Salesforce and kept beside what Segment sends, by email.

1. `sync` asks Salesforce (`engine.salesforce.sync`) and tells what came of it; the other verbs are files of their own.
2. On a terminal it shows how far it is; in a pipe only the summary, on stderr.
3. `--watch` goes on for ever: what is trouble for now (network, limits, answers of something in between) is told and
   tried again, what has to be mended by somebody ends it. Ctrl-C keeps what was read.
"""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from engine import limits
from engine.cli import options
from engine.cli.salesforce_import import import_
from engine.cli.salesforce_options import Pause, access, in_words, objects
from engine.cli.salesforce_shown import fields, replay, status
from engine.cli.salesforce_text import Bars, summary
from engine.cli.screen import fail, say
from engine.node import open_store, utc_now
from engine.salesforce.access import PREFIX, Access
from engine.salesforce.fields import OBJECTS, Object
from engine.salesforce.lock import alone
from engine.salesforce.mirror import Mirror
from engine.salesforce.state import Outcome
from engine.salesforce.trouble import LimitReached, Odd, Unreachable
from engine.settings import Settings

EPILOG = """\b
Examples:
  mutiny-edge salesforce sync                   everything the first time, what changed the next
  mutiny-edge salesforce sync --watch 5m        again and again
  mutiny-edge salesforce import leads.csv --object Lead
  mutiny-edge salesforce fields                 what rules may ask for
"""
PASSING: Final = (LimitReached, Unreachable, Odd)  # that `--watch` tries again
SYNC: Final = """\b
An external client app (Setup, External Client App Manager) lets this in, by its client credentials flow (with a user
to run as) or by JWT bearer; scope `api`. That user's permissions decide which fields are read. Examples:
  export MUTINY_EDGE_SALESFORCE_DOMAIN=acme.my.salesforce.com
  export MUTINY_EDGE_SALESFORCE_CLIENT_ID=…  MUTINY_EDGE_SALESFORCE_CLIENT_SECRET=…
  mutiny-edge salesforce sync
  mutiny-edge salesforce sync --full            everything anew, for instance after a mass update without a change date
  mutiny-edge salesforce sync --watch 5m --object Contact
"""


@click.group(epilog=EPILOG)
def command() -> None:
    """Bring Salesforce's leads and contacts here, by email.

    They join a visitor by the trait that is named exactly `email`; every field can be used in conditions, as
    salesforce.lead.NumberOfEmployees or salesforce.contact.Industry.
    """


@command.command(short_help="Read what is new.", epilog=SYNC)
@access
@objects
@click.option("--full", is_flag=True, help="Read everything anew, and let go of what is there no more.")
@click.option("--watch", type=Pause(), metavar="5m", help="Go on for ever, with such pauses.")
@options.data
@options.store
@options.form("text", "json")
@click.pass_context
def sync(
    ctx: click.Context,
    /,
    *,
    objects: tuple[Object, ...],
    full: bool,
    watch: float | None,
    data: Path,
    store: str | None,
    form: str,
    **known_by: Any,
) -> None:
    """Read leads and contacts: everything the first time, then what changed.

    Deleted records and changed addresses join no more afterwards. Whatever interrupts it, the next one goes on there.
    Exit code 1 if Salesforce refuses one of the objects, 2 if it could not be carried out; what was read is kept.
    """
    settings = options.settings(data=data, store=store)
    who = _access(known_by)
    while True:
        began = time.monotonic()
        pause = watch
        try:
            outcome = _once(settings, who, objects or OBJECTS, full=full)
            _show(outcome, form, short=watch is not None)
            if watch is None and outcome.trouble is not None:
                ctx.exit(1)
        except PASSING as trouble:
            if watch is None:
                with in_words():
                    raise
            say(f"{utc_now():%H:%M:%SZ} {trouble}")
            pause = limits.SALESFORCE_LIMIT_PAUSE_S if isinstance(trouble, LimitReached) else watch
        if pause is None:
            return
        full = False
        time.sleep(max(0.0, pause - (time.monotonic() - began)))


def _once(settings: Settings, who: Access, chosen: Sequence[Object], *, full: bool) -> Outcome:
    """One sync. Trouble that may be over soon goes through."""
    # Only who syncs waits for these: they bring simple-salesforce along.
    from engine.salesforce.client import Client  # noqa: PLC0415
    from engine.salesforce.session import Session  # noqa: PLC0415
    from engine.salesforce.sync import Sync  # noqa: PLC0415

    passing: LimitReached | Unreachable | Odd | None = None
    with in_words(), ExitStack() as stack:
        stack.enter_context(alone(settings.data))
        store = stack.enter_context(closing(open_store(settings)))
        mirror = stack.enter_context(closing(Mirror(settings.data)))
        bars = stack.enter_context(Bars())
        session = stack.enter_context(Session(time.sleep, bars.note))
        try:
            made = Sync(Client(who, session), mirror, store, clock=utc_now, sleep=time.sleep, tell=bars.tell)
            return made.run(chosen, full=full)
        except PASSING as trouble:
            passing = trouble
    raise passing


def _access(known_by: dict[str, Any]) -> Access:
    """Who we are; files are read."""
    files = {name: known_by.pop(f"{name}_file") for name in ("client_secret", "private_key")}
    given = known_by | {name: _text(path) for name, path in files.items() if path is not None}
    needed = ("domain", "client_id") if given.get("private_key") else ("domain", "client_id", "client_secret")
    for name in needed:
        if not given[name] and os.environ.get(variable := f"{PREFIX}{name.upper()}") is not None:
            fail(f"{variable} is empty; set it, or take it out of the environment")
    if given["client_secret"] and given.get("private_key"):
        say("there are a secret and a private key: the key counts (JWT bearer)")
    return Access(**{name: value for name, value in given.items() if value})


def _text(path: Path) -> str:
    """What is in a file of one secret."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        fail(f"{path}: this is no text in UTF-8; it has to hold the secret, or the key in PEM, and nothing else")
    if not text:
        fail(f"{path} is empty; it has to hold the secret, or the key in PEM")
    return text


def _show(outcome: Outcome, form: str, *, short: bool) -> None:
    if form == "json":
        text = msgspec.json.encode(outcome)
        click.echo((text if short else msgspec.json.format(text)).decode())
    else:
        for line in summary(outcome):
            say(line)


for verb in (import_, status, fields, replay):
    command.add_command(verb)

"""The checks of `doctor`: one function each, in one table. They print nothing, and change nothing of anybody's.

1. A check looks at a `Place` and says what it found: `ok`, `warning` (it works, and not as well as it could) or
   `trouble` (somebody is served worse for it), with what to do about it. No check raises.
2. What several checks need is looked at once, in `look`: the rules read, the store opened (a process of its own reads
   it first, `profiles.trust`), its own figures, and what was heard from Segment (`checkup_chain`).
3. Nothing is made: without a data folder there is no store to open, and that is in order. In a shared store one key
   is tried to be written (`profiles.valkey.condition`), which is gone again at once.
4. After the checks of this machine and of what is here of Salesforce (`checkup_salesforce`) come those of a shared
   store's servers (`checkup_shared`), and of the chain from Segment, link by link (`checkup_links`).
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from engine import limits
from engine.cli import checkup_chain, checkup_reading, checkup_salesforce, checkup_shared
from engine.cli.checkup_links import LINKS, Chain, Said, State
from engine.cli.screen import counted
from engine.holder import Reading, read
from engine.node import STORE_FOLDER, damage, open_store, utc_now
from engine.problems import errors
from engine.profiles.store import Store, StoreError, StoreStats
from engine.rules import lastgood
from engine.salesforce.report import Report
from engine.settings import Settings
from engine.shared import is_shared
from engine.words import Ruleset


class Finding(Struct, frozen=True):
    """What one check found; `do` is what to do about it, None where it is in order."""

    check: str
    state: State
    text: str
    do: str | None = None


class Part(StoreStats, frozen=True):
    """The figures of a store that has more records than were counted in time."""


class Place(Struct, frozen=True):
    """All that the checks look at. `store` is None where nothing is stored, a text where it cannot be opened; then
    nothing is known of the chain."""

    settings: Settings
    rules: Reading
    store: StoreStats | str | None
    free_bytes: int
    last_good: Ruleset | None
    chain: Chain | None = None
    salesforce: Report | str | None = None
    shared: checkup_shared.Look = None


def look(settings: Settings) -> Place:
    """Look at everything once."""
    reading = read(settings.rules)
    store, chain, salesforce = _store(settings, reading)
    return Place(
        settings,
        reading,
        store,
        shutil.disk_usage(_nearest(settings.data)).free,
        lastgood.kept(settings.rules, settings.data),
        chain,
        salesforce,
        checkup_shared.look(settings, utc_now),
    )


def _store(settings: Settings, reading: Reading) -> tuple[StoreStats | str | None, Chain | None, Report | str | None]:
    """What the store says of itself, what was heard of the chain, and what is told of Salesforce."""
    goals = {} if reading.decider is None else reading.decider.ruleset.goals
    events = {key: goal.event for key, goal in goals.items()}
    nothing = not is_shared(settings) and not (settings.data / STORE_FOLDER).exists()
    try:
        with closing(open_store(settings, canary_s=limits.CANARY_S, read_only=True)) as store:
            chain = checkup_chain.look(settings, store, events, utc_now())
            stats = _counted(store) if is_shared(settings) else store.stats()
            return None if nothing else stats, chain, checkup_salesforce.look(settings.data, store)
    except StoreError as error:
        return str(error), None, None


def _counted(store: Store) -> StoreStats:
    """The figures of a shared store with the records that `store stats` counts, for a server counts all of its keys.

    They are read, so that damaged ones are found, for `limits.CANARY_S` at most, as those of an embedded store are.
    """
    end = time.monotonic() + limits.CANARY_S
    records, kind = 0, StoreStats
    for records, _ in enumerate(store.scan(), 1):  # noqa: B007 - how many there were is wanted
        if time.monotonic() > end:
            kind = Part
            break
    return kind(**structs.asdict(store.stats()) | {"records": records})


def findings(place: Place) -> Iterator[Finding]:
    """What each check says, in the order of the table; one that does not apply says nothing."""
    for name, check in CHECKS.items():
        said = check(place)
        if said is not None:
            yield Finding(name, *said)
    for name, said in checkup_shared.said(place.shared, place.settings).items():
        yield Finding(name, *said)
    reading = checkup_reading.said(place.settings, place.shared)
    if reading is not None:
        yield Finding("reading", *reading)
    if place.chain is not None:
        for name, link in LINKS.items():
            said = link(place.chain)
            if said is not None:
                yield Finding(name, *said)


def rules(place: Place) -> Said | None:
    """The rule files are in order, and their own tests pass."""
    wrong = errors(place.rules.problems)
    if place.rules.decider is None or wrong:
        first = f": {wrong[0].place.file}:{wrong[0].place.line}: {wrong[0].message}" if wrong else ""
        what = f"{counted(len(wrong), 'error')} in {place.settings.rules}{first}"
        return "trouble", what, "mutiny-edge check shows all of them"
    ruleset = place.rules.decider.ruleset
    held = f"{counted(len(ruleset.experiences), 'experience')}, {counted(len(ruleset.segments), 'segment')}"
    return "ok", f"{held} ({ruleset.version})"


def last_good(place: Place) -> Said | None:
    """There is something to fall back on."""
    if place.last_good is not None:
        return "ok", f"ruleset {place.last_good.version} is kept"
    if place.rules.decider is not None:
        return "ok", "none kept yet, the service keeps one when it starts"
    return "trouble", "none is kept, so the service cannot start", "mend the rule files"


def data(place: Place) -> Said | None:
    """The data folder can be written, or made."""
    folder = place.settings.data
    if folder.exists() and not folder.is_dir():
        return "trouble", f"{folder} is not a folder", "give another one with --data"
    nearest = _nearest(folder)
    if not os.access(nearest, os.W_OK | os.X_OK):
        return "trouble", f"{nearest} cannot be written", "make it writable for this user, or give another with --data"
    return "ok", str(folder) if folder.exists() else f"{folder} is not there yet and can be made"


def _nearest(folder: Path) -> Path:
    """The folder itself, or the one in which it would be made."""
    return next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())


def store(place: Place) -> Said | None:
    """The store opens."""
    found = place.store
    if found is None:
        return "ok", "nothing is stored yet"
    if isinstance(found, str):
        what, _, do = found.partition("; ")
        look_at = "that it runs, and can be reached from here" if is_shared(place.settings) else "to the disk it is on"
        return "trouble", what, do or f"see {look_at}"
    at_least = "at least " if isinstance(found, Part) else ""
    return "ok", f"{at_least}{counted(found.records, 'record')}, {found.used_bytes:,} bytes"


def records(place: Place) -> Said | None:
    """No record is damaged, as far as was read in `limits.CANARY_S`."""
    if not isinstance(place.store, StoreStats):
        return None
    told = damage(place.store.damaged)
    if told is None:
        return "ok", "none found damaged"
    what, _, do = told.partition("; ")
    return "trouble", what, f"{do}; import their visitors again"


def disk(place: Place) -> Said:
    """There is room for the store to double."""
    used = place.store.used_bytes if isinstance(place.store, StoreStats) and not is_shared(place.settings) else 0
    text = f"{place.free_bytes:,} bytes free, {used:,} used"
    if place.free_bytes < limits.DISK_LOW_BYTES:
        return "trouble", text, "make room, or writes fail"
    if place.free_bytes < used:
        return "warning", text, "make room: the store could not double"
    return "ok", text


def readers(place: Place) -> Said | None:
    """There are places left in the table of readers."""
    if not isinstance(place.store, StoreStats) or not place.store.readers_most:
        return None
    taken, most = place.store.readers, place.store.readers_most
    text = f"{taken:,} of {most:,} places in use"
    if taken >= most:
        return "trouble", text, "end the processes that read the store"
    if taken > limits.READERS_MANY * most:
        return "warning", text, "see which processes read the store; fewer workers need fewer places"
    return "ok", text


def salesforce(place: Place) -> Said | None:
    """What was read from Salesforce is fresh, and the store has it."""
    return checkup_salesforce.freshness(place.salesforce, utc_now())


def addresses(place: Place) -> Said | None:
    """Records of Salesforce have addresses, by which they can be found."""
    return checkup_salesforce.addresses(place.salesforce)


CHECKS: Final[dict[str, Callable[[Place], Said | None]]] = {
    "rules": rules,
    "last good": last_good,
    "data": data,
    "store": store,
    "records": records,
    "disk": disk,
    "readers": readers,
    "salesforce": salesforce,
    "addresses": addresses,
}


def is_trouble(found: Sequence[Finding]) -> bool:
    """Is anybody served worse for any of this?"""
    return any(finding.state == "trouble" for finding in found)

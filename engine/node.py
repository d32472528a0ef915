"""What one process owns, wired together: settings, clock, ruleset, profiles, background jobs.

What lives here: the one place where parts meet, for the service, the command line, benchmarks and in-process callers.
What may not: HTTP, printing, and any work of the parts themselves.

1. `Node(settings)` opens the store and takes a ruleset, so that it can decide at once. It is of one process: a worker
   opens its own.
2. `start` and `stop` run the background jobs (watching the rule files) in the caller's event loop; a node that is not
   started decides all the same, it only never changes its rules.
3. What Segment sends goes in by `take` (`intake`): done when it is durable. A node that only reads takes nothing.
4. `decide` reads of a profile what the page's rules look at, and nothing where they look at none. It never fails for
   reasons of ours: where the store cannot be read, page and visit alone decide and the answer says `degraded`. What a
   page says of its visitor lies *under* what is stored. `store_trouble` is what is wrong with the store, in one line; a
   background job looks. With `go_on` (a worker that others rely on) a store that is refused as damaged is trouble as
   well, and no reason not to begin.
5. `answer` is the same in short, as bytes, for a usual visitor; it leaves everything else to `decide`.
6. This is the only place with a clock; everybody else is given the time.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct

from engine import limits
from engine.decide.usual import UNASKED
from engine.events.disk import LogError
from engine.holder import Held, Holder
from engine.intake import Intake
from engine.jobs import Jobs
from engine.problems import Problem
from engine.profiles import identity
from engine.profiles.ids import Key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.nothing import NothingStored
from engine.profiles.read import read_profile
from engine.profiles.record import time_ms
from engine.profiles.store import Store, StoreDamaged, StoreError, StoreUnavailable
from engine.profiles.unreadable import UnreadableStore
from engine.segment.accept import Delivery
from engine.segment.erasure import Erased, Logs
from engine.segment.keys import Keys
from engine.upkeep import Upkeep
from engine.words import Decision, Page, Profile, Traits, Visit

log = logging.getLogger("mutiny_edge.node")

STORE_FOLDER = "profiles"  # in the data folder
_ONLY_READS = "nothing is written here: this process only reads"


class Settings(Struct, frozen=True):
    """Where the rule files are, where the engine keeps what it knows, and the store if that is elsewhere.

    `webhook_batches`: of a list of events that Segment's webhook sends, those behind the first are believed too.
    """

    rules: Path = Path("rules")
    data: Path = Path("data")
    store: str | None = None
    webhook_batches: bool = False

    @property
    def logs(self) -> Logs:
        """The folders of what was sent."""
        return Logs(self.data / "events", self.data / "rejected", self.data / "erasures")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """`MUTINY_EDGE_RULES`, `_DATA`, `_STORE`; the defaults for what is not set."""
        given = {name: environment.get(f"MUTINY_EDGE_{name.upper()}") for name in ("rules", "data", "store")}
        return cls(Path(given["rules"] or "rules"), Path(given["data"] or "data"), given["store"] or None)


def open_store(
    settings: Settings,
    *,
    canary_s: float | None = None,
    read_only: bool = False,
    rest: Callable[[], None] = lambda: None,
) -> Store:
    """The store of profiles that the settings name; `canary_s`: how long to read it first. Raises `StoreError`.

    With `read_only` nothing is written, and where nothing is stored no store is made.
    """
    folder = settings.data / STORE_FOLDER
    if settings.store is None and read_only and not identity.has_store(folder):
        return NothingStored(f"{folder}: nothing is stored there")
    if settings.store is None:
        return LmdbStore(folder, canary_s=canary_s, read_only=read_only, rest=rest)
    raise StoreUnavailable(f"{settings.store}: only the embedded store is known here; leave --store out")


def _store_or_why_not(settings: Settings, rest: Callable[[], None]) -> Store:
    try:
        return open_store(settings, rest=rest)
    except StoreDamaged as error:
        return UnreadableStore(str(error))


def damage(records: int) -> str | None:
    """What so many damaged records are, in one line; None for none."""
    if not records:
        return None
    at_least = f"at least {records:,}" if records >= limits.DAMAGED_KEYS else f"{records:,}"  # no more are told apart
    counted = "1 record is" if records == 1 else f"{at_least} records are"
    return f"{counted} damaged and read as absent; `mutiny-edge store verify` says which"


def utc_now() -> datetime:
    """The time, for everybody."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock


class Breaths:
    """Called often by long work in a thread, it sleeps now and then, so that the event loop gets its turn.

    It has to be a sleep: giving up the interpreter is not enough where both share a core, for the kernel lets a thread
    that has just waited for the disk go on for milliseconds, whoever else wakes up meanwhile.
    """

    def __init__(self, every_s: float, for_s: float) -> None:
        self._every_s = every_s
        self._for_s = for_s
        self._last = 0.0

    def __call__(self) -> None:
        """Sleep for a moment if the last time was long ago."""
        if time.monotonic() - self._last > self._every_s:
            time.sleep(self._for_s)
            self._last = time.monotonic()


class Node:
    """One process's engine. Raises `RulesBroken`, `StoreError` and `OSError` when it cannot even begin."""

    def __init__(self, settings: Settings, *, go_on: bool = False, read_only: bool = False) -> None:
        """With `go_on` a damaged store is trouble, no reason not to begin; with `read_only` nothing is written."""
        self.settings = settings
        self.draining = False
        self.jobs = Jobs()
        self.rules = Holder(
            settings.rules, settings.data, utc_now, Breaths(limits.BREATH_EVERY_S, limits.BREATH_S), keeps=not read_only
        )
        self.rules.open(time.sleep)
        self.rest = Breaths(limits.WRITE_BREATH_EVERY_S, limits.WRITE_BREATH_S)
        self.store = (
            _store_or_why_not(settings, self.rest)
            if go_on
            else open_store(settings, read_only=read_only, rest=self.rest)
        )
        self.keys = Keys(settings.data)
        self._intake = None if read_only else Intake(settings.logs, self.store, utc_now, rest=self.rest)
        self.upkeep = Upkeep(self._intake, self.store, settings.logs, self.note_trouble) if self._intake else None
        self.store_trouble: str | None = None
        self._intake_trouble: str | None = None
        self.degraded = 0
        self._silent_until: dict[str, float] = {}
        self.look_at_store()

    @property
    def held(self) -> Held:
        """The ruleset in use; take it once for all that belongs to one answer."""
        return self.rules.held

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why the newest rule files are not in use; empty if they are."""
        return self.rules.problems

    @property
    def ready(self) -> bool:
        """May a load balancer send visitors?"""
        return not self.draining and self.jobs.vital_are_up()

    def decide(self, visitor_id: str, page: Page, visit: Visit, traits: Traits) -> Decision:
        """What this visitor sees now. Raises `NotAUrl`, nothing else."""
        decider = self.rules.held.decider
        view = decider.view(page.url)
        match = view.match
        if match is None:
            return decider.decide_on(view, Profile(visitor_id), page, visit, UNASKED)
        if match.reader.reads:
            profile = match.reader.read(self.store, visitor_id)
            if traits or profile.degraded:
                profile = self._under(traits, profile)
        else:
            profile = Profile(visitor_id, traits)
        return decider.decide_on(view, profile, page, visit, utc_now() if match.now else UNASKED)

    def answer(self, visitor_id: str, url: str) -> bytes | None:
        """`decide` as bytes, for a visitor of whom nothing else is said, where that is short; None: ask `decide`.

        The id must be one (`ids.is_visitor_id`). Raises NotAtOnce.
        """
        view = self.rules.held.decider.known(url)
        if view is None or view.usual is None:
            return None
        return view.usual(self.store, visitor_id, view.fields, utc_now)

    def profile(self, visitor_id: str, traits: Traits) -> Profile:
        """All that is known of the visitor, with what a page says of them lying under it."""
        return self._under(traits, read_profile(self.store, visitor_id))

    def _under(self, traits: Traits, profile: Profile) -> Profile:
        if profile.degraded:
            self._note_degraded()
        return msgspec.structs.replace(profile, traits={**traits, **profile.traits}) if traits else profile

    async def take(self, deliver: Callable[[], Delivery], size: int) -> Delivery:
        """What Segment sent, once it is durable. Raises as `Intake.take`."""
        if self._intake is None:
            raise StoreUnavailable(_ONLY_READS)
        try:
            delivery = await self._intake.take(deliver, size)
        except (StoreError, LogError) as error:
            self._intake_trouble = str(error)
            self.note_trouble("intake", str(error))
            raise
        self._intake_trouble = None
        return delivery

    def erase(self, key: Key) -> Erased:
        """Forget the person behind this identity. Not in the event loop's thread: it takes long. As `Upkeep.erase`."""
        if self.upkeep is None:
            raise StoreUnavailable(_ONLY_READS)
        return self.upkeep.erase(key, time_ms(utc_now()))

    @property
    def intake_trouble(self) -> str | None:
        """Why nothing, or not everything, that Segment sends can be taken now."""
        return self._intake_trouble or self.keys.trouble

    @property
    def unfinished_deletions(self) -> int | None:
        """How many are noted and not carried out; None where that cannot be known."""
        try:
            return self.upkeep.unfinished() if self.upkeep is not None else None
        except OSError:
            return None

    def note_trouble(self, what: str, trouble: str) -> None:
        """Say it in the log, but not a thousand times a second; `what` tells one kind of trouble from another."""
        now = time.monotonic()
        if now >= self._silent_until.get(what, 0.0):
            self._silent_until[what] = now + limits.SAME_LOG_S
            log.error("%s: %s", what, trouble)

    def _note_degraded(self) -> None:
        self.degraded += 1
        so_far = f"profiles could not be read, or not in whole; what else is known decided ({self.degraded} so far)"
        self.note_trouble("store", so_far)

    def look_at_store(self) -> None:
        """Keep what is wrong with the store in `store_trouble`, and say it once in the log."""
        try:
            trouble = damage(self.store.stats().damaged)
        except StoreError as error:
            trouble = str(error)
        if trouble is not None and trouble != self.store_trouble:
            log.error("store: %s", trouble)
        self.store_trouble = trouble

    def start(self) -> None:
        """Compile what visitors would wait for, then begin the background jobs. Needs a running event loop."""
        self.rules.warm()
        # Not vital: a node that cannot see new rules still serves the last good ones.
        self.jobs.start("rules-watch", self._watch)
        # Nor this: without profiles, page and visit alone decide.
        self.jobs.start("store-watch", self._watch_store)
        if self.upkeep is not None:
            self.jobs.start("log-watch", partial(self._watch_log, self.upkeep))
            self.jobs.start("log-compact", partial(self._compact_log, self.upkeep))

    async def stop(self) -> None:
        """End the background jobs and close the store."""
        await self.jobs.stop()
        if self._intake is not None and self.upkeep is not None:
            await asyncio.to_thread(self.upkeep.end)
            await asyncio.to_thread(self._intake.stop)
        self.store.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(limits.LOOK_INTERVAL_S)
            await asyncio.to_thread(self.rules.step)

    async def _watch_store(self) -> None:
        while True:
            await asyncio.sleep(limits.STORE_LOOK_S)
            self.look_at_store()  # microseconds; in a thread it would meet the closing of the store

    async def _watch_log(self, upkeep: Upkeep) -> None:
        while True:
            await asyncio.to_thread(upkeep.catch_up)
            await asyncio.to_thread(upkeep.finish)
            await asyncio.sleep(limits.LOG_LOOK_S)

    async def _compact_log(self, upkeep: Upkeep) -> None:
        while True:
            await asyncio.sleep(limits.COMPACT_LOOK_S)
            await asyncio.to_thread(upkeep.compact, utc_now())

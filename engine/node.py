"""What one process owns, wired together: settings, clock, ruleset, profiles, background jobs.

What lives here: the one place where parts meet, for the service, the command line, benchmarks and in-process callers.
What may not: HTTP, printing, and any work of the parts themselves.

1. `Node(settings)` opens the store and takes a ruleset, so that it can decide at once. It is of one process: a worker
   opens its own.
2. `start` and `stop` run the background jobs (watching the rule files) in the caller's event loop; a node that is not
   started decides all the same, it only never changes its rules. `warm` comes before it where visitors come next.
3. What Segment sends goes in by `take` (`intake`): done when it is durable. A node that only reads takes nothing.
4. `decide` reads of a profile what the page's rules look at, and nothing where they look at none. It never fails for
   reasons of ours: where the store cannot be read, page and visit alone decide and the answer says `degraded`. What a
   page says of its visitor lies *under* what is stored. `store_trouble` is what is wrong with the store, in one line; a
   background job looks. With `go_on` (a worker that others rely on) a store that is refused as damaged is trouble as
   well, and no reason not to begin.
5. `answer` is the same in short, as bytes, for a usual visitor; it leaves everything else to `decide`.
6. `near` is what decisions read: the embedded store itself; of a shared one, once the node is started, what is
   remembered of it (`profiles.near`). Then reading may raise NotAtOnce: who can wait asks by `patiently`, which waits
   for `Settings.read_budget_ms` in all, and then makes do with what there is. A shared store that cannot be reached is
   trouble, and no reason not to begin, but for who only reads.
7. This is the only place with a clock; everybody else is given the time.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import msgspec

from engine import limits
from engine.breaths import Breaths
from engine.counts import Counts
from engine.decide.decider import Decider
from engine.decide.pages import View
from engine.decide.usual import UNASKED
from engine.holder import Held, Holder
from engine.intake import Intake, TooBusy
from engine.jobs import Jobs
from engine.load import Load
from engine.problems import Problem
from engine.profiles import identity
from engine.profiles.ids import Key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.nothing import NothingStored
from engine.profiles.read import read_profile
from engine.profiles.record import time_ms
from engine.profiles.store import NotAtOnce, Reads, Store, StoreDamaged, StoreError, StoreUnavailable
from engine.profiles.unreadable import UnreadableStore
from engine.segment.accept import Delivery
from engine.segment.erasure import Erased
from engine.segment.keys import Keys
from engine.settings import Settings
from engine.shared import is_shared, open_near, open_shared, patiently
from engine.upkeep import Upkeep
from engine.words import Decision, Page, Profile, Traits, Visit

if TYPE_CHECKING:
    from engine.profiles.near.near import Near

log = logging.getLogger("mutiny_edge.node")

STORE_FOLDER = "profiles"  # in the data folder
T = TypeVar("T")
_ONLY_READS = "nothing is written here: this process only reads"


def open_store(
    settings: Settings,
    *,
    canary_s: float | None = None,
    read_only: bool = False,
    believed: bool = False,
    rest: Callable[[], None] = lambda: None,
) -> Store:
    """The store of profiles that the settings name; `canary_s`: how long to read it first. Raises `StoreError`.

    With `read_only` nothing is written, and where nothing is stored no store is made. `believed`: this process, or its
    parent, had it open a moment ago.
    """
    if is_shared(settings):
        return open_shared(settings, read_only=read_only, rest=rest)
    folder = settings.data / STORE_FOLDER
    if read_only and not identity.has_store(folder):
        return NothingStored(f"{folder}: nothing is stored there")
    return LmdbStore(folder, canary_s=canary_s, read_only=read_only, believed=believed, rest=rest)


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


class _Ending(Exception):  # noqa: N818 - it is no fault of anybody's
    """What is begun need not be finished."""


class Node:
    """One process's engine. Raises `RulesBroken`, `StoreError` and `OSError` when it cannot even begin."""

    def __init__(
        self,
        settings: Settings,
        *,
        go_on: bool = False,
        read_only: bool = False,
        guest: bool = False,
        store: Store | None = None,
    ) -> None:
        """With `go_on` a damaged store is trouble, no reason not to begin; with `read_only` nothing is written.

        As a `guest` it is in a process of somebody else's (`Holder`). `store` is read in place of the settings' one.
        """
        self.settings = settings
        self.draining = False
        self.replaced = False
        self.counts = Counts()
        self.load = Load(self.counts)
        self.jobs = Jobs()
        self.rules = Holder(
            settings.rules,
            settings.data,
            utc_now,
            Breaths(limits.BREATH_EVERY_S, limits.BREATH_S),
            keeps=not read_only,
            guest=guest,
        )
        self.rules.open(time.sleep)
        self.rest = Breaths(limits.WRITE_BREATH_EVERY_S, limits.WRITE_BREATH_S)
        self.store: Store
        self.near: Reads
        self.hurried: Reads
        self.use(store or self._opened(go_on=go_on, read_only=read_only))
        self._near = open_near(settings, self.store) if is_shared(settings) and not read_only else None
        self.keys = Keys(settings.data)
        self._intake = None if read_only else Intake(settings.logs, self.store, utc_now, rest=self.rest)
        self.upkeep = Upkeep(self._intake, self.store, settings.logs, self.rest) if self._intake else None
        self.store_trouble: str | None = None
        self.degraded = 0
        self._silent_until: dict[str, float] = {}
        self.look_at_store()

    def _opened(self, *, go_on: bool, read_only: bool) -> Store:
        """The store that the settings name."""
        if is_shared(self.settings):
            return open_shared(self.settings, read_only=read_only, asked=read_only, rest=self.rest)
        try:
            return open_store(self.settings, read_only=read_only, rest=self.rest)
        except StoreDamaged as error:
            if go_on:
                return UnreadableStore(str(error))
            raise

    def use(self, store: Store) -> None:
        """Read from this one from now on; the one before is its opener's to close."""
        self.store = self.near = self.hurried = store

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
        """May a load balancer send visitors? Also where this process ends, if others take its place."""
        return (self.replaced or not self.draining) and self.jobs.vital_are_up()

    @property
    def cache(self) -> "Near | None":
        """What is remembered of a shared store, once that is what is read."""
        return self._near if self.near is self._near else None

    async def patiently(self, ask: Callable[[Reads], T], missed: NotAtOnce | None = None) -> T:
        """What `ask` makes of what can be read: all of it, or what there is when the budget is used up.

        `missed` is what `ask(node.near)` has raised just now. Raises what else `ask` raises.
        """
        if missed is None:
            try:
                return ask(self.near)  # most are at hand, and are nobody who waits
            except NotAtOnce as error:
                missed = error
        with self.load.waiting():
            return await patiently(self.near, self.hurried, ask, self.settings.read_budget_ms / 1_000, missed)

    def decide(self, visitor_id: str, page: Page, visit: Visit, traits: Traits, store: Reads | None = None) -> Decision:
        """What this visitor sees now, by `near` or by another store. Raises `NotAUrl`, NotAtOnce, nothing else."""
        decider = self.rules.held.decider
        view = decider.view(page.url)
        return self.decide_on(decider, view, visitor_id, page, visit=visit, traits=traits, store=store)

    def decide_on(
        self,
        decider: Decider,
        view: View,
        visitor_id: str,
        page: Page | None,
        *,
        visit: Visit,
        traits: Traits,
        store: Reads | None = None,
        only: str | None = None,
    ) -> Decision:
        """As `decide`, by a view of this decider; without a page, all that is known of it is in the view.

        `only`: of what is decided, what is said of this experience.
        """
        match = view.match
        if match is None:
            decision = decider.decide_on(view, Profile(visitor_id), page, visit, UNASKED)
        else:
            profile = Profile(visitor_id, traits)
            if match.reader.reads:
                profile = match.reader.read(store or self.near, visitor_id)
                if traits or profile.degraded:
                    profile = self._under(traits, profile)
            decision = decider.decide_on(view, profile, page, visit, utc_now() if match.now else UNASKED)
        if only is not None:
            said = tuple(one for one in decision.assignments if one.experience == only)
            decision = msgspec.structs.replace(decision, assignments=said)
        decider.tally.note(decision)
        return decision

    def answer(self, visitor_id: str, url: str, store: Reads | None = None) -> bytes | None:
        """`decide` as bytes, for a visitor of whom nothing else is said, where that is short; None: ask `decide`.

        The id must be one (`ids.is_visitor_id`). Raises NotAtOnce.
        """
        view = self.rules.held.decider.known(url)
        if view is None or view.usual is None:
            return None
        return view.usual(store or self.near, visitor_id, view.fields, utc_now)

    def profile(self, visitor_id: str, traits: Traits, store: Reads | None = None) -> Profile:
        """All that is known of the visitor, with what a page says of them lying under it. Raises NotAtOnce."""
        return self._under(traits, read_profile(store or self.near, visitor_id))

    def _under(self, traits: Traits, profile: Profile) -> Profile:
        if profile.degraded:
            self._note_degraded()
        return msgspec.structs.replace(profile, traits={**traits, **profile.traits}) if traits else profile

    async def take(self, deliver: Callable[[], Delivery], size: int) -> Delivery:
        """What Segment sent, once it is durable. Raises as `Intake.take`."""
        if self._intake is None:
            raise StoreUnavailable(_ONLY_READS)
        try:
            with self.load.waiting():
                return await self._intake.take(deliver, size)
        except TooBusy as error:
            if why := str(error):
                self.load.pile(why)
            raise

    def erase(self, key: Key) -> Erased:
        """Forget the person behind this identity. Not in the event loop's thread: it takes long. As `Upkeep.erase`."""
        if self.upkeep is None:
            raise StoreUnavailable(_ONLY_READS)
        return self.upkeep.erase(key, time_ms(utc_now()))

    @property
    def intake_trouble(self) -> str | None:
        """Why nothing, or not everything, that Segment sends can be taken now."""
        return (self._intake.trouble if self._intake is not None else None) or self.keys.trouble

    @property
    def unfinished_deletions(self) -> int | None:
        """How many are noted and not carried out; None where that cannot be known."""
        try:
            return self.upkeep.unfinished() if self.upkeep is not None else None
        except OSError:
            return None

    def note_trouble(self, what: str, trouble: str, level: int = logging.ERROR) -> None:
        """Say it in the log, but not a thousand times a second; `what` tells one kind of trouble from another."""
        now = time.monotonic()
        if now >= self._silent_until.get(what, 0.0):
            self._silent_until[what] = now + limits.SAME_LOG_S
            log.log(level, "%s: %s", what, trouble)

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
        if self.cache is not None:
            trouble = self.cache.trouble or trouble
        if trouble is None and self.upkeep is not None:
            trouble = self.upkeep.lacking
        if trouble is None and self.store_trouble is not None:
            log.info("store: all is well again")
        elif trouble is not None and trouble != self.store_trouble:
            log.error("store: %s", trouble)
        self.store_trouble = trouble

    async def warm(self) -> None:
        """Compile what visitors would wait for, in a thread, before `start`; given up when the service has to end."""

        def rest() -> None:
            if self.draining:
                raise _Ending

        with suppress(_Ending):
            await self.jobs.step("rules-warm", partial(self.rules.warm, rest))

    def start(self) -> None:
        """Begin the background jobs. Needs a running event loop."""
        if self._near is not None:
            self.near, self.hurried = self._near, self._near.hurried
            self.jobs.start("store-near", self._near.run)
        self.jobs.start("load-watch", self.load.watch)
        # Not vital: a node that cannot see new rules still serves the last good ones.
        self.jobs.start("rules-watch", self._watch)
        # Nor this: without profiles, page and visit alone decide.
        self.jobs.start("store-watch", self._watch_store)
        if self.upkeep is not None:
            self.jobs.start("log-watch", partial(self._watch_log, self.upkeep))
            self.jobs.start("log-restore", partial(self._restore_log, self.upkeep))
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
            await self.jobs.step("rules-watch", self.rules.step)

    async def _watch_store(self) -> None:
        while True:
            await asyncio.sleep(limits.STORE_LOOK_S)
            if is_shared(self.settings):
                await asyncio.to_thread(self.look_at_store)
            else:
                self.look_at_store()  # microseconds; in a thread it would meet the closing of the store

    async def _watch_log(self, upkeep: Upkeep) -> None:
        while True:
            await self.jobs.step("log-watch", upkeep.catch_up)
            await asyncio.sleep(limits.LOG_LOOK_S)

    async def _restore_log(self, upkeep: Upkeep) -> None:
        while True:
            await self.jobs.step("log-restore", upkeep.restore)
            await self.jobs.step("log-restore", upkeep.finish)
            await self.jobs.step("log-restore", upkeep.hear)
            await asyncio.sleep(limits.LOG_LOOK_S)

    async def _compact_log(self, upkeep: Upkeep) -> None:
        while True:
            await asyncio.sleep(limits.COMPACT_LOOK_S)
            await self.jobs.step("log-compact", partial(upkeep.compact, utc_now()))

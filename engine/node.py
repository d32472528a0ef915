"""What one process owns, wired together: settings, clock, ruleset, profiles, background jobs.

What lives here: the one place where parts meet, for the service, the command line, benchmarks and in-process callers.
What may not: HTTP, printing, and any work of the parts themselves.

1. `Node(settings)` opens the store and takes a ruleset, so that it can decide at once. It is of one process: a worker
   opens its own.
2. `start` and `stop` run the background jobs (watching the rule files) in the caller's event loop; a node that is not
   started decides all the same, it only never changes its rules.
3. `decide` never fails for reasons of ours: where the store cannot be read, page and visit alone decide and the
   answer says `degraded`. What a page says of its visitor lies *under* what is stored.
4. This is the only place with a clock; everybody else is given the time.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from engine import limits
from engine.holder import Held, Holder
from engine.jobs import Jobs
from engine.problems import Problem
from engine.profiles.lmdb import LmdbStore
from engine.profiles.read import read_profile
from engine.profiles.store import Store, StoreUnavailable
from engine.words import Decision, Page, Profile, Traits, Visit

log = logging.getLogger("mutiny_edge.node")


class Settings(Struct, frozen=True):
    """Where the rule files are, where the engine keeps what it knows, and the store if that is elsewhere."""

    rules: Path = Path("rules")
    data: Path = Path("data")
    store: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """`MUTINY_EDGE_RULES`, `_DATA`, `_STORE`; the defaults for what is not set."""
        given = {name: environment.get(f"MUTINY_EDGE_{name.upper()}") for name in ("rules", "data", "store")}
        return cls(Path(given["rules"] or "rules"), Path(given["data"] or "data"), given["store"] or None)


def open_store(settings: Settings) -> Store:
    """The store of profiles that the settings name. Raises `StoreError`."""
    if settings.store is None:
        return LmdbStore(settings.data / "profiles")
    raise StoreUnavailable(f"{settings.store}: only the embedded store is known here; leave --store out")


def utc_now() -> datetime:
    """The time, for everybody."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock


class Node:
    """One process's engine. Raises `RulesBroken`, `StoreError` and `OSError` when it cannot even begin."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.draining = False
        self.jobs = Jobs()
        self.rules = Holder(settings.rules, settings.data, utc_now)
        self.rules.open(time.sleep)
        self.store = open_store(settings)
        self.degraded = 0
        self._silent_until = 0.0

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
        profile = self._profile(visitor_id)
        if traits:
            profile = msgspec.structs.replace(profile, traits={**traits, **profile.traits})
        decision = self.rules.held.decider.decide(profile, page, visit, utc_now())
        self.rules.note(page.url)
        return decision

    def _profile(self, visitor_id: str) -> Profile:
        profile = read_profile(self.store, visitor_id)
        if profile.degraded:
            self._note_degraded()
        return profile

    def _note_degraded(self) -> None:
        """Count it, and say so in the log, but not a thousand times a second."""
        self.degraded += 1
        now = time.monotonic()
        if now >= self._silent_until:
            self._silent_until = now + limits.SAME_LOG_S
            log.error("store: profiles could not be read, page and visit alone decided (%d so far)", self.degraded)

    def start(self) -> None:
        """Begin the background jobs. Needs a running event loop."""
        # Not vital: a node that cannot see new rules still serves the last good ones.
        self.jobs.start("rules-watch", self._watch)

    async def stop(self) -> None:
        """End the background jobs and close the store."""
        await self.jobs.stop()
        self.store.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(limits.LOOK_INTERVAL_S)
            await asyncio.to_thread(self.rules.step)

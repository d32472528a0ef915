"""The ruleset in use. What lives here: reading a rules folder into a Decider, holding it, swapping it for the next.

What may not: HTTP, profiles, waiting (the node calls `step` at an interval, in a thread), deciding.

1. `read` is the whole way from files to a Decider: load, compile, the files' own `tests:`. Any error: no Decider.
2. A swap is one reference (`held`): a request that has begun ends on the ruleset that it began with.
3. Broken files: what is held stays, `problems` say file and line, the log too. Mended: `problems` are gone.
4. A ruleset that lost more than half of the live experiences waits until its folder was at rest for
   `limits.LARGE_REMOVAL_REST_S`: it looks like a folder in the middle of being copied.
5. What makes a swap felt is done before it, in the thread: pages are compiled (`Decider.warm`), and the new objects are
   taken out of the garbage collector's sight (a pass over 10,000 segments stops the world). What a swap leaves
   behind is freed in small parts, one look later, when no request uses it any more. Meanwhile threads take short turns.
   Collector and turns are the process's: a *guest* in somebody else's leaves both as they are.
6. Every ruleset that is taken is kept as a file (but by a holder that only reads). Only a process that *starts* while
   the files are broken uses it.
7. What the files cannot be blamed for is tried again by itself: files that could not be read, a fault of ours, a copy
   that could not be kept.
"""

import gc
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

from msgspec import Struct

from engine import limits
from engine.decide.cases import failures
from engine.decide.decider import Decider
from engine.problems import Problem, as_text, errors
from engine.rules import lastgood
from engine.rules.desk import Rest
from engine.rules.files import read_files
from engine.rules.folder import load
from engine.rules.outline import difference, live, roots_read
from engine.rules.watch import Watcher, sight
from engine.words import Place, Ruleset

log = logging.getLogger("mutiny_edge.rules")

_PASSING = frozenset({"unreadable", "rules-fault"})  # problems that may be over without a change of the files


class RulesBroken(Exception):  # noqa: N818 - it is a state of the files, not a fault of the program
    """A first start with rule files that cannot be taken; `problems` say why."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"the rule files have {len(errors(problems))} error(s)")
        self.problems = problems


class Held(Struct, frozen=True):
    """A Decider in use: since when, from where, and which of the costly roots (`device`, `geo`) its rules read."""

    decider: Decider
    since: datetime
    source: Literal["files", "last good"]
    reads: frozenset[str]


class Reading(Struct, frozen=True):
    """What a folder holds: a Decider, or problems of which at least one is an error; warnings come with either."""

    decider: Decider | None
    problems: tuple[Problem, ...]


def read(folder: Path, rest: Rest = lambda: None) -> Reading:
    """Load, compile and run the folder's own tests. Never raises for what a file holds."""
    loaded = load(folder, doubts=False, rest=rest)
    if loaded.ruleset is None:
        return Reading(None, loaded.problems)
    decider = Decider(loaded.ruleset)
    problems = (*loaded.problems, *failures(decider))
    if not errors(problems):
        return Reading(decider, problems)
    parts = decider.parts()
    del decider, loaded
    _free(parts)
    return Reading(None, problems)


def _free(parts: list[object]) -> None:
    """Let go of what nobody else holds, one after the other: a large ruleset at once is a tenth of a second."""
    while parts:
        parts.pop()


@contextmanager
def _collector_aside() -> Iterator[None]:
    """No garbage collection while rules are read, and none ever over what is alive then.

    Rules, deciders and what loading leaves behind hold no cycles (a law of the tests): whatever nobody holds is freed.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _short_turns() -> Iterator[None]:
    """Whoever waits for the interpreter meanwhile, as the event loop does, gets it soon."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(limits.TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class Holder:
    """The ruleset of one folder. `problems` is why the newest state of the files is not the one in use, if so.

    `rest` is called often while files are read, and may sleep for a moment. Without `keeps` nothing is written. A
    `guest` holds it in a process of somebody else's.
    """

    def __init__(
        self,
        folder: Path,
        data: Path,
        now: Callable[[], datetime],
        rest: Rest = lambda: None,
        *,
        keeps: bool = True,
        guest: bool = False,
    ) -> None:
        self.problems: tuple[Problem, ...] = ()
        self.held: Held
        self._folder = folder
        self._data = data
        self._now = now
        self._rest = rest
        self._keeps = keeps
        self._aside: Callable[[], AbstractContextManager[None]] = nullcontext if guest else _collector_aside
        self._turns: Callable[[], AbstractContextManager[None]] = nullcontext if guest else _short_turns
        self._watcher = Watcher(partial(sight, folder))
        self._waiting: Reading | None = None
        self._unkept = False  # is what is held not on the disk?
        self._replaced: list[Decider] = []
        self._told_faults: set[tuple[str, str]] = set()

    def warm(self, rest: Rest = lambda: None) -> None:
        """Compile the pages of the first ruleset before anybody comes; takes seconds for 10,000 segments.

        `rest` is called often meanwhile. Raises what it raises.
        """
        with self._aside():
            self.held.decider.warm(rest=rest)

    def open(self, pause: Callable[[float], None]) -> None:
        """The first ruleset, from the files or, if they are broken, the last good one. Raises `RulesBroken`."""
        reading = self._first(pause)
        if reading.decider is not None:
            self._hold(reading.decider)
            return
        self.problems = tuple(errors(reading.problems))
        last_good = lastgood.kept(self._folder, self._data)
        if last_good is None:
            raise RulesBroken(self.problems)
        self._tell_broken()
        log.error(
            "rules: started with the LAST GOOD ruleset %s, the files in %s are broken", last_good.version, self._folder
        )
        self.held = Held(Decider(last_good), self._now(), "last good", roots_read(last_good))

    def _first(self, pause: Callable[[float], None]) -> Reading:
        for _ in range(limits.FIRST_LOOKS):
            phase = self._watcher.look()
            if phase == "gone":
                return Reading(None, self._gone())
            if phase == "rested":
                reading = self._read()
                if self._watcher.still():
                    self._watcher.take()
                    return reading
            pause(limits.LOOK_INTERVAL_S)
        restless = _about(self._folder, "rules-keep-changing", "the rule files keep changing while they are read")
        return Reading(None, (restless,))

    @property
    def is_current(self) -> bool:
        """Has all that the last look saw been read?"""
        return self._watcher.is_taken

    def step(self) -> None:
        """One look at the folder, and what follows from it. Takes as long as compiling takes."""
        with self._turns():
            self._step()

    def _step(self) -> None:
        self._tell_faults()
        self._let_go()
        phase = self._watcher.look()
        if self._unkept and self._watcher.looks % limits.LOOKS_BEFORE_KEEPING == 0:
            self._keep()
        if phase == "gone" and self._watcher.looks > 1:
            self._refuse(self._gone())
        if phase == "same" and self._may_pass():
            self._watcher.forget()
        if phase != "rested":
            self._waiting = None
            return
        with self._aside():
            reading = self._waiting or self._read(self.held.decider)
        if not self._watcher.still():
            if reading.decider is not None:
                self._replaced.append(reading.decider)
            return
        if reading.decider is None:
            self._refuse(tuple(errors(reading.problems)))
        elif self._must_wait(reading.decider.ruleset):
            self._waiting = reading
            return
        else:
            self._swap(reading.decider)
        self._watcher.take()
        self._waiting = None

    def _read(self, before: Decider | None = None) -> Reading:
        """What the folder holds, ready to follow `before`. A fault of ours is a problem like any other."""
        try:
            reading = read(self._folder, self._rest)
            if before is not None and reading.decider is not None:
                reading.decider.warm(before, self._rest)
        except Exception as fault:
            log.exception(
                "rules: the files in %s could not be made into a ruleset, by no fault of theirs", self._folder
            )
            message = f"a fault in the program ({type(fault).__name__}, see the log) kept these rules from being used"
            reading = Reading(None, (_about(self._folder, "rules-fault", message),))
        return reading

    def _may_pass(self) -> bool:
        """Is it time to read once more what has not changed, but could not be read?"""
        passing = any(problem.code in _PASSING for problem in self.problems)
        return passing and self._watcher.looks % limits.LOOKS_BEFORE_RETRY == 0

    def _let_go(self) -> None:
        """Free what was replaced, or made and not used, at the look before this one."""
        parts = [part for decider in self._replaced for part in decider.parts()]
        self._replaced.clear()
        _free(parts)

    def _must_wait(self, new: Ruleset) -> bool:
        """Is this a ruleset that lost most of the live experiences, and has not rested for long enough?"""
        before = live(self.held.decider.ruleset)
        lost = before - live(new)
        if 2 * len(lost) <= len(before) or self._watcher.looks * limits.LOOK_INTERVAL_S > limits.LARGE_REMOVAL_REST_S:
            return False
        self._watcher.forget()
        message = (
            f"{len(lost)} of {len(before)} live experiences would go; "
            f"taken once the files were left alone for {limits.LARGE_REMOVAL_REST_S:.0f} s"
        )
        self._refuse((_about(self._folder, "large-removal", message),))
        return True

    def _swap(self, decider: Decider) -> None:
        """Use this one from now on."""
        before = self.held.decider
        old = before.ruleset
        if decider.ruleset.version != old.version:
            new, facts = decider.ruleset.version, {"ruleset": decider.ruleset.version}
            log.info("rules: %s -> %s: %s", old.version, new, difference(old, decider.ruleset), extra=facts)
            self._hold(decider)
            self._replaced.append(before)
        elif self.problems or self.held.source == "last good":
            log.info("rules: in order again, %s stays", old.version)
            self._hold(decider)
            self._replaced.append(before)
        else:
            self._replaced.append(decider)
        self.problems = ()

    def _hold(self, decider: Decider) -> None:
        self.held = Held(decider, self._now(), "files", roots_read(decider.ruleset))
        if self._keeps:
            self._keep()

    def _keep(self) -> None:
        """Keep what is held as the last good ruleset; that it fails is told when it begins, and when it is over."""
        ruleset, failed_before = self.held.decider.ruleset, self._unkept
        try:
            lastgood.keep(ruleset, self._folder, self._data)
            self._unkept = False
        except OSError as error:
            self._unkept = True
            if not failed_before:
                log.warning("rules: %s could not be kept as the last good ruleset: %s", ruleset.version, error)
        else:
            if failed_before:
                log.info("rules: %s is kept as the last good ruleset now", ruleset.version)

    def _refuse(self, problems: tuple[Problem, ...]) -> None:
        """What is held stays, and why is told once."""
        if problems == self.problems:
            return
        self.problems = problems
        self._tell_broken()
        log.error("rules: not taken, %s stays", self.held.decider.ruleset.version)

    def _tell_broken(self) -> None:
        for line in _first_lines(self.problems):
            log.error("rules: %s", line)

    def _tell_faults(self) -> None:
        """Say once of each segment that its code raised."""
        for fault in [*self.held.decider.tally.faults]:
            if fault not in self._told_faults:
                self._told_faults.add(fault)
                segment, error = fault
                what = f"segment {segment!r}" if segment else "a page"
                log.error(
                    "rules: the code made of %s raised %s, a fault in the program; it is evaluated another way, slowly",
                    what,
                    error,
                )

    def _gone(self) -> tuple[Problem, ...]:
        """Why the folder cannot be looked at."""
        found = read_files(self._folder)[1]
        if found and found[0].code != "no-folder":
            return tuple(found)
        says = found[0].message if found else "the rules folder is not there or cannot be listed"
        return (_about(self._folder, "rules-folder-gone", says),)


def _about(folder: Path, code: str, message: str) -> Problem:
    """A problem of the folder as a whole."""
    return Problem(Place(folder.as_posix(), 1, 1), code, message)


def _first_lines(problems: Iterable[Problem], most: int = 20) -> list[str]:
    """The problems, each as its first line: carets belong on a terminal, not into a log."""
    lines = [as_text(problem).splitlines()[0] for problem in problems]
    return lines if len(lines) <= most else [*lines[:most], f"and {len(lines) - most} more"]

"""A node in a process of somebody else's: asked from any thread, with a thread of its own, over forks.

What lives here: waking and lying down, looking at rules and store, asking again. What may not: the public face
(`engine`), and a decision of its own (the node's).

1. Deciding takes no lock and waits for nothing but the store: ruleset and store are one reference each. Before a store
   is closed those are let out who are `_inside`; `_turn` counts the stores, so that an answer that lacks something
   because its store was closed all the same is asked for again.
2. Nothing of ours can fail a page: where the store cannot be read, page, visit and the given traits decide; where we
   ourselves are at fault, nothing applies, and the log says so. Both are `degraded`, and from the same moment `trouble`
   says why: by what the store says just now, by a fault of late, or by what an answer lacked a moment ago.
3. The first decision *wakes* it: what changed since it was loaded is taken, and a daemon thread looks at the rule files
   from then on, four times a second and by the same laws as the service (`Holder`), and every second at the store. A
   process that only loads it and then forks has no thread.
4. A store that was made later is noticed at the next look; one that is bad is opened anew, after pauses that double.
   One that was there and has gone is no empty one: until it is back answers lack it, and say so.
5. Before a fork, and at the end, it *lies down* (`forks`): the thread has ended, the store is closed.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

import msgspec
from msgspec import Struct

from engine import limits
from engine.decide.decider import NotAUrl
from engine.embedded import forks, lending
from engine.embedded.address import as_browsers_send
from engine.embedded.question import Question, not_a_url
from engine.faults import told
from engine.node import Node, utc_now
from engine.problems import as_text
from engine.profiles.nothing import NothingStored
from engine.profiles.store import Store, StoreDamaged, StoreError
from engine.profiles.unreadable import UnreadableStore
from engine.rules.outline import other_experiences
from engine.settings import Settings
from engine.shared import is_shared
from engine.words import Decision, Page

if TYPE_CHECKING:
    from engine.embedded.distant import Distant

log = logging.getLogger("mutiny_edge.engine")

_STORE_LOOKS: Final = round(limits.STORE_LOOK_S / limits.LOOK_INTERVAL_S)  # looks at the rules for one at the store
_WAIT_MOST: Final = 32  # looks at a bad store, some half a minute, before it is opened anew: a canary reads for seconds
_LEAVE_S: Final = (
    0.1  # for decisions under way when the store is closed: each is over in microseconds, once it has its turn
)
_GLANCE_S: Final = 0.001
_FAULT_S: Final = 60.0  # for so long a fault of ours stays trouble: the page that meets it may be asked for rarely
_LACKING_S: Final = 2 * limits.STORE_LOOK_S  # and what an answer lacked: a look at the store finds out why meanwhile
_LACKING: Final = "profiles could not be read, or not in whole; what else is known decided"
_GONE: Final = "visitors were stored there, and now nothing is; they are read again once the folder is back"
_LAST_LOOK_S: Final = 30.0  # how long a fork or the end waits for a look under way: compiling takes seconds at most


class News(Struct, frozen=True):
    """What has changed: `ruleset` is the version of the rules in use, `experiences` are the keys of those that may
    decide otherwise than at the last news, by other rules or because one began or ended by its `schedule`, `trouble` is
    what is wrong, in one line, or None.
    """

    ruleset: str
    experiences: tuple[str, ...]
    trouble: str | None


Callback = Callable[[News], None]


class Guest:
    """One node, awake or not. Raises RulesBroken."""

    def __init__(self, settings: Settings) -> None:
        """The folders stay those of this moment, wherever the process goes."""
        self.settings = settings = msgspec.structs.replace(
            settings, rules=settings.rules.absolute(), data=settings.data.absolute()
        )
        self.closed = False
        self.callbacks: list[Callback] = []
        self.endings: set[Callable[[], None]] = set()  # called once, after it was closed
        self._awake = False
        self._turn = 0
        self._inside: list[int] = []
        self._store: Store | None = None
        self._had_store = False
        self._distant: Distant | None = None
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._looks = 0
        self._looked = time.monotonic()
        self._wait = self._waited = 0
        self._faults: set[type[Exception]] = set()
        self._fault, self._fault_until, self._lacking_until = "", 0.0, 0.0
        self.node = Node(settings, read_only=True, guest=True, store=NothingStored("it is not open yet"))
        self.node.rules.warm()
        with forks.ORDER:
            self._open(limits.NEAR_ATTEMPT_S)
        decider = self.node.held.decider
        self._told = (decider.ruleset, self.trouble, decider.dates.newest(utc_now()))
        forks.concerns(self)

    def __del__(self) -> None:
        """Whoever forgets it leaves neither thread nor file; nobody else can have it by now, so in no order."""
        if hasattr(self, "_told"):
            self.lie_down()

    @property
    def trouble(self) -> str | None:
        """A fault of ours of late, what is wrong with the rule files, and why answers lack something, in one line."""
        now, problems, distant = time.monotonic(), self.node.problems, self._distant
        wrong = [self._fault] if now < self._fault_until else []
        wrong += [as_text(problem).splitlines()[0] for problem in problems[:1]]
        store = self.node.store_trouble if distant is None else distant.near.trouble
        if store is not None or now < self._lacking_until:
            wrong.append(store or _LACKING)
        return "; ".join(wrong) or None

    @property
    def answers_at_once(self) -> bool:
        """Need nobody wait, an event loop either? Not where it has to wake first, nor for a shared store."""
        return self._awake and self._distant is None

    def decided(self, asked: Question) -> Decision:
        """The decision. Raises QuestionError for a URL that is none, RuntimeError once it is closed."""
        try:
            return self.ask(self.node.decide, *asked)
        except NotAUrl:
            return self._as_browsers_send(*asked)

    def _as_browsers_send(self, visitor_id: str, page: Page, *rest: Any) -> Decision:
        """The same of a URL that is none as it stands: a program's is often decoded. Raises QuestionError."""
        page = msgspec.structs.replace(page, url=as_browsers_send(page.url))
        try:
            return self.ask(self.node.decide, visitor_id, page, *rest)
        except NotAUrl:
            raise not_a_url() from None

    def ask(self, decide: Callable[..., Decision], visitor_id: str, *rest: Any) -> Decision:
        """What `decide(visitor_id, …)` says, asked by the store that is open. Raises NotAUrl as it does."""
        while True:
            if not self._awake and not self._is_looking():
                self.wake()
            turn, inside, distant = self._turn, self._inside, self._distant
            inside.append(turn)
            try:
                if not self._awake and not self._is_looking():
                    continue
                if distant is None:
                    decision = decide(visitor_id, *rest)
                else:
                    decision = distant.ask(lambda reads: decide(visitor_id, *rest, store=reads))
            except NotAUrl:
                raise
            except Exception as fault:  # noqa: BLE001 - whatever it is, the page that asked goes on
                if self._turn == turn:
                    return self._at_fault(visitor_id, fault)
                continue
            finally:
                inside.pop()
            if decision.degraded:
                if self._turn != turn:
                    continue
                self._lacking_until = time.monotonic() + _LACKING_S
            return decision

    def _is_looking(self) -> bool:
        """Does whoever watches ask? The store is not closed before they are done, so they need not wait for another."""
        return threading.current_thread() is self._thread

    def answered(self, asked: Question) -> bytes | None:
        """The decision as JSON where that is short; None: ask `decided`."""
        visitor_id, page, _, traits = asked
        if not self._awake or traits or self._distant is not None:
            return None
        try:
            return self.node.answer(visitor_id, page.url)
        except Exception:  # noqa: BLE001 - it happens again in `decided`, where it is told
            return None

    def _at_fault(self, visitor_id: str, fault: Exception) -> Decision:
        kind = type(fault).__name__
        if type(fault) not in self._faults:
            self._faults.add(type(fault))
            log.error("a fault in the program: nothing applies to such a page view\n%s", told(fault))
        self.node.note_trouble("decide", f"a fault in the program ({kind}); nothing applied")
        self._fault = f"a fault in mutiny-edge ({kind}, see the log): nothing applied to a page view"
        self._fault_until = time.monotonic() + _FAULT_S
        return Decision(visitor_id, self.node.held.decider.ruleset.version, (), (), degraded=True)

    def wake(self) -> None:
        """Look at rules and store from now on. Raises RuntimeError once it is closed."""
        with forks.ORDER:
            if self.closed:
                raise RuntimeError("this engine is closed: open another one")
            if self._awake:
                return
            if self._store is None and self._distant is None:
                self._open(self.settings.read_budget_ms / 1_000)
            if time.monotonic() - self._looked > limits.STORE_LOOK_S:
                self._catch_up()
            self._ended = threading.Event()
            looking = (ref(self), self._ended)
            self._thread = threading.Thread(target=_look_on, args=looking, name="mutiny-edge", daemon=True)
            with suppress(RuntimeError):  # a program that decides while it ends has no new threads
                self._thread.start()
            self._awake = True

    def watch(self, callback: Callback) -> Callable[[], None]:
        """Tell it what changes from now on, and at the next look what is wrong already; the result ends that."""
        self.wake()
        self.callbacks.append(callback)
        self._told = (self._told[0], None, self._told[2])

        def unwatch() -> None:
            with suppress(ValueError):  # it was called before
                self.callbacks.remove(callback)

        return unwatch

    def _catch_up(self) -> None:
        """Take what changed while nobody looked: what was loaded before a fork may be days old."""
        try:
            self.node.rules.step()
            if not self.node.rules.is_current:
                time.sleep(limits.LOOK_INTERVAL_S)
                self.node.rules.step()
        except Exception:
            log.exception("the rule files could not be looked at; the next look follows")

    def lie_down(self) -> bool:
        """End the thread, close the store; was it awake? With `forks.ORDER` held."""
        was_awake, self._awake = self._awake, False
        self._ended.set()
        if self._thread is not None and self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_LAST_LOOK_S)
        self._thread = None
        self._let_out()
        store, self._store = self._store, None
        distant, self._distant = self._distant, None
        self._turn += 1
        if store is not None:
            lending.give_back(store)
        if distant is not None:
            distant.close()
        return was_awake

    def _let_out(self) -> None:
        """Wait for those who are deciding just now; whoever takes too long is closed out, and asks again."""
        for _ in range(round(_LEAVE_S / _GLANCE_S)):
            if not self._inside:
                break
            time.sleep(_GLANCE_S)
        self._inside = []

    def close(self) -> None:
        """For good."""
        with forks.ORDER:
            self.closed = True
            self.lie_down()
        endings, self.endings = self.endings, set()
        for ended in endings:
            self._call(ended)

    def look(self) -> None:
        """One look at the rule files, now and then one at the store; whoever watches is told what changed."""
        self._looks += 1
        self._looked = time.monotonic()
        self.node.rules.step()
        if self._looks % _STORE_LOOKS == 0:
            self._look_at_store()
        self._tell()

    def _look_at_store(self) -> None:
        if self._distant is not None:
            trouble = self._distant.near.trouble
            if trouble is not None and trouble != self.node.store_trouble:
                log.error("store: %s", trouble)
            self.node.store_trouble = trouble
            return
        if self._store is not None and (isinstance(self._store, NothingStored) or self._is_bad(self._store)):
            self._waited += 1
            if self._waited > self._wait:
                self._open_anew()
        self.node.look_at_store()

    def _is_bad(self, store: Store) -> bool:
        """Is this one that will not get better by waiting?"""
        try:
            store.stats()
        except StoreDamaged:
            return True
        except StoreError:
            return False
        self._wait = self._waited = 0
        return False

    def _open_anew(self) -> None:
        before = self._store
        if before is not None:
            lending.give_back(before, bad=True)
        self._open(0.0)
        self._waited = 0
        if isinstance(self._store, UnreadableStore):
            self._wait = min(max(2 * self._wait, 1), _WAIT_MOST)

    def _open(self, patience_s: float) -> None:
        """Read from what is stored now; a shared store may take so long to be reached. Raises BadAddress."""
        if is_shared(self.settings):
            from engine.embedded.distant import Distant  # noqa: PLC0415 - law 4 of `shared`

            self._distant = Distant(self.settings, patience_s)
        else:
            self._store = lending.borrow(self.settings)
            self.node.use(self._or_gone(self._store))
            self.node.look_at_store()  # the others are not connected yet
        self._turn += 1

    def _or_gone(self, store: Store) -> Store:
        """What says so in place of nothing, where there was something: a volume that is not mounted, a folder moved."""
        if not isinstance(store, NothingStored):
            self._had_store |= not isinstance(store, UnreadableStore)
        elif self._had_store:
            return UnreadableStore(f"{self.settings.data}: {_GONE}")
        return store

    def _tell(self) -> None:
        decider, trouble = self.node.held.decider, self.trouble
        ruleset, newest = decider.ruleset, decider.dates.newest(utc_now())
        before, trouble_before, newest_before = self._told
        if ruleset.version == before.version and (trouble, newest) == (trouble_before, newest_before):
            return
        self._told = (ruleset, trouble, newest)
        turned = decider.dates.between(newest_before, newest)
        news = News(ruleset.version, other_experiences(before, ruleset, turned) if self.callbacks else (), trouble)
        for callback in tuple(self.callbacks):
            self._call(partial(callback, news))

    def _call(self, back: Callable[[], None]) -> None:
        """Whatever it raises is its own affair."""
        try:
            back()
        except Exception:
            log.exception("whoever watches the engine could not take its news")


def _look_on(guest: "ref[Guest]", ended: threading.Event) -> None:
    """The thread: it ends with the guest, and goes on whatever goes wrong at one look."""
    while not ended.wait(limits.LOOK_INTERVAL_S):
        awake = guest()
        if awake is None:
            return
        try:
            awake.look()
        except Exception:
            log.exception("a look at the rule files or the store failed; the next one follows")
        del awake

"""When a server is tried that could not be reached: for all who need it, at most twice a second.

What lives here: whose turn it is. What may not: connections, redis-py but for the error it is told by.

1. One `Attempts` is for a whole process: blocking threads and the event loop ask it before they connect, and tell it
   how that ended. A connection is not made before the server has answered on it, so one that hangs counts as gone.
2. While a server is **good**, one connects at a time and the others wait for how that ends: so when it dies, it is
   tried once, and not once by each.
3. While it is **bad** nobody waits. One may try when it is time, everybody else is refused at once (`NotTried`): a
   store that is down costs nothing, and one that comes back is not run over.
4. All bad servers share the two attempts a second, so that of several each has its turn. One that nobody has tried for
   a while no longer counts.
5. A connection that breaks holds up nobody: whoever needs the next one finds out whether the server is gone. But one
   that did not live for a second was a failed attempt, whoever had it: such a server (it lets in and throws out) is
   **shaky**, and connected to as slowly as a bad one, until that is over.
6. Where somebody looks after what is bad (`looking_after`: a thread that tries it again), a bad server is tried by
   whoever does that and by nobody else. So no request is the one that waits for a server that hangs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, local
from time import monotonic
from typing import Final

from msgspec import Struct
from redis.exceptions import ConnectionError as Unconnected

SPACING_S: Final = 0.55  # between two attempts: so no second has three of them
_FORGOTTEN_S: Final = 60.0
_YOUNG_S: Final = 1.0  # a connection that was cut before that was none
_SHAKY_S: Final = 2.0  # after one that was cut so soon
_WAIT_S: Final = 30.0  # for another thread's attempt; each of those ends by its own time-out, long before


class NotTried(Unconnected):
    """The server could not be reached a moment ago, and it is not yet time to try again."""


class _State(Struct):
    is_bad: bool = False
    trying: int = 0
    began: float = float("-inf")
    before: float = float("-inf")  # when the attempt before the last one began
    cut: float = float("-inf")  # the last time that a connection was, which was hardly made
    shaky_until: float = float("-inf")


class Attempts:
    """Whose turn it is, by the name of the server."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """`clock` tells seconds."""
        self._clock = clock
        self._changed = Condition()
        self._states: dict[str, _State] = {}
        self._after = local()  # does this thread look after what is bad?
        self._caring = 0  # how many do

    def begin(self, server: str, *, wait: bool = True) -> None:
        """Somebody is about to connect; `ended` must follow. Raises NotTried.

        Without `wait` two may try a good server at once: for whoever must not block, and looks after it.
        """
        with self._changed:
            state = self._states.setdefault(server, _State())
            waits = wait and state.trying > 0 and not state.is_bad
            if waits:
                self._changed.wait_for(lambda: state.is_bad or not state.trying, _WAIT_S)
            left = wait and state.is_bad and self._caring and not getattr(self._after, "mine", False)
            if left or (waits and state.is_bad) or self._pause_s(state) > 0:
                raise NotTried("could not be reached a moment ago")
            state.trying += 1
            state.before, state.began = state.began, self._clock()

    def ended(self, server: str, *, well: bool) -> None:
        """It answered, or it did not."""
        with self._changed:
            state = self._states[server]
            state.trying -= 1
            state.is_bad = not well
            self._changed.notify_all()

    def lost(self, server: str, lived_s: float) -> None:
        """A connection that was made so long ago is cut."""
        if lived_s < _YOUNG_S:
            with self._changed:
                state, now = self._states.setdefault(server, _State()), self._clock()
                if now - state.cut < _SHAKY_S:
                    state.shaky_until = now + _SHAKY_S
                state.cut = now

    def hangs(self, server: str) -> None:
        """It has not answered in time, on a connection that was good."""
        with self._changed:
            state = self._states.setdefault(server, _State())
            state.is_bad, state.began = True, self._clock()

    @contextmanager
    def looking_after(self) -> Iterator[None]:
        """This thread tries what is bad, again and again, and no other one does."""
        with self._changed:
            self._caring += 1
        self._after.mine = True
        try:
            yield
        finally:
            self._after.mine = False
            with self._changed:
                self._caring -= 1

    def pause_s(self, server: str) -> float:
        """For how long nobody may try it; 0 for a good one."""
        with self._changed:
            state = self._states.get(server)
            return 0.0 if state is None else self._pause_s(state)

    def _pause_s(self, state: _State) -> float:
        now = self._clock()
        if not (state.is_bad or now < state.shaky_until):
            return 0.0
        bad = sum(
            1
            for one in self._states.values()
            if (one.is_bad and now - one.began < _FORGOTTEN_S) or now < one.shaky_until
        )
        spacing = SPACING_S * max(1, bad)
        # Two at once, as when a good one dies, are those of their second.
        left = max(0.0, state.began + spacing - now, state.before + 2 * spacing - now)
        return spacing if state.trying else left

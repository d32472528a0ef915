"""Whether a store is written to at all: after a server has refused to be, or did not answer, nobody tries but one.

What lives here: `Breaker`, its thread. What may not: what is asked to find out (`store`), connections (`attempts`).

1. It is for a service, where hundreds a second would ask the same server the same. The command line asks once.
2. A server that is a replica, is full, has too few replicas, lets its user not write, or holds back writes for a
   failover, says so (or nothing) to every write. The first one hears it; from then on a write is refused at once,
   **with that reason**, and a thread tries twice a second whether a write is taken again.
3. A server that cannot be reached is looked after by that thread as well, in place of whoever needs it
   (`Attempts.looking_after`). It is not refused here: whoever else reaches it first has found that it is back.
4. The thread begins with trouble, and ends with it.
"""

import threading
from collections.abc import Callable

from engine.profiles.store import StoreError
from engine.profiles.valkey.attempts import SPACING_S, Attempts


class Breaker:
    """Of one store. `probe` tries to write, without a trace; it raises StoreError."""

    def __init__(self, probe: Callable[[], None], attempts: Attempts) -> None:
        """Nothing is tried before there is trouble."""
        self._probe = probe
        self._attempts = attempts
        self._lock = threading.Lock()
        self._trouble: StoreError | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def check(self) -> None:
        """Raises what writes are refused with."""
        trouble = self._trouble
        if trouble is not None:
            raise type(trouble)(*trouble.args)

    def note(self, trouble: StoreError, *, refuses: bool) -> None:
        """Something went wrong; `refuses`: any other write would go wrong as well."""
        with self._lock:
            if refuses:
                self._trouble = trouble
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._look_after, name="store-probe", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Try no more."""
        self._closing.set()

    def _look_after(self) -> None:
        with self._attempts.looking_after():
            while not self._closing.wait(SPACING_S):
                try:
                    self._probe()
                except StoreError:
                    continue
                with self._lock:
                    self._trouble = self._thread = None
                    return

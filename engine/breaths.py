"""Pauses in long work, so that others get their turn. What lives here: those. What may not: what is worked at."""

import time


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

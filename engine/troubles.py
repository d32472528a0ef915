"""What goes wrong again and again, told once. What lives here: what is told of it, and when. What may not: what it is.

1. The log tells of the beginning and the end, not of each time that it is tried again: a store may be away for days.
2. Trouble is with a subject, in steps. One kind of trouble is told once, whichever steps have it and whatever they have
   besides; another kind is news. It is over when no step has any.
"""

import logging
import threading

log = logging.getLogger("mutiny_edge.troubles")


class Troubles:
    """What goes wrong with one subject now. Steps may be in several threads."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._lock = threading.Lock()
        self._now: dict[str, set[type[Exception]]] = {}  # by the step, named by what is told

    def fails(self, failed: str, error: Exception) -> None:
        """A step did not go well; `failed` says in words what that means."""
        with self._lock:
            is_new = all(type(error) not in kinds for kinds in self._now.values())
            self._now.setdefault(failed, set()).add(type(error))
        if is_new:
            log.error("%s: %s: %s", self._subject, failed, error)

    def goes_well(self, failed: str) -> None:
        """The step of these words did, this time."""
        with self._lock:
            is_over = self._now.pop(failed, None) is not None and not self._now
        if is_over:
            log.info("%s: all is well again", self._subject)

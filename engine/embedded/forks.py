"""A process that forks, as gunicorn and multiprocessing do: what does not survive that is put down before.

What lives here: whom a fork concerns, and its order. What may not: what is put down (`Sleeper.lie_down`).

1. A thread is not in the child, and LMDB must not be used over a fork. So before a fork everybody lies down: threads
   end, files are closed. It waits for a look at the rules that is under way, which takes as long as compiling takes.
2. In the child nobody wakes: the first decision wakes its engine. In the parent those wake at once who were awake.
3. `ORDER` is held meanwhile, so that nobody wakes while the process forks: take it to wake or to lie down. Whoever
   opens or closes a store in a thread that has to end holds `OPENING`; that comes second.
4. At the end of the process everybody lies down, too: nothing of ours runs while the interpreter is taken apart.
"""

import atexit
import logging
import os
import threading
from typing import Final, Protocol
from weakref import WeakSet


class Sleeper(Protocol):
    """Somebody whom a fork concerns."""

    def lie_down(self) -> bool:
        """Hold nothing any more that a fork breaks; was it awake? Called with `ORDER` held."""
        ...

    def wake(self) -> None:
        """Go on as before. Raises nothing."""
        ...


log = logging.getLogger("mutiny_edge.engine")

ORDER: Final = threading.RLock()
OPENING: Final = threading.RLock()
_everybody: Final[WeakSet[Sleeper]] = WeakSet()
_were_awake: Final[list[Sleeper]] = []


def concerns(sleeper: Sleeper) -> None:
    """From now on it lies down before every fork."""
    with ORDER:
        _everybody.add(sleeper)


def _lies_down(sleeper: Sleeper) -> bool:
    try:
        return sleeper.lie_down()
    except Exception:
        log.exception("what must not be there over a fork could not be put down")
        return True


def _before() -> None:
    ORDER.acquire()
    _were_awake.extend([sleeper for sleeper in list(_everybody) if _lies_down(sleeper)])
    OPENING.acquire()


def _in_parent() -> None:
    OPENING.release()
    try:
        for sleeper in _were_awake:
            sleeper.wake()
    finally:
        _were_awake.clear()
        ORDER.release()


def _in_child() -> None:
    _were_awake.clear()
    OPENING.release()
    ORDER.release()


def _at_end() -> None:
    with ORDER:
        for sleeper in list(_everybody):
            _lies_down(sleeper)


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
atexit.register(_at_end)

"""Is a rules folder at rest? What lives here: looking at a folder, and the steps from "changed" to "taken".

What may not: reading what files hold, clocks and waiting (whoever calls decides when to look), compiling.

1. A half-written file is almost never a syntax error, it is a *smaller ruleset*. So a folder is read only when it
   is at rest: two looks, `limits.LOOK_INTERVAL_S` apart, saw the same; and it is taken only if a look after
   reading still sees that.
2. What a look sees: every rule file's name, device, inode, size and times of last change. Links are followed, as
   a ConfigMap swaps them (`segments.yaml -> ..data/segments.yaml`, `..data -> ..2026_11_23/`), so a swapped
   link shows as other inodes.
3. A folder that is gone or cannot be listed is `None`: nothing is read, whatever was taken stays.
4. The order of calls: `look()` at an interval; on `rested` read the files, ask `still()`, then `take()`, whether
   the files were good or broken: what was taken is not read again until it changes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

from engine.rules.folder import rule_files

Sight: TypeAlias = tuple[tuple[str, int, int, int, int, int], ...]
Phase: TypeAlias = Literal["gone", "same", "settling", "rested"]

_UNSEEN = (-1, -1, -1, -1, -1)  # listed, but gone or unreadable when asked: differs from every file


def sight(folder: Path) -> Sight | None:
    """What a look at the folder sees, in order of names; `None` where there is no folder to look at."""
    try:
        if not folder.is_dir():
            return None
        return tuple(sorted((str(path), *_look_at(path)) for path in rule_files(folder)))
    except OSError:
        return None


def _look_at(path: Path) -> tuple[int, int, int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return _UNSEEN
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class Watcher:
    """One folder, look by look. `looks` is how many looks in a row saw what the last one saw."""

    def __init__(self, see: Callable[[], Sight | None]) -> None:
        self._see = see
        self._taken: Sight | None = None
        self._last: Sight | None = None
        self.looks = 0

    def look(self) -> Phase:
        """One look. `rested`: it is not what was taken, and two looks in a row saw it."""
        seen = self._see()
        self.looks = self.looks + 1 if seen == self._last else 1
        self._last = seen
        if seen is None:
            self.forget()
            return "gone"
        if seen == self._taken:
            return "same"
        return "rested" if self.looks > 1 else "settling"

    def still(self) -> bool:
        """Does a look after reading see what the last `look` saw?"""
        return self._last is not None and self._see() == self._last

    @property
    def is_taken(self) -> bool:
        """Did the last look see what was taken?"""
        return self._last == self._taken

    def take(self) -> None:
        """What the last look saw has been read and needs no more reading."""
        self._taken = self._last

    def forget(self) -> None:
        """Whatever the next looks see, also what was taken before, is to be read (again)."""
        self._taken = None

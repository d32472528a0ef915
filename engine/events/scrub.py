"""Events taken out of the log, in place: what a person's deletion asks for.

What lives here: going through a file and replacing what somebody decides upon. What may not: whose events they are.

1. Every file can be gone through, also one that is being written: what is appended meanwhile may be seen or not. Of a
   file that is gone there is nothing to do.
2. A line that was changed by somebody else meanwhile is read and decided upon again.
3. A damaged line cannot be taken apart, but may hold a person's values all the same: it is shown as it is, and can be
   made a line of blanks, of which readers say nothing.
4. Durable when it returns; killed in the middle, it is finished at the next start or the next overwriting, whichever
   comes first (`overwriting`). It needs some room, as any writing does.
"""

from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Final, Literal, TypeAlias
from zlib import crc32

from engine.events.disk import DISK, Disk, told
from engine.events.line import Entry, entry, rewritten, sealed
from engine.events.overwriting import Replacement, finish, overwrite
from engine.events.reading import Damaged, Line, Torn, lines
from engine.limits import OVERWRITE_BYTES


class _Verdict(Enum):
    KEEP = "keep"
    GONE = "gone"


KEEP: Final = _Verdict.KEEP
GONE: Final = _Verdict.GONE
Verdict: TypeAlias = bytes | Literal[_Verdict.KEEP, _Verdict.GONE]  # bytes: the message as it shall be, not longer


def kept_as_it_is(_: bytes) -> bool:
    """What is done with damaged lines unless somebody wants it otherwise."""
    return False


def rewrite(
    path: Path,
    decide: Callable[[Entry], Verdict],
    damaged: Callable[[bytes], bool] = kept_as_it_is,
    *,
    disk: Disk = DISK,
) -> int:
    """Decide upon every event of a file that is still there; how many were changed.

    `damaged` says of a line that is none, given as it stands there, whether it shall be blanks. Raises LogError, and
    ValueError for a message that is longer than it was.
    """

    def wanted(line: Line) -> bytes | None:
        try:
            found = entry(line.end, line.rest)
        except ValueError:
            return None
        verdict = decide(found) if found.message is not None else KEEP
        return None if verdict is KEEP else rewritten(line.rest, None if verdict is GONE else verdict)

    return replace(path, wanted, damaged, disk=disk)


def replace(
    path: Path,
    wanted: Callable[[Line], bytes | None],
    damaged: Callable[[bytes], bool] = kept_as_it_is,
    *,
    disk: Disk = DISK,
) -> int:
    """As `rewrite`, for lines of any kind: `wanted` is the rest of the line as it shall be, or None."""
    changed = 0
    whole = False
    try:
        finish(path.parent, disk)  # or else a line that is half overwritten would be taken for a damaged one
        while not whole:
            whole = True
            for batch in _batches(_replacements(path, wanted, damaged)):
                made = overwrite(path.parent, batch, disk)
                changed += made
                whole = whole and made == len(batch)
    except FileNotFoundError:
        return changed  # and what stood in it is gone
    except OSError as error:
        raise told(path.parent, error) from error
    return changed


def _replacements(
    path: Path, wanted: Callable[[Line], bytes | None], damaged: Callable[[bytes], bool]
) -> Iterator[Replacement]:
    for found in lines(path):
        match found:
            case Line(start, end, rest):
                shall = wanted(found)
                new = None if shall is None else sealed(shall, end - start)
                old = sealed(rest)
            case Damaged(start, end, _):
                old = _standing(path, start, end)
                new = b"%b\n" % (b" " * (len(old) - 1)) if damaged(old) else None
            case Torn():
                return
        if new is not None and new != old:
            if len(new) != len(old):
                raise ValueError(f"the line at {start:,} of {path.name} has {len(old):,} bytes, not {len(new):,}")
            yield Replacement(path.name, start, crc32(old), new)


def _standing(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def _batches(replacements: Iterator[Replacement]) -> Iterator[list[Replacement]]:
    batch: list[Replacement] = []
    size = 0
    for replacement in replacements:
        batch.append(replacement)
        size += len(replacement.new)
        if size >= OVERWRITE_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch

"""A program that damages copies of a store, one after the other, and tells what readers make of each.

    python lies.py FAULT TIMES SEED

1. Every reading is a forked process of its own: who dies is counted, and nobody else is hurt.
2. The *unguarded* reader is bare LMDB: whatever it finds under a key it believes. What it gets wrong, or dies of, is
   how often the fault bites.
3. The *guarded* reader is the store. Each profile that it serves is compared with the true one: it is equal, or it is
   degraded, or the person or their account is absent. Anything else is `wrong`. Where it opens, it is written to as
   well, and read again.
4. Faults of `ROTS` come while the store is open, so that nothing that is done at the opening can help: of a page that
   went bad death is possible there, wrong values are not, and after a death the next reader must be refused with one
   line. A file that is cut or emptied under a reader ends nobody.
"""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import lmdb

from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.store import StoreError
from engine.words import Profile

VISITORS, GROUPS, PAGE = 600, 20, 4096
PATIENCE_S = 60  # no test measures time; a reader that loops is ended, and counted as dead
# Exit codes of readers; each larger one is worse.
RIGHT, REFUSED, DEGRADED, ABSENT, WRONG, RAISED, BAD_LINE = range(7)
NAMES = {RIGHT: "right", REFUSED: "refused", DEGRADED: "degraded", ABSENT: "absent", WRONG: "wrong"}
NAMES |= {RAISED: "raised", BAD_LINE: "bad line"}

Fault = Callable[[random.Random, Path], None]


def make(folder: Path) -> dict[str, Profile]:
    """A store with several levels of tree, overflow pages and freed pages; and what is true of each visitor."""
    store = LmdbStore(folder)
    people = [
        Change(key("visitor", name(n)), 1, {"plan": f"p{n}", "note": "x" * (n % 200)}, link(n)) for n in range(600)
    ]
    for first in range(0, VISITORS, 100):
        store.apply(people[first : first + 100])
    store.apply(Change(key("group", f"g{n}"), 1, {"tier": f"t{n}" * (900 if n == 3 else 1)}) for n in range(GROUPS))
    store.close()
    shutil.copy(folder / "data.mdb", folder / "earlier.mdb")
    store = LmdbStore(folder)
    for first in range(5):
        store.apply(Change(key("visitor", name(n)), 2, {"plan": f"q{n}"}) for n in range(first, VISITORS, 37))
    true = {name(n): read_profile(store, name(n)) for n in range(VISITORS)}
    store.close()
    return true


def name(n: int) -> str:
    """A visitor's id."""
    return f"v{n}"


def link(n: int) -> dict[str, str]:
    """A visitor's account."""
    return {"group": f"g{n % GROUPS}"}


def flip(path: Path, at: int, bit: int) -> None:
    """Turn one bit, in place: who has the file open sees it."""
    with path.open("r+b") as file:
        file.seek(at)
        [byte] = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def page(chance: random.Random, path: Path) -> int:
    """Where some page begins that is no meta page."""
    return PAGE * chance.randrange(2, path.stat().st_size // PAGE)


def any_bit(chance: random.Random, path: Path) -> None:
    """Anywhere in the file."""
    flip(path, chance.randrange(path.stat().st_size), chance.randrange(8))


def tree_bit(chance: random.Random, path: Path) -> None:
    """Where LMDB keeps page numbers, flags and the offsets of a page's records."""
    flip(path, page(chance, path) + chance.randrange(60), chance.randrange(8))


def meta_bit(chance: random.Random, path: Path) -> None:
    """In the two pages that name the roots of all others."""
    flip(path, PAGE * chance.randrange(2) + chance.randrange(152), chance.randrange(8))


def zeroed(chance: random.Random, path: Path) -> None:
    """A page that never reached the disk."""
    with path.open("r+b") as file:
        file.seek(page(chance, path))
        file.write(bytes(PAGE))


def exchanged(chance: random.Random, path: Path) -> None:
    """A page that was written to another one's place."""
    with path.open("r+b") as file:
        file.seek(page(chance, path))
        wrong = file.read(PAGE)
        file.seek(page(chance, path))
        file.write(wrong)


def cut(chance: random.Random, path: Path) -> None:
    """Shorter than it was."""
    os.truncate(path, chance.randrange(path.stat().st_size))


def emptied(chance: random.Random, path: Path) -> None:
    """Nothing left of it."""
    os.truncate(path, 0)


def another(chance: random.Random, path: Path) -> None:
    """The data file of another store, with other facts of the same people."""
    with tempfile.TemporaryDirectory() as elsewhere:
        store = LmdbStore(Path(elsewhere))
        store.apply(Change(key("visitor", name(n)), 9, {"plan": f"theirs{chance.random()}"}) for n in range(VISITORS))
        store.close()
        shutil.copy(Path(elsewhere) / "data.mdb", path)


def older(chance: random.Random, path: Path) -> None:
    """The same store's data file of an earlier day."""
    path.with_name("earlier.mdb").replace(path)


FAULTS: dict[str, Fault] = {
    fault.__name__: fault for fault in (any_bit, tree_bit, meta_bit, zeroed, exchanged, cut, emptied, another, older)
}
ROTS: dict[str, Fault] = {f"open_{fault.__name__}": fault for fault in (any_bit, tree_bit, zeroed, cut, emptied)}


def forked(work: Callable[[], int]) -> str:
    """How a process ends that does this work: the name of its exit code, or `died`."""
    pid = os.fork()
    if not pid:
        signal.alarm(PATIENCE_S)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # LMDB's assertions
        try:
            code = work()
        except BaseException:  # noqa: BLE001 - whatever it is, it is counted
            code = RAISED
        os._exit(code)
    status = os.waitpid(pid, 0)[1]
    return NAMES[os.WEXITSTATUS(status)] if os.WIFEXITED(status) else "died"


def unguarded(folder: Path, truth: dict[bytes, bytes]) -> int:
    """Bare LMDB. Whatever differs from the truth it would have served."""
    with lmdb.open(str(folder)) as environment, environment.begin() as txn:
        return WRONG if any(txn.get(key_) != body for key_, body in truth.items()) else RIGHT


def guarded(folder: Path, true: dict[str, Profile], rot: Callable[[], None] | None = None) -> int:
    """The store: opened, read, written to, read again; the worst of what it served."""
    try:
        store = LmdbStore(folder)
    except StoreError as damaged:
        line = str(damaged)
        return REFUSED if "\n" not in line and str(folder) in line and "restore" in line else BAD_LINE
    if rot is not None:
        rot()
    worst = max(served(read_profile(store, id_), profile) for id_, profile in true.items())
    if rot is None and worst < WRONG:
        try:
            store.apply(Change(key("visitor", id_), 8, {"later": 1}) for id_ in true)
        except StoreError:
            return max(worst, REFUSED)
        # A damaged record was started anew by that, so its visitor is no longer degraded: only wrong is worse.
        again = max(served(read_profile(store, id_), profile) for id_, profile in true.items())
        worst = max(worst, again) if again >= WRONG else worst
    store.close()
    return worst


def served(profile: Profile, true: Profile) -> int:
    """How good this answer is. A trait that was written meanwhile is no lie."""
    traits = {name: value for name, value in profile.traits.items() if name != "later"}
    if traits == true.traits and profile.account == true.account:
        return RIGHT
    if profile.degraded and traits in ({}, true.traits) and not profile.account:
        return DEGRADED
    return ABSENT if traits in ({}, true.traits) and profile.account in ({}, true.account) else WRONG


def anew(whole: Path, copy: Path) -> None:
    """A fresh copy, times and all."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(whole, copy, copy_function=shutil.copy2)


def main(fault: str, times: int, seed: int) -> None:
    """Print how often each reader came to which end."""
    chance = random.Random(seed)
    bare, ours, after_death = Counter[str](), Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as base:
        whole, copy = Path(base) / "whole", Path(base) / "copy"
        true = make(whole)
        with lmdb.open(str(whole)) as environment, environment.begin() as txn:
            truth = {bytes(key_): bytes(value) for key_, value in txn.cursor()}
        for _ in range(times):
            state = chance.getrandbits(64)

            def harm(state: int = state) -> None:
                (FAULTS | ROTS)[fault](random.Random(state), copy / "data.mdb")

            anew(whole, copy)
            if fault in ROTS:
                ours[end := forked(partial(guarded, copy, true, harm))] += 1
                if end == "died":
                    after_death[forked(partial(guarded, copy, true))] += 1
            else:
                harm()
                ours[forked(partial(guarded, copy, true))] += 1
                anew(whole, copy)
                harm()
            bare[forked(partial(unguarded, copy, truth))] += 1
    print(json.dumps({"unguarded": bare, "guarded": ours, "after a death": after_death}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

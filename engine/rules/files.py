"""Which files are rule files, and their bytes.

What lives here: walking the folder and reading. What may not: what files hold.

1. Every `*.yaml` and `*.yml` in the folder and below it (`*.YAML` too), sorted by name, so that two machines see the
   same order.
2. Names that begin with a dot are passed over: a ConfigMap holds each file twice, as `rules.yaml -> ..data/rules.yaml`
   and inside `..data -> ..2026_11_23/`. Links are followed, to files and folders; a ring of links is not walked twice.
3. What cannot be read is a problem, never an exception and never an empty file: an experience must not vanish because a
   disk or a permission failed. That includes a link that leads nowhere (it may have been a folder of rules) and a
   folder without rules that is called as a file would be (what a container makes of a file that was not there).
4. Looking is bounded, whatever the folder is: so many names, so many files, so many bytes, and no pipe is waited for.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from msgspec import Struct

from engine import limits
from engine.problems import Problem
from engine.words import Place

_ENDINGS = (".yaml", ".yml")
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for a writer, for ever


def is_named_as_one(name: str) -> bool:
    """Does a rule file have such a name? Capitals too: `SEGMENTS.YAML` from another system is not passed over."""
    return name.lower().endswith(_ENDINGS)


class RuleText(Struct, frozen=True):
    """A rule file: its name as problems show it, and its bytes (one more than the limit at most)."""

    file: str
    data: bytes


def rule_files(folder: Path) -> list[Path]:
    """The rule files of a folder, sorted; at most one more than `limits.RULE_FILES`. Raises OSError."""
    found: list[Path] = []
    for path in _walk(folder, (), count(1)):
        found.append(path)
        if len(found) > limits.RULE_FILES:
            break
    return sorted(found, key=lambda path: path.as_posix())


def read_files(folder: Path) -> tuple[list[RuleText], list[Problem]]:
    """All rule files that can be read, in order, and what is wrong with the others."""
    if not folder.is_dir():
        message = "the rules folder is no folder" if folder.exists() else "there is no such rules folder"
        return [], [_problem(folder, "no-folder", message)]
    try:
        paths = rule_files(folder)
    except _TooManyError as error:
        return [], [_problem(folder, "too-many-files", str(error))]
    except OSError as error:
        return [], [_problem(Path(error.filename or folder), "unreadable", f"cannot be read: {error.strerror}")]
    if not paths:
        return [], [
            _problem(folder, "no-files", "no rule files here", "a rules folder holds files named *.yaml or *.yml")
        ]
    problems: list[Problem] = []
    if len(paths) > limits.RULE_FILES:
        message = f"more than {limits.RULE_FILES} rule files: is this the right folder?"
        return [], [_problem(folder, "too-many-files", message)]
    texts = []
    for path in paths:
        try:
            texts.append(RuleText(_shown(path), _read(path)))
        except OSError as error:
            problems.append(_problem(path, "unreadable", f"cannot be read: {error.strerror or error}"))
    return texts, problems


class _TooManyError(OSError):
    """More names than a rules folder can have."""


def _walk(folder: Path, above: tuple[Path, ...], number: Iterator[int]) -> Iterator[Path]:
    """`above` are the real folders on the way here: a link to one of them is a ring. `number` counts names."""
    real = folder.resolve()
    if real in above:
        return
    with os.scandir(folder) as entries:
        found = [(entry.name, _is_folder(entry)) for entry in _counted(entries, number) if entry.name[0] != "."]
    for name, is_folder in sorted(found):
        path = folder / name
        if is_folder:
            inside = list(_walk(path, (*above, real), number))
            yield from inside or ([path] if is_named_as_one(name) else [])
        elif is_folder is None or is_named_as_one(name):
            yield path


def _counted(entries: Iterable["os.DirEntry[str]"], number: Iterator[int]) -> Iterator["os.DirEntry[str]"]:
    for entry in entries:
        if next(number) > limits.RULE_FOLDER_ENTRIES:
            raise _TooManyError(f"more than {limits.RULE_FOLDER_ENTRIES} files and folders: is this the right folder?")
        yield entry


def _is_folder(entry: "os.DirEntry[str]") -> bool | None:
    """`None` for a link that leads nowhere or in a circle: nobody can say."""
    try:
        return entry.is_dir() or (None if entry.is_symlink() and not Path(entry.path).exists() else False)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise


def _read(path: Path) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | _NO_WAITING), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "not a file")
        return file.read(limits.RULE_FILE_BYTES + 1)


def _problem(path: Path, code: str, message: str, hint: str = "") -> Problem:
    return Problem(Place(_shown(path), 1, 1), code, message, hint)


def _shown(path: Path) -> str:
    """The name with `/`, printable whatever bytes it is made of."""
    return path.as_posix().encode("utf-8", "replace").decode("utf-8")

"""Which files are rule files, and their bytes.

What lives here: walking the folder and reading. What may not: what files hold.

1. Every `*.yaml` and `*.yml` in the folder and below it, sorted by name, so that two machines see the same order.
2. Names that begin with a dot are passed over: a ConfigMap holds each file twice, as `rules.yaml -> ..data/rules.yaml`
   and inside `..data -> ..2026_11_23/`. Links are followed, to files and folders; a ring of links is not walked twice.
3. What cannot be read is a problem, never an exception and never an empty file: an experience must not vanish because a
   disk or a permission failed.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from engine import limits
from engine.problems import Problem
from engine.words import Place

_ENDINGS = (".yaml", ".yml")


class RuleText(Struct, frozen=True):
    """A rule file: its name as problems show it, and its bytes (one more than the limit at most)."""

    file: str
    data: bytes


def rule_files(folder: Path) -> list[Path]:
    """The rule files of a folder, sorted; at most one more than `limits.RULE_FILES`. Raises OSError."""
    found: list[Path] = []
    for path in _walk(folder, ()):
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


def _walk(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    """`above` are the real folders on the way here: a link to one of them is a ring."""
    real = folder.resolve()
    if real in above:
        return
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    for name in names:
        path = folder / name
        if path.is_dir():
            yield from _walk(path, (*above, real))
        elif name.endswith(_ENDINGS):
            yield path


def _read(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise OSError(0, "not a file")  # a pipe would be waited for, for ever
    with path.open("rb") as file:
        return file.read(limits.RULE_FILE_BYTES + 1)


def _problem(path: Path, code: str, message: str, hint: str = "") -> Problem:
    return Problem(Place(_shown(path), 1, 1), code, message, hint)


def _shown(path: Path) -> str:
    """The name with `/`, printable whatever bytes it is made of."""
    return path.as_posix().encode("utf-8", "replace").decode("utf-8")

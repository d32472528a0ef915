"""Where one document is worked on: what is known of the whole folder, and what was found wrong.

What lives here: the few moves that everything in `build` is made of. What may not: what a key of the format means.

1. `Known` is the whole folder's names; references are looked up there.
2. A reader of small texts (scalars, patterns, selectors, …) is called through `Desk.read`: its `Mistake` becomes a
   `Problem` at the exact characters, and the answer is `None`.
3. An empty text was reported by whoever read the YAML; nothing is said of it here.
4. Every condition and template that was read is kept with its path, for the checks that look into them (lint).
5. `rest` is called before every small text: RE2 and CEL let go of the interpreter and take it back again so fast and so
   often that another thread waits for it for a long time (0.4 s, measured) unless this one really sleeps now and then.
"""

from collections.abc import Callable, Collection
from typing import Final, TypeAlias, TypeVar

from msgspec import Struct

from engine.cel.parse import CelErrors, parse
from engine.cel.scope import VISIT, Scope
from engine.problems import Problem, Severity, did_you_mean
from engine.rules.document import Document, Path
from engine.rules.notation.mistake import Mistake
from engine.rules.notation.slots import Path as SlotPath
from engine.words import Condition, Template

T = TypeVar("T")
Rest: TypeAlias = Callable[[], None]


class _Remembered:
    """Conditions that were parsed, for the next reading: nearly all are then as they were.

    Of the last two readings only, or the edits of a year would stay in memory. Two threads that read at once parse a
    condition twice at worst.
    """

    def __init__(self) -> None:
        self._now: dict[tuple[str, Scope], bytes] = {}
        self._before: dict[tuple[str, Scope], bytes] = {}

    def turn(self) -> None:
        """A new reading begins."""
        self._before, self._now = self._now, {}

    def checked(self, text: str, scope: Scope) -> bytes:
        """The condition, parsed. Raises `CelErrors`."""
        key = (text, scope)
        found = self._now.get(key) or self._before.get(key) or parse(text, scope)
        self._now[key] = found
        return found


REMEMBERED: Final = _Remembered()


class Known(Struct, frozen=True):
    """Names of the whole folder. `elsewhere`: words in parts of files that could not be read."""

    segments: frozenset[str]
    experiences: frozenset[str]
    insertable: frozenset[SlotPath]
    elsewhere: frozenset[str]


class Parsed(Struct, frozen=True):
    """A condition that was parsed, and where it stands."""

    document: Document
    path: Path
    condition: Condition

    def doubt(self, code: str, message: str, hint: str, offset: int, width: int) -> Problem:
        """A warning about a part of the condition. A caret underlines one line, so it ends with the first."""
        line = len(self.condition.text[offset:].partition("\n")[0])
        width = max(1, min(width, line))
        return self.document.problem(self.path, code, message, hint, offset=offset, width=width, severity="warning")


class Desk:
    """One document in work."""

    def __init__(self, document: Document, known: Known, rest: Rest = lambda: None) -> None:
        self.document = document
        self.known = known
        self._rest = rest
        self.problems: list[Problem] = []
        self.parsed: list[Parsed] = []
        self.templates: list[tuple[Path, str]] = []

    def say(self, path: Path, code: str, message: str, hint: str = "", *, severity: Severity = "error") -> None:
        """Something is wrong with a value; not said where that may only follow from what could not be read of it."""
        if self.document.is_doubtful(path):
            return
        self.problems.append(self.document.problem(path, code, message, hint, severity=severity))

    def say_key(self, path: Path, code: str, message: str, hint: str = "") -> None:
        """Something is wrong with a key."""
        self.problems.append(self.document.problem(path, code, message, hint, at="key"))

    def mistake(self, path: Path, code: str, mistake: Mistake, text: str) -> None:
        """A mistake in a value's text, at its characters."""
        if mistake.width == 0 and mistake.offset == 0:
            self.say(path, code, mistake.message, mistake.hint)
        else:
            # A caret underlines one line, so a mistake over several is shown on its first.
            line = len(text[mistake.offset :].partition("\n")[0])
            width = max(1, min(mistake.width, line))
            at = self.document.problem(path, code, mistake.message, mistake.hint, offset=mistake.offset, width=width)
            self.problems.append(at)

    def read(self, path: Path, code: str, reader: Callable[[str], T], text: str) -> T | None:
        """What the reader makes of the text; `None` where it is none of its kind."""
        if not text:
            return None
        self._rest()
        try:
            return reader(text)
        except Mistake as mistake:
            self.mistake(path, code, mistake, text)
            return None

    def key(self, path: Path, reader: Callable[[str], str]) -> None:
        """A mapping's key, which has to be readable as a key."""
        if not path[-1]:
            return
        try:
            reader(str(path[-1]))
        except Mistake as mistake:
            self.say_key(path, "key", mistake.message, mistake.hint)

    def template(
        self,
        path: Path,
        reader: Callable[[str, Collection[SlotPath]], tuple[Template, list[Mistake]]],
        text: str | None,
    ) -> Template | None:
        """What a reader of templates makes of the text; `None` where there is none."""
        if text is None:
            return None
        self._rest()
        self.templates.append((path, text))
        made, mistakes = reader(text, self.known.insertable)
        for mistake in mistakes:
            self.mistake(path, "template", mistake, text)
        return made

    def conditions(self, path: Path, written: str | list[str], scope: Scope = VISIT) -> tuple[Condition, ...]:
        """The condition or conditions that stand at a path, parsed and type-checked."""
        made = []
        for number, text in enumerate([written] if isinstance(written, str) else written):
            at = (*path, number)
            condition = self._condition(at, text, scope) if text else None
            if condition is not None:
                made.append(condition)
                self.parsed.append(Parsed(self.document, at, condition))
        return tuple(made)

    def _condition(self, path: Path, text: str, scope: Scope) -> Condition | None:
        self._rest()
        try:
            return Condition(text, self.document.place(path, 0), REMEMBERED.checked(text, scope))
        except CelErrors as wrong:
            for error in wrong.errors:
                self.mistake(
                    path, "condition", Mistake(error.message, error.hint, error.offset, error.width or 1), text
                )
            return None

    def refer(self, path: Path, kind: str, word: str, known: Collection[str]) -> bool:
        """Is the word one of the known keys? If not, that is said."""
        if not word or word in known or word in self.known.elsewhere:
            return bool(word)
        near = did_you_mean(word, known)
        few = ", ".join(f"`{name}`" for name in sorted(known)[:8])
        self.say(path, f"unknown-{kind}", f"unknown {kind} `{word}`", near or (f"known are {few}" if few else ""))
        return False

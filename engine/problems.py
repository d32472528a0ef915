"""The one problem type and its one renderer (DESIGN section 2, "Bad files").

What lives here: `Problem`, how it reads for people, for programs and for GitHub. What may not: finding
problems, reading files, printing.

1. Whoever finds something wrong makes a `Problem`: where, what, and what would be right.
2. All problems of a run are collected, then sorted by place and rendered together.
3. An error keeps a ruleset from being taken; a warning does not.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final, Literal

from msgspec import Struct

from engine.words import Place

Severity = Literal["error", "warning"]
_SHOWN: Final = 8  # of the words that there are, where another was asked for


class Problem(Struct, frozen=True):
    """One thing that is wrong, at one place.

    `code` is a stable kebab-case word for scripts; `message` says what is wrong; `hint`, where there is one, what
    would be right; `source` is the line of the file, for the caret; `width` how many characters the caret underlines.
    """

    place: Place
    code: str
    message: str
    hint: str = ""
    source: str = ""
    width: int = 1
    severity: Severity = "error"


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Those that keep a ruleset from being taken."""
    return [problem for problem in problems if problem.severity == "error"]


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sorted by file, line, column; the same thing said twice of one place is said once."""
    unique = {(p.place.file, p.place.line, p.place.column, p.message): p for p in problems}
    return [unique[key] for key in sorted(unique)]


def as_text(problem: Problem) -> str:
    """`file:line:column: severity: message`, the line with a caret, the hint."""
    place = problem.place
    lines = [f"{place.file}:{place.line}:{place.column}: {problem.severity}: {problem.message} [{problem.code}]"]
    if problem.source:
        # Tabs are kept before the caret, so that it stands right whatever width the terminal gives them.
        lead = "".join("\t" if c == "\t" else " " for c in problem.source[: place.column - 1])
        lines += [f"    {problem.source}", f"    {lead}{'^' * max(1, problem.width)}"]
    lines += [f"    {line}" for line in problem.hint.splitlines()]
    return "\n".join(lines)


def as_json(problem: Problem) -> dict[str, Any]:
    """`{file, line, column, severity, code, message, hint}`: what `check --format json` prints."""
    place = problem.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }


def as_github(problem: Problem) -> str:
    """A GitHub Actions annotation (workflow command `::error file=…::message`)."""
    place = problem.place
    text = problem.message + (f"\n{problem.hint}" if problem.hint else "")
    message = _escape(text)
    file = _escape(place.file).replace(":", "%3A").replace(",", "%2C")
    return f"::{problem.severity} file={file},line={place.line},col={place.column},title={problem.code}::{message}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean `x`?` for the nearest of the known words, or nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def there_are(known: Iterable[str]) -> str:
    """`there are a, b, c`, of many only the first: where no word is near enough."""
    words = list(known)
    return f"there are {', '.join(words[:_SHOWN])}{' …' if len(words) > _SHOWN else ''}" if words else "there is none"


def near_or_all(word: str, known: Iterable[str]) -> str:
    """What was meant instead of `word`: the nearest that there is, else which there are."""
    words = list(known)
    return did_you_mean(word, words) or there_are(words)


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

"""Doubts about experiences: what nobody sees, who sees it twice, who is sent round in a circle.

What lives here: places and words for what collisions.py, coverage.py and redirects.py find; experiences that are over
or show nothing. What may not: the finding; single conditions (lint_segments.py).

1. What nobody sees is doubted only of live experiences; what is wrong between audiences also of drafts.
2. The clock comes from outside, and only `check` brings one: what is over tomorrow is no mistake in the files.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from engine import limits
from engine.problems import Problem
from engine.rules.desk import Desk
from engine.rules.document import Document, Path
from engine.rules.doubts.collisions import REDIRECT, Collision, Touch, collisions
from engine.rules.doubts.coverage import Covered, budget, covered
from engine.rules.doubts.matchers import Matchers
from engine.rules.doubts.proofs import Background
from engine.rules.doubts.redirects import Circle, Hop, circles
from engine.words import Experience, Ruleset

SHOWN = 3  # experiences that are named in one message
_APART = "a visitor of both would get a mixture that neither test knows of: give both the same `exclusion_group`"
_ALL_APART = "a visitor of several would get a mixture that no test knows of: give them all the same `exclusion_group`"


def experiences(desks: Sequence[Desk], ruleset: Ruleset, now: datetime | None) -> Iterator[Problem]:
    """Doubts about the experiences of a folder; those that need a clock only with one."""
    documents = _home(desks, ruleset.experiences.values())
    yield from _collisions(documents, ruleset)
    yield from _idle(documents, ruleset)
    if now is not None:
        yield from _over(documents, ruleset, now)


def between_segments(desks: Sequence[Desk], ruleset: Ruleset, background: Background) -> Iterator[Problem]:
    """Doubts that hold segments against each other, which have to be whole for that."""
    documents = _home(desks, ruleset.experiences.values())
    matchers = Matchers(ruleset.segments)
    yield from _covered(documents, ruleset, matchers, background)
    yield from _circles(documents, ruleset, matchers, background)


def _home(desks: Iterable[Desk], experiences: Iterable[Experience]) -> dict[str, Document]:
    """The document in which each experience stands."""
    by_file = {desk.document.file: desk.document for desk in desks}
    return {experience.key: by_file[experience.place.file] for experience in experiences}


def _collisions(documents: dict[str, Document], ruleset: Ruleset) -> Iterator[Problem]:
    """One doubt for every experience that meets earlier ones, at its first change of a common element."""
    met: dict[tuple[str, str], list[Collision]] = defaultdict(list)
    for found in collisions(list(ruleset.experiences.values())):
        met[found.later.experience.key, found.later.selector].append(found)
    for (key, selector), pairs in met.items():
        what = "redirect" if selector == REDIRECT else f"change `{selector}`"
        others = [_shown(pair.earlier, documents) for pair in pairs[:SHOWN]]
        more = len(pairs) - len(others)
        listed = ", ".join([*others, f"{more} more"] if more else others)
        yield documents[key].problem(
            _path(pairs[0].later),
            "collision",
            f"`{key}` and {listed} {what} on the same page",
            _APART if len(pairs) == 1 else _ALL_APART,
            severity="warning",
        )


def _shown(touch: Touch, documents: dict[str, Document]) -> str:
    key = touch.experience.key
    at = documents[key].place(_path(touch))
    return f"`{key}` ({at.file}:{at.line})"


def _path(touch: Touch) -> Path:
    audience, variant, change = touch.at
    end = "redirect" if touch.selector == REDIRECT else "selector"
    return ("experiences", touch.experience.key, "audiences", audience, "variants", variant, "changes", change, end)


def _idle(documents: dict[str, Document], ruleset: Ruleset) -> Iterator[Problem]:
    """Live experiences that show nothing to anybody."""
    for key, experience in ruleset.experiences.items():
        whole = not documents[key].is_doubtful(("experiences", key, "audiences"))
        if experience.status == "live" and whole and all(a.control_ppm == limits.PPM for a in experience.audiences):
            message = f"every audience of `{key}` is 100% control: it shows nothing to anybody"
            hint = "lower `control`, or `status: paused`"
            yield documents[key].problem(
                ("experiences", key), "all-control", message, hint, at="key", severity="warning"
            )


def _over(documents: dict[str, Document], ruleset: Ruleset, now: datetime) -> Iterator[Problem]:
    """Live experiences whose schedule is over."""
    for key, experience in ruleset.experiences.items():
        if experience.status == "live" and experience.end is not None and experience.end <= now:
            message = f"`{key}` is over since {msgspec.to_builtins(experience.end)}: nobody sees it any more"
            hint = "a later `end`, or `status: paused`, or take it out"
            yield documents[key].problem(
                ("experiences", key, "schedule", "end"), "schedule-over", message, hint, severity="warning"
            )


def _covered(
    documents: dict[str, Document], ruleset: Ruleset, matchers: Matchers, background: Background
) -> Iterator[Problem]:
    """Audiences that can never win."""
    pairs = budget()
    for key, experience in ruleset.experiences.items():
        if experience.status == "paused" or len(experience.audiences) < 2:
            continue
        keys = [audience.segment for audience in experience.audiences]
        for found in covered([matchers.of(segment) for segment in keys], background, pairs):
            path: Path = ("experiences", key, "audiences", found.lower, "segment")
            message, hint = _covered_text(documents[key], key, keys, found)
            yield documents[key].problem(path, "covered-audience", message, hint, severity="warning")


def _covered_text(document: Document, key: str, keys: Sequence[str], found: Covered) -> tuple[str, str]:
    lower = keys[found.lower]
    if found.upper is None:
        message = f"`{lower}` never wins here: whoever matches it matches one of the segments above"
        return message, "put it above them, or leave it out"
    upper = keys[found.upper]
    line = document.place(("experiences", key, "audiences", found.upper, "segment")).line
    message = f"`{lower}` never wins here: whoever matches it matches `{upper}` above (line {line})"
    if found.same:
        return message, "the two match the same visitors: leave one of them out"
    return message, f"put it above `{upper}`, or leave it out"


def _circles(
    documents: dict[str, Document], ruleset: Ruleset, matchers: Matchers, background: Background
) -> Iterator[Problem]:
    """Redirects that lead back, each circle at its first redirect."""
    for circle in circles(list(ruleset.experiences.values()), matchers, background):
        first = circle.hops[0]
        yield documents[first.experience.key].problem(
            _path_of(first), "redirect-circle", *_circle_text(documents, circle), severity="warning"
        )


def _circle_text(documents: dict[str, Document], circle: Circle) -> tuple[str, str]:
    first, *others = circle.hops
    key = first.experience.key
    if not others:
        page = circle.pages[0]
        message = f"`{key}` leads to a page of its own: who comes to {page} is sent there again, without end"
        return (
            message,
            "leave the target out of `pages`, or those who are there out of the segment (`except: page.path == …`)",
        )
    way = " → ".join([*circle.pages, circle.pages[0]])
    listed = ", ".join(
        f"`{hop.experience.key}` ({at.file}:{at.line})"
        for hop in others
        for at in [documents[hop.experience.key].place(_path_of(hop))]
    )
    message = f"`{key}` and {listed} send visitors round in a circle: {way}"
    return message, "let one of them lead elsewhere, or leave its target out of the other's `pages`"


def _path_of(hop: Hop) -> Path:
    audience, variant, change = hop.at
    return (
        "experiences", hop.experience.key, "audiences", audience, "variants", variant, "changes", change, REDIRECT
    )  # fmt: skip

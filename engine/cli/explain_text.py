"""An explanation laid out for people: a verdict, then each experience with what was asked of the visitor.

What lives here: layout, colours, what is cut off. What may not: reasons; they come as they are from
`engine.decide.explanation`.

1. First the verdict. Then the experiences that were asked, in deciding order. Last, one a line, those that were not.
2. One step of a condition is one line: its truth, its text, its place where that is new. What is known at its paths,
   and why it is unknown, stand under it.
3. Values are written as JSON and cut (`VALUE_CHARS`); whatever a terminal would obey instead of showing is escaped.
4. Colours are only a second way to say what the words say.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import click

from engine.decide.explanation import Explanation, Fact, Inserted, Reasons, Shown, Step, Tried
from engine.words import Place

VALUE_CHARS: Final = 48
TEXT_CHARS: Final = 96
WORDS_CHARS: Final = 140
LISTED: Final = 12  # experiences that were not asked, and audiences below a winner; the rest is counted

_COLOURS = {
    "true": "green", "false": "red", "unknown": "yellow",
    "matches": "green", "does-not-match": "red", "not-asked": "bright_black",
    "personalized": "green", "control": "cyan", "held-out": "cyan", "no-match": "red",
}  # fmt: skip
_SIGNS = {"all": "all of", "any": "any of", "not": "not", "choice": "a ? b : c"}
_ASKED = frozenset({"personalized", "control", "held-out", "no-match"})


def lines(explanation: Explanation, *, whole: bool = False) -> Iterator[str]:
    """The text, line by line. `whole`: also what the decision did not get to, where it was asked all the same."""
    yield click.style(safe(explanation.verdict, 10_000), bold=True)
    if not explanation.agrees:
        yield click.style("The service decides otherwise. That is a fault of mutiny-edge: please report it.", fg="red")
    if explanation.degraded:
        yield click.style("The store could not be read, or not in whole: what else is known decided.", fg="yellow")
    yield ""
    yield f"  page     {safe(explanation.url, 200)}"
    yield f"  at       {explanation.now.isoformat().replace('+00:00', 'Z')}"
    yield f"  ruleset  {explanation.ruleset}"
    for fact in explanation.unusable:
        yield f"  unusable {_known(fact)}"
    rest = []
    for reasons in explanation.experiences:
        if reasons.outcome in _ASKED or (whole and reasons.audiences):
            yield ""
            yield from _asked(reasons)
        else:
            rest.append(reasons)
    yield from _rest(rest)


def _asked(reasons: Reasons) -> Iterator[str]:
    outcome = click.style(reasons.outcome.replace("-", " "), fg=_COLOURS.get(reasons.outcome, "bright_black"))
    group = f", group {safe(reasons.exclusion_group)}, priority {reasons.priority}" if reasons.exclusion_group else ""
    yield f"{click.style(reasons.experience, bold=True)}  {outcome}{_dim(group)}  {_at(reasons.place)}"
    yield f"  {_dim(safe(reasons.because, WORDS_CHARS))}"
    below = [tried for tried in reasons.audiences if tried.outcome == "not-asked"]
    for number, tried in enumerate(reasons.audiences, 1):
        if tried.outcome != "not-asked":
            yield from _tried(number, tried)
    if below:
        names = ", ".join(tried.segment for tried in below[:LISTED])
        more = f" and {len(below) - LISTED:,} more" if len(below) > LISTED else ""
        yield f"  {_dim(f'not asked, since a segment above matches: {names}{more}')}"
    if reasons.unit is not None:
        yield f"  {safe(reasons.unit.words, WORDS_CHARS)}"
        for draw in reasons.draws:
            yield f"    {draw.role:<8} {safe(draw.words, WORDS_CHARS)}"
            yield _dim(f"             {draw.draw:,} of 4,294,967,296, murmur3 of `{safe(draw.hashed, WORDS_CHARS)}`")
    if reasons.shown is not None:
        yield from _shown(reasons.shown)


def _tried(number: int, tried: Tried) -> Iterator[str]:
    outcome = click.style(tried.outcome.replace("-", " "), fg=_COLOURS[tried.outcome])
    yield f"  {number}. {tried.segment}  {outcome}"
    single = len(tried.when) + len(tried.excepts) == 1 and not tried.when[0].parts
    if tried.outcome == "does-not-match" and not single:  # of a single test it says what stands right below
        yield f"     {_dim(safe(tried.because, WORDS_CHARS))}"
    for name, steps in (("when", tried.when), ("except", tried.excepts)):
        for step in steps:
            yield f"     {_dim(name)}  {_at(step.place)}"
            yield from _step(step, "       ", step.place)


def _step(step: Step, indent: str, shown: Place) -> Iterator[str]:
    """A step and what is below it; `shown` is the place that was printed last."""
    truth = click.style(f"{step.truth:<7}", fg=_COLOURS[step.truth])
    place = "" if step.place.line == shown.line else f"  {_dim(f'line {step.place.line}')}"
    if step.kind != "test":
        yield f"{indent}{truth}  {click.style(_SIGNS[step.kind], italic=True)}{place}"
        for part in step.parts:
            yield from _step(part, indent + "  ", step.place)
        return
    yield f"{indent}{truth}  {safe(step.text, TEXT_CHARS)}{place}"
    under = indent + " " * 9
    for cause in step.causes:
        yield f"{under}{click.style(safe(cause.words, WORDS_CHARS), fg='yellow')}"
    told = tuple(cause.path for cause in step.causes if cause.kind in {"absent", "unusable"})
    for fact in step.facts:
        if fact.state not in {"absent", "unusable"} or not fact.path.startswith(told):
            yield f"{under}{_dim(_known(fact))}"


def _known(fact: Fact) -> str:
    """What is known at a path, and how it came to be that."""
    path = safe(fact.path)
    match fact.state:
        case "absent":
            return f"{path} is not known"
        case "unusable":
            return f"{path} was sent as {value(fact.sent)}, which cannot be used"
        case "coerced":
            return f"{path} = {value(fact.value)}, sent as {value(fact.sent)}"
        case "default":
            why = "" if fact.sent is None else f" in place of {value(fact.sent)}, which cannot be used"
            return f"{path} = {value(fact.value)}, the declared default{why}"
    return f"{path} = {value(fact.value)}"


def _shown(shown: Shown) -> Iterator[str]:
    yield f"  shows variant {click.style(shown.variant, bold=True)}"
    for change in json.loads(bytes(shown.changes)):
        yield f"    {safe(json.dumps(change, ensure_ascii=False), WORDS_CHARS)}"
    for slot in shown.slots:
        yield from _inserted(slot)


def _inserted(slot: Inserted) -> Iterator[str]:
    told = "" if slot.fact.state == "absent" else f": {_known(slot.fact)}"
    yield f"    {safe(slot.where)}: {value(slot.written)}"
    yield f"      {_dim(safe(slot.words + told, WORDS_CHARS))}"


def _rest(rest: list[Reasons]) -> Iterator[str]:
    """The experiences that were not asked."""
    if not rest:
        return
    yield ""
    yield _dim("not asked")
    # What runs on this page and lost is more interesting than what belongs to other pages.
    ordered = sorted(rest, key=lambda reasons: reasons.outcome in {"other-page", "not-live"})
    width = max(len(reasons.experience) for reasons in ordered[:LISTED])
    for reasons in ordered[:LISTED]:
        pages = f": {', '.join(reasons.pages[:3])}" if reasons.outcome == "other-page" else ""
        yield f"  {reasons.experience:<{width}}  {_dim(safe(reasons.because + pages, WORDS_CHARS))}"
    if len(rest) > LISTED:
        yield f"  {_dim(f'and {len(rest) - LISTED:,} more; --experience KEY tells of one')}"


def value(found: Any) -> str:
    """A value as JSON, cut where it is long."""
    if isinstance(found, str) and len(found) > VALUE_CHARS:
        return f'{safe(json.dumps(found[:VALUE_CHARS], ensure_ascii=False))[:-1]}…" ({len(found):,} characters)'
    return safe(json.dumps(found, ensure_ascii=False), VALUE_CHARS)


def safe(text: str, most: int = TEXT_CHARS) -> str:
    """One line that a terminal shows and does not obey, cut where it is long."""
    cut = " ".join(text[: 2 * most + 2].split()) if any(c.isspace() for c in text[: 2 * most + 2]) else text
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut[: most + 1])
    return shown if len(cut) <= most else shown[: most - 1] + "…"


def _at(place: Place) -> str:
    return _dim(f"{safe(place.file, 200)}:{place.line}:{place.column}")


def _dim(text: str) -> str:
    return click.style(text, dim=True)

"""`lift` as people read it: a table for each experience, and under it a sentence for each of its lines.

1. A rate stands with the visitors that it is of; lift and interval are there once both groups have conversions
   enough for a verdict.
2. The sentences come from `lift.verdict`. Names come from events, so they are made safe for a screen.
3. Visitors whose window is still open have a table of their own, asked for by `--open`, without a verdict.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

import click

from engine.cli.explain_text import safe
from engine.cli.table import print_table
from engine.lift.figures import Figures, Pair
from engine.lift.statistics import Group
from engine.lift.verdict import CONVERSIONS_LEAST, Judgement, fewest, rate_text, signed

HEAD: Final = ("segment", "goal", "control", "personalized", "lift", "95% interval", "better")
OPEN_HEAD: Final = ("segment", "goal", "control", "personalized")
COLOURS: Final = {"better": "green", "worse": "red", "withheld": "yellow", "undecided": None}
LIKELY: Final = 0.999  # beyond, and below the opposite, more digits say nothing


def print_text(judged: Sequence[Judgement], open_: bool) -> None:
    """Everything; `open_`: with the visitors whose windows are open."""
    if not judged:
        click.echo("No exposures: nobody was shown an experience (Mutiny Experience Viewed) in what was looked at.")
        return
    for number, (experience, lines) in enumerate(groupby(judged, lambda one: one.figures.experience)):
        if number:
            click.echo()
        _print_experience(experience, list(lines), open_=open_)
    _print_notes([one.figures for one in judged], open_=open_)


def _print_experience(name: str, judged: list[Judgement], *, open_: bool) -> None:
    click.echo(click.style(safe(name), bold=True))
    if not open_ or any(one.figures.closed.visitors for one in judged):
        print_table((HEAD, *map(_row, judged)), left=(0, 1))
    for one in judged:
        of = f"{safe(one.figures.segment)}, {one.figures.goal}:"
        click.echo(f"  {of} {click.style(one.text, fg=COLOURS[one.verdict])}")
    if open_ and any(one.figures.open.visitors for one in judged):
        click.echo("\n  Window still open, and so no verdict:")
        print_table((OPEN_HEAD, *(_named(one.figures, one.figures.open) for one in judged)), left=(0, 1))


def _row(one: Judgement) -> tuple[str, ...]:
    named = _named(one.figures, one.figures.closed)
    if one.lift is None or one.interval is None or fewest(one.figures.closed) < CONVERSIONS_LEAST:
        return (*named, "", "", "")
    interval = f"{signed(one.interval[0])} to {signed(one.interval[1])}"
    return (*named, signed(one.lift), interval, _likely(one.probability_better or 0.0))


def _named(figures: Figures, pair: Pair) -> tuple[str, ...]:
    return safe(figures.segment), figures.goal, _rate(pair.control), _rate(pair.personalized)


def _rate(group: Group) -> str:
    return f"{rate_text(group)} of {group.visitors:,}" if group.visitors else "nobody"


def _likely(probability: float) -> str:
    if probability > LIKELY:
        return ">99.9%"
    return "<0.1%" if probability < 1 - LIKELY else f"{probability:.1%}"


def _print_notes(figures: list[Figures], *, open_: bool) -> None:
    """What one should know of the figures, once for all of them."""
    waiting = _visitors(figures, lambda one: one.open.visitors)
    both = _visitors(figures, lambda one: one.saw_both)
    notes = []
    if waiting and not open_:
        notes.append(f"Counted are visitors whose window is over; {waiting} still in theirs (--open shows them).")
    if both:
        notes.append(
            f"{both} counted in the group that they saw first, though they saw both (on several devices, mostly)."
        )
    if notes:
        click.echo("\n" + "\n".join(notes))


def _visitors(figures: list[Figures], counted: Callable[[Figures], int]) -> str:
    """So many visitors; of several goals the most, for they are the same visitors."""
    total = 0
    for _, lines in groupby(figures, lambda one: (one.experience, one.segment)):
        total += max(map(counted, lines))
    return "" if not total else "1 visitor is" if total == 1 else f"{total:,} visitors are"

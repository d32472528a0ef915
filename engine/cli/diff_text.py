"""What `mutiny-edge diff` prints: for people and for programs.

1. First what changed, a thing after the other, each line with both texts and where they stand. Then what is drawn
   anew and why. Then, if stored visitors were asked, who moves.
2. The JSON has the same in the same order; `place`s are `{file, line}`, shares are fractions.
"""

import shlex
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from engine.cli.screen import counted
from engine.cli.stored import of_them
from engine.problems import Problem
from engine.problems import as_json as problem_json
from engine.review.difference import Difference
from engine.review.edits import Detail, Edit
from engine.review.moves import Example, Moved, Moves, Seen, Way
from engine.review.redraws import Redraw
from engine.review.sampling import Sample, margin
from engine.words import Place, Ruleset

SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow"), "renamed": (">", "yellow")}
CONDITIONS = {"when", "except", "where"}
WAYS: dict[Way, str] = {
    "to personalized": "from control to personalized",
    "to control": "from personalized to control",
    "variant": "to another variant",
    "segment": "to another segment",
    "in": "see it who did not",
    "out": "no longer see it",
}


class Moving(NamedTuple):
    """Stored visitors, decided twice, and which ones they were."""

    moves: Moves
    chosen: Sample


def print_difference(found: Difference) -> None:
    """The edits, and what is drawn anew."""
    if not found.edits:
        click.echo("Nothing that decides has changed.")
    for edit in found.edits:
        print_edit(edit)
    if not found.redraws:
        if found.edits:
            click.echo("\nNo live experience is drawn anew.")
        return
    keys = list(dict.fromkeys(redraw.experience for redraw in found.redraws))
    said = f"{counted(len(keys), 'live experience')} {'is' if len(keys) == 1 else 'are'} drawn anew:"
    click.echo("\n" + click.style(said, fg="red", bold=True))
    for redraw in found.redraws:
        where = redraw.experience + (f", {redraw.segment}" if redraw.segment else "")
        click.echo(f"  {click.style(where, bold=True)}  {at(redraw.place)}\n      {redraw.text}")


def print_edit(edit: Edit) -> None:
    """A thing and its lines."""
    sign, colour = SIGNS[edit.sign]
    name = f"{edit.old_key} -> {edit.key}" if edit.sign == "renamed" else edit.key
    place = at(edit.new_place or edit.old_place)
    click.echo(
        f"{click.style(sign, fg=colour, bold=True)} {edit.kind} {click.style(name, bold=True)}  {place}".rstrip()
    )
    for detail in edit.details:
        print_detail(detail, edit)


def print_detail(detail: Detail, edit: Edit) -> None:
    """`what: old -> new`; conditions, and whatever is too long for a line, one under the other with their places."""
    place = None if detail.new_place == edit.new_place else detail.new_place
    if edit.sign in {"added", "removed"}:
        click.echo(f"    {detail.what}: {detail.old or detail.new}")
        return
    if is_short(detail):
        click.echo(f"    {detail.what}: {detail.old or 'none'} -> {detail.new or 'none'}  {at(place)}".rstrip())
        return
    click.echo(f"    {detail.what}:")
    for sign, text, stands in (("-", detail.old, detail.old_place), ("+", detail.new, detail.new_place)):
        if text is not None:
            click.echo(f"      {click.style(sign, fg='red' if sign == '-' else 'green')} {text}  {at(stands)}".rstrip())


def is_short(detail: Detail) -> bool:
    """Is it no condition, and do both texts go into one line?"""
    return detail.what not in CONDITIONS and len(detail.old or "") + len(detail.new or "") < 70


def at(place: Place | None) -> str:
    """`file:line`, dimmed; nothing for what stands nowhere."""
    return click.style(f"{place.file}:{place.line}", dim=True) if place else ""


def print_moves(moving: Moving, explain: str) -> None:
    """Who moves, by experience; with commands that explain some of them."""
    moves, chosen = moving
    click.echo()
    of_whom = of_them(chosen)
    within = margin(moves.moved, moves.visitors, chosen.total)
    share = f"{moves.moved / moves.visitors if moves.visitors else 0:.1%}" + (f" ± {within:.1%}" if within else "")
    click.echo(click.style(f"Of {of_whom}, {moves.moved:,} ({share}) see something else,", bold=True))
    click.echo("by what is stored of them alone: visit, device and place are not known.")
    for moved in moves.result():
        click.echo(f"  {click.style(moved.experience, bold=True)}: {moved.moved:,} of {moved.seen:,}; {ways(moved)}")
        for example in moved.examples:
            click.echo(f"      {explain} --visitor {shlex.quote(example.visitor_id)} --url {shlex.quote(example.url)}")
            click.echo(f"          {seen(example.old)} -> {seen(example.new)}")


def ways(moved: Moved) -> str:
    """`61 from control to personalized, 2 to another segment`."""
    return ", ".join(f"{moved.ways[way]:,} {words}" for way, words in WAYS.items() if way in moved.ways)


def seen(answer: Seen | None) -> str:
    """`fintech, control`, or nothing."""
    if answer is None:
        return "nothing"
    return f"{answer[0]}, {'control' if answer[1] is None else f'variant {answer[1]}'}"


def as_json(found: Difference, old: Ruleset, new: Ruleset, moving: Moving | None) -> dict[str, Any]:
    """The whole for programs."""
    return {
        "old": old.version,
        "new": new.version,
        "problems": [],
        "changes": [edit_json(edit) for edit in found.edits],
        "drawnAnew": [redraw_json(redraw) for redraw in found.redraws],
        "visitors": None if moving is None else moves_json(moving),
    }


def problems_json(wrong: Sequence[Problem]) -> dict[str, Any]:
    """The same shape where a side cannot be read."""
    problems = [problem_json(problem) for problem in wrong]
    return {"old": None, "new": None, "problems": problems, "changes": [], "drawnAnew": [], "visitors": None}


def edit_json(edit: Edit) -> dict[str, Any]:
    """One thing."""
    return {
        "kind": edit.kind,
        "key": edit.key,
        "oldKey": edit.old_key,
        "change": edit.sign,
        "oldPlace": place_json(edit.old_place),
        "newPlace": place_json(edit.new_place),
        "details": [
            {
                "what": detail.what,
                "old": detail.old,
                "new": detail.new,
                "oldPlace": place_json(detail.old_place),
                "newPlace": place_json(detail.new_place),
            }
            for detail in edit.details
        ],
    }


def redraw_json(redraw: Redraw) -> dict[str, Any]:
    """One reason."""
    return {
        "experience": redraw.experience,
        "segment": redraw.segment,
        "reason": redraw.reason,
        "text": redraw.text,
        "moved": redraw.moved,
        "place": place_json(redraw.place),
    }


def moves_json(moving: Moving) -> dict[str, Any]:
    """Who moves."""
    moves, chosen = moving
    return {
        "stored": chosen.total,
        "visitors": moves.visitors,
        "moved": moves.moved,
        "experiences": [
            {
                "experience": moved.experience,
                "seen": moved.seen,
                "moved": moved.moved,
                "ways": moved.ways,
                "examples": [*map(example_json, moved.examples)],
            }
            for moved in moves.result()
        ],
    }


def example_json(example: Example) -> dict[str, Any]:
    """One who moves."""
    old, new = (
        None if side is None else {"segment": side[0], "variant": side[1]} for side in (example.old, example.new)
    )
    return {"visitorId": example.visitor_id, "url": example.url, "old": old, "new": new}


def place_json(place: Place | None) -> dict[str, Any] | None:
    """Where something stands."""
    return None if place is None else {"file": place.file, "line": place.line}

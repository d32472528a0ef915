"""`mutiny-edge diff`: what an edit of the rules changes, and which live experiences it draws anew.

1. A side is a folder, or `git:REV`: the folder that `--rules` names as it was then (`revision.py`). It has to be one
   that `check` passes; failing `tests:` are errors here too.
2. What changed and why it moves visitors is worked out in `decide.difference`; with `--store` the stored visitors are
   decided by both (`decide.moves`). What is printed is made in `diff_text.py`; here is the order of the steps.
3. Exit code 2 means "draws a live experience anew": a pipeline asks for a second look. A command that cannot be carried
   out is 2 too, as everywhere, and then nothing is on stdout.
"""

import json
import shlex
from pathlib import Path

import click
from msgspec import Struct

from engine.cli import completion, diff_text, options
from engine.cli.check import print_text as print_problems
from engine.cli.check import with_line
from engine.cli.revision import PREFIX, texts
from engine.cli.screen import counted, fail, say
from engine.cli.stored import left_out, sampled, stored_settings, visitors
from engine.decide.cases import failures
from engine.decide.decider import Decider
from engine.node import utc_now
from engine.problems import Problem, errors
from engine.review.difference import difference
from engine.review.moves import Moves
from engine.rules.folder import load, load_texts
from engine.settings import Settings, masked
from engine.words import Ruleset

ANEW = 2  # the exit code that the second look hangs on
BROKEN = 1
EPILOG = """\b
Exit codes: 0 nothing is drawn anew; 2 a live experience is drawn anew; 1 a side has errors.
Examples:
  mutiny-edge diff git:HEAD                    what is not committed yet
  mutiny-edge diff git:origin/main --store     the same against main, and which stored visitors it moves
  mutiny-edge diff git:v1 git:v2 --format json
  mutiny-edge diff old-rules new-rules
"""


class Side(Struct, frozen=True):
    """One of the two: what it says (None: it has errors), and the folder that it is, if it is one."""

    ruleset: Ruleset | None
    problems: tuple[Problem, ...]
    folder: Path | None


@click.command(epilog=EPILOG)
@click.argument("old", metavar="OLD", shell_complete=completion.folders)
@click.argument("new", metavar="[NEW]", required=False, shell_complete=completion.folders)
@options.rules_unchecked
@options.data
@options.stored("Decide the stored visitors by both sides and count who moves.")
@sampled
@options.form("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    old: str,
    new: str | None,
    rules: Path,
    data: Path,
    stored: str | None,
    size: int,
    everyone: bool,
    form: str,
) -> None:
    """Say what an edit of the rules changes, and whom it draws anew.

    OLD and NEW are folders or `git:REV`, the folder --rules at that revision. NEW is the folder --rules if it is left
    out. With --store every stored visitor (of many, a sample) is decided by both, on a page for each pattern, by what
    is stored of them; those who change segment, group or variant are counted, and some are named for `explain`.
    """
    sides = side(ctx, old, rules), side(ctx, new or str(rules), rules)
    wrong = [problem for one in sides for problem in errors(one.problems)]
    before, after = sides[0].ruleset, sides[1].ruleset
    if before is None or after is None:
        broken(wrong, form)
        ctx.exit(BROKEN)
    found = difference(before, after)
    moves = None
    if stored is not None:
        moves = moved(
            Moves(before, after, found, utc_now()), stored_settings(rules, data, stored), None if everyone else size
        )
    if form == "json":
        click.echo(json.dumps(diff_text.as_json(found, before, after, moves), indent=2, ensure_ascii=False))
    else:
        diff_text.print_difference(found)
        if moves is not None:
            diff_text.print_moves(moves, explaining(sides, rules, data, stored))
    if found.redraws:
        ctx.exit(ANEW)


def side(ctx: click.Context, given: str, rules: Path) -> Side:
    """Read one side."""
    if given.startswith(PREFIX):
        revision = given.removeprefix(PREFIX)
        files = texts(revision, rules)
        if not files:
            fail(f"{given}: there are no rule files in {rules} at this revision")
        loaded, folder = load_texts(files), None
    else:
        folder = Path(given)
        if folder.is_file():
            why = f"{given!r} is a file; files refer to each other, so whole folders are compared."
            raise click.BadParameter(why, ctx, param_hint="OLD, NEW")
        if not folder.is_dir():
            hint = f" (a git revision is {PREFIX}{given})" if not folder.exists() else ""
            raise click.BadParameter(f"Directory {given!r} does not exist{hint}.", ctx, param_hint="OLD, NEW")
        loaded = load(folder)
    if loaded.ruleset is None:
        return Side(None, loaded.problems, folder)
    # A side whose own tests fail is one that no service takes, and `explain` neither.
    failed = tuple(map(with_line, failures(Decider(loaded.ruleset))))
    return Side(None if failed else loaded.ruleset, (*loaded.problems, *failed), folder)


def broken(wrong: list[Problem], form: str) -> None:
    """A side that cannot be read is told as `check` tells it."""
    if form == "json":
        click.echo(json.dumps(diff_text.problems_json(wrong), indent=2, ensure_ascii=False))
        return
    print_problems(wrong)
    say(f"nothing is compared: {counted(len(wrong), 'error')}")


def moved(moves: Moves, where: Settings, size: int | None) -> diff_text.Moving:
    """The chosen visitors of the store, decided twice."""
    with visitors(where, size) as chosen:
        for profile in chosen.profiles():
            moves.add(profile)
    if chosen.damaged:
        say(left_out(chosen.damaged))
    return diff_text.Moving(moves, chosen.chosen)


def explaining(sides: tuple[Side, Side], rules: Path, data: Path, stored: str | None) -> str:
    """The command that explains a visitor by the new rules, or the old ones if only those lie in a folder."""
    folder = sides[1].folder or sides[0].folder or rules
    store = ["--store", masked(stored)] if stored not in {None, options.SETTLED} else []
    return shlex.join(map(str, ["mutiny-edge", "explain", "--rules", folder, "--data", data, *store]))

"""`mutiny-edge lift`: whether it worked.

1. What is counted, and how, is `engine.lift`; here an `Asking` is put together from options and rule files, and what
   comes back is judged and printed (`lift_text`, `lift_data`, `lift_plot`).
2. `--sql` prints the same question for a warehouse and counts nothing; `--counts` judges what came out of it there.
3. Stdout is the answer; which logs were counted (`lift_folders`), and what was left out, is told on stderr.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import click
import re2
from click.core import ParameterSource

from engine.cli import completion, lift_data, lift_text, options
from engine.cli.audience import ruleset_of
from engine.cli.explain_text import safe
from engine.cli.lift_counts import read_counts
from engine.cli.lift_folders import chosen_folders, tell_counted
from engine.cli.lift_options import SHARE, TIME
from engine.cli.picture import plotter
from engine.cli.screen import fail, say
from engine.cli.stored import bytes_bar
from engine.lift.asking import Asking
from engine.lift.cel_sql import CannotSay
from engine.lift.counting import Counted, count, rounds
from engine.lift.log import LogUnreadable, has_events
from engine.lift.verdict import Judgement, judge
from engine.lift.warehouse import DIALECTS, statement
from engine.node import utc_now
from engine.problems import as_text, did_you_mean, near_or_all, there_are
from engine.words import Goal, Ruleset

EPILOG = """\b
Examples:
  mutiny-edge lift                                     everything, in plain words
  mutiny-edge lift homepage --goal signed-up --plot lift.svg
  mutiny-edge lift --format json --at 2026-12-01T00:00:00Z
  mutiny-edge lift --since 2026-11-15T00:00:00Z        after a change of control shares
  mutiny-edge lift --events node-1/events --events 's3://acme-mutiny/logs/*'
\b
Where Segment's warehouse destination keeps the events:
  mutiny-edge lift --sql --dialect snowflake --schema www --schema signed-up=backend > lift.sql
  mutiny-edge lift --counts result.csv
"""
SCHEMA: Final = re2.compile(r"[A-Za-z0-9_$-]+(?:\.[A-Za-z0-9_$-]+)*")
NOTHING_COUNTED: Final = "--sql prints a statement and counts nothing; it goes without"
UNUSED: Final = (
    ("sql", ("counts", "plot", "folders", "data", "open_", "smallest", "form"), NOTHING_COUNTED),
    ("log", ("dialect", "schemas"), "only with --sql, which is not given"),
    ("counts", ("at", "since"), "--counts reads what was counted; give it to `lift --sql`, which asks for it"),
    ("counts", ("data", "folders"), "--counts reads what was counted elsewhere; expected it, or a log"),
    ("counts", ("plot",), "lift over time needs the days of the log, which --counts does not have"),
)  # options that would change nothing, and why
FORMS: Final[dict[str, Callable[[Sequence[Judgement], bool], None]]] = {
    "text": lift_text.print_text,
    "json": lift_data.print_json,
    "csv": lift_data.print_csv,
}


@click.command(epilog=EPILOG)
@click.argument("experience", metavar="[EXPERIENCE]", required=False, shell_complete=completion.experiences)
@options.rules
@options.data
@click.option(
    "--events",
    "folders",
    metavar="FOLDER",
    multiple=True,
    shell_complete=completion.folders,
    help="An event log elsewhere, also s3://BUCKET/FOLDER; as a name in it, * stands for any; several times for several"
    " nodes. Counted are these alone, and DATA/events only if --data is typed, too.  [default: DATA/events]",
)
@click.option(
    "--goal",
    "goals",
    metavar="GOAL",
    multiple=True,
    shell_complete=completion.conversions,
    help="Only this conversion; may be given several times.",
)
@click.option("--at", metavar="TIME", type=TIME, help="As somebody saw it who looked then.  [default: now]")
@click.option("--since", metavar="TIME", type=TIME, help="Only visitors whose first exposure was then or later.")
@click.option(
    "--smallest",
    metavar="SHARE",
    type=SHARE,
    default="10%",
    show_default=True,
    help="The smallest lift worth having: how many more days would show it is told.",
)
@click.option("--open", "open_", is_flag=True, help="Show those whose window is still open, too; without a verdict.")
@click.option("--plot", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Draw it: .png or .svg.")
@click.option("--sql", is_flag=True, help="Print the same question for Segment's warehouse tables, and count nothing.")
@click.option("--dialect", type=click.Choice(DIALECTS), help="Of which warehouse; with --sql.")
@click.option(
    "--schema",
    "schemas",
    metavar="[GOAL=]NAME",
    multiple=True,
    help="With --sql: the schema of the website's source; with GOAL=, of that goal's event.",
)
@click.option(
    "--counts",
    metavar="FILE",
    type=click.Path(exists=True, allow_dash=True, dir_okay=False, path_type=Path),
    help="Judge what came out of --sql: CSV with a head line; - is stdin.",
)
@options.form(*FORMS)
def command(
    *,
    experience: str | None,
    rules: Path,
    data: Path,
    folders: tuple[str, ...],
    goals: tuple[str, ...],
    at: datetime | None,
    since: datetime | None,
    smallest: float,
    open_: bool,
    plot: Path | None,
    sql: bool,
    dialect: str | None,
    schemas: tuple[str, ...],
    counts: Path | None,
    form: str,
) -> None:
    """Say whether it worked, in figures and one sentence.

    Counted are visitors whose conversion window is over, each in the group that they saw first. The interval may be
    looked at every day; a verdict comes when it leaves no doubt, and is withheld when the split is not what the rules
    say. EXPERIENCE is an experience's key or its name; without one, all are looked at.
    """
    refuse_unused(sql=sql, counts=counts is not None)
    ruleset = ruleset_of(rules)
    asking = Asking(ruleset, chosen_goals(ruleset, goals), at or utc_now(), chosen(ruleset, experience), since)
    if sql:
        print_sql(asking, dialect, schemas, whenever=at is None)
        return
    draw = plotter(plot, drawing) if plot else None
    counted = read_counts(counts, asking) if counts else counted_in(chosen_folders(folders, data), asking)
    judged = [judge(figures, smallest) for figures in counted.figures]
    FORMS[form](judged, open_)
    tell(counted, ruleset)
    if draw:
        draw(judged)
        say(f"drawn: {plot}")


def refuse_unused(*, sql: bool, counts: bool) -> None:
    """No option is given that would change nothing."""
    context, modes = click.get_current_context(), {"sql": sql, "counts": counts, "log": not sql}
    names = {option.name or "": option for option in context.command.params}
    given = {name for name in names if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    for of, unused, why in UNUSED:
        wrong = [names[name].opts[0] for name in unused if name in given]
        if modes[of] and wrong:
            fail(f"{' and '.join(wrong)}: {why}")


def chosen_goals(ruleset: Ruleset, keys: tuple[str, ...]) -> tuple[Goal, ...]:
    """The goals of these keys; without any, all of them."""
    if not ruleset.goals:
        fail("the rules name no goal, so nothing can be a conversion; add one under `conversions:`")
    for wrong in [key for key in keys if key not in ruleset.goals]:
        fail(f"unknown goal `{wrong}`; {near_or_all(wrong, ruleset.goals)}")
    return tuple(goal for key, goal in ruleset.goals.items() if not keys or key in keys)


def chosen(ruleset: Ruleset, experience: str | None) -> tuple[str, ...] | None:
    """The name of the experience with this key, or this name; None for all."""
    if experience is None:
        return None
    found = ruleset.experiences.get(experience)
    if found is None and all(one.name != experience for one in ruleset.experiences.values()):
        names = {one.name: None for one in ruleset.experiences.values()}
        near = did_you_mean(experience, [*ruleset.experiences, *names])
        alike = [key for key in ruleset.experiences if did_you_mean(experience, [key.partition("-")[0]])]
        near = near or (there_are(alike) if alike else "")
        fail(f"unknown experience `{experience}`; {near or there_are(ruleset.experiences)}")
    return (experience if found is None else found.name,)


def counted_in(folders: Sequence[str], asking: Asking) -> Counted:
    """The answer of the log in these folders."""
    if not has_events(folders):
        for folder in folders:
            if Path(folder, "events").is_dir():
                fail(f"--events {folder}: expected the folder of a log; did you mean `{Path(folder, 'events')}`?")
        fail(f"{', '.join(folders)}: no events yet; `mutiny-edge simulate` makes some, to see how this looks")
    try:
        with bytes_bar("counting", rounds(asking)) as told:
            counted = count(folders, asking, lambda: told(1))
    except LogUnreadable as error:
        fail(f"the event log cannot be read: {error}")
    tell_counted(folders, counted.logs)
    return counted


def print_sql(asking: Asking, dialect: str | None, schemas: Sequence[str], *, whenever: bool) -> None:
    """The question as a statement."""
    if dialect is None:
        fail(f"--sql: for which warehouse? --dialect {'|'.join(DIALECTS)}")
    of_goals = dict(schema.split("=", 1) for schema in schemas if "=" in schema)
    wrong = [goal for goal in of_goals if goal not in {goal.key for goal in asking.goals}]
    site = [schema for schema in schemas if "=" not in schema]
    if wrong or len(site) > 1 or not all(map(SCHEMA.fullmatch, (*site, *of_goals.values()))):
        fail(
            f"--schema {' --schema '.join(schemas)}: expected one NAME for the website, and GOAL=NAME for goals that"
            " are asked for"
        )
    try:
        click.echo(statement(asking, dialect, "".join(site), of_goals, whenever=whenever))
    except CannotSay as cannot:
        fail(f"--sql: a goal's condition has no counterpart there\n{as_text(cannot.problem)}")


def drawing() -> Callable[[Path, Sequence[Judgement]], None]:
    """What draws; with it the optional library is imported."""
    from engine.cli.lift_plot import draw  # noqa: PLC0415 - only who draws needs it

    return draw


def tell(counted: Counted, ruleset: Ruleset) -> None:
    """What was left out, and why; what no rule knows."""
    names = {one.name for one in ruleset.experiences.values()}
    for name in dict.fromkeys(one.experience for one in counted.figures if one.experience not in names):
        say(f"`{safe(name)}` was seen, and no experience of the rules has that name: was it renamed?")
    if counted.unreadable:
        lines = "1 line of the log is" if counted.unreadable == 1 else f"{counted.unreadable:,} lines of the log are"
        say(f"{lines} left out: torn, or no JSON (`mutiny-edge events stats` checks their sums, too)")
    if counted.unclear:
        exposures = "1 exposure is" if counted.unclear == 1 else f"{counted.unclear:,} exposures are"
        say(f"{exposures} left out: not all of experience, audienceSegment and personalized is said")

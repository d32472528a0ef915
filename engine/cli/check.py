"""`mutiny-edge check`: every problem and warning of a rules folder, and ops' own tests, in one run.

1. Files are read and checked as the service does it, so what passes here is what the service takes.
2. Where no error stands in the way, the folder's `tests:` run; one that fails is an error at its own line.
3. With `--store` the catalogue of what was sent is asked for what the rules ask for; only of rules without errors. The
   fields of Salesforce are asked in any case, where a sync or an import has brought them.
4. Findings go to stdout in the wanted form. The summary goes to stderr: it is for people.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import click
from msgspec import structs

from engine.cli import completion, options
from engine.cli.screen import counted, say
from engine.cli.stored import left_out, sampled, stored_settings
from engine.cli.traits import look as catalogued
from engine.decide.cases import failures
from engine.decide.decider import Decider
from engine.node import utc_now
from engine.problems import Problem, as_github, as_json, as_text, errors, in_order
from engine.review.sightings import readable, seen
from engine.rules.doubts.fields import Fields, KnownField
from engine.rules.doubts.seen import Seen
from engine.rules.folder import Circumstances, Loaded, load, rule_files
from engine.salesforce.report import catalogue
from engine.salesforce.trouble import MirrorBroken
from engine.settings import Settings

EPILOG = """\b
Examples:
  mutiny-edge check                       the folder rules
  mutiny-edge check /etc/acme/rules       another folder, always the whole of it
  mutiny-edge check --store               also: traits and events that nobody ever sent
  mutiny-edge check --format github       annotations in a pull request
"""


@click.command(epilog=EPILOG)
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path), shell_complete=completion.folders
)
@options.rules_unchecked
@options.data
@options.stored("Doubt rules on traits that nobody sent, or not of this type, and goals whose event never came.")
@sampled
@options.form("text", "json", "github")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    folder: Path | None,
    rules: Path,
    data: Path,
    stored: str | None,
    size: int,
    everyone: bool,
    form: str,
) -> None:
    """Say what is wrong in a rules folder, and run its tests.

    DIR is the folder of rule files; without it, the one that --rules names. Each problem is one of `error` (a
    service would not take these files) or `warning`: conditions that are never or always true, audiences that those
    above them always cover, experiences that get in each other's way, redirects in a circle, schedules that are over,
    fields and picklist values that Salesforce does not have (where it was ever synced), and with --store traits and
    events that nobody sent. Exit code 1 if there is an error.
    """
    folder = folder or rules
    if folder.is_file():
        belongs = str(rules) if rules in folder.parents else "the rules folder that it belongs to"
        why = f"{str(folder)!r} is a file, and files refer to each other"
        raise click.BadParameter(f"{why}: check takes the whole folder, {belongs}.", ctx, param_hint="DIR")
    if not folder.is_dir():
        raise click.BadParameter(f"Directory {str(folder)!r} does not exist.", ctx, param_hint="DIR")
    where = stored_settings(rules, data, stored) if stored is not None else None
    sent = partial(look, where, None if everyone else size) if where else None
    loaded = load(folder, circumstances=Circumstances(utc_now(), sent, partial(fields, data)))
    problems = list(loaded.problems)
    if loaded.ruleset is not None:
        problems = in_order([*problems, *map(with_line, failures(Decider(loaded.ruleset)))])
    FORMS[form](problems)
    if form != "json":
        say(summary(folder, loaded, problems))
    if errors(problems):
        ctx.exit(1)


def look(where: Settings, size: int | None) -> Seen:
    """What was sent, as the store has it."""
    found = catalogued(where, size, readable)
    if not (found.people.records or found.groups.records or found.events):
        say("nothing is stored, so no trait and no event was looked for")
    if found.damaged:
        say(left_out(found.damaged))
    return seen(found)


def fields(data: Path) -> Fields:
    """What the org's records have, as it was read last; nothing where it never was."""
    try:
        found = catalogue(data)
    except MirrorBroken as broken:
        say(f"Salesforce fields were not looked for: {broken}")
        return Fields({})
    return Fields(
        {
            object_.lower(): {field.name: KnownField(field.kind, field.values) for field in of}
            for object_, of in found.items()
        }
    )


def with_line(problem: Problem) -> Problem:
    """The same with its line of the file: who ran the test knew only its place."""
    try:
        line = Path(problem.place.file).read_text(encoding="utf-8").splitlines()[problem.place.line - 1]
    except (OSError, UnicodeDecodeError, IndexError):  # changed meanwhile
        return problem
    return structs.replace(problem, source=line, width=len(line.rstrip()) - problem.place.column + 1)


def print_text(problems: list[Problem]) -> None:
    """As people read it: the place, the line with a caret, what would be right."""
    colours = {"error": "red", "warning": "yellow"}
    for problem in problems:
        first, _, rest = as_text(problem).partition("\n")
        place, severity, message = first.partition(f" {problem.severity}: ")
        click.echo(click.style(place, bold=True) + click.style(severity, fg=colours[problem.severity]) + message)
        click.echo(rest + "\n" if rest else "")


def print_json(problems: list[Problem]) -> None:
    """One JSON list, whatever was found."""
    click.echo(json.dumps([as_json(problem) for problem in problems], indent=2, ensure_ascii=False))


def print_github(problems: list[Problem]) -> None:
    """One GitHub Actions annotation a line."""
    for problem in problems:
        click.echo(as_github(problem))


FORMS: dict[str, Callable[[list[Problem]], None]] = {"text": print_text, "json": print_json, "github": print_github}


def summary(folder: Path, loaded: Loaded, problems: list[Problem]) -> str:
    """`rules: 3 files, 12 segments, 6 experiences, 9 tests passed; 0 errors, 1 warning`, as far as they are known."""
    counts = []
    with suppress(OSError):  # it cannot be listed, or holds far too much: that is one of the problems
        counts = [counted(len(rule_files(folder)), "file")]
    if loaded.ruleset is not None:
        ruleset = loaded.ruleset
        failed = len(errors(problems))
        counts += [counted(len(ruleset.segments), "segment"), counted(len(ruleset.experiences), "experience")]
        counts += [f"{counted(len(ruleset.cases) - failed, 'test')} passed"]
    wrong = len(errors(problems))
    found = f"{counted(wrong, 'error')}, {counted(len(problems) - wrong, 'warning')}"
    return f"{folder}: {', '.join(counts)}{'; ' if counts else ''}{click.style(found, fg='red' if wrong else 'green')}"

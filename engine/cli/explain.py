"""`mutiny-edge explain`: the whole reasoning of one decision, for people and for programs.

1. Who views what is asked as `decide` is asked, with what is stored of the visitor, or given whole in a file (or on
   stdin, `--given -`) in the form of a test's `given:`. A given visitor has nothing but what the file says.
2. The reasoning is `engine.decide.explain`'s; `explain_text.py` lays it out.
3. Without a time in the file it is now.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from engine.cli import completion, options, view
from engine.cli.decide import opened
from engine.cli.explain_text import lines
from engine.cli.given import read_given
from engine.cli.screen import fail, say
from engine.decide.decider import Decider, NotAUrl
from engine.decide.explain import explain, to_json
from engine.decide.explanation import Explanation
from engine.node import Node, utc_now
from engine.problems import as_text, near_or_all
from engine.web import ask
from engine.web.refusal import Refused
from engine.web.surroundings import place
from engine.words import Given, Visit

EPILOG = """\b
Examples:
  mutiny-edge explain --visitor ada --url https://www.example.com/
  mutiny-edge explain --visitor ada --url https://www.example.com/ \\
      --traits '{"employees": "45 people"}' --experience homepage-industry
  mutiny-edge explain --given visitor.yaml            a test's `given:`, in a file of its own
  mutiny-edge explain --given - --format json < visitor.json
"""


@click.command(epilog=EPILOG)
@view.of(required=False)
@click.option(
    "--given", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True), help="Who views what."
)
@click.option(
    "--experience",
    metavar="KEY",
    shell_complete=completion.experiences,
    help="Only this one, and also what the decision did not get to.",
)
@options.rules
@options.data
@options.store
@options.form("text", "json")
def command(
    *,
    rules: Path,
    data: Path,
    store: str | None,
    given: str | None,
    experience: str | None,
    form: str,
    **asked: Any,
) -> None:
    """Say why a visitor sees what they see.

    Every experience, and of those on the page every segment: its conditions part by part, each true, false or unknown,
    with what is known of the visitor there; the draws; and where each value that is shown came from.
    """
    _check(given, asked)
    question = None if given is None else _read(given)
    with opened(options.settings(rules=rules, data=data, store=store)) as node:
        explanation = _explained(node.held.decider, question or _asked(node, asked), experience)
    if form == "json":
        click.echo(to_json(explanation))
    else:
        click.echo("\n".join(lines(explanation, whole=experience is not None)))


def _check(given: str | None, asked: dict[str, Any]) -> None:
    """Either `--given`, or a visitor and a URL: a mixture would leave open which of them counts."""
    ctx = click.get_current_context()
    named = [f"--{name}" for name, value in asked.items() if value not in (None, "")]
    if given is not None and named:
        raise click.UsageError(f"--given says all of it: leave out {', '.join(named)}, or --given.", ctx)
    missing = [f"--{name}" for name in ("visitor", "url") if asked[name] is None]
    if given is None and missing:
        raise click.UsageError(f"Missing {' and '.join(missing)} (or --given FILE).", ctx)


def _read(given: str) -> Given:
    """The visitor of a file; what is wrong with the file ends the command, each at its place."""
    data = sys.stdin.buffer.read() if given == "-" else Path(given).read_bytes()
    question, problems = read_given("<stdin>" if given == "-" else given, data)
    if question is None:
        say("\n".join(map(as_text, problems)))
        fail(f"{given}: this is no visitor and page as a test's `given:` has them")
    return question


def _asked(node: Node, asked: dict[str, Any]) -> Given:
    """The options as `POST /v1/decide` would read them, with what is stored of the visitor."""
    try:
        read = ask.from_body(view.body(asked), view.NAMES)
    except Refused as refused:
        fail(f"{refused.detail} [{refused.code}]")
    profile = node.profile(read.visitor_id, read.traits)
    where = place(view.headers(asked["country"]))
    return Given(profile, read.page, Visit(read.count, read.first_seen, read.new, read.device, where), None)


def _explained(decider: Decider, given: Given, experience: str | None) -> Explanation:
    known = decider.ruleset.experiences
    if experience is not None and experience not in known:
        fail(f"there is no experience `{experience}`: {near_or_all(experience, known)}")
    now: datetime = given.now or utc_now()
    try:
        return explain(decider, given.profile, given.page, given.visit, now, experience=experience)
    except NotAUrl:
        fail("Expected --url as browsers show it: https://www.example.com/pricing [bad-url]")

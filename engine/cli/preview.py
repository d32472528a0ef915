"""`mutiny-edge preview`: a link that shows one variant, for the people who write experiences.

1. The link is printed alone on stdout. Whoever has it sees the variant, whether the experience is live or not; nothing
   is tracked, and after some days it ends.
2. It is signed with a key in the data folder of the service that is to understand it; the first link makes the key.
3. A variant that several segments of the experience have needs `--segment`.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import click

from engine.cli import completion, options
from engine.cli.audience import ruleset_of
from engine.cli.kept_keys import writing_keys
from engine.cli.kinds import Whole
from engine.cli.screen import fail
from engine.node import utc_now
from engine.problems import near_or_all, there_are
from engine.rules.notation import patterns
from engine.rules.notation.example_url import example_url, usual_host
from engine.web.preview import KEY_FILE, PARAMETER, Ticket, key_made, signed, variants
from engine.words import Experience, Ruleset

EPILOG = """\b
Examples:
  mutiny-edge preview homepage-industry --variant speed
  mutiny-edge preview homepage-industry --variant speed --url 'https://staging.example.com/?draft=1' --days 1
"""


@click.command(epilog=EPILOG)
@click.argument("experience", metavar="EXPERIENCE", shell_complete=completion.experiences)
@click.option(
    "--variant",
    metavar="KEY",
    shell_complete=completion.variants,
    help="Which of its variants.  [default: the only one]",
)
@click.option(
    "--segment",
    metavar="KEY",
    shell_complete=completion.segments,
    help="Whose variant, if several segments have one of this name.",
)
@click.option("--url", metavar="URL", help="The page to show it on.  [default: a page of the experience]")
@click.option("--days", metavar="N", type=Whole(1, 365), default=7, show_default=True, help="How long the link works.")
@options.rules
@options.data
def command(
    *,
    experience: str,
    variant: str | None,
    segment: str | None,
    url: str | None,
    days: int,
    rules: Path,
    data: Path,
) -> None:
    """Print a link that shows one variant.

    Whoever opens it sees the variant with a badge, also while the experience is a draft. Nothing is tracked.

    The first link makes the key in the data folder (preview.key) that signs all of them. Nodes that share their keys
    need that one, so make it where the keys are kept: --data FOLDER.
    """
    ruleset = ruleset_of(rules)
    found = _experience(ruleset, experience)
    variant = variant or _only_variant(found)
    whose = _segment(found, variant, segment)
    page = url or _page(ruleset, found)
    if patterns.parse_url(page) is None:
        fail(f"--url {page}: expected it as browsers show it: https://www.example.com/pricing")
    ends = utc_now() + timedelta(days=days)
    with writing_keys(KEY_FILE):
        key = key_made(data)
    token = signed(Ticket(experience, whose, variant, int(ends.timestamp())), key)
    click.echo(link(page, token))


def link(page: str, token: str) -> str:
    """The page's address with the token in its query."""
    parts = urlsplit(page)
    query = f"{parts.query}&{PARAMETER}={token}" if parts.query else f"{PARAMETER}={token}"
    return parts._replace(query=query, path=parts.path or "/").geturl()


def _experience(ruleset: Ruleset, key: str) -> Experience:
    known = ruleset.experiences
    if key not in known:
        fail(f"there is no experience `{key}`: {near_or_all(key, known)}")
    return known[key]


def _only_variant(experience: Experience) -> str:
    """The one that need not be named."""
    there = _keys(experience)
    if len(there) != 1:
        fail(f"which variant of `{experience.key}` is it? {there_are(there)}; say which with --variant")
    return there[0]


def _keys(experience: Experience) -> list[str]:
    """Of its variants, each once."""
    return list(dict.fromkeys(one.key for _, one in variants(experience)))


def _segment(experience: Experience, variant: str, wanted: str | None) -> str:
    """Whose variant is meant."""
    named = [whose for whose, one in variants(experience) if one.key == variant]
    if not named:
        fail(f"`{experience.key}` has no variant `{variant}`: {near_or_all(variant, _keys(experience))}")
    if wanted is None and len(named) > 1:
        fail(f"`{variant}` is a variant of {' and '.join(named)}: say whose with --segment")
    if wanted is not None and wanted not in named:
        fail(f"segment `{wanted}` has no variant `{variant}`; {' and '.join(named)} has")
    return wanted or named[0]


def _page(ruleset: Ruleset, experience: Experience) -> str:
    """A page that the experience is for."""
    named = {page for each in ruleset.experiences.values() for page in each.pages if example_url(page, "")}
    host = usual_host(named) if named else ""  # never one that we made up
    found = next(filter(None, (example_url(page, host) for page in experience.pages)), None)
    if found is None:
        fail(f"the pages of `{experience.key}` name no website: say where it is to be seen, with --url")
    return found

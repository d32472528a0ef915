"""`mutiny-edge doctor`: what is in order, and what to do about the rest. `checkup` looks, this prints."""

from pathlib import Path

import click
import msgspec

from engine.cli import options
from engine.cli.checkup import Finding, findings, is_trouble, look

EPILOG = """\b
Examples:
  mutiny-edge doctor
  mutiny-edge doctor --rules /etc/acme/rules --data /var/lib/mutiny-edge --format json
"""
COLOURS = {"ok": "green", "warning": "yellow", "trouble": "red"}


@click.command(epilog=EPILOG)
@options.rules_unchecked
@options.data
@options.store
@options.form("text", "json")
@click.pass_context
def command(ctx: click.Context, rules: Path, data: Path, store: str | None, form: str) -> None:
    """Say what is in order here, and what to do about the rest.

    Rules, data folder and store; what was read from Salesforce; then, link by link, whether what a Segment source sends
    arrives: sources, identify, email, goals, exposures, clocks, rejected messages. One line a check: `ok`, `warning`
    (it works, and not as well as it could) or `trouble` (somebody is served worse for it; then the exit code is 1). It
    changes nothing, and may be asked while the service runs.
    """
    found = list(findings(look(options.settings(rules=rules, data=data, store=store))))
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        for finding in found:
            _show(finding)
    if is_trouble(found):
        ctx.exit(1)


def _show(finding: Finding) -> None:
    do = f"\n{'':20}{finding.do}" if finding.do else ""
    click.echo(
        f"{click.style(f'{finding.state:<8}', fg=COLOURS[finding.state])} {finding.check:<10} {finding.text}{do}"
    )

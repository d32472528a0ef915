"""`mutiny-edge completion`: what a shell needs to complete this command.

What lives here: the verb, and what is offered for a key of the rules. What may not: a shell's language (click has it).

1. The script asks the program itself what may come next, so it never grows old.
2. Keys come from the rules folder that the command line names so far, else the variable's, else `rules`. Files are read
   as far as their keys, nothing is compiled, and what cannot be read offers nothing: a completion never complains.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem, get_completion_class

from engine.cli.screen import fail

VARIABLE: Final = "_MUTINY_EDGE_COMPLETE"
NAME: Final = "mutiny-edge"
EPILOG = """\b
Examples: once, and for every new shell:
  echo 'eval "$(mutiny-edge completion bash)"' >> ~/.bashrc
  echo 'eval "$(mutiny-edge completion zsh)"' >> ~/.zshrc
  mutiny-edge completion fish > ~/.config/fish/completions/mutiny-edge.fish
"""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options and keys.

    Keys are those of experiences, segments and goals in the rules folder.
    """
    kind = get_completion_class(shell)
    if kind is None:
        fail(f"{shell}: this version of click has no completion for it")
    click.echo(kind(ctx.find_root().command, {}, NAME, VARIABLE).source())


Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def keys(section: str) -> Complete:
    """What completes a key of this section of the rules: `experiences`, `segments`, `conversions`."""

    def complete(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
        folder = _folder(ctx)
        known = sorted(_keys(folder, section)) if folder else []
        return [CompletionItem(key) for key in known if key.startswith(begun)]

    return complete


experiences: Final = keys("experiences")
segments: Final = keys("segments")
conversions: Final = keys("conversions")


def _folder(ctx: click.Context) -> Path | None:
    """The rules folder, as far as the command line says; None where it names one that there is not."""
    given: Any = ctx.params.get("rules")
    if given is None and ctx.get_parameter_source("rules") == ParameterSource.DEFAULT:
        given = next((p.get_default(ctx) for p in ctx.command.params if p.name == "rules"), None)
    return None if given is None else Path(given)


def _keys(folder: Path, section: str) -> Iterable[str]:
    from engine.rules.files import read_files  # noqa: PLC0415 - only who completes a key has to wait for it
    from engine.rules.yaml.compose import compose  # noqa: PLC0415
    from engine.rules.yaml.nodes import Mapping, find  # noqa: PLC0415
    from engine.rules.yaml.source import decode  # noqa: PLC0415

    found: set[str] = set()
    for text in read_files(folder)[0]:
        source, _ = decode(text.file, text.data)
        entries = find(compose(source).root, (section,))[1] if source is not None else None
        if isinstance(entries, Mapping):
            found.update(entries.entries)
    return found

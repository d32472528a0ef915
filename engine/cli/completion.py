"""`mutiny-edge completion`: what a shell needs to complete this command.

What lives here: the verb, and what is offered for a key of the rules. What may not: a shell's language (click has it).

1. The script asks the program itself what may come next, so it never grows old.
2. Keys come from the rules folder that the command line names so far, else the variable's, else `rules`. Files are read
   as far as their keys, nothing is compiled, and what cannot be read offers nothing: a completion never complains.
3. Sources are those of the data folder that it names so far; folders and files the shell itself looks up.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem, get_completion_class

from engine.cli.screen import fail

if TYPE_CHECKING:
    from engine.rules.yaml.nodes import Mapping

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

    Keys are those of experiences, variants, segments and goals in the rules folder, and names of sources.
    """
    kind = get_completion_class(shell)
    if kind is None:
        fail(f"{shell}: this version of click has no completion for it")
    click.echo(kind(ctx.find_root().command, {}, NAME, VARIABLE).source())


Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def keys(section: str) -> Complete:
    """What completes a key of this section of the rules: `experiences`, `segments`, `conversions`."""

    def complete(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
        folder = _folder(ctx, "rules")
        known = {key for found in (_sections(folder, section) if folder else ()) for key in found.entries}
        return _offered(known, begun)

    return complete


def words(*known: str) -> Complete:
    """What completes one of these words, where others may be written too."""
    return lambda _ctx, _parameter, begun: _offered(known, begun)


def folders(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Folders, which the shell itself looks up; of what may be an address as well."""
    return [CompletionItem(begun, type="dir")]


def variants(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Keys of variants; of the experience that the command line names so far, if it does."""
    from engine.rules.yaml.nodes import Listing, Mapping, Node, Scalar, find  # noqa: PLC0415

    def listed(node: Node, *path: str) -> list[Node]:
        found = find(node, path)[1]
        return found.items if isinstance(found, Listing) else []

    folder = _folder(ctx, "rules")
    experience = ctx.params.get("experience") or next(iter(ctx.args), None)  # an argument before what is half an option
    found = {
        key.text
        for section in (_sections(folder, "experiences") if folder else ())
        for named in (section.entries if experience is None else (experience,))
        for audience in listed(section, named, "audiences")
        for variant in listed(audience, "variants")
        if isinstance(variant, Mapping) and isinstance(key := find(variant, ("key",))[1], Scalar)
    }
    return _offered(found, begun)


def sources(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names of sources in the data folder."""
    from engine.segment.sources import Sources, SourcesError  # noqa: PLC0415

    folder = _folder(ctx, "data")
    with suppress(SourcesError, OSError):
        return _offered([one.name for one in Sources(folder).all()] if folder else [], begun)
    return []


def _offered(known: Iterable[str], begun: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in sorted(known) if word.startswith(begun)]


experiences: Final = keys("experiences")
segments: Final = keys("segments")
conversions: Final = keys("conversions")


def _folder(ctx: click.Context, name: str) -> Path | None:
    """The folder of `rules` or `data`, as far as the command line says; None where it names one that there is not."""
    given: Any = ctx.params.get(name)
    if given is None and ctx.get_parameter_source(name) == ParameterSource.DEFAULT:
        given = next((p.get_default(ctx) for p in ctx.command.params if p.name == name), None)
    return None if given is None else Path(given)


def _sections(folder: Path, name: str) -> "Iterator[Mapping]":
    """What stands under this key, file by file."""
    from engine.rules.files import read_files  # noqa: PLC0415 - only who completes a key has to wait for it
    from engine.rules.yaml.compose import compose  # noqa: PLC0415
    from engine.rules.yaml.nodes import Mapping, find  # noqa: PLC0415
    from engine.rules.yaml.source import decode  # noqa: PLC0415

    for text in read_files(folder)[0]:
        source, _ = decode(text.file, text.data)
        section = find(compose(source).root, (name,))[1] if source is not None else None
        if isinstance(section, Mapping):
            yield section

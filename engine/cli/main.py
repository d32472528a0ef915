"""The table of verbs, and what every verb has in common: exit codes and messages in place of tracebacks.

1. `VERBS` names each verb with its one line of help, so that `--help` lists them without importing one.
2. A verb's module is imported when the verb is called; it holds one click command named `command`.
3. What the machine refuses (a port, a folder, a full disk) is an `OSError` somewhere below; here it becomes one line.
4. A stream that whoever calls has closed (`2>&-`) leads nowhere from the beginning: else the next file or socket would
   get its number, and what is printed would go there.
5. A verb's module takes most of a second to import, and a signal may come meanwhile. `heed_early` is for those that the
   verb has no handler for yet, and that would be lost, or do harm.
"""

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from io import TextIOWrapper
from typing import Any, cast

import click
from click.exceptions import Exit
from click.shell_completion import CompletionItem

from engine.cli.screen import CannotRun, colours

VERBS = {
    "demo": "Show it working: example rules, visitors and a website, served.",
    "serve": "Run the service.",
    "check": "Say what is wrong in a rules folder, and run its tests.",
    "decide": "Answer one page view, without a server.",
    "explain": "Say why a visitor sees what they see.",
    "preview": "Print a link that shows one variant.",
    "simulate": "Make up visitors and conversions, to see it all at work.",
    "lift": "Say whether it worked, in figures and one sentence.",
    "audience": "Count the stored visitors by segment.",
    "diff": "Say what an edit of the rules changes, and whom it draws anew.",
    "sources": "Say who may send events here, and make keys for them.",
    "rejected": "Look at messages that were not acceptable, and try them again.",
    "import": "Read visitors and their traits into the store.",
    "traits": "Say which traits, account traits and events were sent.",
    "profile": "Show one profile, and where every value in it comes from.",
    "salesforce": "Bring Salesforce's leads and contacts here, by email.",
    "store": "Say what is stored and whether it is whole, and move it.",
    "replay": "Apply the event log to the store.",
    "events": "Say what the event log holds, and make Parquet of it.",
    "doctor": "Say what is in order here, and what to do about the rest.",
    "config": "Print the settings in force, and where each comes from.",
    "schema": "Print the JSON Schema of rule files, for editors.",
    "openapi": "Print the OpenAPI description of every address, for clients.",
    "completion": "Print what makes a shell complete commands, options and keys.",
}
CLOSED_PIPE = 141  # what they expect of one whose reader has gone: 128 + SIGPIPE
INTERRUPTED = 130  # what shells expect of a program that Ctrl-C ended: 128 + SIGINT
TERMINATED = 143  # and of one that SIGTERM ended
_STDERR = 2  # the last of the three that every program has
FIRST_PID = 1  # of a container's first process, or a machine's


class Verbs(click.Group):
    """A group that knows its verbs by name and loads them one by one."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """What stands before the verb; `--help` and `--version` print already here."""
        _open_streams()
        with _in_our_words():
            return super().make_context(info_name, args, parent, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """The verbs in the order in which a newcomer needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click's signature)
        """The verb's command, or nothing if there is no such verb."""
        if cmd_name not in VERBS:
            return None
        # `import` is a word of Python, so its file has a trailing underscore.
        name = "import_" if cmd_name == "import" else cmd_name
        return cast("click.Command", import_module(f"engine.cli.{name}").command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that was called; of one that there is not, the nearest is named."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from engine.problems import did_you_mean  # noqa: PLC0415 - only who mistyped has to wait for it

            near = did_you_mean(args[0], VERBS)
            ctx.fail(f"There is no command `{args[0]}`{'; ' + near if near else '.'}")
        if args and not ctx.resilient_parsing:
            heed_early(args[0])
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What a shell offers for a verb that is begun, from the table alone."""
        verbs = [CompletionItem(verb, help=line) for verb, line in VERBS.items() if verb.startswith(incomplete)]
        return verbs or click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's signature)
        """The list in `--help`, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; see `engine.cli` for what its exit codes mean."""
        ctx.color = colours()
        if isinstance(sys.stdout, TextIOWrapper):  # a file name or a terminal may know fewer characters than we print
            sys.stdout.reconfigure(errors="backslashreplace")
        with _in_our_words():
            return super().invoke(ctx)


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Ctrl-C, a reader that has gone and what the machine refuses are an exit code and at most a line."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(err=True)  # the terminal shows ^C; what comes next begins a new line
        raise Exit(INTERRUPTED) from None
    except OSError as error:
        if error.errno == errno.EPIPE:
            _stop_printing()  # whoever read our output has enough
            raise Exit(CLOSED_PIPE) from None
        raise CannotRun(in_words(error)) from None


def _open_streams() -> None:
    """What is closed of stdin, stdout and stderr leads nowhere, in this process and in those that it starts."""
    if sys.stdin and sys.stdout and sys.stderr:
        return
    while (nowhere := os.open(os.devnull, os.O_RDWR)) <= _STDERR:  # the lowest number that is free
        os.set_inheritable(nowhere, True)
    os.close(nowhere)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", errors="backslashreplace", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(_STDERR, "w", errors="backslashreplace", closefd=False)


def _stop_printing() -> None:
    """What is not printed yet goes nowhere: Python would try again when it ends, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # no file, or closed
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def heed_early(verb: str) -> None:
    """Signals before this verb has handlers of its own; it may set others later."""
    if os.getpid() == FIRST_PID:  # the kernel keeps from it what it has no handler for; so it ends as any other would
        signal.signal(signal.SIGTERM, lambda *_: os._exit(TERMINATED))
    if verb == "serve" and sys.platform != "win32" and not sys.stderr.isatty():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it asks for what is new, and nothing has been read yet


def in_words(error: OSError) -> str:
    """`data/visitors: Permission denied`, or whatever of it the error knows."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Each command explains itself: mutiny-edge check --help",
)
@click.version_option(package_name="mutiny-edge", message="%(prog)s %(version)s")
def main() -> None:
    """Decides, on every page view, which personalized variant a visitor sees."""

"""Where text meets the terminal: messages for people, numbers with their nouns, colour only where somebody sees it."""

import os
import sys
from typing import IO, NoReturn

import click


class CannotRun(click.ClickException):
    """The command could not be carried out as given; one line says why. Exit code 2, like a wrong option."""

    exit_code = 2

    def show(self, file: IO[str] | None = None) -> None:  # noqa: ARG002  (click's signature)
        """`mutiny-edge: what was wrong` on stderr."""
        say(f"{click.style('mutiny-edge:', fg='red', bold=True)} {self.message}")


def say(text: str = "") -> None:
    """A line for people: on stderr, so that stdout stays a program's output."""
    click.echo(text, err=True, color=colours())


def colours() -> bool | None:
    """No: whoever runs it wants none, or the terminal knows none. Otherwise nothing: a stream that is one has them."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def for_people() -> bool:
    """Is stdout a terminal, and not a file or a pipe?"""
    return sys.stdout.isatty()


def fail(message: str) -> NoReturn:
    """End the command: exit code 2 and this line."""
    raise CannotRun(message)


def counted(number: int, noun: str, nouns: str = "") -> str:
    """`1 lead`, `1,204 leads`; `nouns` where it is no mere `s`."""
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"

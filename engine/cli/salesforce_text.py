"""What `mutiny-edge salesforce` shows: how far it is, and what came of it, in words.

What lives here: bars and lines. What may not: asking Salesforce.

1. A bar for each object, and one for the store; while Salesforce gathers records, and where something is tried again, a
   line says so. Nothing in a pipe.
2. Numbers have their unit; what is not in order is coloured, and says so in words too.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import click

from engine.cli.screen import counted, say
from engine.salesforce.state import Outcome, Part

UNUSABLE_SHOWN = 3  # fields, of one object


class Bars:
    """How far it is, on a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._stack = ExitStack()
        self._what: tuple[str, int | None] | None = None
        self._bar: Any = None
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        self._stack.close()

    def tell(self, what: str, done: int, total: int | None) -> None:
        """So many of so many records of this are done; without a total, Salesforce gathers them still."""
        if not self._shown:
            return
        if self._what != (what, total):
            self._stack.close()
            self._what, self._done, self._bar = (what, total), 0, None
            if total is None:
                say(f"{what}: Salesforce gathers the records")
            elif total:
                bar = click.progressbar(length=total, label=f"{what:<8}", file=sys.stderr)
                self._bar = self._stack.enter_context(bar)
        if self._bar is not None:
            self._bar.update(done - self._done)
            self._done = done

    def more(self, what: str, more: int, total: int) -> None:
        """So many more of so many."""
        done = more + (self._done if self._what is not None and self._what[0] == what else 0)
        self.tell(what, done, max(total, done))

    def note(self, line: str) -> None:
        """Something that takes a while, and why."""
        if self._shown:
            self._stack.close()
            self._what, self._bar = None, None
            say(line)


def summary(outcome: Outcome) -> Iterator[str]:
    """What came of a sync."""
    for part in outcome.parts:
        yield f"{part.object:<8} {_counts(part)}"
        if part.trouble is not None:
            yield click.style(f"{'':<8} not read to its end: {part.trouble.removeprefix(f'{part.object}: ')}", fg="red")
        if part.unusable:
            yield click.style(f"{'':<8} {unusable(part.unusable)}", fg="yellow")
    yield f"{'store':<8} {counted(outcome.written, 'record')} changed"
    yield f"{'API':<8} {usage(outcome)}"


def usage(outcome: Outcome) -> str:
    """`17 calls; 1,234 of 15,000 of the org's calls in 24 hours are used`."""
    calls = counted(outcome.calls, "call")
    if outcome.used is None or outcome.total is None:
        return calls
    return f"{calls}; {outcome.used:,} of the org's {outcome.total:,} in 24 hours are used"


def unusable(counts: dict[str, int]) -> str:
    """Values that are none of their field's type."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = listed([f"{name} {number:,}" for name, number in ranked])
    return f"values left out that are none of their field's type: {shown}"


def listed(names: Sequence[str]) -> str:
    """The first ones, and how many more."""
    more = len(names) - UNUSABLE_SHOWN
    return ", ".join(names[:UNUSABLE_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _counts(part: Part) -> str:
    return f"{part.new:,} new, {part.changed:,} changed, {part.gone:,} gone; {part.total:,} in all"

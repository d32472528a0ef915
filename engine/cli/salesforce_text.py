"""What `mutiny-edge salesforce` shows: how far it is, and what came of it, in words.

What lives here: bars and lines. What may not: asking Salesforce.

1. A bar for each object, and one for the store; while Salesforce gathers records, a line says so. Nothing in a pipe.
2. Numbers have their unit; what is not in order is coloured, and says so in words too.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import click

from engine.cli.screen import say
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


def summary(outcome: Outcome) -> Iterator[str]:
    """What came of a sync."""
    for part in outcome.parts:
        yield f"{part.object:<8} {_counts(part)}"
        if part.unusable:
            yield click.style(f"{'':<8} {unusable(part.unusable)}", fg="yellow")
    records = "1 record" if outcome.written == 1 else f"{outcome.written:,} records"
    yield f"{'store':<8} {records} changed"
    yield f"{'API':<8} {usage(outcome)}"


def usage(outcome: Outcome) -> str:
    """`17 calls; 1,234 of 15,000 of the org's calls in 24 hours are used`."""
    calls = "1 call" if outcome.calls == 1 else f"{outcome.calls:,} calls"
    if outcome.used is None or outcome.total is None:
        return calls
    return f"{calls}; {outcome.used:,} of the org's {outcome.total:,} in 24 hours are used"


def unusable(counts: dict[str, int]) -> str:
    """Values that are none of their field's type."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{name} {number:,}" for name, number in ranked[:UNUSABLE_SHOWN])
    more = len(ranked) - UNUSABLE_SHOWN
    return f"values left out that are none of their field's type: {listed}" + (f" and {more} more" if more > 0 else "")


def _counts(part: Part) -> str:
    return f"{part.new:,} new, {part.changed:,} changed, {part.gone:,} gone; {part.total:,} in all"

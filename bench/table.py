"""The one table that a run ends with: what was measured, beside what, and whether that is as was asked for.

1. A `Row` is one comparison of this run, in words and one figure. Rows come from the benchmarks (`bench.conftest`
   collects them) and from the guard (`bench.bars`).
2. `spread` is the middle half of the rounds: how much the machine wavered meanwhile.
3. The same rows as text for a screen and as Markdown for a file.
"""

import os
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from msgspec import Struct

from bench.asked import BARS
from bench.turns import Ratio

HEAD = ("what", "ours", "beside", "theirs", "ratio", "middle half", "asked", "met")
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


class Drawn(Struct, frozen=True):
    """The same comparison for a picture: which one, at how many segments, in seconds or requests a second."""

    picture: str
    size: int
    ours: float
    theirs: float


class Row(Struct, frozen=True):
    """`figure` is what a bar is on: a ratio, or what `ours` says as a number; `bar` names a row of `bench.asked`."""

    what: str
    ours: str
    beside: str = ""
    theirs: str = ""
    figure: float | None = None
    unit: str = "x"
    spread: tuple[float, float] | None = None
    bar: str | None = None
    drawn: Drawn | None = None

    def cells(self) -> tuple[str, ...]:
        """What stands in the columns of `HEAD`."""
        bar = BARS[self.bar] if self.bar else None
        figure = "" if self.figure is None else f"{short(self.figure)}{self.unit}"
        spread = f"{short(self.spread[0])} to {short(self.spread[1])}" if self.spread else ""
        asked = bar.in_words() if bar else ""
        met = "" if bar is None or self.figure is None else "yes" if bar.met(self.figure) else "no"
        return (self.what, self.ours, self.beside, self.theirs, figure, spread, asked, met)


def row(what: str, ours: str, beside: str, theirs: str, ratio: Ratio, **more: Any) -> Row:
    """A row whose figure is the ratio of many rounds."""
    return Row(what, ours, beside, theirs, ratio.median, spread=(ratio.low, ratio.high), **more)


def waiting(what: str, ours_s: Sequence[float], beside: str, theirs_s: Sequence[float], **bars: str) -> list[Row]:
    """Waiting times beside others: half of them are shorter than the first figure, and 99 of 100 than the second."""
    rows = []
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        ours, theirs = (sorted(waited)[int(share * (len(waited) - 1))] for waited in (ours_s, theirs_s))
        rows.append(
            Row(f"{what}, {name}", duration(ours), beside, duration(theirs), ours / theirs, "x", bar=bars.get(name))
        )
    return rows


def as_text(rows: Sequence[Row]) -> str:
    """Columns side by side."""
    cells = [HEAD, *(one.cells() for one in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def as_markdown(rows: Sequence[Row]) -> str:
    """The same for a file."""
    lines = [HEAD, ("---",) * len(HEAD), *(one.cells() for one in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def short(figure: float) -> str:
    """Three digits that count."""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def duration(seconds: float) -> str:
    """`6.6 µs`."""
    size, unit = next((pair for pair in _UNITS if seconds >= pair[0]), _UNITS[-1])
    return f"{short(seconds / size)} {unit}"


def installed(package: str) -> str | None:
    """The version of a package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def must_be_there() -> bool:
    """CI installs all that is compared with: there a peer or program that is missing is a failure."""
    return os.environ.get("CI") == "true"

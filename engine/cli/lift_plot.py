"""`lift --plot`: lift over time with its band, a picture for each line. Imports matplotlib, which is optional.

1. A day's figures are of those whose windows had closed by its end: what somebody saw who looked on that day. The band
   is the always-valid interval; it is on one side of 0 once there is a verdict.
2. Days before both groups had enough conversions are left out: the band would be all there is to see.
3. No window and no display: the picture goes into a file, and the same figures give the same SVG.
"""

from collections.abc import Sequence
from datetime import date
from math import ceil
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from engine.cli.picture import save
from engine.lift.statistics import always_valid, lift
from engine.lift.verdict import CONVERSIONS_LEAST, Judgement

MOST_LINES: Final = 24  # pictures in one file; more cannot be looked at
COLUMNS: Final = 3
EPOCH: Final = date(1970, 1, 1)  # matplotlib counts days from here
COLOURS: Final = {"better": "#1b6e53", "worse": "#a33327", "withheld": "#b58900", "undecided": "#5b6b75"}
WIDEST: Final = 3.0  # times the last band: what is wider, in the first days, is cut off


def draw(file: Path, judged: Sequence[Judgement]) -> None:
    """Write the pictures; their kind is in the file's name. Raises OSError."""
    with mpl.rc_context({"date.converter": "concise"}):
        save(_drawn(judged), file)


def _drawn(judged: Sequence[Judgement]) -> Figure:
    shown = judged[:MOST_LINES]
    columns = min(COLUMNS, max(1, len(shown)))
    rows = ceil(len(shown) / columns) or 1
    figure = Figure(figsize=(6 * columns, 0.6 + 3.4 * rows), layout="constrained")
    more = f" (the first {MOST_LINES} of {len(judged)})" if len(judged) > MOST_LINES else ""
    figure.suptitle(f"Lift of personalized over control, with the 95% interval that may be looked at every day{more}")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, one in zip(grid.flat, shown, strict=False):
        axes.set_axis_on()
        _line(axes, one)
    return figure


def _line(axes: Axes, one: Judgement) -> None:
    figures = one.figures
    axes.set_title(f"{figures.experience}\n{figures.segment}, {figures.goal}: {one.verdict}", fontsize="medium")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    days: list[int] = []
    lifts: list[float] = []
    lows: list[float] = []
    highs: list[float] = []
    for day, pair in figures.looks():
        found, band = lift(pair.personalized, pair.control), always_valid(pair.personalized, pair.control)
        enough = min(pair.personalized.converters, pair.control.converters) >= CONVERSIONS_LEAST
        if enough and found is not None and band is not None:
            days.append((day - EPOCH).days)
            lifts.append(found)
            lows.append(band[0])
            highs.append(band[1])
    if not days:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.text(0.5, 0.6, "too early to say", ha="center", transform=axes.transAxes)
        return
    colour = COLOURS[one.verdict]
    axes.fill_between(days, lows, highs, color=colour, alpha=0.2, linewidth=0)
    axes.plot(days, lifts, color=colour, marker=".")
    reach = WIDEST * max(abs(lows[-1]), abs(highs[-1]))
    axes.xaxis_date()
    axes.set_ylim(max(min(lows), -reach), min(max(highs), reach))

"""The table as pictures: what a row says of itself in `drawn`. Needs matplotlib (the extra `plot`).

1. `peers`: a visitor over 100 segments, ours and each way of each peer, on a scale where a step is ten times.
2. `growth`: a visitor by the number of segments, ours and the two fastest peers, both axes on such a scale.
3. `http`: requests in a second of computing, both roads beside constant bytes.
4. The same rows give the same SVG: no date, no random ids.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bench.table import Row, duration, short

OURS, THEIRS = "#1b6e53", "#b9c0bc"
LINES = {
    "mutiny-edge": OURS,
    "decision table": "#c26a1b",
    "compiled expressions": "#e3b98a",
    "a Context a visitor": "#4f68a6",
    "execute(dict)": "#a9b6d6",
}
FIRST = 100


def draw(folder: Path, rows: Sequence[Row]) -> list[str]:
    """Writes what can be drawn of these rows; the names of the files."""
    made = []
    for name, picture in (("peers", peers), ("growth", growth), ("http", http)):
        figure = Figure(figsize=(9, 5), layout="constrained")
        if picture(figure.subplots(), rows):
            with mpl.rc_context({"svg.hashsalt": "mutiny-edge", "svg.fonttype": "none"}):
                figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            made.append(f"{name}.svg")
    return made


def peers(axes: Axes, rows: Sequence[Row]) -> bool:
    """One bar for each way of each peer, the fastest at the top, under ours."""
    shown = [row for row in rows if row.drawn and row.drawn.picture == "peers" and row.drawn.size == FIRST]
    if not shown:
        return False
    ours = sorted(row.drawn.ours for row in shown)[len(shown) // 2]
    bars = [("mutiny-edge", ours), *sorted(((row.beside, row.drawn.theirs) for row in shown), key=lambda bar: bar[1])]
    for place, (name, seconds) in enumerate(bars):
        axes.barh(place, seconds, color=THEIRS if place else OURS)
        times = f"   {seconds / ours:,.0f}x" if place else ""
        axes.text(seconds, place, f" {duration(seconds)}{times}", va="center", fontsize="small")
        axes.text(ours / 8, place, f"{name} ", va="center", ha="right", fontsize="small")
    axes.set_xscale("log")
    axes.set_xlim(ours / 8, bars[-1][1] * 20)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: duration(seconds)))
    axes.set_yticks([])
    axes.invert_yaxis()
    axes.set_title(f"Which of {FIRST} segments match? Computing for one visitor")
    axes.spines[["top", "right", "left"]].set_visible(False)
    return True


def growth(axes: Axes, rows: Sequence[Row]) -> bool:
    """One line for ours, one for each peer that was measured with more than 100 segments."""
    lines: dict[str, dict[int, float]] = {}
    for row in rows:
        if row.drawn and row.drawn.picture == "growth alike":
            lines.setdefault("mutiny-edge", {}).update({FIRST: row.drawn.theirs, row.drawn.size: row.drawn.ours})
        elif row.drawn and row.drawn.picture == "peers":
            lines.setdefault(row.beside, {})[row.drawn.size] = row.drawn.theirs
    lines = {name: points for name, points in lines.items() if len(points) > 1}
    for name, points in lines.items():
        colour = next((colour for part, colour in LINES.items() if name.endswith(part)), THEIRS)
        axes.plot(*zip(*sorted(points.items()), strict=True), marker="o", color=colour, label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: duration(seconds)))
    axes.set_xlabel("segments on the page")
    axes.set_title("Computing for one visitor, by segments on the page")
    axes.grid(color="#e4e7e5")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")
    return bool(lines)


def http(axes: Axes, rows: Sequence[Row]) -> bool:
    """A pair of bars for each road and kind of headers."""
    shown = [row for row in rows if row.drawn and row.drawn.picture == "http"]
    for place, row in enumerate(shown):
        for offset, rate, colour in ((-0.2, row.drawn.ours, OURS), (0.2, row.drawn.theirs, THEIRS)):
            axes.barh(place + offset, rate, height=0.38, color=colour)
            axes.text(rate, place + offset, f" {short(rate)}/s", va="center", fontsize="small")
        axes.text(0, place - 0.55, f"{row.what}: {row.figure:.2f}x {row.beside}", va="center", fontsize="small")
    axes.set_yticks([])
    axes.set_ylim(len(shown) - 0.4, -0.8)
    axes.set_title("Page views in a second of computing, ours over constant bytes on stock uvicorn")
    axes.spines[["top", "right", "left"]].set_visible(False)
    return bool(shown)

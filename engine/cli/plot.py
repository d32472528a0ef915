"""`audience --plot`: the figures as a picture. Imports matplotlib, which is optional.

1. Left, a bar for each segment: match, unknown, do not; the largest on top. Right, whom two segments share.
2. No window and no display: the picture goes into a file, and the same figures give the same SVG.
"""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine.cli.picture import save
from engine.review.audience import Census, Tally

MOST_BARS = 40  # more cannot be read
MOST_SHARED = 20  # rows of the square
COLOURS = {"match": "#1b6e53", "unknown": "#d9b44a", "do not": "#d8dcd9"}


def draw(file: Path, census: Census, title: str) -> None:
    """Write the picture; its kind is in the file's name. Raises OSError."""
    shown = sorted(census.tallies, key=lambda tally: (-tally.matched, tally.segment))
    shared = [tally for tally in shown if tally.matched][:MOST_SHARED]
    shown = shown[:MOST_BARS]
    figure = Figure(figsize=(15, 2 + 0.38 * max(len(shown), len(shared), 4)), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _bars(left, shown, census.visitors)
    _square(right, shared, census)
    save(figure, file)


def _bars(axes: Axes, shown: list[Tally], visitors: int) -> None:
    names = [tally.segment for tally in shown]
    reached = [0.0] * len(shown)
    for part, figures in (
        ("match", [tally.matched for tally in shown]),
        ("unknown", [tally.unknown for tally in shown]),
        ("do not", [tally.unmatched for tally in shown]),
    ):
        widths = [100 * figure / visitors if visitors else 0.0 for figure in figures]
        axes.barh(names, widths, left=reached, label=part, color=COLOURS[part])
        reached = [before + width for before, width in zip(reached, widths, strict=True)]
    for row, tally in enumerate(shown):
        axes.text(101, row, f"{tally.matched:,}", va="center", fontsize="small")
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of visitors; at the right, how many match")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)


def _square(axes: Axes, shared: list[Tally], census: Census) -> None:
    """In each row: the share of its segment's visitors who are in the column's as well."""
    names = [tally.segment for tally in shared]
    counts = [[_both(census, row, column) for column in shared] for row in shared]
    parts = [[100 * count / row.matched for count in line] for row, line in zip(shared, counts, strict=True)]
    axes.set_title("of the row's visitors, % also in the column's", fontsize="medium")
    if not shared:
        axes.set_axis_off()
        return
    axes.imshow(parts, cmap="Greens", vmin=0, vmax=100, aspect="auto")
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    for row, line in enumerate(parts):
        for column, part in enumerate(line):
            if part:
                colour = "white" if part > 60 else "black"  # readable on either end of the scale
                axes.text(column, row, f"{part:.0f}", ha="center", va="center", fontsize="small", color=colour)


def _both(census: Census, row: Tally, column: Tally) -> int:
    return row.matched if row is column else census.shared(row.segment, column.segment)

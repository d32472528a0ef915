"""Columns side by side on a screen, for the verbs that print tables.

What lives here: alignment. What may not: what stands in a cell; text from outside has gone through `explain_text.safe`.
"""

from collections.abc import Sequence

import click


def print_table(rows: Sequence[Sequence[str]], left: Sequence[int]) -> None:
    """Columns side by side, aligned to the right but for those in `left`; the first row is the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = [
            f"{cell:<{width}}" if index in left else f"{cell:>{width}}"
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        line = "  ".join(cells).rstrip()
        click.echo(click.style(line, underline=True) if number == 0 else line)

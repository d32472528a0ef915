"""`mutiny-edge audience`: the stored visitors, counted by segment.

1. Counting is `decide.audience`; here profiles go in (`stored.py`) and figures come out.
2. Of a sample every share has a margin: 95 % of samples are nearer to the truth than that.
3. What only a page view can tell (page, visit, device, place) is not known here; segments that read it are marked.
4. The overlap is a square of the largest segments on a screen, and everything that is not 0 in JSON and CSV.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from engine.cli import completion, options
from engine.cli.kinds import Whole
from engine.cli.picture import plotter
from engine.cli.screen import fail, say
from engine.cli.stored import left_out, of_them, sampled, visitors
from engine.cli.table import print_table
from engine.node import utc_now
from engine.problems import as_text, near_or_all
from engine.review.audience import Census, Count, Tally
from engine.review.causes import Cause
from engine.review.sampling import Sample, margin
from engine.rules.folder import load
from engine.words import Ruleset

CAUSES = 3  # of each segment, on a screen; JSON has them all
EPILOG = """\b
Examples:
  mutiny-edge audience                                  every segment
  mutiny-edge audience small-company fintech            these two, and whom they share
  mutiny-edge audience --format csv > segments.csv      for a spreadsheet
  mutiny-edge audience --plot segments.png              needs: pip install 'mutiny-edge[plot]'
"""


class Counted(NamedTuple):
    """The figures, and whom they are of."""

    census: Census
    chosen: Sample
    damaged: int

    def share(self, found: int) -> float:
        """Of the visitors that were counted."""
        return found / self.census.visitors if self.census.visitors else 0.0

    def margin(self, found: int) -> float:
        """Of that share."""
        return margin(found, self.census.visitors, self.chosen.total - self.damaged)


@click.command(epilog=EPILOG)
@click.argument("segments", metavar="[SEGMENT]...", nargs=-1, shell_complete=completion.segments)
@options.rules
@options.data
@options.store
@sampled
@click.option("--overlap", metavar="N", type=Whole(0), default=12, help="Segments in the square.  [default: 12]")
@click.option("--plot", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Draw it: .png or .svg.")
@options.form("text", "json", "csv")
def command(
    *,
    segments: tuple[str, ...],
    rules: Path,
    data: Path,
    store: str | None,
    size: int,
    everyone: bool,
    overlap: int,
    plot: Path | None,
    form: str,
) -> None:
    """Count the stored visitors by segment.

    How many match, how many do not, and of how many it is unknown, because of which trait. Nobody views a page here:
    what only a page view tells (page, visit, device, geo) is unknown. SEGMENT is a segment's key; without any, all
    segments are counted.
    """
    draw = plotter(plot, drawing) if plot else None
    ruleset = ruleset_of(rules)
    for wrong in [key for key in segments if key not in ruleset.segments]:
        fail(f"unknown segment `{wrong}`; {near_or_all(wrong, ruleset.segments)}")
    count = Count(ruleset, utc_now(), segments or None)
    with visitors(options.settings(rules=rules, data=data, store=store), None if everyone else size) as chosen:
        for profile in chosen.profiles():
            count.add(profile)
    counted = Counted(count.census(), chosen.chosen, chosen.damaged)
    FORMS[form](counted, overlap)
    if draw:
        draw(counted.census, of_them(counted.chosen))
        say(f"drawn: {plot}")


def ruleset_of(rules: Path) -> Ruleset:
    """What the rule files say; problems end the command."""
    loaded = load(rules)
    if loaded.ruleset is None:
        places = "\n".join(as_text(problem) for problem in loaded.problems if problem.severity == "error")
        fail(f"{rules}: the rule files have errors\n{places}")
    return loaded.ruleset


def drawing() -> Callable[[Path, Census, str], None]:
    """What draws; with it the optional library is imported."""
    from engine.cli.plot import draw  # noqa: PLC0415 - only who draws needs it

    return draw


def print_text(counted: Counted, overlap: int) -> None:
    """As people read it: the table, notes, the square."""
    census = counted.census
    of_whom = of_them(counted.chosen)
    click.echo(click.style(of_whom, bold=True) + ("" if counted.chosen.is_all else "; shares with their 95% margins"))
    if counted.damaged:
        click.echo(left_out(counted.damaged))
    click.echo()
    head = ("segment", "match", "share", "do not", "unknown", "because of")
    rows = [row_text(counted, tally) for tally in census.tallies]
    print_table((head, *rows), left=(0, 5))
    reading = [tally for tally in census.tallies if tally.view_reads]
    if reading:
        click.echo("\nOnly known on a page view, and so unknown here:")
        width = max(len(tally.segment) for tally in reading)
        for tally in reading:
            click.echo(f"  {tally.segment:{width}}  reads {', '.join(tally.view_reads)}")
    largest = sorted(census.tallies, key=lambda tally: -tally.matched)[:overlap]
    if sum(bool(tally.matched) for tally in largest) > 1:
        print_square(census, [tally for tally in census.tallies if tally in largest and tally.matched])


def row_text(counted: Counted, tally: Tally) -> tuple[str, ...]:
    """A segment's line of the table."""
    figures = f"{tally.matched:,}", share_text(counted, tally.matched), f"{tally.unmatched:,}", f"{tally.unknown:,}"
    return tally.segment, *figures, causes_text(tally)


def share_text(counted: Counted, found: int) -> str:
    """`13.7%`, of a sample `13.7% ± 0.5%`."""
    share = f"{counted.share(found):.1%}"
    return share if counted.chosen.is_all else f"{share} ± {counted.margin(found):.1%}"


def causes_text(tally: Tally) -> str:
    """`no traits.plan (801), traits.age is unlike (3)`."""
    shown = [f"{cause_text(cause)} ({visitors:,})" for cause, visitors in tally.causes[:CAUSES]]
    more = len(tally.causes) - CAUSES
    return ", ".join(shown) + (f", and {more} more" if more > 0 else "")


def cause_text(cause: Cause) -> str:
    """A cause in words."""
    match cause.why:
        case "absent":
            return f"no {cause.path}"
        case "unlike":
            return f"unlike {cause.path}"
    return cause.path


def print_square(census: Census, tallies: Sequence[Tally]) -> None:
    """How many visitors two segments share; in the diagonal, how many one has. Columns are numbered like rows."""
    click.echo("\nWhom two segments share:")
    head = ("", "", *(str(number) for number in range(1, len(tallies) + 1)))
    rows = [
        (str(number), row.segment, *(square_text(census, row, column) for column in tallies))
        for number, row in enumerate(tallies, 1)
    ]
    print_table((head, *rows), left=(1,))
    rest = len(census.tallies) - len(tallies)
    if rest:
        click.echo(f"{rest} more {'is' if rest == 1 else 'are'} smaller or empty (--overlap N shows more).")


def square_text(census: Census, row: Tally, column: Tally) -> str:
    """A cell of the square; a dot is easier on the eye than 0."""
    shared = row.matched if row is column else census.shared(row.segment, column.segment)
    return f"{shared:,}" if shared else "·"


def print_json(counted: Counted, overlap: int) -> None:  # noqa: ARG001 - all of it
    """One object, shares and margins as fractions."""
    pairs = [{"segments": list(pair), "visitors": shared} for pair, shared in sorted(counted.census.overlap.items())]
    answer = {
        "stored": counted.chosen.total,
        "visitors": counted.census.visitors,
        "damaged": counted.damaged,
        "segments": [segment_json(counted, tally) for tally in counted.census.tallies],
        "overlap": pairs,
    }
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def segment_json(counted: Counted, tally: Tally) -> dict[str, Any]:
    """One segment for programs."""
    return {
        "segment": tally.segment,
        "name": tally.name,
        "matched": tally.matched,
        "share": counted.share(tally.matched),
        "margin": counted.margin(tally.matched),
        "unmatched": tally.unmatched,
        "unknown": tally.unknown,
        "causes": [{"path": cause.path, "why": cause.why, "visitors": visitors} for cause, visitors in tally.causes],
        "pageView": list(tally.view_reads),
    }


def print_csv(counted: Counted, overlap: int) -> None:  # noqa: ARG001 - all of it
    """A row for each segment; the last columns are whom it shares with each."""
    keys = [tally.segment for tally in counted.census.tallies]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    head = (
        "segment",
        "name",
        "visitors",
        "matched",
        "share",
        "margin",
        "unmatched",
        "unknown",
        "because of",
        "page view",
    )
    writer.writerow((*head, *(f"with {key}" for key in keys)))
    for tally in counted.census.tallies:
        shared = [tally.matched if key == tally.segment else counted.census.shared(tally.segment, key) for key in keys]
        share, within = counted.share(tally.matched), counted.margin(tally.matched)
        figures = (
            counted.census.visitors,
            tally.matched,
            f"{share:.6f}",
            f"{within:.6f}",
            tally.unmatched,
            tally.unknown,
        )
        writer.writerow((tally.segment, tally.name, *figures, causes_text(tally), " ".join(tally.view_reads), *shared))
    click.echo(written.getvalue(), nl=False)


FORMS: dict[str, Callable[[Counted, int], None]] = {"text": print_text, "json": print_json, "csv": print_csv}

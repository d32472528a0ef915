"""Everything measured and written down: `python -m bench.report` fills `bench/results/`.

1. It runs `pytest bench` in a process of its own; what follows goes to pytest (`-m ""` takes the long forms in as
   well). The table that this run ends with is what is written; nothing is kept from an earlier one.
2. `results/README.md`: the machine, Python and packages, the date, the table, the pictures. `results/table.json`: the
   rows for a program. Pictures need matplotlib (`pip install '.[plot]'`), and are left out without it.
3. Where a benchmark failed, nothing is written.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench.machine import described
from bench.service import HOUSE
from bench.table import Row, as_markdown

RESULTS = Path(__file__).parent / "results"
HOW = """\
Made by `python -m bench.report`; what each line asks stands in [bench/README.md](../README.md). Figures of one run on
one machine: compare what stands in a line, not lines of two machines. "ratio" is ours to theirs, the median of rounds
in turns; "middle half" is where half of the rounds lie. "asked" is the bar of DESIGN 10 or of issue 7.
"""


def measured(arguments: Sequence[str]) -> list[Row]:
    """The rows of a run of the benchmarks; ends this program where one failed."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "table.json"
        command = [sys.executable, "-m", "pytest", "bench", "--table", str(file), *arguments]
        done = subprocess.run(command, cwd=HOUSE, check=False)
        if done.returncode or not file.exists():
            sys.exit("bench.report: a benchmark failed, nothing was written")
        return msgspec.json.decode(file.read_bytes(), type=list[Row])


def written(rows: Sequence[Row]) -> str:
    """The page."""
    facts = "\n".join(f"- {name}: {fact}" for name, fact in described().items())
    pictures = []
    if find_spec("matplotlib"):
        from bench.plots import draw  # noqa: PLC0415 - it is optional

        pictures = [f"![{name}]({name})" for name in draw(RESULTS, rows)]
    return "\n\n".join(["# What was measured", HOW + "\n" + facts, as_markdown(rows), *pictures]) + "\n"


def main() -> None:
    """What was asked for on the command line."""
    what, _, how = (__doc__ or "").partition("\n")
    form = argparse.RawDescriptionHelpFormatter
    usage = "python -m bench.report [-h] [FOR PYTEST ...]"
    parser = argparse.ArgumentParser(usage=usage, description=what, epilog=how, formatter_class=form)
    _, arguments = parser.parse_known_args()
    rows = measured(arguments)
    RESULTS.mkdir(exist_ok=True)
    RESULTS.joinpath("table.json").write_bytes(msgspec.json.format(msgspec.json.encode(rows)) + b"\n")
    RESULTS.joinpath("README.md").write_text(written(rows), encoding="utf-8")
    print(f"written to {RESULTS.relative_to(HOUSE)}", file=sys.stderr)


if __name__ == "__main__":
    main()

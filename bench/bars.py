"""The short form for CI: `python -m bench.bars` fails where a ratio is below its floor (`bench.asked`).

1. What is looked at: ours beside the two fastest peers over 100 segments, 10,000 segments beside 100 on a page with as
   few hits and with more, compiling beside reading, page views on both roads beside constant bytes. Everything is
   measured in turns, in this run, on this machine.
2. What is below its floor is measured once more, alone; it fails if it is below again. Both figures are shown, with
   their middle half, so that one sees whether it was the code or the machine.
3. A peer or wrk that is missing is said and left out, and is a failure where CI=true.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench import audiences, growth, http, match
from bench.asked import BARS
from bench.table import Row, as_text, duration, installed, must_be_there
from engine.decide.decider import Decider
from engine.rules.folder import load
from engine.words import Ruleset

FAR = 10_000  # segments
COMPILED = 2_000
HTTP_ROUNDS, HTTP_STORED = 3, 10_000
PEERS = {
    "cel_rust": {"execute(dict)": "cel as shown", "a Context a visitor": "cel at its best"},
    "zen_engine": {"decision table": "fastest peer"},
}


class Check(NamedTuple):
    """Something to measure, and what is missing for it, if it is."""

    name: str
    measure: Callable[[], list[Row]]
    missing: str | None = None


def peer(name: str) -> Check:
    """Ours beside one peer."""
    package = match.PACKAGES[name]
    missing = None if installed(package) else f"{package} is not installed: pip install '.[bench]'"

    def measure() -> list[Row]:
        return [found.row(PEERS[name].get(found.way)) for found in match.in_own_process(name, 100)]

    return Check(name, measure, missing)


def grown() -> list[Row]:
    """Many segments beside a few, with hits as few, and with as many as so many segments have."""

    def rules(segments: int, width: int) -> Ruleset:
        with TemporaryDirectory() as folder:
            return audiences.ruleset(Path(folder), audiences.rules(segments, width))

    return [row for width in (growth.narrower, growth.alike) for row in growth.rows([FAR], rules, width)]


def compiled() -> list[Row]:
    """Rules made ready, beside their files read and every condition parsed and checked."""
    with TemporaryDirectory() as folder:
        audiences.write(Path(folder), audiences.rules(COMPILED))
        began = time.process_time()
        loaded = load(Path(folder), doubts=False)
        read_s = time.process_time() - began
    assert loaded.ruleset is not None
    began = time.process_time()
    Decider(loaded.ruleset).warm()
    took_s = time.process_time() - began
    what, beside = f"compile {COMPILED:,} segments", "their files read and checked"
    bar = "compile beside reading"
    return [Row(what, duration(took_s), beside, duration(read_s), took_s / read_s, unit="x the time", bar=bar)]


def page_views() -> list[Row]:
    """Both roads beside constant bytes."""
    with TemporaryDirectory() as folder:
        http.prepare(Path(folder), HTTP_STORED)
        return http.rows(http.measure(Path(folder), rounds=HTTP_ROUNDS, stored=HTTP_STORED))


CHECKS = (
    *map(peer, PEERS),
    Check("growth", grown),
    Check("compile", compiled),
    Check("http", page_views, None if http.there() else http.NO_WRK),
)


def below(rows: list[Row]) -> list[Row]:
    """Those that CI does not let pass."""
    return [row for row in rows if row.bar and row.figure is not None and not BARS[row.bar].held(row.figure)]


def looked_at(check: Check) -> tuple[list[Row], list[Row]]:
    """What was measured, and what of it is below its floor, also the second time."""
    rows = check.measure()
    if not (low := below(rows)):
        return rows, []
    print(f"{check.name}: below its floor, measured once more", file=sys.stderr)
    print(as_text(low), file=sys.stderr)
    rows = check.measure()
    return rows, below(rows)


def main() -> None:
    """What was asked for on the command line."""
    what, _, how = (__doc__ or "").partition("\n")
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m bench.bars", description=what, epilog=how, formatter_class=form)
    names = [check.name for check in CHECKS]
    parser.add_argument("check", nargs="*", metavar="CHECK", help=f"only these of {', '.join(names)}")
    asked = parser.parse_args()
    if unknown := [name for name in asked.check if name not in names]:
        parser.error(f"there is no check {', '.join(unknown)}; there are {', '.join(names)}")
    began, rows, failed = time.monotonic(), [], []
    for check in CHECKS:
        if asked.check and check.name not in asked.check:
            continue
        if check.missing:
            print(f"not measured: {check.missing}", file=sys.stderr)
            failed += [check.missing] if must_be_there() else []
            continue
        measured, low = looked_at(check)
        rows += measured
        failed += [f"{row.what}, beside {row.beside}: {row.cells()[4]}, floor {BARS[row.bar].floor:g}" for row in low]
    print(as_text(rows))
    print(f"took {time.monotonic() - began:.0f} s", file=sys.stderr)
    if failed:
        sys.exit("\n".join(["bench.bars: below the floors of bench/asked.py", *failed]))


if __name__ == "__main__":
    main()

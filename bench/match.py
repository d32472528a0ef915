"""Which segments match? Ours beside one peer, in a process of its own: `python -m bench.match zen_engine`.

1. A peer is one file of `bench/peers`: `PACKAGE`, and `WAYS`, by name, each of which prepares the rules once and
   gives a function from a visitor's traits to the numbers of the rules that hold. Where the way that its documentation
   shows is not its fastest, both are there.
2. Answers first: both must say what `Rule.holds` says, for every visitor. Then they take turns (`bench.turns`): seconds
   of computing in a process of their own.
3. Ours is the function that the engine makes of a page: every segment is the one audience of an experience, so that
   all of them have to be answered.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from statistics import median
from subprocess import PIPE, run
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct

from bench import audiences
from bench.audiences import Match, Rule, Traits
from bench.table import Drawn, Row, as_text, duration, installed, row
from bench.turns import ROUNDS, Ratio, in_turns, ratio
from engine.compile.pages import page

PACKAGES = {
    "cel_expr": "cel-expr-python",
    "cel_python": "cel-python",
    "cel_rust": "common-expression-language",
    "flagsmith": "flagsmith-flag-engine",
    "growthbook": "growthbook",
    "json_logic_python": "panzi-json-logic",
    "optimizely_sdk": "optimizely-sdk",
    "unleash": "UnleashClient",
    "zen_engine": "zen-engine",
}
VISITORS, FEWEST = 200, 20  # of 100 segments, and of so many that it would take minutes
_A_LAP_S = 0.02  # a slow peer is asked for fewer visitors at a time, and if that is not enough, less often
_SLOW_S, _SLOW_ROUNDS = 0.05, 7


class Measured(Struct, frozen=True):
    """Ours beside one way of a peer: seconds a visitor, and how many times as fast ours is."""

    peer: str
    version: str
    way: str
    segments: int
    ours_s: float
    theirs_s: float
    prepared_s: float
    ratio: Ratio

    def row(self, bar: str | None = None) -> Row:
        """The same as a row of the table."""
        name = f"{PACKAGES[self.peer]} {self.version}, {self.way}"
        what = f"match {self.segments:,} segments"
        drawn = Drawn("peers", self.segments, self.ours_s, self.theirs_s)
        return row(what, duration(self.ours_s), name, duration(self.theirs_s), self.ratio, bar=bar, drawn=drawn)


def ours(rules: Sequence[Rule]) -> Match:
    """The engine's page function over these rules."""
    with TemporaryDirectory() as folder:
        ruleset = audiences.ruleset(Path(folder), rules, audiences=1)
    function = page(list(ruleset.experiences.values()), ruleset.segments)
    nothing: Traits = {}

    def match(traits: Traits) -> list[int]:
        hits = function(traits, nothing, nothing, nothing, nothing, nothing, nothing, None)
        return [number for number, _ in hits]

    return match


def beside(peer: str, segments: int) -> list[Measured]:
    """Ours beside each way of this peer, here."""
    rules, people = audiences.rules(segments), audiences.visitors(max(FEWEST, VISITORS * 100 // segments))
    wanted = [[number for number, rule in enumerate(rules) if rule.holds(traits)] for traits in people]
    our_match = ours(rules)
    check("ours", our_match, people, wanted)
    return [
        _measured(peer, name, way, our_match, rules, people, wanted)
        for name, way in import_module(f"bench.peers.{peer}").WAYS.items()
    ]


def check(name: str, match: Match, people: Sequence[Traits], wanted: Sequence[list[int]]) -> None:
    """Does it answer what is right?"""
    for traits, right in zip(people, wanted, strict=True):
        found = match(traits)
        assert found == right, f"{name}: expected {right}, got {found} for {traits}"


def _measured(
    peer: str,
    name: str,
    way: Callable[[Sequence[Rule]], Match],
    our_match: Match,
    rules: Sequence[Rule],
    people: Sequence[Traits],
    wanted: Sequence[list[int]],
) -> Measured:
    began = time.process_time()
    their_match = way(rules)
    prepared_s = time.process_time() - began
    began = time.process_time()
    check(f"{peer}, {name}", their_match, people, wanted)
    a_visitor_s = (time.process_time() - began) / len(people)
    some = people[: max(5, min(len(people), round(_A_LAP_S / a_visitor_s)))]
    took = in_turns(
        {"ours": lambda: list(map(our_match, some)), "theirs": lambda: list(map(their_match, some))},
        _SLOW_ROUNDS if len(some) * a_visitor_s > _SLOW_S else ROUNDS,
    )
    return Measured(
        peer,
        installed(PACKAGES[peer]) or "",
        name,
        len(rules),
        median(took["ours"]) / len(some),
        median(took["theirs"]) / len(some),
        prepared_s,
        ratio(took["theirs"], took["ours"]),
    )


def in_own_process(peer: str, segments: int) -> list[Measured]:
    """The same as `beside`, where no other peer was ever imported."""
    command = [sys.executable, "-m", "bench.match", peer, "--segments", str(segments), "--json"]
    done = run(command, check=True, stdout=PIPE, cwd=Path(__file__).parent.parent)
    return msgspec.json.decode(done.stdout, type=list[Measured])


def main() -> None:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.match", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("peer", nargs="*", help=f"one of {', '.join(PACKAGES)}; all if none is named")
    parser.add_argument("--segments", type=int, default=100, help="how many rules (100)")
    parser.add_argument("--json", action="store_true", help="print the figures for a program; takes one peer")
    asked = parser.parse_args()
    if unknown := [name for name in asked.peer if name not in PACKAGES]:
        parser.error(f"there is no peer {', '.join(unknown)}; there are {', '.join(PACKAGES)}")
    if asked.json and len(asked.peer) != 1:
        parser.error("--json takes one peer")
    if asked.json:
        print(json.dumps([msgspec.to_builtins(found) for found in beside(asked.peer[0], asked.segments)]))
        return
    there = [name for name in asked.peer or PACKAGES if installed(PACKAGES[name])]
    print(as_text([found.row() for name in there for found in in_own_process(name, asked.segments)]))
    if missing := [PACKAGES[name] for name in asked.peer or PACKAGES if name not in there]:
        print(f"not installed: {', '.join(missing)}; pip install '.[bench]' brings them", file=sys.stderr)


if __name__ == "__main__":
    main()
